"""A tool that is held back says so, to those who would see it."""

from dataclasses import replace

from bascule.gateway.call import EVERYTHING, Call, Endpoint, EndpointKind, Method
from bascule.gateway.errors import ErrorCode
from bascule.gateway.rule import Effect, Rule
from bascule.gateway.tool import Tool
from bascule.policy.access import Access
from bascule.policy.quarantine import refuse_quarantined
from fakes.catalogue import make_principal
from fakes.relayed import make_relayed, make_view, snapshot_of

ALPHA = Endpoint(EndpointKind.SERVER, "alpha")
HIDE = (Rule("none", Effect.DENY, frozenset({"user"})),)


async def asked(name: str, *held: Tool, endpoint: Endpoint = EVERYTHING, rules: object = None):
    view = make_view(upstreams=["alpha"], rules=rules)  # type: ignore[arg-type]
    view = replace(view, quarantined={tool.name: tool for tool in held})
    call = Call(Method.TOOLS_CALL, "c-1", tool_name=name, endpoint=endpoint)
    call.snapshot = snapshot_of(view)
    return await refuse_quarantined(call, make_principal(), Access(call.snapshot))


async def test_who_would_see_the_tool_is_told_that_it_waits() -> None:
    refusal = await asked("search", make_relayed("search"))
    assert refusal is not None
    assert refusal.error is ErrorCode.TOOL_DISABLED
    assert "approve" in refusal.public


async def test_who_would_not_see_it_learns_nothing() -> None:
    assert await asked("search", make_relayed("search"), rules=HIDE) is None


async def test_other_tools_are_not_concerned() -> None:
    assert await asked("search") is None
    assert await asked("find", make_relayed("search")) is None


async def test_at_its_server_s_own_endpoint_it_is_known_by_both_names() -> None:
    held = make_relayed("search", front="alpha_search")
    assert await asked("search", held, endpoint=ALPHA) is not None
    assert await asked("alpha_search", held, endpoint=ALPHA) is not None
    assert await asked("search", held) is None
    assert await asked("search", held, endpoint=Endpoint(EndpointKind.SERVER, "beta")) is None
