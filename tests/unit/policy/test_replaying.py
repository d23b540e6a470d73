"""Replays held against decisions about the calls as they really were."""

import time
from collections.abc import Sequence
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bascule.gateway.decision import Circumstances, Decision, Question
from bascule.gateway.rego import RegoAnswer, RegoDocument
from bascule.gateway.rule import (
    Action,
    ArgumentTest,
    Effect,
    Operator,
    Rule,
    RuleKind,
    TimeWindow,
)
from bascule.gateway.snapshot import Snapshot, TenantView
from bascule.gateway.tool import RiskLevel
from bascule.policy.access import Access
from bascule.policy.recalling import caller_of, tool_of
from bascule.policy.replaying import Replay, Setting
from bascule.policy.tallying import Doubt, Tally
from bascule.policy.variants import Deciders
from fakes.catalogue import make_tool
from fakes.recollections import Recollection

TOOLS = {
    one.name: one
    for one in (make_tool("pay"), make_tool("refund"), make_tool("wipe", risk=RiskLevel.PRIVILEGED))
}
USER = frozenset({"user"})
ROLES = {
    "user": frozenset({"tools:list", "tools:execute"}),
    "clerk": frozenset({"tools:list", "tools:execute"}),
    "viewer": frozenset({"tools:list"}),
}


def view_of(*rules: Rule) -> TenantView:
    return TenantView("acme", tools=TOOLS, rules=rules, roles=ROLES)


def access(view: TenantView) -> Access:
    return Access(Snapshot(1, {view.tenant: view}))


def condition(name: str, effect: Effect, *tests: ArgumentTest, **members: Any) -> Rule:
    kind = members.pop("kind", RuleKind.CONDITION)
    return Rule(name, effect, frozenset(), kind=kind, arguments=tests, **members)


def above(limit: int) -> ArgumentTest:
    return ArgumentTest(("amount",), Operator.ABOVE, limit)


VIP = ArgumentTest(("who",), Operator.EQUALS, "vip")
USERS = Rule("users", Effect.ALLOW, USER)
LIMIT = condition("limit", Effect.DENY, above(50))


def replay(
    rules: Sequence[Rule],
    draft: Sequence[Rule] | None,
    *calls: Recollection,
    decider: Deciders = access,
) -> Replay:
    work = Replay(Setting(view_of(*rules), decider, None if draft is None else tuple(draft)))
    assert work.look(calls) == []
    return work


def test_a_draft_that_denies_more_is_counted_by_tool_and_user() -> None:
    calls = [Recollection(sent={"amount": amount}) for amount in (10, 60, 70)]
    work = replay([USERS], [USERS, LIMIT], *calls)
    assert work.looked_at == 3
    assert work.drafted.changed == {"allowed_to_denied": 2}
    assert work.drafted.unchanged == 1
    assert work.drafted.tools == {"pay": {"allowed_to_denied": 2}}
    [first, _] = work.drafted.examples
    assert (first.before.rule, first.after.rule) == ("users", "limit")
    assert work.recorded.unchanged == 3


def test_a_masked_value_that_a_policy_looks_at_leaves_a_call_uncertain() -> None:
    vip = condition("vip", Effect.DENY, VIP)
    work = replay([USERS], [USERS, vip], Recollection(sent={"who": "vip"}), Recollection())
    assert work.drafted.doubts == {Doubt.ARGUMENTS: 1}
    assert work.drafted.unchanged == 1


def test_a_masked_value_does_not_matter_where_another_policy_decides() -> None:
    vip, shut = condition("vip", Effect.DENY, VIP), condition("shut", Effect.DENY)
    work = replay([USERS], [USERS, vip, shut], Recollection(sent={"who": "vip"}))
    assert work.drafted.changed == {"allowed_to_denied": 1}


def test_what_both_sides_look_at_alike_makes_no_difference() -> None:
    vip, other = condition("vip", Effect.DENY, VIP), condition("other", Effect.DENY, above(50))
    work = replay([USERS, vip], [USERS, vip, other], Recollection(sent={"who": "vip", "amount": 1}))
    assert work.drafted.unchanged == 1
    assert not work.drafted.doubts
    assert work.recorded.doubts == {Doubt.ARGUMENTS: 1}


def test_very_many_open_policies_are_read_at_their_best_and_worst() -> None:
    tests = [ArgumentTest(("who",), Operator.EQUALS, f"vip{number}") for number in range(8)]
    many = [condition(f"vip{number}", Effect.DENY, test) for number, test in enumerate(tests)]
    shut = condition("shut", Effect.DENY)
    call = Recollection(sent={"who": "somebody"})
    assert replay([USERS], [USERS, *many], call).drafted.doubts == {Doubt.ARGUMENTS: 1}
    closed = replay([USERS], [USERS, *many, shut], call).drafted
    assert closed.changed == {"allowed_to_denied": 1}
    lists = [condition(f"l{one}", Effect.ALLOW, VIP, kind=RuleKind.ALLOW_LIST) for one in range(8)]
    assert replay([USERS], [USERS, *lists], call).drafted.doubts == {Doubt.ARGUMENTS: 1}


