"""Conditions mean what they say, and come back as they were."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from bascule.api.rules.conditions import ArgumentCondition, When, Window, said_of, when_of
from bascule.gateway.rule import ArgumentTest, Effect, Operator, Rule, TimeWindow

_MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - the bounds have none
_WINDOWS = st.builds(
    TimeWindow,
    days=st.frozensets(st.integers(0, 6)),
    start_minute=st.integers(0, 1439),
    end_minute=st.integers(0, 1440),
    zone=st.sampled_from(["UTC", "Asia/Kolkata"]),
    not_before=st.none() | _MOMENTS,
)
_TESTS = st.builds(
    ArgumentTest,
    path=st.lists(st.text("a.*", min_size=1), min_size=1, max_size=3).map(tuple),
    operator=st.sampled_from([Operator.EQUALS, Operator.NOT_EQUALS, Operator.CONTAINS]),
    value=st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False),
)


@given(st.lists(_WINDOWS, max_size=3), st.lists(_TESTS, max_size=3))
def test_conditions_come_back_as_they_were(
    windows: list[TimeWindow], tests: list[ArgumentTest]
) -> None:
    networks = frozenset({"10.0.0.0/8", "2001:db8::/32"})
    rule = Rule(
        "r", Effect.DENY, frozenset(), windows=tuple(windows), arguments=tuple(tests),
        networks=networks,
    )  # fmt: skip
    shown = when_of(rule).model_dump(mode="json", by_alias=True)
    again = When.model_validate(shown)
    assert tuple(one.value() for one in again.windows) == rule.windows
    assert tuple(one.test() for one in again.arguments) == rule.arguments
    assert frozenset(again.networks) == networks


def test_a_window_that_says_nothing_is_always() -> None:
    assert Window().value() == TimeWindow()
    assert said_of(TimeWindow()) == "every day 00:00-24:00 UTC"


def test_a_window_is_said_in_words() -> None:
    window = Window.model_validate(
        {"days": ["fri", "mon"], "from": "22:00", "to": "06:30", "zone": "Asia/Kolkata",
         "not_before": "2026-01-01T00:00:00Z", "not_after": "2026-02-01T00:00:00+01:00"}
    )  # fmt: skip
    assert said_of(window.value()) == (
        "mon, fri 22:00-06:30 Asia/Kolkata from 2026-01-01T00:00:00Z "
        "until 2026-02-01T00:00:00+01:00"
    )


@pytest.mark.parametrize(
    ("window", "hint"),
    [
        ({"from": "25:00"}, "written as in 08:30"),
        ({"from": "24:00"}, "begins before 24:00"),
        ({"days": ["monday"]}, "'mon', 'tue'"),
        ({"days": ["mon"] * 8}, "at most 7"),
        ({"zone": "Asia/Kolkatta"}, "did you mean Asia/Kolkata?"),
        ({"not_before": "2026-01-01T00:00:00"}, "timezone"),
        (
            {"not_before": "2026-01-02T00:00:00Z", "not_after": "2026-01-01T00:00:00Z"},
            "ends (not_after) after it begins",
        ),
        ({"form": "08:00"}, "did you mean from?"),
    ],
)
def test_a_window_that_is_not_right_is_refused(window: dict[str, Any], hint: str) -> None:
    with pytest.raises(ValidationError) as refused:
        When.model_validate({"windows": [window]})
    assert hint in str(refused.value)


@pytest.mark.parametrize(
    ("op", "value"),
    [
        ("equals", None),
        ("not_equals", {"a": [1]}),
        ("in", [1]),
        ("not_in", [None, "a"]),
        ("below", 1.5),
        ("at_most", 0),
        ("above", -1),
        ("at_least", 10**18),
        ("like", "EU-*"),
        ("contains", 1),
        ("longer", 0),
    ],
)
def test_an_operator_takes_what_it_can_compare(op: str, value: object) -> None:
    condition = ArgumentCondition.model_validate({"path": "a.*.b", "op": op, "value": value})
    assert condition.test() == ArgumentTest(("a", "*", "b"), Operator(op), value)
    assert condition.test().value == value


@pytest.mark.parametrize("op", ["present", "absent"])
def test_presence_takes_no_value(op: str) -> None:
    assert ArgumentCondition.model_validate({"path": "a", "op": op}).test().value is None
    with pytest.raises(ValidationError, match=f"{op} takes no value"):
        ArgumentCondition.model_validate({"path": "a", "op": op, "value": 1})


@pytest.mark.parametrize(
    ("op", "value", "hint"),
    [
        ("in", [], "a list of 1 to 1000 values"),
        ("in", "abc", "a list of 1 to 1000 values"),
        ("not_in", [1] * 1001, "a list of 1 to 1000 values"),
        ("below", "1", "a number"),
        ("above", True, "a number"),
        ("at_least", None, "a number"),
        ("like", "", "a pattern of 1 to 1000 characters"),
        ("like", 1, "a pattern"),
        ("longer", -1, "a whole number, 0 or more"),
        ("longer", 1.5, "a whole number"),
        ("longer", True, "a whole number"),
    ],
)
def test_an_operand_that_cannot_be_compared_is_refused(op: str, value: object, hint: str) -> None:
    with pytest.raises(ValidationError) as refused:
        ArgumentCondition.model_validate({"path": "a", "op": op, "value": value})
    assert f"{op} takes {hint}" in str(refused.value)


@pytest.mark.parametrize("op", ["equals", "in", "below", "like", "contains", "longer"])
def test_a_value_that_is_left_out_is_not_null(op: str) -> None:
    with pytest.raises(ValidationError, match=f"{op} takes a value"):
        ArgumentCondition.model_validate({"path": "a", "op": op})


def test_an_operator_that_is_not_known_is_refused_with_those_there_are() -> None:
    with pytest.raises(ValidationError, match="'equals', 'not_equals', 'in'"):
        ArgumentCondition.model_validate({"path": "a", "op": ">", "value": 1})
