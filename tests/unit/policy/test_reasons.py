from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bascule.gateway.decision import Question
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
from bascule.policy.hypothetical import Case, question_of
from bascule.policy.reasons import Aspect, reasons_of, takes, undecided_of
from fakes.catalogue import make_tool

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC).timestamp()  # a Monday
NIGHT = TimeWindow(start_minute=0, end_minute=60)
PAST = TimeWindow(not_after=datetime(2020, 1, 1, tzinfo=UTC))
SMALL = ArgumentTest(("amount",), Operator.AT_MOST, 50)
NAMED = ArgumentTest(("who",), Operator.PRESENT)
VIEW = TenantView(
    "acme",
    tools={"pay": make_tool("pay", bundle="desk", risk=RiskLevel.WRITE)},
    roles={"user": frozenset({"tools:list", "tools:execute"}), "clerk": frozenset()},
)


def ask(**members: Any) -> Question:
    return question_of(VIEW, Case("pay", **{"roles": ("user",), "moment": NOON, **members}))


def rule(**members: Any) -> Rule:
    given: dict[str, Any] = {
        "effect": Effect.ALLOW,
        "roles": frozenset(),
        "kind": RuleKind.CONDITION,
    }
    return Rule("r", **{**given, **members})


def said(one: Rule, question: Question) -> list[tuple[Aspect, str]]:
    return [(reason.aspect, reason.sentence) for reason in reasons_of(one, question)]


@pytest.mark.parametrize(
    ("members", "aspect", "sentence"),
    [
        ({"actions": frozenset({Action.DISCOVER})}, Aspect.ACTION, "only about seeing things"),
        ({"roles": frozenset({"clerk", "boss"})}, Aspect.WHO, "role boss or clerk, and"),
        ({"kind": RuleKind.RBAC}, Aspect.WHO, "names no role, so it is about nobody"),
        ({"users": frozenset({"eve"})}, Aspect.WHO, "for eve, and no user is named"),
        ({"groups": frozenset({"/desk"})}, Aspect.WHO, "group /desk, and the caller is in none"),
        ({"agents": frozenset({"bot"})}, Aspect.WHO, "agent bot, and no agent is known"),
        ({"bundles": frozenset({"shop"})}, Aspect.WHAT, "bundle shop, and this is in desk"),
        ({"risks": frozenset({RiskLevel.READ})}, Aspect.WHAT, "risk read, and this has write"),
        ({"tags": frozenset({"eu"})}, Aspect.WHAT, "tag eu, and this has none"),
        ({"tools": frozenset({"get_*"})}, Aspect.WHAT, "about get_*, and pay is not among them"),
        ({"prompts": frozenset({"hello"})}, Aspect.WHAT, "about hello, and pay is not among them"),
        ({"windows": (NIGHT,)}, Aspect.TIME, "again from Tuesday, 2026-05-05 00:00 UTC"),
        ({"windows": (PAST,)}, Aspect.TIME, "there is no later one"),
        ({"networks": frozenset({"10.0.0.0/8"})}, Aspect.ADDRESS, "address is not known"),
        ({"arguments": (SMALL,)}, Aspect.ARGUMENTS, "amount to be at most 50, and it is 60"),
        ({"arguments": (NAMED,)}, Aspect.ARGUMENTS, "who to be given, and it is not given"),
    ],
)  # fmt: skip
def test_what_does_not_match_is_said(
    members: dict[str, Any], aspect: Aspect, sentence: str
) -> None:
    [(found, words)] = said(rule(**members), ask(arguments={"amount": 60}))
    assert found is aspect
    assert sentence in words


def test_a_policy_that_matches_has_nothing_against_it() -> None:
    assert reasons_of(rule(), ask()) == ()


def test_of_a_policy_about_something_else_the_time_does_not_matter() -> None:
    other = rule(tools=frozenset({"x"}), windows=(NIGHT,))
    assert [aspect for aspect, _ in said(other, ask())] == [Aspect.WHAT]


def test_what_would_make_it_apply_is_said_besides() -> None:
    one = rule(roles=frozenset({"clerk"}), networks=frozenset({"10.0.0.0/8"}))
    assert [reason.needed for reason in reasons_of(one, ask(peer="192.0.2.1"))] == [
        "give the caller the role clerk",
        "call from within 10.0.0.0/8",
    ]


