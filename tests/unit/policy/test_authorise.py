from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from bascule.gateway.call import Call, Endpoint, EndpointKind, Method, More
from bascule.gateway.elevation import Elevation, Grant, Scope, ScopeKind
from bascule.gateway.errors import ErrorCode
from bascule.gateway.inventory import ItemKind, Target
from bascule.gateway.principal import Principal
from bascule.gateway.rego import RegoAnswer, RegoDocument
from bascule.gateway.rule import Action, ArgumentTest, Effect, Operator, Rule, RuleKind
from bascule.gateway.snapshot import Snapshot
from bascule.gateway.stage import FailureMode
from bascule.gateway.tool import Bundle, Home, Release, RiskLevel, Tool
from bascule.gateway.verdict import PASS, Challenge, Need, Refuse, Verdict
from bascule.policy.access import Access
from bascule.policy.authorise import Authorise, within
from bascule.policy.elevate import Elevate
from fakes.catalogue import TENANT, make_principal, make_snapshot, make_tool
from fakes.decisions import NOW
from fakes.relayed import (
    make_inventory,
    make_prompt,
    make_relayed,
    make_template,
    make_view,
    snapshot_of,
)

BOOKING = Endpoint(EndpointKind.BUNDLE, "booking")
FLEET = Endpoint(EndpointKind.BUNDLE, "fleet")
DEALERS = Endpoint(EndpointKind.SERVER, "dealers")
TOOLS = [
    make_tool("get_slots"),
    make_tool("get_cars", bundle="fleet", upstream="garage"),
    make_tool("delete_customer", bundle="booking"),
]
HIDE_DELETE = [
    Rule("users", Effect.ALLOW, frozenset({"user"})),
    Rule("no-delete", Effect.DENY, frozenset({"user"}), tools=frozenset({"delete_*"})),
]


async def judge(
    snapshot: Snapshot,
    name: str,
    *,
    endpoint: Endpoint | None = None,
    principal: Principal | None = None,
) -> tuple[Verdict, Call]:
    call = Call(Method.TOOLS_CALL, "c-1", tool_name=name, endpoint=endpoint or Endpoint())
    call.snapshot = snapshot
    call.principal = principal or make_principal()
    return await Authorise(Access(snapshot)).inbound(call), call


def refusal(verdict: Verdict) -> Refuse:
    assert isinstance(verdict, Refuse)
    return verdict


async def test_an_allowed_call_gets_its_tool_and_the_rule_that_allowed_it() -> None:
    verdict, call = await judge(make_snapshot(TOOLS), "get_slots")
    assert verdict is PASS
    assert (call.tool, call.rule) == (TOOLS[0], "allow-everything")


@pytest.mark.parametrize("method", [Method.TOOLS_LIST, Method.PING, Method.DISCOVER])
async def test_a_call_without_a_tool_passes_with_none_set(method: Method) -> None:
    call = Call(method, "c-1", tool_name="get_slots", principal=make_principal())
    assert await Authorise(Access(make_snapshot(TOOLS))).inbound(call) is PASS
    assert (call.tool, call.rule) == (None, None)


@pytest.mark.parametrize("method", Method)
async def test_a_call_nobody_identified_is_refused_whatever_it_asks(method: Method) -> None:
    call = Call(method, "c-1", tool_name="get_slots")
    verdict = refusal(await Authorise(Access(make_snapshot(TOOLS))).inbound(call))
    assert verdict.error is ErrorCode.INTERNAL
    assert call.tool is None


def test_a_stage_that_breaks_refuses() -> None:
    assert Authorise.on_failure is FailureMode.CLOSED


