from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bascule.gateway.decision import Circumstances
from bascule.gateway.masking import mask
from bascule.gateway.rego import RegoDocument
from bascule.gateway.rule import Action, ArgumentTest, Effect, Operator, Rule, RuleKind
from bascule.policy.conditions import When
from bascule.policy.unknowns import depends_on_arguments, is_masked, is_unknown, readings_of

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-200_000, 200_000) | st.sampled_from(["", "ab", "vip"]),
    lambda inner: (
        st.lists(inner, max_size=60)
        | st.dictionaries(st.sampled_from(["a", "b", "pin", "n123456"]), inner, max_size=3)
    ),
    max_leaves=12,
)
PATHS = st.lists(st.sampled_from(["a", "b", "*", "pin", "n123456"]), min_size=1, max_size=3).map(
    tuple
)
NESTED: dict[str, Any] = {"a": {"b": {"c": {"d": {"e": {"f": {"g": 1}}}}}}}
TESTS = st.builds(
    ArgumentTest,
    PATHS,
    st.sampled_from(Operator),
    st.sampled_from([1, 5, "vip", "", None, [1, "vip"], {"a": 1}]),
)


def condition(*tests: ArgumentTest, effect: Effect = Effect.DENY) -> Rule:
    return Rule("rule", effect, frozenset(), kind=RuleKind.CONDITION, arguments=tests)


def held(path: str, operator: Operator, value: object = None) -> ArgumentTest:
    return ArgumentTest(tuple(path.split(".")), operator, value)


def shown(**arguments: Any) -> dict[str, Any]:
    masked = mask(arguments)
    assert isinstance(masked, dict)
    return masked


@given(st.dictionaries(st.sampled_from(["a", "b", "pin", "n123456"]), VALUES, max_size=3), TESTS)
def test_what_is_known_of_a_record_is_true_of_the_call(
    arguments: dict[str, object], test: ArgumentTest
) -> None:
    record = shown(**arguments)
    if is_unknown(test, record):
        return
    when = When(arguments=(test,))
    then, now = Circumstances(0, "", arguments), Circumstances(0, "", record)
    assert when.opens(Action.INVOKE, then) == when.opens(Action.INVOKE, now)
    assert when.closes(Action.INVOKE, then) == when.closes(Action.INVOKE, now)


@pytest.mark.parametrize(
    ("arguments", "test", "unknown"),
    [
        ({"amount": 7}, held("amount", Operator.ABOVE, 5), False),
        ({"amount": 99_999}, held("amount", Operator.ABOVE, 5), False),
        ({"amount": 100_000}, held("amount", Operator.ABOVE, 5), True),
        ({"amount": -100_000}, held("amount", Operator.ABOVE, 5), True),
        ({"who": "vip"}, held("who", Operator.EQUALS, "vip"), True),
        ({"who": ""}, held("who", Operator.EQUALS, "vip"), False),
        ({"who": "vip"}, held("who", Operator.PRESENT), False),
        ({}, held("who", Operator.EQUALS, "vip"), False),
        ({"sure": True}, held("sure", Operator.EQUALS, True), False),
        ({"none": None}, held("none", Operator.EQUALS, None), False),
        ({"token": "x"}, held("token.inner", Operator.PRESENT), True),
        ({"who": "vip"}, held("who.inner", Operator.PRESENT), False),
        ({"items": [1, 2]}, held("items.*", Operator.ABOVE, 1), False),
        ({"items": [1, "x"]}, held("items.*", Operator.ABOVE, 1), True),
        ({"items": [1] * 51}, held("items.*", Operator.ABOVE, 1), True),
        ({"items": ["long text"] * 3}, held("items", Operator.LONGER, 2), False),
        ({"items": ["long text"] * 51}, held("items", Operator.LONGER, 2), True),
        ({"n123456": 1}, held("n123456", Operator.EQUALS, 1), True),
        ({f"m{n}": n for n in range(60)}, held("other", Operator.PRESENT), True),
        (NESTED, held("a.b.c.d.e.f.g", Operator.ABOVE, 1), True),
    ],
)  # fmt: skip
def test_a_mask_hides_what_a_condition_looks_at(
    arguments: dict[str, Any], test: ArgumentTest, unknown: bool
) -> None:
    assert is_unknown(test, shown(**arguments)) is unknown


def test_without_arguments_in_the_record_everything_is_unknown() -> None:
    assert is_unknown(held("a", Operator.PRESENT), None)
    assert is_masked(None)


def test_a_rule_of_which_everything_is_known_is_read_as_it_is() -> None:
    rule = condition(held("amount", Operator.ABOVE, 5))
    assert readings_of(rule, {"amount": 7}) == ((rule,),)


def test_a_rule_that_looks_at_what_is_hidden_is_read_both_ways() -> None:
    known, hidden = held("amount", Operator.ABOVE, 5), held("who", Operator.EQUALS, "vip")
    rule = condition(known, hidden)
    assert readings_of(rule, {"amount": 7, "who": "***"}) == ((condition(known),), ())


def rego(*reads: tuple[str, ...], whole: bool = False) -> Rule:
    document = RegoDocument("d", {}, reads=None if whole else frozenset(reads))
    return Rule("rego", Effect.DENY, frozenset(), kind=RuleKind.REGO, rego=document)


def test_a_document_that_reads_what_is_hidden_may_say_yes_or_no() -> None:
    for rule in (rego(("arguments", "who")), rego(("arguments",)), rego(whole=True), rego(())):
        allows, denies = readings_of(rule, {"who": "***"})
        assert [one.effect for one in (*allows, *denies)] == [Effect.ALLOW, Effect.DENY]
        assert {one.kind for one in (*allows, *denies)} == {RuleKind.CONDITION}


def test_a_document_that_reads_only_what_is_known_is_asked() -> None:
    for rule in (rego(("arguments", "amount")), rego(("roles",)), rego(("tool", "risk"))):
        assert readings_of(rule, {"who": "***", "amount": 5}) == ((rule,),)
    assert readings_of(rego(whole=True), {"amount": 5}) == ((rego(whole=True),),)


def test_what_a_record_does_not_tell_besides_is_unknown_to_a_document() -> None:
    unknown = (("means",),)
    assert len(readings_of(rego(("means",)), {}, unknown=unknown)) == 2
    assert len(readings_of(rego(whole=True), {}, unknown=unknown)) == 2
    assert len(readings_of(rego(("roles",)), {}, unknown=unknown)) == 1


@pytest.mark.parametrize(
    ("rule", "depends"),
    [
        (condition(), False),
        (condition(held("a", Operator.PRESENT)), True),
        (rego(("arguments", "a")), True),
        (rego(whole=True), True),
        (rego(("roles",)), False),
    ],
)
def test_a_rule_says_whether_arguments_count(rule: Rule, depends: bool) -> None:
    assert depends_on_arguments(rule) is depends


@given(st.dictionaries(st.sampled_from(["a", "b"]), VALUES, max_size=2))
def test_arguments_without_a_mask_are_those_of_the_call(arguments: dict[str, object]) -> None:
    record = shown(**arguments)
    if not is_masked(record):
        assert record == arguments
