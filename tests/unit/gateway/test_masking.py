import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bascule.gateway.masking import is_exact, is_whole, mask, shown_name

# Without the mask character itself, so that what survives is what was there.
SECRETS = st.text(alphabet=st.characters(exclude_characters="*", codec="utf-8"), max_size=60)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | SECRETS,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(SECRETS, inner, max_size=5),
    max_leaves=20,
)


def texts_in(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for member in value.values() for text in texts_in(member)]
    if isinstance(value, list):
        return [text for item in value for text in texts_in(item)]
    return []


def depth_of(value: object) -> int:
    if isinstance(value, dict):
        return 1 + max(map(depth_of, value.values()), default=0)
    if isinstance(value, list):
        return 1 + max(map(depth_of, value), default=0)
    return 0


@given(SECRETS)
def test_no_three_characters_in_a_row_survive(secret: str) -> None:
    masked = mask(secret)
    assert isinstance(masked, str)
    pieces = {secret[start : start + 3] for start in range(len(secret) - 2)}
    assert [piece for piece in pieces if piece in masked] == []


@given(SECRETS)
def test_at_most_the_first_and_last_two_characters_are_shown(secret: str) -> None:
    masked = mask(secret)
    assert isinstance(masked, str)
    assert masked.strip("*") in {"", secret[:2] + masked[2:-2] + secret[-2:]}
    assert set(masked[2:-2]) <= {"*"}


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("", ""),
        ("a", "*"),
        ("abcde", "*****"),
        ("abcdef", "ab**ef"),
        ("9876543210", "98******10"),
        ("a" * 5000, "aa" + "*" * 16 + "aa"),
    ],
)
def test_text_is_masked_to_its_edges(text: str, masked: str) -> None:
    """AUD.1: personal data is recognisable by its first two and last two characters."""
    assert mask(text) == masked


@given(st.integers(min_value=100_000) | st.integers(max_value=-100_000))
def test_a_number_long_enough_to_name_somebody_is_masked(number: int) -> None:
    assert str(number) not in str(mask(number))


@pytest.mark.parametrize("value", [0, -7, 99_999, 3.5, True, False, None])
def test_short_numbers_and_flags_are_shown(value: object) -> None:
    assert mask(value) is value


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_a_number_json_cannot_hold_becomes_text(value: float) -> None:
    assert isinstance(mask(value), str)


@given(VALUES)
def test_whatever_comes_can_be_written_as_json(value: object) -> None:
    json.dumps(mask(value), allow_nan=False)


@given(VALUES)
def test_no_text_at_any_depth_survives(value: object) -> None:
    shown = texts_in(mask(value))
    for secret in texts_in(value):
        assert len(secret) < 6 or secret not in shown


def test_a_member_keeps_its_name_and_hides_its_value() -> None:
    assert mask({"mobile": "9876543210", "days": 3}) == {"mobile": "98******10", "days": 3}


def test_a_member_name_is_cut() -> None:
    masked = mask({"k" * 5000: 1})
    assert masked == {"k" * 100: 1}


def test_fifty_members_are_kept_and_the_rest_counted() -> None:
    masked: Any = mask({f"k{number}": number for number in range(1000)})
    assert len(masked) == 51
    assert masked["…"] == "950 more members"
    assert len(mask({f"k{number}": 1 for number in range(50)})) == 50  # type: ignore[arg-type]


def test_fifty_items_are_kept_and_the_rest_counted() -> None:
    masked: Any = mask(list(range(1000)))
    assert masked == [*range(50), "950 more items"]
    assert mask(list(range(50))) == list(range(50))


def test_what_lies_deeper_than_six_levels_is_counted_not_shown() -> None:
    nested: object = "a secret that is deep"
    for _ in range(900):
        nested = {"in": [nested]}
    masked = mask(nested)
    assert depth_of(masked) == 6
    assert texts_in(masked) == ["{1 members}"]
    assert mask([[[[[[[1, 2]]]]]]]) == [[[[[["[2 items]"]]]]]]


def test_a_value_of_another_type_is_masked_as_text() -> None:
    assert mask(b"a secret in bytes") == "b'" + "*" * 16 + "s'"


@given(st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text())
def test_what_is_exact_in_a_record_is_what_was_sent(value: object) -> None:
    shown = mask(value)
    if is_exact(shown):
        assert shown == value
        assert type(shown) is type(value)


@given(st.text(min_size=1))
def test_no_text_is_exact_but_the_empty_one(text: str) -> None:
    assert not is_exact(mask(text))
    assert is_exact(mask(""))


@given(st.dictionaries(st.text(max_size=120), st.integers(0, 9), max_size=60))
def test_an_object_that_is_whole_has_the_members_that_were_sent(members: dict[str, int]) -> None:
    shown = mask(members)
    assert isinstance(shown, dict)
    if is_whole(shown):
        assert shown.keys() == members.keys()


@given(st.lists(st.integers(0, 9), max_size=60))
def test_an_array_that_is_whole_has_the_items_that_were_sent(items: list[int]) -> None:
    shown = mask(items)
    assert isinstance(shown, list)
    assert is_whole(shown) == (shown == items)


@given(st.text(max_size=120))
def test_a_member_is_found_under_the_name_that_a_record_has_for_it(name: str) -> None:
    assert set(mask({name: 1})) == {shown_name(name)}
