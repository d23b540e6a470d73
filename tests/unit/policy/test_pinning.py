from dataclasses import replace

import pytest

from bascule.gateway.call import Call, Endpoint, EndpointKind, Method
from bascule.gateway.errors import ErrorCode
from bascule.gateway.rule import Effect, Rule
from bascule.gateway.snapshot import Snapshot
from bascule.gateway.tool import Home, RiskLevel, Tool
from bascule.gateway.verdict import PASS, Refuse
from bascule.policy.access import Access
from bascule.policy.authorise import Authorise
from bascule.policy.pinning import header_pin, refuse_pins, split_pin
from fakes.catalogue import TENANT, allow_everything, make_principal, make_snapshot, make_tool

TOOL = replace(make_tool("book"), version="1.2.0")
VERSIONS = (
    make_tool("book", version="2.0.0", risk=RiskLevel.PRIVILEGED),
    make_tool("book", version="1.3.0-rc.1"),
    TOOL,
    make_tool("book", version="1.1.0", bundle="old"),
)
READS_ONLY = [Rule("reads", Effect.ALLOW, frozenset({"user"}), risks=frozenset({"read"}))]
DESK = Endpoint(EndpointKind.BUNDLE, "desk")


def call_of(name: str, **fields: object) -> Call:
    return Call(Method.TOOLS_CALL, "c", tool_name=name, principal=make_principal(), **fields)


def of_versions(
    *versions: Tool, rules: list[Rule] | None = None, shown: Tool | None = None
) -> Snapshot:
    snapshot = make_snapshot(versions[:1], rules=rules)
    view = snapshot.tenant(TENANT)
    bundles = {} if shown is None else {"desk": {shown.name: shown}}
    view = replace(view, versions={"book": versions}, bundle_tools=bundles)
    return replace(snapshot, tenants={TENANT: view})


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("book@1.2", ("book", "1.2")),
        ("a@b@2", ("a@b", "2")),
        ("book", ("book", "")),
        ("book@", ("book@", "")),
        ("@1", ("@1", "")),
    ],
)
def test_a_version_may_stand_behind_the_name(name: str, parts: tuple[str, str]) -> None:
    assert split_pin(name) == parts


def test_a_version_that_is_not_there_is_refused_with_those_that_are() -> None:
    refusal = refuse_pins(VERSIONS, ["3"])
    assert refusal.error is ErrorCode.TOOL_NOT_FOUND
    assert refusal.details == {"available": ["2.0.0", "1.3.0-rc.1", "1.2.0", "1.1.0"]}
    assert refusal.public == (
        "book is here in version 2.0.0, 1.3.0-rc.1, 1.2.0, 1.1.0, not 3. "
        "Pin one of these, or none for the newest."
    )
    assert "Pin that one" in refuse_pins([TOOL], ["x" * 500]).public
    assert len(refuse_pins([TOOL], ["x" * 500]).public) < 200


def test_a_header_pins_as_well() -> None:
    assert header_pin(call_of("book")) == ""
    assert header_pin(call_of("book", headers={})) == ""
    assert header_pin(call_of("book", headers={b"x-mcp-tool-version": b" 1.2 "})) == "1.2"


@pytest.mark.parametrize(
    ("name", "headers", "fits"),
    [
        ("book@1.2", None, True),
        ("book@2", None, False),
        ("book", {b"x-mcp-tool-version": b"1"}, True),
        ("book", {b"x-mcp-tool-version": b"2"}, False),
        ("book@1", {b"x-mcp-tool-version": b"1.2"}, True),
        ("book@1", {b"x-mcp-tool-version": b"2"}, False),
        ("other@1", None, False),
        ("other", {b"x-mcp-tool-version": b"1"}, False),
    ],
)
async def test_calls_go_to_the_version_they_pin_or_nowhere(
    name: str, headers: dict[bytes, bytes] | None, fits: bool
) -> None:
    call = call_of(name, headers=headers)
    verdict = await Authorise(Access(make_snapshot([TOOL]))).inbound(call)
    assert (call.tool == TOOL) is fits, verdict
    if fits:
        assert call.tool_name == "book", "records and metrics know it by its name"