def test_old_records_without_roles_are_uncertain() -> None:
    work = replay([USERS], [], Recollection(roles=()))
    assert (work.recorded.doubts, work.drafted.doubts) == ({Doubt.ROLES: 1}, {Doubt.ROLES: 1})


def test_tools_that_are_gone_are_counted_by_name() -> None:
    work = replay([USERS], [], Recollection("gone"), Recollection("gone"), Recollection())
    assert work.gone == {"gone": 2}
    assert work.drafted.compared == 1


def test_time_and_address_are_those_of_the_record() -> None:
    noon = 1_800_000_000 - 1_800_000_000 % 86_400 + 12 * 3600
    night = condition("night", Effect.DENY, windows=(TimeWindow(start_minute=0, end_minute=360),))
    away = condition("away", Effect.DENY, networks=frozenset({"192.0.2.0/24"}))
    calls = [
        Recollection(moment=noon),
        Recollection(moment=noon - 9 * 3600),
        Recollection(moment=noon, peer="192.0.2.9"),
    ]
    assert replay([USERS], [USERS, night], *calls).drafted.changed == {"allowed_to_denied": 1}
    assert replay([USERS], [USERS, away], *calls).drafted.changed == {"allowed_to_denied": 1}


def test_who_may_not_see_a_tool_does_not_call_it() -> None:
    hide = Rule("hide", Effect.DENY, USER, actions=frozenset({Action.DISCOVER}))
    assert replay([USERS], [USERS, hide], Recollection()).drafted.changed == {
        "allowed_to_denied": 1
    }


def test_an_allowance_that_depends_on_arguments_does_not_hide_the_tool() -> None:
    clerks = Rule("calls", Effect.ALLOW, USER, actions=frozenset({Action.INVOKE}))
    some = condition("some", Effect.ALLOW, VIP)
    work = replay([some, clerks], [some, clerks], Recollection(sent={"who": "nobody"}))
    assert (work.drafted.unchanged, work.recorded.unchanged) == (1, 1)


def test_elevation_is_a_change_of_its_own() -> None:
    ask = condition("ask", Effect.ELEVATE)
    assert replay([USERS], [USERS, ask], Recollection()).drafted.changed == {
        "allowed_to_elevation": 1
    }
    recorded = replay([USERS], None, Recollection("wipe", has_grant=True)).recorded
    assert recorded.unchanged == 1


def test_without_a_draft_only_the_record_is_compared() -> None:
    work = replay([], None, Recollection())
    assert work.recorded.changed == {"allowed_to_denied": 1}
    assert work.drafted.compared == 0
    undecided = replay([USERS], None, Recollection(rule="", status="failure"))
    assert undecided.recorded.doubts == {Doubt.OUTCOME: 1}


class Oracle:
    """Answers as Rego would: amounts up to a limit are allowed; counts what it is asked."""

    def __init__(self) -> None:
        self.asked = 0
        self._said: dict[tuple[str, float], RegoAnswer] = {}

    def known(self, rule: Rule, question: Question) -> RegoAnswer | None:
        return self._said.get(self._key(rule, question))

    async def ask(
        self, rule: Rule, questions: Sequence[Question], deadline: float
    ) -> list[RegoAnswer]:
        assert deadline > time.monotonic()
        self.asked += 1
        for one in questions:
            key = self._key(rule, one)
            self._said[key] = RegoAnswer(key[1] <= 50)
        return [self._said[self._key(rule, one)] for one in questions]

    def _key(self, rule: Rule, question: Question) -> tuple[str, float]:
        arguments = question.circumstances.arguments or {}
        amount = arguments.get("amount", 0)
        return rule.name, amount if isinstance(amount, int | float) else 0


async def test_rego_is_asked_in_batches_and_only_about_what_is_known() -> None:
    reads = frozenset({("arguments", "amount")})
    document = RegoDocument("d", {}, reads=reads, uses_time=False)
    judged = Rule("judged", Effect.DENY, frozenset(), kind=RuleKind.REGO, rego=document)
    oracle = Oracle()

    def decider(view: TenantView) -> Access:
        return Access(Snapshot(1, {view.tenant: view}), rego=oracle)

    work = Replay(Setting(view_of(USERS), decider, (USERS, judged)))
    calls = [Recollection(sent={"amount": amount}) for amount in (10, 60, 70, 900_000)]
    pending = work.look(calls)
    assert len(pending) == 4  # whether they are seen is asked of all
    await work.settle(pending, deadline=time.monotonic() + 5)
    assert work.drafted.changed == {"allowed_to_denied": 2}
    assert work.drafted.unchanged == 1
    assert work.drafted.doubts == {Doubt.ARGUMENTS: 1}
    assert oracle.asked <= 2
    assert work.look(calls[:3]) == []  # what was answered is remembered