@pytest.mark.parametrize("name", ["delete_customer", "delete_custom", "get_slot", "x", "purge"])
async def test_a_hidden_tool_is_answered_like_one_that_never_existed(name: str) -> None:
    """Compare word for word: with the tool hidden by rules, disabled, foreign, and not there."""
    hidden = make_snapshot([*TOOLS, make_tool("purge")], rules=[*HIDE_DELETE, deny("purge")])
    disabled = make_snapshot(TOOLS[:2], rules=HIDE_DELETE, disabled={"delete_customer", "purge"})
    absent = make_snapshot(TOOLS[:2], rules=HIDE_DELETE)
    said = [refusal((await judge(snapshot, name))[0]) for snapshot in (hidden, disabled, absent)]
    assert {(one.error, one.public) for one in said} == {(said[0].error, said[0].public)}
    assert said[0].details == said[1].details == said[2].details
    assert said[0].error is ErrorCode.TOOL_NOT_FOUND
    assert said[0].public.startswith(f"Unknown tool: {name}.")


def deny(name: str) -> Rule:
    return Rule(f"no-{name}", Effect.DENY, frozenset({"user"}), tools=frozenset({name}))


async def test_a_hidden_and_an_unknown_name_differ_only_in_the_name() -> None:
    snapshot = make_snapshot([make_tool("qqqqqqqq")], rules=[deny("qqqqqqqq")])
    hidden = refusal((await judge(snapshot, "qqqqqqqq"))[0])
    unknown = refusal((await judge(snapshot, "zzzzzzzz"))[0])
    assert hidden.public.replace("qqqqqqqq", "zzzzzzzz") == unknown.public
    assert (hidden.error, hidden.details) == (unknown.error, unknown.details)


async def test_only_the_auditor_learns_that_a_hidden_tool_exists() -> None:
    snapshot = make_snapshot(TOOLS, rules=HIDE_DELETE, disabled={"retired"})
    assert "out of reach" in refusal((await judge(snapshot, "delete_customer"))[0]).private
    assert "out of reach" in refusal((await judge(snapshot, "retired"))[0]).private
    assert "unknown" in refusal((await judge(snapshot, "never_there"))[0]).private


async def test_a_refused_call_carries_no_tool() -> None:
    _, call = await judge(make_snapshot(TOOLS, rules=HIDE_DELETE), "delete_customer")
    assert (call.tool, call.rule) == (None, None)


async def test_a_near_miss_is_told_what_was_meant() -> None:
    verdict = refusal((await judge(make_snapshot(TOOLS), "Get_Slot"))[0])
    assert verdict.public == "Unknown tool: Get_Slot. Did you mean get_slots?"
    assert verdict.details == {"did_you_mean": "get_slots"}


async def test_a_guess_is_never_a_tool_the_caller_does_not_see() -> None:
    snapshot = make_snapshot(TOOLS, rules=HIDE_DELETE)
    for name in ("delete_custome", "delete_customers", "DELETE_CUSTOMER"):
        verdict = refusal((await judge(snapshot, name))[0])
        assert verdict.details is None
        assert "delete_customer?" not in verdict.public


async def test_a_guess_is_never_a_tool_of_another_endpoint() -> None:
    verdict = refusal((await judge(make_snapshot(TOOLS), "get_car", endpoint=BOOKING))[0])
    assert "get_cars" not in verdict.public


async def test_a_far_miss_is_pointed_to_the_list() -> None:
    verdict = refusal((await judge(make_snapshot(TOOLS), "x"))[0])
    assert "tools/list" in verdict.public


async def test_a_hostile_name_is_cut_in_the_answer() -> None:
    verdict = refusal((await judge(make_snapshot(TOOLS), "x" * 1_000_000))[0])
    assert len(verdict.public) < 300


async def test_a_tool_that_may_be_seen_but_not_called_is_forbidden_by_name() -> None:
    rules = [Rule("see", Effect.ALLOW, frozenset({"user"}), actions=frozenset({Action.DISCOVER}))]
    verdict, call = await judge(make_snapshot(TOOLS, rules=rules), "get_slots")
    assert refusal(verdict).error is ErrorCode.FORBIDDEN
    assert "get_slots" in refusal(verdict).public
    assert call.tool is None


