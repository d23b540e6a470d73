"""Times, networks and tests on arguments: what holds, what does not, and what cannot be told."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bascule.gateway.decision import Circumstances
from bascule.gateway.rule import EACH, Action, ArgumentTest, Effect, Operator, Rule, TimeWindow
from bascule.policy.conditions import When, place_and_time, reads_of, when_of

BERLIN = ZoneInfo("Europe/Berlin")
USE = Action.INVOKE
WORK = TimeWindow(frozenset(range(5)), 9 * 60, 17 * 60, "Europe/Berlin")
NIGHT = TimeWindow(frozenset({4}), 22 * 60, 6 * 60, "Europe/Berlin")


def at(*wall: int, fold: int = 0) -> Circumstances:
    moment = datetime(*wall, tzinfo=BERLIN, fold=fold)  # type: ignore[misc]
    return Circumstances(moment.timestamp())


def is_open(window: TimeWindow, circumstances: Circumstances) -> bool:
    when = When([window])
    opens, closes = when.opens(USE, circumstances), when.closes(USE, circumstances)
    assert opens is closes, "a time is always decided"
    return opens


@pytest.mark.parametrize(
    ("wall", "holds"),
    [
        ((2026, 11, 20, 8, 59, 59), False),
        ((2026, 11, 20, 9, 0), True),
        ((2026, 11, 20, 16, 59, 59), True),
        ((2026, 11, 20, 17, 0), False),
        ((2026, 11, 21, 12, 0), False),
        ((2026, 7, 20, 9, 0), True),
    ],
)
def test_a_window_is_by_the_wall_clocks_of_its_zone(wall: tuple[int, ...], holds: bool) -> None:
    assert is_open(WORK, at(*wall)) is holds


@pytest.mark.parametrize(
    ("wall", "holds"),
    [
        ((2026, 11, 20, 21, 59), False),
        ((2026, 11, 20, 22, 0), True),
        ((2026, 11, 21, 5, 59), True),
        ((2026, 11, 21, 6, 0), False),
        ((2026, 11, 21, 22, 0), False),
        ((2026, 11, 20, 3, 0), False),
    ],
)
def test_a_window_past_midnight_belongs_to_the_day_it_starts(
    wall: tuple[int, ...], holds: bool
) -> None:
    """The 20th is a Friday."""
    assert is_open(NIGHT, at(*wall)) is holds


def test_an_hour_that_comes_twice_is_within_both_times_and_one_that_is_left_out_never_comes() -> (
    None
):
    twice = TimeWindow(frozenset(), 2 * 60, 3 * 60, "Europe/Berlin")
    assert is_open(twice, at(2026, 10, 25, 2, 30))
    assert is_open(twice, at(2026, 10, 25, 2, 30, fold=1))
    spring = datetime(2026, 3, 29, 0, 0, tzinfo=UTC).timestamp()
    hours = [is_open(twice, Circumstances(spring + 600 * step)) for step in range(18)]
    assert not any(hours), "clocks go from 2 to 3"


def test_a_window_that_ends_when_it_starts_is_a_whole_day() -> None:
    every = TimeWindow(start_minute=540, end_minute=540)
    assert is_open(every, at(2026, 1, 1, 3, 0))
    assert is_open(TimeWindow(), at(2026, 1, 1, 3, 0))


def test_a_window_is_bounded_as_a_whole() -> None:
    first, last = datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 11, 30, 12, tzinfo=UTC)
    month = TimeWindow(not_before=first, not_after=last)
    for moment, holds in ((first, True), (last, True)):
        assert is_open(month, Circumstances(moment.timestamp())) is holds
        assert not is_open(month, Circumstances(first.timestamp() - 1))
        assert not is_open(month, Circumstances(last.timestamp() + 1))
    naive = TimeWindow(zone="Europe/Berlin", not_before=datetime(2026, 11, 1))  # noqa: DTZ001
    assert is_open(naive, at(2026, 11, 1, 0, 0))
    assert not is_open(naive, Circumstances(at(2026, 11, 1, 0, 0).moment - 1))


@pytest.mark.parametrize("zone", ["Mars/Olympus", "../etc/passwd", "", "x" * 9999, "a\0b"])
def test_a_zone_that_nobody_knows_counts_against_the_caller(zone: str) -> None:
    when = When([TimeWindow(zone=zone)])
    assert not when.opens(USE, at(2026, 1, 1))
    assert when.closes(USE, at(2026, 1, 1))


@pytest.mark.parametrize("moment", [1e300, -1e300, float("inf"), float("nan")])
def test_a_time_that_is_on_no_calendar_counts_against_the_caller(moment: float) -> None:
    assert not When([WORK]).opens(USE, Circumstances(moment))


@pytest.mark.parametrize(
    ("network", "peer", "holds"),
    [
        ("10.0.0.0/8", "10.255.0.1", True),
        ("10.0.0.0/8", "11.0.0.1", False),
        ("10.0.0.0/8", "::ffff:10.0.0.1", True),
        ("::ffff:10.0.0.0/104", "10.9.9.9", True),
        ("::ffff:10.0.0.0/104", "::ffff:10.9.9.9", True),
        ("::/0", "10.0.0.1", False),
        ("0.0.0.0/0", "2001:db8::1", False),
        ("2001:db8::/32", "2001:DB8:0::1", True),
        ("fe80::/10", "fe80::1%eth0", True),
        ("192.0.2.7", "192.0.2.7", True),
        ("192.0.2.7/24", "192.0.2.9", True),
    ],
)
def test_an_address_is_in_a_network_however_it_is_written(
    network: str, peer: str, holds: bool
) -> None:
    when, there = When(networks=[network]), Circumstances(0.0, peer)
    assert (when.opens(USE, there), when.closes(USE, there)) == (holds, holds)


@pytest.mark.parametrize("peer", ["", "unix:/run/x", "localhost", "10.0.0.1:80", "10.0.0.256"])
def test_nobody_knows_where_an_unknown_peer_is(peer: str) -> None:
    when, there = When(networks=["0.0.0.0/0", "::/0"]), Circumstances(0.0, peer)
    assert (when.opens(USE, there), when.closes(USE, there)) == (False, True)
    seen = Action.DISCOVER
    assert (when.opens(seen, there), when.closes(seen, there)) == (False, False)


def test_a_network_that_is_none_counts_against_the_caller() -> None:
    when, there = When(networks=["10.0.0.0/8", "the office"]), Circumstances(0.0, "192.0.2.1")
    assert (when.opens(USE, there), when.closes(USE, there)) == (False, True)
    inside = Circumstances(0.0, "10.0.0.1")
    assert (when.opens(USE, inside), when.closes(USE, inside)) == (True, True)


def test_places_and_times_that_are_equal_are_compiled_once() -> None:
    networks = frozenset({"10.0.0.0/8"})
    assert place_and_time((WORK,), networks) is place_and_time((WORK,), networks)


YES, NO, UNDECIDED, UNKNOWN_YET = (True, True), (False, False), (False, True), (True, False)


def holds(
    path: str, operator: Operator, value: object, arguments: Any, action: Action = USE
) -> tuple[bool, bool]:
    """Whether the test counts for what opens, and for what closes."""
    when = When(arguments=[ArgumentTest(tuple(path.split(".")), operator, value)])
    call = Circumstances(0.0, "", arguments)
    return when.opens(action, call), when.closes(action, call)


@pytest.mark.parametrize(
    ("operator", "value", "argument", "expected"),
    [
        (Operator.EQUALS, 1, 1.0, YES),
        (Operator.EQUALS, 1, True, NO),
        (Operator.EQUALS, 0, False, NO),
        (Operator.EQUALS, True, True, YES),
        (Operator.EQUALS, "1", 1, NO),
        (Operator.EQUALS, None, None, YES),
        (Operator.EQUALS, [1, {"a": True}], [1.0, {"a": True}], YES),
        (Operator.EQUALS, [1, {"a": True}], [1.0, {"a": 1}], NO),
        (Operator.EQUALS, 2**63 + 1, 2**63, NO),
        (Operator.NOT_EQUALS, 1, True, YES),
        (Operator.NOT_EQUALS, {"a": 1}, {"a": 1.0}, NO),
        (Operator.IN, ["a", "b"], "b", YES),
        (Operator.IN, ["a", "b"], 1, NO),
        (Operator.IN, [1, "a"], True, NO),
        (Operator.IN, [1, "a"], 1.0, YES),
        (Operator.IN, "abc", "a", UNDECIDED),
        (Operator.NOT_IN, ["a"], "b", YES),
        (Operator.NOT_IN, "abc", "a", UNDECIDED),
        (Operator.BELOW, 5, 4.9, YES),
        (Operator.BELOW, 5, 5, NO),
        (Operator.AT_MOST, 5, 5, YES),
        (Operator.ABOVE, 5, 5, NO),
        (Operator.AT_LEAST, 5, 5, YES),
        (Operator.ABOVE, 5, "6", UNDECIDED),
        (Operator.ABOVE, 0, True, UNDECIDED),
        (Operator.ABOVE, "5", 6, UNDECIDED),
        (Operator.LIKE, "*@example.com", "ann@example.com", YES),
        (Operator.LIKE, "*@example.com", "ann@example.com.evil", NO),
        (Operator.LIKE, "A*", "abc", NO),
        (Operator.LIKE, "a*", 1, UNDECIDED),
        (Operator.LIKE, 1, "a", UNDECIDED),
        (Operator.CONTAINS, "b", "abc", YES),
        (Operator.CONTAINS, 1, [True, 1.0], YES),
        (Operator.CONTAINS, 1, [True], NO),
        (Operator.CONTAINS, 1, "1", UNDECIDED),
        (Operator.CONTAINS, "a", {"a": 1}, UNDECIDED),
        (Operator.LONGER, 2, "abc", YES),
        (Operator.LONGER, 2, [1, 2], NO),
        (Operator.LONGER, 2, 100, UNDECIDED),
        (Operator.LONGER, "2", "abc", UNDECIDED),
        (Operator.PRESENT, None, None, YES),
        (Operator.ABSENT, None, None, NO),
    ],
)
def test_an_argument_is_compared_as_json_is(
    operator: Operator, value: object, argument: object, expected: tuple[bool, bool]
) -> None:
    assert holds("x", operator, value, {"x": argument}) == expected


@pytest.mark.parametrize("operator", Operator)
def test_what_is_absent_passes_only_what_it_should(operator: Operator) -> None:
    passes = operator in {Operator.ABSENT, Operator.NOT_EQUALS, Operator.NOT_IN}
    for arguments in ({}, {"y": 1}):
        assert holds("x", operator, 1, arguments) == (YES if passes else NO)
    assert holds("x.y", operator, 1, {"x": {}}) == (YES if passes else NO)


@pytest.mark.parametrize("operator", Operator)
def test_arguments_that_are_not_known_yet_count_for_the_caller(operator: Operator) -> None:
    assert holds("x", operator, 1, None) == UNKNOWN_YET
    assert holds("x", operator, 1, {"x": 1}, Action.DISCOVER) == UNKNOWN_YET


RAW = msgspec.Raw(b"5")


@pytest.mark.parametrize(
    ("path", "arguments"),
    [
        ("x.y", {"x": "text"}),
        ("x.y", {"x": None}),
        ("x.*", {"x": 5}),
        ("x.*.y", {"x": ["text"]}),
        ("x.y", {"x": RAW}),
        ("x", {"x": RAW}),
        ("x", {"x": [RAW]}),
    ],
)
def test_a_value_of_unknown_shape_counts_against_the_caller(path: str, arguments: Any) -> None:
    assert holds(path, Operator.EQUALS, [5], arguments) == UNDECIDED


def test_of_several_values_what_opens_wants_all_and_what_closes_any() -> None:
    inside = {"to": ["a@here", "b@here"]}
    mixed = {"to": ["a@here", "b@there"]}
    assert holds("to.*", Operator.LIKE, "*@here", inside) == YES
    assert holds("to.*", Operator.LIKE, "*@here", mixed) == UNDECIDED
    assert holds("to.*", Operator.LIKE, "*@nowhere", mixed) == NO
    assert holds("to.*", Operator.LIKE, "*@here", {"to": []}) == NO
    assert holds("lines.*.price", Operator.ABOVE, 5, {"lines": [{"price": 6}, {}]}) == UNDECIDED
    assert holds("by.*", Operator.EQUALS, 1, {"by": {"a": 1, "b": 1}}) == YES


def test_a_member_is_meant_by_its_name_and_each_by_a_star() -> None:
    assert EACH == "*"
    when = When(arguments=[ArgumentTest(("a.b",), Operator.EQUALS, 1)])
    assert when.opens(USE, Circumstances(0.0, "", {"a.b": 1}))
    assert not when.opens(USE, Circumstances(0.0, "", {"a": {"b": 1}}))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=8,
)


@given(
    st.sampled_from(Operator), JSON, JSON, st.lists(st.sampled_from(["a", "*", "b"]), min_size=1)
)
def test_whatever_comes_is_decided_one_way_or_counts_against_the_caller(
    operator: Operator, value: object, argument: object, path: list[str]
) -> None:
    found = holds(".".join(path), operator, value, {"a": argument, "b": {"a": argument}})
    assert found in {YES, NO, UNDECIDED}


@given(JSON, JSON)
def test_equality_is_that_of_the_json_texts(one: object, other: object) -> None:
    equal = holds("x", Operator.EQUALS, one, {"x": other}) == YES
    assert equal is (holds("x", Operator.EQUALS, other, {"x": one}) == YES)
    assert holds("x", Operator.EQUALS, one, {"x": one}) == YES
    assert holds("x", Operator.NOT_EQUALS, one, {"x": other}) == (NO if equal else YES)


def test_a_rule_says_what_its_conditions_read() -> None:
    tests = (ArgumentTest(("lines", EACH, "price"), Operator.ABOVE, 1),)
    rule = Rule("r", Effect.DENY, frozenset(), windows=(WORK,), arguments=tests)
    assert list(reads_of(rule)) == ["time", "arguments.lines.*.price"]
    assert when_of(rule) is not None
    assert when_of(Rule("r", Effect.DENY, frozenset())) is None


def test_all_conditions_must_hold_and_each_says_what_came_of_it() -> None:
    tests = [ArgumentTest(("x",), Operator.EQUALS, 1)]
    when = When([WORK], ["10.0.0.0/8"], tests)
    good = Circumstances(at(2026, 11, 20, 10, 0).moment, "10.0.0.1", {"x": 1})
    assert when.opens(USE, good)
    late = Circumstances(at(2026, 11, 20, 20, 0).moment, "10.0.0.1", {"x": 1})
    assert not when.opens(USE, late)
    assert [reads for reads, _ in when.truths(USE, late, closes=False)] == [
        "time", "ip", "arguments.x",
    ]  # fmt: skip
