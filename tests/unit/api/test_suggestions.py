from bascule.api.suggestions import tool_missing
from bascule.gateway.snapshot import TenantView
from fakes.catalogue import TENANT, make_tool

VIEW = TenantView(TENANT, {"get_slots": make_tool()}, disabled=frozenset({"purge"}))


def test_a_slip_is_told_with_what_may_be_meant() -> None:
    failure = tool_missing(VIEW, "get_slot")
    assert failure.public == "There is no tool named get_slot in force. Did you mean get_slots?"
    assert failure.details == {"field": "tool"}


def test_a_tool_that_is_switched_off_is_not_called_unknown() -> None:
    assert "not in force: it is inactive" in tool_missing(VIEW, "purge").public
