"""Each keyword's change is judged by the values that it lets through."""

from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bascule.catalogue.constraints import (
    BOUNDS,
    Effect,
    bound_effect,
    canonical,
    enum_effect,
    flag_effect,
    multiple_effect,
    set_effect,
    shown,
    shown_types,
    text_effect,
    type_effect,
)


@pytest.mark.parametrize(
    ("old", "new", "effect"),
    [
        ({}, {}, None),
        ({"type": "string"}, {"type": ["string"]}, None),
        ({"type": "number"}, {"type": ["integer", "number"]}, None),
        ({"type": "integer"}, {"type": "number"}, Effect.WIDENS),
        ({"type": "string"}, {"type": ["string", "null"]}, Effect.WIDENS),
        ({"type": "string"}, {}, Effect.WIDENS),
        ({}, {"type": "string"}, Effect.NARROWS),
        ({"type": "string"}, {"type": "integer"}, Effect.SHIFTS),
    ],
)
def test_types_are_sets_of_values(old: Any, new: Any, effect: Effect | None) -> None:
    assert type_effect(old, new) is effect


@pytest.mark.parametrize(
    ("old", "new", "effect"),
    [
        ({"enum": [1]}, {"const": 1.0}, None),
        ({"enum": [1]}, {"enum": [True]}, Effect.SHIFTS),
        ({"enum": ["a"]}, {"enum": ["b", "a"]}, Effect.WIDENS),
        ({"enum": ["a", "b"]}, {"enum": ["a", "b"], "const": "a"}, Effect.NARROWS),
        ({}, {"const": None}, Effect.NARROWS),
        ({"const": None}, {}, Effect.WIDENS),
        ({}, {}, None),
    ],
)
def test_enum_and_const_are_one_set_of_values(old: Any, new: Any, effect: Effect | None) -> None:
    assert enum_effect(old, new) is effect


@given(
    st.sampled_from(["minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum"]),
    st.none() | st.integers(-3, 3),
    st.none() | st.integers(-3, 3),
    st.integers(-5, 5),
)
def test_a_bound_is_judged_as_a_validator_does(
    keyword: str, old: int | None, new: int | None, value: int
) -> None:
    before, after = ({} if one is None else {keyword: one} for one in (old, new))
    effect = bound_effect(keyword, before, after)
    passed, passes = (jsonschema_rs.is_valid(one, value) for one in (before, after))
    if effect in (None, Effect.WIDENS):
        assert passes or not passed
    if effect in (None, Effect.NARROWS):
        assert passed or not passes


def test_every_bound_is_known_from_both_sides() -> None:
    for keyword in BOUNDS:
        assert bound_effect(keyword, {}, {keyword: 1}) is Effect.NARROWS
        assert bound_effect(keyword, {keyword: 1}, {}) is Effect.WIDENS
        assert bound_effect(keyword, {keyword: True}, {}) is None


@pytest.mark.parametrize(
    ("old", "new", "effect"),
    [(None, 2, Effect.NARROWS), (4, None, Effect.WIDENS), (4, 2, Effect.WIDENS), (2, 2, None),
     (2, 4, Effect.SHIFTS), (0.2, 0.1, Effect.SHIFTS), (2, 0, Effect.SHIFTS)],
)  # fmt: skip
def test_multiples_are_judged_where_they_are_whole(
    old: Any, new: Any, effect: Effect | None
) -> None:
    before, after = ({} if one is None else {"multipleOf": one} for one in (old, new))
    assert multiple_effect(before, after) is effect


def test_flags_and_patterns() -> None:
    on, off = {"uniqueItems": True}, {"uniqueItems": False}
    assert flag_effect("uniqueItems", {}, off) is None
    assert flag_effect("uniqueItems", off, on) is Effect.NARROWS
    assert flag_effect("uniqueItems", on, {}) is Effect.WIDENS
    one, other = {"pattern": "a"}, {"pattern": "b"}
    assert text_effect("pattern", one, one) is None
    assert text_effect("pattern", {}, one) is Effect.NARROWS
    assert text_effect("pattern", one, {}) is Effect.WIDENS
    assert text_effect("pattern", one, other) is Effect.SHIFTS


def test_sets_that_lose_and_gain_shift() -> None:
    assert set_effect("ab", "bc") is Effect.SHIFTS
    assert set_effect("ab", "ba") is None


def test_values_are_shown_shortly_and_the_same_in_any_order() -> None:
    assert shown("ü" * 100) == '"' + "ü" * 59 + "…"
    assert shown_types({"type": ["string", "null"]}) == "string or null"
    assert (shown_types({"type": "object"}), shown_types({})) == ("object", "anything")
    assert canonical({"b": 1, "a": 2}) == canonical({"a": 2, "b": 1})