@pytest.mark.parametrize(
    ("endpoint", "names"),
    [
        (Endpoint(), ["get_slots", "get_cars", "delete_customer"]),
        (BOOKING, ["get_slots", "delete_customer"]),
        (FLEET, ["get_cars"]),
        (DEALERS, ["get_slots", "delete_customer"]),
        (Endpoint(EndpointKind.BUNDLE, "dealers"), []),
        (Endpoint(EndpointKind.SERVER, "booking"), []),
        (Endpoint(EndpointKind.BUNDLE, ""), []),
    ],
)
async def test_an_endpoint_narrows_lists_and_calls_alike(
    endpoint: Endpoint, names: list[str]
) -> None:
    snapshot = make_snapshot(TOOLS)
    listed = await Authorise(Access(snapshot)).visible(make_principal(), endpoint, NOW)
    assert [tool.name for tool in listed] == names
    for tool in TOOLS:
        verdict, _ = await judge(snapshot, tool.name, endpoint=endpoint)
        assert (verdict is PASS) is (tool.name in names)
        assert within(tool, endpoint) is (tool.name in names)


async def test_a_tool_outside_the_endpoint_is_unknown_there() -> None:
    elsewhere = refusal((await judge(make_snapshot(TOOLS), "get_cars", endpoint=BOOKING))[0])
    absent = make_snapshot([TOOLS[0], TOOLS[2]])
    unknown = refusal((await judge(absent, "get_cars", endpoint=BOOKING))[0])
    assert (elsewhere.error, elsewhere.public) == (unknown.error, unknown.public)


async def test_an_endpoint_never_widens_what_a_caller_may_do() -> None:
    snapshot = make_snapshot(TOOLS, rules=HIDE_DELETE)
    listed = await Authorise(Access(snapshot)).visible(make_principal(), BOOKING, NOW)
    assert [tool.name for tool in listed] == ["get_slots"]
    verdict, _ = await judge(snapshot, "delete_customer", endpoint=BOOKING)
    assert refusal(verdict).error is ErrorCode.TOOL_NOT_FOUND


# What is no tool.

SERVER = Endpoint(EndpointKind.SERVER, "alpha")


class Found:
    """Locates what it was given, or refuses."""

    def __init__(self, *found: Target, refusal: Refuse | None = None) -> None:
        self._found = found
        self._refusal = refusal

    async def locate(self, call: Call, principal: Principal) -> Sequence[Target] | Refuse:
        del call, principal
        return self._refusal or self._found


def note(upstream: str = "alpha") -> Target:
    return Target(ItemKind.RESOURCE, upstream, "note://x", upstream, "note://x")


async def aim(
    found: Found, rules: list[Rule] | None = None, method: Method = Method.RESOURCES_READ
) -> tuple[Verdict, Call]:
    call = Call(method, "c-1", principal=make_principal(), more=More(uri="note://x"))
    call.snapshot = make_snapshot(rules=rules)
    return await Authorise(Access(call.snapshot), found).inbound(call), call


async def test_a_read_gets_its_target_and_the_rule_that_allowed_it() -> None:
    verdict, call = await aim(Found(note()))
    assert verdict is PASS
    assert (call.target, call.rule) == (note(), "allow-everything")


async def test_of_several_targets_the_first_that_may_be_used_is_meant() -> None:
    beta = Rule("beta", Effect.ALLOW, frozenset({"user"}), bundles=frozenset({"beta"}))
    verdict, call = await aim(Found(note(), note("beta")), [beta])
    assert verdict is PASS
    assert call.target == note("beta")


async def test_what_may_be_seen_but_not_used_is_forbidden() -> None:
    see = Rule("see", Effect.ALLOW, frozenset({"user"}), frozenset({Action.DISCOVER}))
    verdict, call = await aim(Found(note()), [see])
    assert refusal(verdict).error is ErrorCode.FORBIDDEN
    assert call.target is None


@pytest.mark.parametrize(
    ("method", "error"),
    [
        (Method.RESOURCES_READ, ErrorCode.RESOURCE_NOT_FOUND),
        (Method.SUBSCRIBE, ErrorCode.RESOURCE_NOT_FOUND),
        (Method.PROMPTS_GET, ErrorCode.PROMPT_NOT_FOUND),
        (Method.COMPLETE, ErrorCode.INVALID_VALUE),
        (Method.TASKS_GET, ErrorCode.STALE_HANDLE),
    ],
)
async def test_the_hidden_and_the_absent_get_the_same_words(
    method: Method, error: ErrorCode
) -> None:
    hidden, absent = await aim(Found(note()), [], method), await aim(Found(), [], method)
    one, other = refusal(hidden[0]), refusal(absent[0])
    assert (one.error, one.public, one.details) == (error, other.public, other.details)
    assert one.private != other.private


