from dataclasses import replace
from typing import Any

import pytest

from bascule.gateway.decision import Circumstances, Decision, Question
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
from bascule.gateway.tool import Home, McpSource
from bascule.policy.access import Access
from bascule.policy.variants import Pair, Side, Use, concerned, may_concern, ways_of
from fakes.catalogue import make_principal, make_tool

ANN, PAY = make_principal("ann"), make_tool("pay")
VIP = ArgumentTest(("who",), Operator.EQUALS, "vip")
USERS = Rule("users", Effect.ALLOW, frozenset({"user"}))
DENY_VIP = Rule("vip", Effect.DENY, frozenset(), kind=RuleKind.CONDITION, arguments=(VIP,))


class Counting:
    """Decides as `Access`, and counts how often."""

    def __init__(self, view: TenantView) -> None:
        self._access = Access(Snapshot(1, {view.tenant: view}))
        self.asked = 0

    def quick(self, question: Question) -> Decision | None:
        self.asked += 1
        return self._access.quick(question)

    async def decide_many(self, questions: Any, *, deadline: float) -> list[Decision]:
        return await self._access.decide_many(questions, deadline=deadline)


def pair_of(*rules: Rule) -> Pair:
    return Pair(1, ANN, PAY, concerned(rules, ANN, PAY))


def use_of(moment: float = 0.0, **arguments: Any) -> Use:
    sees = Question(ANN, PAY, Action.DISCOVER, Circumstances(moment))
    calls = Question(ANN, PAY, Action.INVOKE, Circumstances(moment, "", arguments))
    return Use(sees, calls)


def side_of(*rules: Rule) -> tuple[Side, list[Counting]]:
    made: list[Counting] = []

    def decider(view: TenantView) -> Counting:
        made.append(Counting(view))
        return made[-1]

    return Side(TenantView("acme", tools={"pay": PAY}), rules, decider), made


def test_what_depends_on_who_and_what_alone_is_decided_once() -> None:
    side, [counting] = side_of(USERS)
    pair = pair_of(USERS)
    for moment in range(10):
        decision = side.weigh(pair, use_of(moment), {}).decision
        assert decision is not None
        assert decision.allowed
    assert counting.asked == 2  # seen, and called
    eve = Pair(1, make_principal("eve"), PAY, ())
    side.weigh(eve, use_of(), {})
    assert counting.asked == 2  # she is of the same kind
    bob = Pair(2, make_principal("bob", roles=()), PAY, ())
    side.weigh(bob, replaced(use_of(), bob), {})
    assert counting.asked == 3  # he does not see it, and is asked no more


def test_what_depends_on_the_name_is_decided_for_each() -> None:
    named = replace(USERS, users=frozenset({"ann"}))
    side, [counting] = side_of(named)
    eve = Pair(1, make_principal("eve"), PAY, ())
    for _ in range(3):
        ours = side.weigh(pair_of(named), use_of(), {}).decision
        hers = side.weigh(eve, replaced(use_of(), eve), {}).decision
        assert ours is not None
        assert hers is not None
        assert (ours.allowed, hers.allowed) == (True, False)
    assert counting.asked == 3


def replaced(use: Use, pair: Pair) -> Use:
    """The same use by another caller."""
    return Use(*(replace(one, principal=pair.principal) for one in use))


def test_what_depends_on_the_time_is_decided_each_time() -> None:
    night = Rule("n", Effect.DENY, frozenset({"user"}), windows=(TimeWindow(end_minute=60),))
    side, _ = side_of(USERS, night)
    pair = pair_of(USERS, night)
    effects = [side.weigh(pair, use_of(at), {}).decision for at in (0, 7200, 0)]
    assert [one.effect for one in effects if one] == [Effect.DENY, Effect.ALLOW, Effect.DENY]


def test_a_policy_read_otherwise_is_another_set_of_policies_made_once() -> None:
    side, made = side_of(USERS, DENY_VIP)
    pair = pair_of(USERS, DENY_VIP)
    applies = (replace(DENY_VIP, arguments=()),)
    for readings, effect in (({DENY_VIP: applies}, Effect.DENY), ({DENY_VIP: ()}, Effect.ALLOW)):
        for _ in range(3):
            decision = side.weigh(pair, use_of(who="***"), readings).decision
            assert decision is not None
            assert decision.effect is effect
    assert len(made) == 3


def test_policies_of_the_other_side_make_no_variant() -> None:
    side, made = side_of(USERS)
    side.weigh(pair_of(USERS, DENY_VIP), use_of(), {DENY_VIP: ()})
    assert len(made) == 1


def test_there_is_one_way_to_read_what_is_known() -> None:
    assert ways_of(pair_of(USERS), {"who": "***"}).readings == ({},)
    assert ways_of(pair_of(DENY_VIP), {"who": ""}).readings == ({},)


def test_each_policy_that_is_open_doubles_the_ways() -> None:
    more = [replace(DENY_VIP, name=f"vip{number}") for number in range(3)]
    ways = ways_of(pair_of(*more), {"who": "***"})
    assert (len(ways.readings), ways.is_whole) == (8, True)


def test_of_very_many_only_the_best_and_the_worst_are_read() -> None:
    allow = replace(DENY_VIP, name="allow", effect=Effect.ALLOW)
    many = [replace(DENY_VIP, name=f"vip{number}") for number in range(9)]
    ways = ways_of(pair_of(allow, *many), {"who": "***"})
    best, worst = ways.readings
    assert (ways.is_whole, ways.are_bounds) == (False, True)
    assert (len(best[allow]), len(best[many[0]])) == (1, 0)
    assert (len(worst[allow]), len(worst[many[0]])) == (0, 1)


def rule(**members: Any) -> Rule:
    given: dict[str, Any] = {"roles": frozenset(), "kind": RuleKind.CONDITION}
    return Rule("r", Effect.DENY, **{**given, **members})


@pytest.mark.parametrize(
    ("one", "may"),
    [
        (rule(), True),
        (rule(roles=frozenset({"clerk"})), False),
        (rule(users=frozenset({"ann"})), True),
        (rule(bundles=frozenset({"desk"})), False),
        (rule(tools=frozenset({"p*"})), True),
        (rule(tools=frozenset({"x"})), False),
        (rule(prompts=frozenset({"pay"})), False),
        (rule(tools=frozenset({"x"}), kind=RuleKind.ALLOW_LIST), True),
        (rule(kind=RuleKind.RATE_LIMIT), False),
    ],
)
def test_a_policy_may_be_about_a_caller_and_a_tool(one: Rule, may: bool) -> None:
    assert may_concern(one, ANN, PAY) is may


def test_a_tool_is_meant_by_all_its_names_and_places() -> None:
    lent = replace(
        PAY, name="settle", bundle="desk", home=Home("pay", "booking", {}),
        source=McpSource("notes", "inner"),
    )  # fmt: skip
    for name in ("settle", "pay", "inner"):
        assert may_concern(rule(tools=frozenset({name})), ANN, lent)
    for bundle in ("desk", "booking"):
        assert may_concern(rule(bundles=frozenset({bundle})), ANN, lent)
