import base64
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bascule.protocol import headers as room
from bascule.protocol.headers import HeaderMismatch, check_standard, decode_value, encode_value

# Source: basic/transports/streamable-http "Value Encoding", the table of examples.
SPECIFICATION_EXAMPLES = [
    ("us-west1", "us-west1"),
    ("Hello, 世界", "=?base64?SGVsbG8sIOS4lueVjA==?="),
    (" padded ", "=?base64?IHBhZGRlZCA=?="),
    ("line1\nline2", "=?base64?bGluZTEKbGluZTI=?="),
    ("=?base64?literal?=", "=?base64?PT9iYXNlNjQ/bGl0ZXJhbD89?="),
]
TOOL_CALL = {
    b"mcp-protocol-version": b"2026-07-28",
    b"mcp-method": b"tools/call",
    b"mcp-name": b"get_slots",
}


def check(headers: dict[bytes, bytes], name: str | None = "get_slots") -> None:
    check_standard(headers, version="2026-07-28", method="tools/call", name=name)


@pytest.mark.parametrize(("value", "header"), SPECIFICATION_EXAMPLES)
def test_the_examples_of_the_specification_encode_as_printed(value: str, header: str) -> None:
    assert encode_value(value) == header


@pytest.mark.parametrize(("value", "header"), SPECIFICATION_EXAMPLES)
def test_the_examples_of_the_specification_decode_as_printed(value: str, header: str) -> None:
    assert decode_value(header) == value


@given(st.text())
def test_any_text_survives_the_round_trip(value: str) -> None:
    assert decode_value(encode_value(value)) == value


@given(st.text(alphabet="=?base64 /+YQ\t"))
def test_text_that_looks_like_the_sentinel_survives_the_round_trip(value: str) -> None:
    assert decode_value(encode_value(value)) == value


@given(st.text())
def test_an_encoded_value_is_visible_ascii_without_edge_whitespace(value: str) -> None:
    header = encode_value(value)
    assert header.isascii()
    assert header.isprintable()
    assert header == header.strip()


@pytest.mark.parametrize(
    "encoded",
    ["YQ", "YQ=", "YQ===", "YQ==YQ==", "Y Q==", "YQ==\n", "\tYQ==", "!!!!", "Y-_=", "é", "/w=="],
    ids=ascii,
)
def test_wrong_padding_alphabet_or_encoding_is_a_mismatch(encoded: str) -> None:
    with pytest.raises(HeaderMismatch):
        decode_value(f"=?base64?{encoded}?=")


@pytest.mark.parametrize(
    "literal", ["=?base64?YQ==", "YQ==?=", "=?BASE64?YQ==?=", "=?base64 YQ==?=", "?base64?YQ==?="]
)
def test_without_both_sentinels_a_value_is_literal(literal: str) -> None:
    assert decode_value(literal) == literal


def test_whitespace_around_a_header_is_trimmed() -> None:
    assert decode_value(" \tget_slots\t ") == "get_slots"


def test_headers_that_repeat_the_body_pass() -> None:
    check(TOOL_CALL)


def test_whitespace_around_any_standard_header_is_no_mismatch() -> None:
    check({key: b" \t%b\t " % value for key, value in TOOL_CALL.items()})


@pytest.mark.parametrize("missing", list(TOOL_CALL))
def test_a_missing_header_is_named(missing: bytes) -> None:
    headers = {key: value for key, value in TOOL_CALL.items() if key != missing}
    with pytest.raises(HeaderMismatch, match="missing") as caught:
        check(headers)
    assert missing.decode() in str(caught.value).lower()


@pytest.mark.parametrize("changed", list(TOOL_CALL))
def test_a_header_that_contradicts_the_body_is_named_with_both_values(changed: bytes) -> None:
    with pytest.raises(HeaderMismatch, match="'other' but the body says") as caught:
        check(TOOL_CALL | {changed: b"other"})
    assert changed.decode() in str(caught.value).lower()


@pytest.mark.parametrize("changed", list(TOOL_CALL))
def test_header_values_are_case_sensitive(changed: bytes) -> None:
    changed_value = TOOL_CALL[changed].upper() + b"X"
    with pytest.raises(HeaderMismatch):
        check(TOOL_CALL | {changed: changed_value})


def test_where_no_name_is_required_the_name_header_is_not_read() -> None:
    check(TOOL_CALL | {b"mcp-name": b"anything"}, name=None)


@given(st.text())
def test_an_encoded_name_equals_the_same_name_in_the_body(name: str) -> None:
    check(TOOL_CALL | {b"mcp-name": encode_value(name).encode()}, name)


def test_a_name_encoded_without_need_equals_the_same_name_in_the_body() -> None:
    check(TOOL_CALL | {b"mcp-name": b"=?base64?Z2V0X3Nsb3Rz?="})


def test_a_sentinel_is_decoded_even_if_the_body_holds_the_same_characters() -> None:
    """An intermediary that decodes the header would route for `delete`, and this one run it."""
    header = f"=?base64?{base64.b64encode(b'delete').decode()}?="
    with pytest.raises(HeaderMismatch):
        check(TOOL_CALL | {b"mcp-name": header.encode()}, name=header)


@pytest.mark.parametrize("raw", ["é".encode("latin-1"), "é".encode(), b"a\x01b", b"a\x7fb"])
def test_characters_a_header_may_not_hold_are_a_mismatch_whatever_the_body(raw: bytes) -> None:
    for name in (raw.decode("latin-1"), raw.decode(errors="replace")):
        with pytest.raises(HeaderMismatch, match="base64"):
            check(TOOL_CALL | {b"mcp-name": raw}, name)


@pytest.mark.parametrize("key", [b"mcp-protocol-version", b"mcp-method"])
def test_only_the_name_may_be_encoded(key: bytes) -> None:
    encoded = b"=?base64?%b?=" % base64.b64encode(TOOL_CALL[key])
    with pytest.raises(HeaderMismatch):
        check(TOOL_CALL | {key: encoded})


def test_the_message_of_a_mismatch_is_bounded() -> None:
    with pytest.raises(HeaderMismatch) as caught:
        check(TOOL_CALL | {b"mcp-name": b"a" * 100_000}, name="b" * 100_000)
    assert len(str(caught.value)) < 400


def test_values_are_remembered_within_bounds_only() -> None:
    """Headers are compared before the caller is known: strangers must not fill the memory."""
    room._agrees.cache_clear()
    for header, name in (("short", "b" * 1_000_000), ("a" * 100_000, "b"), ("a" * 200, "a" * 200)):
        with suppress(HeaderMismatch):
            check(TOOL_CALL | {b"mcp-name": header.encode()}, name)
    remembered = room._agrees.cache_info().currsize
    assert remembered == 2, "the version and the method, which were the same each time"


@pytest.mark.parametrize("literal", ["=?base64?YQ==", "YQ==?="])
def test_half_a_sentinel_needs_no_encoding(literal: str) -> None:
    assert encode_value(literal) == literal


@pytest.mark.parametrize("name", ["get_slots", "x" * 300], ids=["remembered", "too long to be"])
def test_the_verdict_is_the_same_the_second_time(name: str) -> None:
    for _ in range(3):
        check(TOOL_CALL | {b"mcp-name": name.encode()}, name)
        with pytest.raises(HeaderMismatch, match="Mcp-Name"):
            check(TOOL_CALL | {b"mcp-name": b"other"}, name)