async def test_a_resource_that_is_not_there_is_named_in_the_data() -> None:
    """Source: specification 2026-07-28, server/resources "Error Handling"."""
    verdict, _ = await aim(Found())
    assert refusal(verdict).details == {"uri": "note://x"}


async def test_a_refusal_of_who_locates_is_passed_on() -> None:
    no = Refuse(ErrorCode.MISSING_CAPABILITY, "no", "no")
    assert (await aim(Found(refusal=no), method=Method.TASKS_GET))[0] is no


async def test_without_anybody_who_locates_there_is_nothing() -> None:
    call = Call(Method.RESOURCES_READ, "c-1", principal=make_principal())
    verdict = await Authorise(Access(make_snapshot())).inbound(call)
    assert refusal(verdict).error is ErrorCode.RESOURCE_NOT_FOUND


@pytest.mark.parametrize("endpoint", [SERVER, Endpoint(EndpointKind.BUNDLE, "alpha")])
async def test_at_a_server_s_endpoint_its_tools_are_called_by_their_own_names(
    endpoint: Endpoint,
) -> None:
    tool, other = make_relayed(front="alpha_search"), make_tool("search")
    snapshot = make_snapshot([tool, other])
    verdict, call = await judge(snapshot, "search", endpoint=endpoint)
    assert verdict is PASS
    assert call.tool is tool


async def test_elsewhere_a_tool_s_own_name_is_nobody_s() -> None:
    snapshot = make_snapshot([make_relayed(front="alpha_search")])
    for endpoint in (Endpoint(), Endpoint(EndpointKind.SERVER, "beta")):
        verdict, _ = await judge(snapshot, "search", endpoint=endpoint)
        assert refusal(verdict).error is ErrorCode.TOOL_NOT_FOUND


async def test_prompts_and_templates_are_those_of_the_endpoint_each_template_once() -> None:
    inventories = [
        make_inventory(
            name, prompts=[make_prompt(name, name)], templates=[make_template("a://{x}", name)]
        )
        for name in ("alpha", "beta")
    ]
    authorise = Authorise(Access(snapshot_of(make_view(*inventories))))
    ann = make_principal()
    assert [one.name for one in await authorise.prompts(ann, Endpoint(), NOW)] == ["alpha", "beta"]
    assert [one.name for one in await authorise.prompts(ann, SERVER, NOW)] == ["alpha"]
    assert [one.upstream for one in await authorise.templates(ann, Endpoint(), NOW)] == ["alpha"]
    bundle = Endpoint(EndpointKind.BUNDLE, "beta")
    assert [one.upstream for one in await authorise.templates(ann, bundle, NOW)] == ["beta"]


def desk_of(*shown: Tool, releases: tuple[Release, ...] = (), **endpoints: Tool) -> Snapshot:
    """A bundle that serves `shown`, and nothing else, beside the usual tools."""
    snapshot = make_snapshot(TOOLS, rules=HIDE_DELETE)
    tables = {"desk": {one.name: one for one in shown}}
    tables |= {f"desk@{pin}": {one.name: one} for pin, one in endpoints.items()}
    bundles = {"desk": Bundle("desk", releases=releases)}
    view = replace(snapshot.tenant(TENANT), bundle_tools=tables, bundles=bundles)
    return replace(snapshot, tenants={TENANT: view})


DESK = Endpoint(EndpointKind.BUNDLE, "desk")
BORROWED = replace(
    make_tool("free_slots", bundle="desk"), home=Home("get_slots", "booking", {"type": "object"})
)
PURGE = replace(
    make_tool("purge", bundle="desk"), home=Home("delete_customer", "booking", {"type": "object"})
)


