"""Values as text, and text in its place."""

import string
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bascule.upstreams.rest.values import (
    Unwritable,
    check_header,
    encode,
    encode_in_cookie,
    encode_in_path,
    is_dots,
    items_of,
    leaves_of,
    pairs_of,
    to_json,
    to_text,
)

TEXT = st.text(st.characters(exclude_categories=["Cs"]))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a b", "a b"), (True, "true"), (False, "false"), (5, "5"), (5.0, "5"), (-0.5, "-0.5"),
        (1e22, "1e+22"), (0.1, "0.1"), ({"a": [1, None]}, '{"a":[1,null]}'), ([1], "[1]"),
        (2**70, "1180591620717411303424"),
    ],
)  # fmt: skip
def test_scalars_are_written_as_json_writes_them(value: object, text: str) -> None:
    assert to_text(value) == text


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_numbers_that_are_none_are_refused(number: float) -> None:
    with pytest.raises(Unwritable):
        to_text(number)
    with pytest.raises(ValueError, match="JSON compliant"):
        to_json([number])


def test_null_has_no_place_among_items_and_members() -> None:
    assert items_of([1, None, "a"]) == ["1", "a"]
    assert pairs_of({"a": None, "b": True}) == [("b", "true")]
    assert items_of("ab") is None
    assert pairs_of([]) is None


def test_leaves_carry_the_keys_that_lead_to_them() -> None:
    value = {"a": {"b": 1}, "c": ["x", "y"], "d": None}

    assert list(leaves_of(value)) == [(("a", "b"), "1"), (("c",), "x"), (("c",), "y")]


def test_leaves_too_deep_are_refused() -> None:
    value: object = 1
    for _ in range(5_000):
        value = {"a": value}

    with pytest.raises(Unwritable, match="levels deep"):
        list(leaves_of(value))


@given(TEXT)
def test_encoded_text_is_unreserved_and_decodes_to_itself(text: str) -> None:
    encoded = encode(text)

    assert set(encoded) <= set(string.ascii_letters + string.digits + "-._~%")
    assert unquote(encoded, errors="strict") == text


@given(TEXT)
def test_a_cookie_value_holds_no_separator_and_decodes_to_itself(text: str) -> None:
    encoded = encode_in_cookie(text)

    assert encoded.isascii()
    assert not set(encoded) & set(' ";,\\\r\n\t\0')
    assert unquote(encoded, errors="strict") == text


@pytest.mark.parametrize("text", ["../admin", "a/../b", "a/.", "..\\x", "..;v=1/x", "/..", "./"])
def test_text_that_would_climb_behind_a_careless_proxy_is_refused(text: str) -> None:
    with pytest.raises(Unwritable, match="path segments"):
        encode_in_path(text)


@pytest.mark.parametrize("text", ["heads/feature", "a..b", "...", "%2e%2e", "a?b#c", ".hidden/x"])
def test_text_that_stays_put_is_encoded(text: str) -> None:
    encoded = encode_in_path(text)

    assert "/" not in encoded
    assert unquote(encoded) == text


def test_dot_segments_are_known_with_parameters_behind_them() -> None:
    assert is_dots(".")
    assert is_dots("..;v=1")
    assert not is_dots("...")
    assert not is_dots("")


@given(st.text())
def test_a_header_value_never_breaks_its_line(text: str) -> None:
    try:
        checked = check_header(text)
    except Unwritable:
        return
    assert checked.isascii()
    assert not set(checked) & set("\r\n\0")
