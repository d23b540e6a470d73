"""The stage alone; with what comes before it in `test_authorise`, with real grants end to end."""

from collections.abc import Mapping

import pytest

from bascule.gateway.call import Call, Method, More
from bascule.gateway.elevation import Elevation, Grant, Scope, ScopeKind
from bascule.gateway.errors import ErrorCode
from bascule.gateway.principal import Principal
from bascule.gateway.stage import FailureMode
from bascule.gateway.tool import Tool
from bascule.gateway.verdict import PASS, Challenge, Refuse
from bascule.policy.elevate import Elevate
from fakes.catalogue import make_principal, make_tool
from fakes.relayed import make_relayed

GRANT = Grant("g-1", Scope(ScopeKind.TOOL, "refund"), 0.0, 1.0, "CHG-7")
WORDS = "refund needs an elevation: a person has to agree."


class Grants:
    """Gives the same answer to all, and remembers whether calls went on with others."""

    def __init__(self, found: Elevation) -> None:
        self._found = found
        self.continued: list[str] = []

    async def check(
        self,
        principal: Principal,
        tool: Tool,
        arguments: Mapping[str, object],
        *,
        continues: str,
    ) -> Elevation:
        self.continued.append(continues)
        return self._found


def held_back(tool: Tool | None = None, more: More | None = None) -> Call:
    call = Call(Method.TOOLS_CALL, "c-1", tool_name="refund", principal=make_principal())
    call.tool, call.rule, call.lacks_grant = tool or make_tool("refund"), "big", WORDS
    call.notes = {"policy": {"version": 3}}
    if more is not None:
        call.more = more
    return call


async def test_a_call_that_lacks_nothing_passes_and_nobody_is_asked() -> None:
    grants = Grants(Elevation(None))
    assert await Elevate(grants).inbound(Call(Method.TOOLS_LIST, "c-1")) is PASS
    assert grants.continued == []


async def test_a_grant_lets_the_call_pass_and_is_named_beside_other_notes() -> None:
    call = held_back()
    assert await Elevate(Grants(Elevation(GRANT))).inbound(call) is PASS
    assert call.notes == {"policy": {"version": 3}, "elevation": "g-1"}
    assert call.lacks_grant == ""


async def test_without_one_the_caller_is_sent_to_ask_and_the_record_says_by_which_rule() -> None:
    verdict = await Elevate(Grants(Elevation(None, "https://g.example/elevate/x"))).inbound(
        held_back()
    )
    assert isinstance(verdict, Challenge)
    assert (verdict.public, verdict.url) == (WORDS, "https://g.example/elevate/x")
    assert "big" in verdict.private


@pytest.mark.parametrize("grants", [None, Grants(Elevation(None))])
async def test_where_nobody_can_be_asked_the_call_is_refused(grants: Grants | None) -> None:
    verdict = await Elevate(grants).inbound(held_back())
    assert isinstance(verdict, Refuse)
    assert verdict.error is ErrorCode.ELEVATION_REQUIRED
    assert verdict.details == {"requires_elevation": True}


async def test_only_a_call_of_a_server_that_asked_goes_on_with_an_earlier_one() -> None:
    grants = Grants(Elevation(GRANT))
    state = More(request_state="sealed")
    for tool in (make_relayed("ask"), make_tool("refund")):
        await Elevate(grants).inbound(held_back(tool, state))
    await Elevate(grants).inbound(held_back(make_relayed("ask")))
    assert grants.continued == ["sealed", "", ""]


async def test_what_nobody_authorised_does_not_pass() -> None:
    call = held_back()
    call.principal = None
    verdict = await Elevate(Grants(Elevation(GRANT))).inbound(call)
    assert isinstance(verdict, Refuse)
    assert verdict.error is ErrorCode.INTERNAL
    assert Elevate(None).on_failure is FailureMode.CLOSED