async def test_a_borrowed_tool_is_called_by_its_name_there_and_recorded_by_its_own() -> None:
    verdict, call = await judge(desk_of(BORROWED), "free_slots", endpoint=DESK)
    assert verdict is PASS
    assert (call.tool, call.tool_name, call.rule) == (BORROWED, "get_slots", "users")


async def test_a_bundle_that_borrows_serves_what_is_in_its_selection_and_nothing_else() -> None:
    snapshot = desk_of(BORROWED)
    authorise = Authorise(Access(snapshot))
    assert await authorise.visible(make_principal(), DESK, NOW) == [BORROWED]
    for name, endpoint in (("get_slots", DESK), ("free_slots", Endpoint()), ("x", DESK)):
        verdict, call = await judge(snapshot, name, endpoint=endpoint)
        assert refusal(verdict).error is ErrorCode.TOOL_NOT_FOUND
        assert call.tool is None


async def test_a_denied_tool_does_not_come_back_under_another_name() -> None:
    snapshot = desk_of(BORROWED, PURGE)
    assert await Authorise(Access(snapshot)).visible(make_principal(), DESK, NOW) == [BORROWED]
    hidden = refusal((await judge(snapshot, "purge", endpoint=DESK))[0])
    absent = refusal((await judge(desk_of(BORROWED), "purge", endpoint=DESK))[0])
    assert (hidden.error, hidden.public, hidden.details) == (
        absent.error, absent.public, absent.details,
    )  # fmt: skip


async def test_a_release_is_an_endpoint_of_its_own() -> None:
    old = replace(BORROWED, version="0.9.0")
    snapshot = desk_of(BORROWED, **{"1": old})
    pinned = Endpoint(EndpointKind.BUNDLE, "desk@1")
    verdict, call = await judge(snapshot, "free_slots", endpoint=pinned)
    assert verdict is PASS
    assert call.tool is old


@pytest.mark.parametrize("method", [Method.TOOLS_CALL, Method.TOOLS_LIST])
async def test_a_release_that_is_not_there_is_refused_with_those_that_are(method: Method) -> None:
    snapshot = desk_of(BORROWED, releases=(Release("1.1.0", ()), Release("1.0.0", ())))
    endpoint = Endpoint(EndpointKind.BUNDLE, "desk@2")
    call = Call(method, "c-1", endpoint=endpoint, principal=make_principal(), snapshot=snapshot)
    verdict = refusal(await Authorise(Access(snapshot)).inbound(call))
    assert verdict.error is ErrorCode.NOT_FOUND
    assert verdict.public == "The bundle desk has no release 2. There are 1.1.0, 1.0.0."
    call.principal = make_principal(roles=("viewer",))
    silent = await Authorise(Access(snapshot)).inbound(call)
    assert method is Method.TOOLS_LIST or refusal(silent).error is ErrorCode.TOOL_NOT_FOUND
    assert silent is PASS or "release" not in refusal(silent).public


async def test_of_a_bundle_without_releases_none_can_be_pinned() -> None:
    verdict, _ = await judge(
        desk_of(BORROWED), "x", endpoint=Endpoint(EndpointKind.BUNDLE, "desk@1")
    )
    assert refusal(verdict).public == "The bundle desk has no release 1. It has none."


# What depends on more than the kind of caller.

EVERYTHING_ALLOWED = Rule("users", Effect.ALLOW, frozenset({"user"}))
ABOVE_FIVE = (ArgumentTest(("amount",), Operator.ABOVE, 5),)


def conditional(name: str, effect: Effect, **members: Any) -> Rule:
    return Rule(name, effect, frozenset(), kind=RuleKind.CONDITION, **members)


class Grants:
    """Covers calls by what it was given, and remembers what it was asked."""

    def __init__(self, found: Elevation) -> None:
        self._found = found
        self.asked: list[tuple[str, dict[str, object], str]] = []

    async def check(
        self,
        principal: Principal,
        tool: Tool,
        arguments: Mapping[str, object],
        *,
        continues: str,
    ) -> Elevation:
        self.asked.append((tool.name, dict(arguments), continues))
        return self._found


GRANT = Grant("g-1", Scope(ScopeKind.TOOL, "get_slots"), 0.0, 1.0)