@pytest.mark.parametrize(
    ("name", "version"),
    [("book", "2.0.0"), ("book@1", "1.2.0"), ("book@1.3", "1.3.0-rc.1"), ("book@1.1", "1.1.0")],
)
async def test_a_pin_reaches_every_callable_version(name: str, version: str) -> None:
    call = call_of(name)
    assert (
        await Authorise(Access(of_versions(*VERSIONS), elevate_privileged=False)).inbound(call)
        is PASS
    )
    assert call.tool is not None
    assert (call.tool.version, call.tool_name, call.rule) == (version, "book", "allow-everything")


async def test_each_version_is_judged_by_what_it_is_itself() -> None:
    """The newest does more than this caller may; the ones before it do not."""
    authorise = Authorise(Access(of_versions(*VERSIONS, rules=READS_ONLY)))
    verdict = await authorise.inbound(call_of("book@2"))
    assert isinstance(verdict, Refuse)
    assert verdict.details == {"available": ["1.3.0-rc.1", "1.2.0", "1.1.0"]}, "of those it sees"
    call = call_of("book@1.2")
    assert await authorise.inbound(call) is PASS
    assert call.tool is TOOL
    hidden = await authorise.inbound(call_of("book"))
    assert isinstance(hidden, Refuse)
    assert hidden.error is ErrorCode.TOOL_NOT_FOUND


async def test_versions_that_nobody_may_see_are_not_told_of() -> None:
    authorise = Authorise(Access(of_versions(*VERSIONS, rules=[])))
    verdict = await authorise.inbound(call_of("book@1"))
    unknown = await authorise.inbound(call_of("cook@1"))
    assert isinstance(verdict, Refuse)
    assert isinstance(unknown, Refuse)
    assert verdict.public.replace("book", "cook") == unknown.public


async def test_a_version_that_is_seen_may_still_not_be_callable() -> None:
    rules = [
        allow_everything(),
        Rule(
            "no writes",
            Effect.DENY,
            frozenset({"user"}),
            frozenset({"invoke"}),
            risks=frozenset({"privileged"}),
        ),
    ]
    verdict = await Authorise(Access(of_versions(*VERSIONS, rules=rules))).inbound(
        call_of("book@2")
    )
    assert isinstance(verdict, Refuse)
    assert verdict.error is ErrorCode.FORBIDDEN


async def test_at_a_bundle_only_its_own_versions_count() -> None:
    access = Access(of_versions(*VERSIONS))
    old = Endpoint(EndpointKind.BUNDLE, "old")
    call = call_of("book@1", endpoint=old)
    assert await Authorise(access).inbound(call) is PASS
    assert call.tool is VERSIONS[3]
    verdict = await Authorise(access).inbound(call_of("book@2", endpoint=old))
    assert isinstance(verdict, Refuse)
    assert verdict.details == {"available": ["1.1.0"]}


async def test_a_bundle_that_borrows_has_chosen_the_version() -> None:
    shown = replace(TOOL, name="reserve", bundle="desk", home=Home("book", "booking", {}))
    authorise = Authorise(Access(of_versions(*VERSIONS, shown=shown)))
    call = call_of("reserve@1", endpoint=DESK)
    assert await authorise.inbound(call) is PASS
    assert (call.tool, call.tool_name) == (shown, "book")
    verdict = await authorise.inbound(call_of("reserve@2", endpoint=DESK))
    assert isinstance(verdict, Refuse)
    assert verdict.details == {"available": ["1.2.0"]}
    foreign = await authorise.inbound(call_of("book@1", endpoint=DESK))
    assert isinstance(foreign, Refuse)
    assert foreign.details is None


async def test_a_bundle_that_borrows_keeps_the_versions_of_what_is_its_own() -> None:
    own = replace(TOOL, bundle="desk")
    older = replace(own, version="1.0.0")
    snapshot = of_versions(own, older, shown=own)
    call = call_of("book@1.0", endpoint=DESK)
    assert await Authorise(Access(snapshot)).inbound(call) is PASS
    assert call.tool is older
