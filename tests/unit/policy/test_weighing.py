"""What decides, in each of its ways, against a model of what policies mean."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bascule.gateway.call import Call, Method
from bascule.gateway.decision import Circumstances, Decision, Question
from bascule.gateway.errors import ErrorCode
from bascule.gateway.principal import Principal
from bascule.gateway.rego import RegoAnswer
from bascule.gateway.rule import (
    Action,
    ArgumentTest,
    Effect,
    Operator,
    Rate,
    Rule,
    RuleKind,
    TimeWindow,
)
from bascule.gateway.tool import RiskLevel, Tool
from bascule.gateway.verdict import PASS, Refuse
from bascule.policy.access import Access
from bascule.policy.authorise import Authorise
from bascule.policy.elevate import Elevate
from fakes.catalogue import make_principal, make_snapshot, make_tool
from fakes.decisions import MOMENT
from fakes.meaning import Outcome, meant

FAR = 60.0 + MOMENT


class Rego:
    """Says yes to some of what it is asked, always the same; knows it from the start, or later."""

    def __init__(self, *, is_known: bool = True) -> None:
        self.asked: list[tuple[str, int]] = []
        self._is_known = is_known

    def says(self, rule: Rule, question: Question) -> bool:
        subject, user = question.subject.name, question.principal.subject
        return sum(map(ord, rule.name + subject + user + question.action)) % 3 != 0

    def known(self, rule: Rule, question: Question) -> RegoAnswer | None:
        return RegoAnswer(self.says(rule, question)) if self._is_known else None

    async def ask(
        self, rule: Rule, questions: Sequence[Question], deadline: float
    ) -> list[RegoAnswer]:
        self.asked.append((rule.name, len(questions)))
        return [RegoAnswer(self.says(rule, one), "so it is") for one in questions]


NEVER: st.SearchStrategy[frozenset[str]] = st.just(frozenset())


def often_none(values: Sequence[str], most: int = 2) -> st.SearchStrategy[frozenset[str]]:
    some = st.frozensets(st.sampled_from(values), min_size=1, max_size=most)
    return st.integers(0, 5).flatmap(lambda chance: some if chance == 5 else NEVER)


def seldom(some: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.integers(0, 3).flatmap(lambda chance: some if chance == 3 else st.just(()))


WINDOWS = st.builds(
    TimeWindow,
    days=st.frozensets(st.integers(0, 6), max_size=3),
    start_minute=st.sampled_from([0, 540, 600, 1320]),
    end_minute=st.sampled_from([0, 60, 600, 1020, 1440]),
    zone=st.sampled_from(["UTC", "Europe/Berlin", "Asia/Kolkata"]),
    not_before=st.none() | st.just(datetime(2026, 11, 22, 9, 30, tzinfo=UTC)),
    not_after=st.none() | st.just(datetime(2026, 11, 23, tzinfo=UTC)),
)
SCALARS = st.sampled_from([None, True, 1, 1.0, 50, 250, "a", "abc", "1"])
VALUES = SCALARS | st.lists(SCALARS, max_size=2)
TESTS = st.one_of(
    st.builds(
        ArgumentTest,
        st.sampled_from([("amount",), ("note",)]),
        st.sampled_from([Operator.BELOW, Operator.AT_MOST, Operator.ABOVE, Operator.AT_LEAST]),
        st.sampled_from([1, 50, 100.5]),
    ),
    st.builds(
        ArgumentTest,
        st.sampled_from([("amount",), ("note",)]),
        st.sampled_from([Operator.IN, Operator.NOT_IN]),
        st.lists(SCALARS, max_size=3) | st.just(["a", "abc"]),
    ),
    st.builds(
        ArgumentTest,
        st.just(("amount",)),
        st.sampled_from([Operator.EQUALS, Operator.NOT_EQUALS, Operator.CONTAINS]),
        VALUES,
    ),
    st.builds(ArgumentTest, st.just(("note",)), st.just(Operator.LIKE), st.just("a*")),
    st.builds(ArgumentTest, st.just(("note",)), st.just(Operator.LONGER), st.just(1)),
    st.builds(
        ArgumentTest,
        st.just(("note",)),
        st.sampled_from([Operator.PRESENT, Operator.ABSENT]),
    ),
)
NETWORKS = ["10.0.0.0/8", "192.0.2.0/24", "2001:db8::/32", "::ffff:10.1.0.0/112"]
PEERS = ["", "10.1.2.3", "::ffff:10.9.9.9", "2001:db8::5", "203.0.113.7"]
KINDS = [
    RuleKind.RBAC, RuleKind.RBAC, RuleKind.CONDITION, RuleKind.CONDITION, RuleKind.ALLOW_LIST,
    RuleKind.DENY_LIST, RuleKind.REGO, RuleKind.RATE_LIMIT,
]  # fmt: skip
NAMES = ["get_a", "get_b", "set_a", "drop_b"]
RULES = st.builds(
    Rule,
    name=st.sampled_from([f"rule-{number}" for number in range(8)]),
    effect=st.sampled_from([Effect.ALLOW, Effect.ALLOW, Effect.ALLOW, Effect.DENY, Effect.ELEVATE]),
    roles=st.sampled_from([set(), {"user"}, {"user"}, {"user"}, {"user", "ops"}]).map(frozenset),
    actions=st.sampled_from([set(Action)] * 4 + [{one} for one in Action]).map(frozenset),
    bundles=often_none(["desk", "shop"]),
    tools=often_none([*NAMES, "get_*", "*_a", "*"]),
    risks=often_none(list(RiskLevel)),
    priority=st.integers(-1, 1),
    prompts=often_none(["p"]),
    kind=st.sampled_from(KINDS),
    users=often_none(["ann", "bob"], 1),
    groups=often_none(["night", "day"], 1),
    agents=often_none(["claude", "other"], 1),
    tags=often_none(["pii", "slow"]),
    windows=seldom(st.lists(WINDOWS, min_size=1, max_size=2).map(tuple)),
    networks=often_none(NETWORKS),
    arguments=seldom(st.lists(TESTS, min_size=1, max_size=2).map(tuple)),
    rate=st.just(Rate(1)),
)
CALLERS = st.builds(
    lambda subject, roles, permissions, groups, agent: replace(
        make_principal(subject, roles=roles, permissions=permissions),
        groups=groups,
        agent=agent,
    ),
    st.sampled_from(["ann", "bob", "eve"]),
    st.sampled_from([{"user"}] * 5 + [{"ops"}, {"admin"}, {"user", "admin"}, set()]),
    st.sampled_from(
        [{"tools:list", "tools:execute"}] * 9
        + [{"tools:list"}, {"tools:execute"}, {"system_admin"}, set()]
    ),
    st.sampled_from([set(), {"night"}, {"night", "day"}]).map(frozenset),
    st.sampled_from([None, "claude", "third"]),
)
TOOLS = st.lists(
    st.builds(
        lambda name, bundle, risk, tags: replace(
            make_tool(name, bundle=bundle, risk=risk), tags=tags
        ),
        st.sampled_from(NAMES),
        st.sampled_from(["desk", "shop"]),
        st.sampled_from(RiskLevel),
        st.sampled_from([(), ("pii",), ("pii", "slow")]),
    ),
    min_size=1,
    max_size=3,
    unique_by=lambda one: one.name,
)
CIRCUMSTANCES = st.builds(
    Circumstances,
    st.sampled_from([0, 3600, 43_200, 86_400 * 2, 86_400 * 180]).map(lambda more: MOMENT + more),
    st.sampled_from(PEERS),
    st.none()
    | st.dictionaries(st.sampled_from(["amount", "note"]), VALUES)
    | st.dictionaries(st.sampled_from(["amount", "note"]), VALUES, min_size=2),
)


RULE_SETS = st.lists(RULES, min_size=2, max_size=8, unique_by=lambda one: one.name)


def outcome(decision: Decision | None) -> Outcome:
    assert decision is not None
    return Outcome(decision.effect, decision.rule)


@settings(max_examples=500, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    rules=RULE_SETS,
    callers=st.lists(CALLERS, min_size=1, max_size=2),
    tools=TOOLS,
    circumstances=CIRCUMSTANCES,
)
async def test_every_way_of_deciding_gives_what_policies_mean(
    rules: list[Rule], callers: list[Principal], tools: list[Tool], circumstances: Circumstances
) -> None:
    rego = Rego()
    access = Access(make_snapshot(tools, rules=rules), rego=rego)
    asking = Access(make_snapshot(tools, rules=rules), rego=Rego(is_known=False))
    for caller in callers:
        wanted: dict[tuple[str, Action], Outcome] = {}
        for tool in tools:
            for action in Action:
                question = Question(caller, tool, action, circumstances)
                expected = wanted[tool.name, action] = meant(
                    rules, caller, tool, action, circumstances,
                    lambda rule, question=question: rego.says(rule, question),
                )  # fmt: skip
                assert outcome(access.weigh(question)) == expected
                assert outcome(access.weigh(question, steps=True)) == expected
                assert outcome(access.quick(question)) == expected
                assert outcome(await asking.decide_use(question, deadline=FAR)) == expected
        check_reach(access, caller, wanted)
        shown = await Authorise(asking).visible(
            caller, Call(Method.PING, "").endpoint, circumstances
        )
        assert [one.name for one in shown] == [
            one.name for one in tools if wanted[one.name, Action.DISCOVER].effect is Effect.ALLOW
        ]
        for tool in tools:
            await check_call(access, caller, tool, circumstances, wanted)


def check_reach(
    access: Access, caller: Principal, wanted: dict[tuple[str, Action], Outcome]
) -> None:
    """What is reached under all circumstances is so under these."""
    reach = access.reach(caller)
    assert list(reach.visible) == [one for one in reach.visible if reach.visible.get(one)]
    for name in reach.visible:
        assert wanted[name, Action.DISCOVER].effect is Effect.ALLOW
    for name, rule in reach.invocable.items():
        assert wanted[name, Action.INVOKE] == (Effect.ALLOW, rule)


async def check_call(
    access: Access,
    caller: Principal,
    tool: Tool,
    circumstances: Circumstances,
    wanted: dict[tuple[str, Action], Outcome],
) -> None:
    """A call passes where both are allowed; what is not seen is not known."""
    if circumstances.arguments is None:
        return
    call = Call(Method.TOOLS_CALL, "c-1", tool_name=tool.name, principal=caller)
    call.arguments, call.peer = dict(circumstances.arguments), circumstances.peer
    rules = access._snapshot.tenant(caller.tenant).rules
    if any(rule.windows for rule in rules):
        return  # a call is always made now
    verdict = await Authorise(access).inbound(call)
    if verdict is PASS:
        verdict = await Elevate(None).inbound(call)
    if wanted[tool.name, Action.DISCOVER].effect is not Effect.ALLOW:
        error = ErrorCode.TOOL_NOT_FOUND
    elif wanted[tool.name, Action.INVOKE].effect is Effect.ALLOW:
        assert verdict is PASS
        assert call.rule == wanted[tool.name, Action.INVOKE].rule
        return
    elif wanted[tool.name, Action.INVOKE].effect is Effect.ELEVATE:
        error = ErrorCode.ELEVATION_REQUIRED
    else:
        error = ErrorCode.FORBIDDEN
    assert isinstance(verdict, Refuse)
    assert verdict.error is error