async def use(
    *rules: Rule,
    grants: Grants | None = None,
    arguments: dict[str, object] | None = None,
    tool: Tool = TOOLS[0],
    **members: Any,
) -> tuple[Verdict, Call]:
    snapshot = make_snapshot([tool], rules=[EVERYTHING_ALLOWED, *rules])
    view = replace(snapshot.tenant(TENANT), policy_version=12)
    call = Call(Method.TOOLS_CALL, "c-1", tool_name=tool.name, principal=make_principal())
    call.snapshot = replace(snapshot, tenants={TENANT: view})
    call.arguments = arguments or {}
    for name, value in members.items():
        setattr(call, name, value)
    verdict = await Authorise(Access(call.snapshot)).inbound(call)
    return (await Elevate(grants).inbound(call) if verdict is PASS else verdict), call


async def test_a_condition_decides_call_by_call_and_leaves_what_it_read() -> None:
    rule = conditional("limit", Effect.DENY, arguments=ABOVE_FIVE, public="Five at most.")
    verdict, call = await use(rule, arguments={"amount": 5})
    assert verdict is PASS
    read = {"policy": {"version": 12, "inputs": ["arguments.amount", "roles", "tool.risk"]}}
    assert (call.rule, call.notes) == ("users", read)
    verdict, call = await use(rule, arguments={"amount": 6})
    assert refusal(verdict).error is ErrorCode.FORBIDDEN
    assert refusal(verdict).public.endswith("Ask an administrator for access. Five at most.")
    assert "limit" in refusal(verdict).private
    assert (call.tool, call.notes) == (None, read)


async def test_what_nothing_dynamic_concerns_leaves_no_note() -> None:
    elsewhere = conditional("x", Effect.DENY, tools=frozenset({"x"}), arguments=ABOVE_FIVE)
    verdict, call = await use(elsewhere, arguments={"amount": 9})
    assert (verdict, call.notes) == (PASS, None)


async def test_arguments_that_a_bundle_fixes_are_judged_with_the_others() -> None:
    fixed = replace(TOOLS[0], defaults={"amount": 9})
    rule = conditional("limit", Effect.DENY, arguments=ABOVE_FIVE)
    verdict, call = await use(rule, arguments={"amount": 1}, tool=fixed)
    assert refusal(verdict).error is ErrorCode.FORBIDDEN
    assert call.arguments == {"amount": 1}


async def test_who_comes_from_elsewhere_does_not_learn_that_there_is_a_tool() -> None:
    office = conditional("office", Effect.DENY, networks=frozenset({"192.0.2.0/24"}))
    verdict, _ = await use(office, peer="192.0.2.1")
    assert refusal(verdict).error is ErrorCode.TOOL_NOT_FOUND
    assert (await use(office, peer="192.0.3.1"))[0] is PASS
    verdict, _ = await use(office)
    assert refusal(verdict).error is ErrorCode.FORBIDDEN, "seen, as nobody knows from where"


async def test_a_call_that_needs_a_grant_passes_with_one_and_names_it() -> None:
    grants = Grants(Elevation(GRANT))
    rule = conditional("big", Effect.ELEVATE, arguments=ABOVE_FIVE)
    verdict, call = await use(rule, grants=grants, arguments={"amount": 9})
    assert verdict is PASS
    assert (call.rule, call.tool) == ("big", TOOLS[0])
    assert call.notes is not None
    assert call.notes["elevation"] == "g-1"
    assert grants.asked == [("get_slots", {"amount": 9}, "")]
    verdict, _ = await use(rule, grants=grants, arguments={"amount": 1})
    assert verdict is PASS
    assert len(grants.asked) == 1


async def test_without_a_grant_the_caller_is_sent_where_one_can_be_asked_for() -> None:
    grants = Grants(Elevation(None, "https://gate.example/elevate/x"))
    privileged = make_tool("drop", risk=RiskLevel.PRIVILEGED)
    verdict, call = await use(grants=grants, tool=privileged)
    assert isinstance(verdict, Challenge)
    assert (verdict.need, verdict.url) == (Need.ELEVATION, "https://gate.example/elevate/x")
    assert "builtin:privileged" in verdict.private
    assert call.tool is privileged
    for nobody in (None, Grants(Elevation(None))):
        verdict, _ = await use(grants=nobody, tool=privileged)
        assert refusal(verdict).error is ErrorCode.ELEVATION_REQUIRED
        assert refusal(verdict).details == {"requires_elevation": True}