async def test_an_engine_outside_that_reads_everything_leaves_masked_calls_uncertain() -> None:
    def decider(view: TenantView) -> Access:
        return Access(Snapshot(1, {view.tenant: view}), rego=Oracle(), opa=True)

    work = Replay(Setting(view_of(USERS), decider, (USERS, LIMIT)))
    calls = [Recollection(sent={"amount": 10}), Recollection(sent={"amount": 10, "who": "vip"})]
    await work.settle(work.look(calls), deadline=time.monotonic() + 5)
    assert work.drafted.doubts == {Doubt.ARGUMENTS: 1}
    assert work.drafted.unchanged == 1


# Against the calls as they really were.

TESTS = st.builds(
    ArgumentTest,
    st.sampled_from([("amount",), ("who",), ("items", "*")]),
    st.sampled_from(Operator),
    st.sampled_from([50, "vip", [50, "vip"], 0]),
)
RULES = st.builds(
    Rule,
    st.sampled_from(["a", "b", "c", "d", "e", "f"]),
    st.sampled_from(Effect),
    st.frozensets(st.sampled_from(["user", "clerk"]), max_size=2),
    actions=st.sampled_from([frozenset(Action), frozenset({Action.INVOKE})]),
    tools=st.frozensets(st.sampled_from(["pay", "ref*", "wipe"]), max_size=1),
    kind=st.sampled_from(
        [RuleKind.RBAC, RuleKind.CONDITION, RuleKind.CONDITION, RuleKind.ALLOW_LIST]
    ),
    priority=st.integers(0, 2),
    arguments=st.lists(TESTS, max_size=2).map(tuple),
    users=st.sampled_from([frozenset(), frozenset(), frozenset({"ann"})]),
    groups=st.sampled_from([frozenset(), frozenset(), frozenset({"/desk"})]),
    agents=st.sampled_from([frozenset(), frozenset(), frozenset({"planner"})]),
)
POLICIES = st.lists(RULES, max_size=6, unique_by=lambda rule: rule.name)
CALLS = st.builds(
    Recollection,
    st.sampled_from(["pay", "refund", "wipe"]),
    st.fixed_dictionaries(
        {},
        optional={
            "amount": st.sampled_from([10, 60, 900_000, "60"]),
            "who": st.sampled_from(["vip", "", "other"]),
            "items": st.lists(st.sampled_from([10, 60, "vip"]), max_size=3),
        },
    ),
    roles=st.sampled_from([("user",), ("clerk",), ("clerk", "user"), ("viewer",)]),
    user=st.sampled_from(["ann", "bob"]),
    groups=st.sampled_from([(), ("/desk",)]),
    agent=st.sampled_from(["", "planner"]),
    key_id=st.sampled_from(["", "key-1"]),
)


def truly(rules: Sequence[Rule], call: Recollection) -> Decision:
    """The decision about `call` with the arguments that were sent."""
    view = view_of(*rules)
    tool = tool_of(view, call)
    assert tool is not None
    caller, decides = caller_of(view, call, None, None), access(view)
    seen = Question(caller, tool, Action.DISCOVER, Circumstances(call.moment, call.peer))
    sent = Circumstances(call.moment, call.peer, call.sent)
    first = decides.weigh(seen)
    second = decides.weigh(Question(caller, tool, Action.INVOKE, sent))
    assert first is not None
    assert second is not None
    return second if first.possible else first


@given(POLICIES, POLICIES, CALLS)
def test_what_a_replay_says_for_certain_is_so(
    rules: list[Rule], draft: list[Rule], call: Recollection
) -> None:
    tally: Tally = replay(rules, draft, call).drafted
    before, after = truly(rules, call), truly(draft, call)
    assert tally.compared + tally.doubts.total() == 1
    if tally.unchanged:
        assert before.effect is after.effect
    for example in tally.examples:
        assert (example.before.effect, example.after.effect) == (before.effect, after.effect)


@given(POLICIES, POLICIES, CALLS)
def test_nothing_is_uncertain_where_nothing_is_masked(
    rules: list[Rule], draft: list[Rule], call: Recollection
) -> None:
    if call.arguments == call.sent:
        tally = replay(rules, draft, call).drafted
        assert not tally.doubts
        if tally.examples:
            before, after = truly(rules, call), truly(draft, call)
            assert tally.examples[0].before.rule == before.rule
            assert tally.examples[0].after.rule == after.rule


@given(POLICIES, st.lists(CALLS, max_size=12))
def test_remembering_changes_no_answer(rules: list[Rule], calls: list[Recollection]) -> None:
    together = replay(rules, [], *calls, *calls).drafted
    apart = [replay(rules, [], call).drafted for call in calls]
    assert together.compared == 2 * sum(one.compared for one in apart)
    assert together.changed.total() == 2 * sum(one.changed.total() for one in apart)
