"""Text in its place never ends it early, and decodes to itself."""

import string
from http.cookies import SimpleCookie
from urllib.parse import parse_qsl, quote, unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bascule.upstreams.rest.escapes import (
    RESERVED_IN_COOKIE,
    RESERVED_IN_PATH,
    RESERVED_IN_QUERY,
    Unwritable,
    check_cookie,
    check_header,
    climbs,
    encode,
    encode_in_cookie,
    encode_in_form,
    encode_in_path,
    is_dots,
    is_token,
)

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
TRICKY = st.text("/?#[]@!$&'()*+,;=:%2fA. \\\0\r\n\t\"é|~", max_size=12)


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
    assert checked == text == text.strip(" \t")
    assert checked.isascii()
    assert not set(checked) & set("\r\n\0")


@pytest.mark.parametrize("text", [" pad ", "pad\t", " ", "\tx"])
def test_a_header_value_that_would_lose_its_blanks_is_refused(text: str) -> None:
    with pytest.raises(Unwritable, match="blank"):
        check_header(text)


@given(TEXT)
def test_form_text_holds_no_separator_and_decodes_to_itself(text: str) -> None:
    encoded = encode_in_form(text)

    assert set(encoded) <= set(string.ascii_letters + string.digits + "*-._%+")
    assert parse_qsl(f"a={encoded}", keep_blank_values=True) == [("a", text)]


@given(TRICKY)
def test_reserved_text_never_leaves_its_pair_of_a_query(text: str) -> None:
    alone, among = RESERVED_IN_QUERY.alone(text), RESERVED_IN_QUERY.among(text)

    assert not set(alone + among) & set('&=+#[];" \\|\r\n\0')
    assert "," not in among
    # What is encoded already stays as it is, so it stands for what it encodes.
    assert parse_qsl(f"a={alone}", keep_blank_values=True, errors="replace") == [
        ("a", unquote(text))
    ]
    assert unquote(among) == unquote(text)


@given(TRICKY)
def test_reserved_text_never_leaves_its_segment(text: str) -> None:
    try:
        alone, among = RESERVED_IN_PATH.alone(text), RESERVED_IN_PATH.among(text)
    except Unwritable:
        assert climbs(unquote(text))
        return
    assert not set(alone + among) & set("/?#;[]\\ \r\n\0")
    assert unquote(alone) == unquote(text) == unquote(among)


@given(TRICKY)
def test_reserved_text_never_leaves_its_cookie(text: str) -> None:
    encoded = RESERVED_IN_COOKIE.alone(text)

    assert not set(encoded) & set(' ";,\\\r\n\0')
    assert unquote(encoded) == unquote(text)


def test_what_is_encoded_already_is_kept_where_that_is_allowed() -> None:
    assert RESERVED_IN_QUERY.alone("a%20b%zz%2") == "a%20b%25zz%252"
    assert RESERVED_IN_QUERY.alone("word") == "word"


@given(st.text())
def test_a_cookie_that_is_sent_as_it_is_parses_to_itself(text: str) -> None:
    try:
        checked = check_cookie(text)
    except Unwritable:
        return
    assert checked == text
    if " " not in text:  # the parser of the standard library knows none within
        cookies = SimpleCookie(f"a={text}; b=2")
        assert {name: one.value for name, one in cookies.items()} == {"a": text, "b": "2"}


@pytest.mark.parametrize("text", ["a;b", "a,b", '"a"', "a\\b", " a", "a ", "a\r\nb", "a\0", "é"])
def test_what_a_cookie_cannot_hold_is_refused(text: str) -> None:
    with pytest.raises(Unwritable, match="cookie"):
        check_cookie(text)


@pytest.mark.parametrize("text", ["", "a", "Hello%2C world!", "a=b/c+d=="])
def test_what_a_cookie_can_hold_is_left_as_it_is(text: str) -> None:
    assert check_cookie(text) == text


def test_names_are_tokens() -> None:
    assert is_token("X-Trace")
    assert not is_token("a b")
    assert not is_token("")
    assert not is_token("a\r\nb")


@given(TEXT)
def test_what_is_encoded_is_what_the_standard_library_encodes(text: str) -> None:
    assert encode(text) == quote(text, safe="")
