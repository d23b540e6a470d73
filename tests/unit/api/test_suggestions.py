from bascule.api.suggestions import tool_missing, unknown
from bascule.gateway.snapshot import TenantView
from fakes.catalogue import TENANT, make_tool

VIEW = TenantView(TENANT, {"get_slots": make_tool()}, disabled=frozenset({"purge"}))


def test_a_slip_is_told_with_what_may_be_meant() -> None:
    failure = tool_missing(VIEW, "get_slot")
    assert failure.public == "There is no tool named get_slot in force. Did you mean get_slots?"
    assert failure.details == {"field": "tool"}


def test_a_tool_that_is_switched_off_is_not_called_unknown() -> None:
    assert "not in force: it is inactive" in tool_missing(VIEW, "purge").public


async def test_only_what_the_caller_sees_is_suggested() -> None:
    asked: list[str] = []

    async def sees(name: str) -> bool:
        asked.append(name)
        return name == "refund_all"

    names = ["refund", "refunds", "refund_all", "look"]
    failure = await unknown("tool", "refund", names, sees)
    assert failure.public == (
        "There is no tool named refund for you. Did you mean refund_all? `bascule tools list` "
        "shows what there is."
    )
    assert asked == ["refunds", "refund_all"]


async def test_not_everything_is_tried_and_nothing_is_made_up() -> None:
    asked: list[str] = []

    async def sees(name: str) -> bool:
        asked.append(name)
        return False

    failure = await unknown("bundle", "tool", [f"tool{one}" for one in range(20)], sees)
    assert "mean" not in failure.public
    assert len(asked) == 5
    assert "mean" not in (await unknown("bundle", "x" * 500, ["pay"], sees)).public