async def test_only_what_a_server_asked_goes_on_with_a_covered_call() -> None:
    """Elsewhere the member is ignored: who sends it must not use a grant twice."""
    rule = conditional("all", Effect.ELEVATE)
    state = More(request_state="sealed")
    for tool, continues in ((make_relayed("ask"), "sealed"), (TOOLS[0], "")):
        grants = Grants(Elevation(GRANT))
        verdict, _ = await use(rule, grants=grants, tool=tool, more=state)
        assert verdict is PASS
        assert [one[2] for one in grants.asked] == [continues]


async def test_a_grant_is_not_asked_for_where_the_rules_refuse() -> None:
    grants = Grants(Elevation(GRANT))
    deny = Rule("no", Effect.DENY, frozenset({"user"}), frozenset({Action.INVOKE}))
    verdict, _ = await use(deny, conditional("all", Effect.ELEVATE), grants=grants)
    assert refusal(verdict).error is ErrorCode.FORBIDDEN
    assert grants.asked == []


async def test_a_task_goes_on_with_a_use_that_was_let_through() -> None:
    rules = [EVERYTHING_ALLOWED, conditional("all", Effect.ELEVATE)]
    task = Target(ItemKind.TASK, "alpha", "slow", "alpha", "t-1")
    call = Call(Method.TASKS_GET, "c-1", principal=make_principal())
    call.snapshot = make_snapshot([make_tool("slow")], rules=rules)
    verdict = await Authorise(Access(call.snapshot), Found(task)).inbound(call)
    assert (verdict, call.target, call.rule) == (PASS, task, "all")
    read = Call(Method.RESOURCES_READ, "c-1", principal=make_principal())
    verdict = await Authorise(Access(call.snapshot), Found(note())).inbound(read)
    assert refusal(verdict).error is ErrorCode.FORBIDDEN, "only tools can be elevated"


async def test_at_bundles_and_servers_conditions_count_as_well() -> None:
    rule = conditional("limit", Effect.DENY, arguments=ABOVE_FIVE)
    tool = make_relayed("ask", front="alpha_ask")
    server = Endpoint(EndpointKind.SERVER, "alpha")
    for arguments, passes in (({"amount": 1}, True), ({"amount": 9}, False)):
        verdict, call = await use(rule, tool=tool, arguments=arguments, endpoint=server)
        assert (verdict is PASS) is passes
        call = Call(Method.TOOLS_CALL, "c-1", tool_name="ask", endpoint=server)
        call.principal, call.arguments = make_principal(), arguments
        call.snapshot = make_snapshot([tool], rules=[EVERYTHING_ALLOWED, rule])
        assert (await Authorise(Access(call.snapshot)).inbound(call) is PASS) is passes


async def test_a_record_says_which_policy_hid_a_tool_under_these_circumstances() -> None:
    class Broken:
        def known(self, *_: object) -> None:
            return None

        async def ask(self, _: object, questions: Sequence[object], __: float) -> list[RegoAnswer]:
            return [RegoAnswer(allow=False, reason="no answer within 2 seconds")] * len(questions)

    document = RegoDocument("d", {"a.rego": ""})
    rego = Rule("table", Effect.DENY, frozenset(), kind=RuleKind.REGO, rego=document)
    snapshot = make_snapshot(TOOLS, rules=[HIDE_DELETE[0], rego])
    call = Call(Method.TOOLS_CALL, "c-1", tool_name="get_slots", endpoint=Endpoint())
    call.snapshot, call.principal = snapshot, make_principal()
    verdict = refusal(await Authorise(Access(snapshot, rego=Broken())).inbound(call))
    assert verdict.private.endswith("tool is out of reach: table (no answer within 2 seconds)")
    assert "table" not in verdict.public
    assert not call.notes
