"""A tool that is held back says so, to those who would see it."""

from dataclasses import replace

from bascule.gateway.call import EVERYTHING, Call, Endpoint, EndpointKind, Method
from bascule.gateway.errors import ErrorCode
from bascule.gateway.rule import Effect, RbacRule
from bascule.gateway.tool import Tool
from bascule.policy.quarantine import refuse_quarantined
from fakes.catalogue import make_principal
from fakes.relayed import make_relayed, make_view, snapshot_of

ALPHA = Endpoint(EndpointKind.SERVER, "alpha")
HIDE = (RbacRule("none", Effect.DENY, frozenset({"user"})),)


def asked(name: str, *held: Tool, endpoint: Endpoint = EVERYTHING, rules: object = None):
    view = make_view(upstreams=["alpha"], rules=rules)  # type: ignore[arg-type]
    view = replace(view, quarantined={tool.name: tool for tool in held})
    call = Call(Method.TOOLS_CALL, "c-1", tool_name=name, endpoint=endpoint)
    call.snapshot = snapshot_of(view)
    return refuse_quarantined(call, make_principal())


def test_who_would_see_the_tool_is_told_that_it_waits() -> None:
    refusal = asked("search", make_relayed("search"))
    assert refusal is not None
    assert refusal.error is ErrorCode.TOOL_DISABLED
    assert "approve" in refusal.public


def test_who_would_not_see_it_learns_nothing() -> None:
    assert asked("search", make_relayed("search"), rules=HIDE) is None


def test_other_tools_are_not_concerned() -> None:
    assert asked("search") is None
    assert asked("find", make_relayed("search")) is None


def test_at_its_server_s_own_endpoint_it_is_known_by_both_names() -> None:
    held = make_relayed("search", front="alpha_search")
    assert asked("search", held, endpoint=ALPHA) is not None
    assert asked("alpha_search", held, endpoint=ALPHA) is not None
    assert asked("search", held) is None
    assert asked("search", held, endpoint=Endpoint(EndpointKind.SERVER, "beta")) is None