def test_arguments_that_are_not_known_yet_keep_a_denial_from_applying() -> None:
    deny = rule(effect=Effect.DENY, arguments=(ArgumentTest(("a",), Operator.PRESENT),))
    [(aspect, sentence)] = said(deny, ask(arguments=None))
    assert (aspect, sentence) == (
        Aspect.ARGUMENTS,
        "it depends on the arguments a: none is known",
    )


def test_what_cannot_be_told_is_said_of_a_denial() -> None:
    deny = rule(effect=Effect.DENY, arguments=(ArgumentTest(("a",), Operator.ABOVE, 5),))
    question = ask(arguments={"a": "six"})
    assert reasons_of(deny, question) == ()
    assert undecided_of(deny, question) == (
        'whether a, "six", is as it wants (to be above 5) cannot be told, and then it applies'
    )
    assert undecided_of(deny, ask(arguments={"a": 6})) == ""


def test_long_values_and_lists_are_cut_short() -> None:
    test = ArgumentTest(("a", "*"), Operator.EQUALS, "x" * 500)
    one = rule(arguments=(test,), roles=frozenset(f"role{number:02}" for number in range(30)))
    words = " ".join(text for _, text in said(one, ask(arguments={"a": ["y" * 500] * 30})))
    assert "role04 or 25 more" in words
    assert len(words) < 1000


RULES = st.builds(
    Rule,
    st.sampled_from(["a", "b", "c", "d"]),
    st.sampled_from(Effect),
    st.frozensets(st.sampled_from(["user", "clerk"]), max_size=2),
    actions=st.sampled_from([frozenset(Action), frozenset({Action.INVOKE})]),
    tools=st.frozensets(st.sampled_from(["pay", "p*", "x"]), max_size=1),
    bundles=st.frozensets(st.sampled_from(["desk", "shop"]), max_size=1),
    risks=st.frozensets(st.sampled_from(RiskLevel), max_size=2),
    users=st.frozensets(st.sampled_from(["someone", "eve"]), max_size=1),
    kind=st.sampled_from([one for one in RuleKind if one is not RuleKind.REGO]),
    windows=st.lists(
        st.sampled_from([NIGHT, PAST, TimeWindow(), TimeWindow(zone="?")]), max_size=2
    ).map(tuple),
    networks=st.frozensets(st.sampled_from(["10.0.0.0/8", "192.0.2.0/24", "?"]), max_size=1),
    arguments=st.lists(
        st.builds(
            ArgumentTest,
            st.sampled_from([("a",), ("b", "*")]),
            st.sampled_from(Operator),
            st.sampled_from([5, "x"]),
        ),
        max_size=2,
    ).map(tuple),
)  # fmt: skip
CASES = st.builds(
    Case,
    st.just("pay"),
    action=st.sampled_from(Action),
    roles=st.sampled_from([("user",), ("user", "clerk")]),
    arguments=st.none()
    | st.fixed_dictionaries(
        {}, optional={"a": st.sampled_from([5, 6, "x"]), "b": st.lists(st.sampled_from([5, "x"]))}
    ),
    moment=st.sampled_from([NOON, NOON + 12.5 * 3600]),
    peer=st.sampled_from(["", "10.1.1.1", "::1"]),
)


@given(RULES, CASES)
def test_reasons_agree_with_decisions(one: Rule, case: Case) -> None:
    view = TenantView("acme", tools=VIEW.tools, roles=VIEW.roles, rules=(one,))
    question = question_of(view, case)
    decision = Access(Snapshot(1, {"acme": view})).weigh(question)
    assert decision is not None
    if one.kind is not RuleKind.RATE_LIMIT:
        assert (one.name in decision.evaluated) == (reasons_of(one, question) == ())


@pytest.mark.parametrize(
    ("kind", "effect", "does"),
    [
        (RuleKind.RBAC, Effect.ALLOW, False),
        (RuleKind.RBAC, Effect.DENY, True),
        (RuleKind.CONDITION, Effect.ELEVATE, True),
        (RuleKind.DENY_LIST, Effect.ALLOW, True),
        (RuleKind.ALLOW_LIST, Effect.DENY, False),
        (RuleKind.REGO, Effect.DENY, False),
    ],
)
def test_a_policy_takes_or_gives(kind: RuleKind, effect: Effect, does: bool) -> None:
    assert takes(rule(kind=kind, effect=effect)) is does
