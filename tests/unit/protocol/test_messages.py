import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET

from bascule.protocol import codes
from bascule.protocol.messages import MalformedMessage, Message, decode, decode_arguments

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
# Objects that come close to a message, which random ones never do.
NEARLY_MESSAGES = st.fixed_dictionaries(
    {},
    optional={
        "jsonrpc": st.just("2.0") | JSON,
        "method": st.just("tools/call") | JSON,
        "id": JSON,
        "params": st.fixed_dictionaries(
            {}, optional={"name": JSON, "arguments": JSON, "cursor": JSON, "_meta": JSON}
        )
        | JSON,
    },
)


def request(**members: object) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "id": 1, "method": "ping"} | members).encode()


def refusal_of(body: bytes) -> MalformedMessage:
    with pytest.raises(MalformedMessage) as caught:
        decode(body)
    return caught.value


def outcome_of(body: bytes) -> Message | MalformedMessage:
    try:
        return decode(body)
    except MalformedMessage as error:
        return error


def assert_message_or_malformed(body: bytes) -> None:
    outcome = outcome_of(body)
    if isinstance(outcome, Message):
        assert outcome.id is not None
        assert not isinstance(outcome.id, bool)
    else:
        assert outcome.rpc_code in {-32700, codes.INVALID_REQUEST, codes.INVALID_PARAMS}
        assert outcome.reason
        assert not isinstance(outcome.message_id, bool)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_message_or_malformed(body: bytes) -> None:
    assert_message_or_malformed(body)


@given(JSON)
def test_any_json_is_a_message_or_malformed(document: object) -> None:
    assert_message_or_malformed(json.dumps(document).encode())


@given(NEARLY_MESSAGES)
def test_anything_close_to_a_message_is_one_or_malformed(document: object) -> None:
    assert_message_or_malformed(json.dumps(document).encode())


@given(st.dictionaries(st.text(), JSON, max_size=5))
def test_arguments_come_out_as_they_went_in(arguments: dict[str, object]) -> None:
    try:
        raw = json.dumps(arguments, allow_nan=False).encode()
    except ValueError:  # NaN and infinity are no JSON
        return
    assert decode_arguments(raw) == arguments


@pytest.mark.parametrize("message_id", [1, 0, -1, 2**53 + 1, 2**64, 1.5, "a", "", "é", "1"])
def test_an_id_is_read_exactly(message_id: float | str) -> None:
    decoded = decode(request(id=message_id)).id
    assert decoded == message_id
    assert type(decoded) is type(message_id)


@pytest.mark.parametrize("message_id", [True, False, None, {}, [], [1]])
def test_an_id_that_is_no_string_or_number_makes_the_request_invalid(message_id: object) -> None:
    error = refusal_of(request(id=message_id))
    assert error.rpc_code == codes.INVALID_REQUEST
    assert error.message_id is None


def test_a_message_without_id_is_a_notification() -> None:
    message = decode(b'{"jsonrpc":"2.0","method":"notifications/initialized"}')
    assert message.id is UNSET
    assert message.method == "notifications/initialized"


def test_a_message_without_method_is_a_response() -> None:
    assert decode(b'{"jsonrpc":"2.0","id":1,"result":{}}').method is UNSET


@pytest.mark.parametrize("version", ["1.0", "2", "", "2.0 "])
def test_another_version_of_json_rpc_is_invalid_and_keeps_the_id(version: str) -> None:
    error = refusal_of(request(jsonrpc=version, id="mine"))
    assert error.rpc_code == codes.INVALID_REQUEST
    assert error.message_id == "mine"


def test_another_version_without_id_has_none_to_echo() -> None:
    assert refusal_of(b'{"jsonrpc":"1.0","method":"x"}').message_id is None


def test_a_message_without_jsonrpc_member_is_invalid() -> None:
    error = refusal_of(b'{"id":5,"method":"ping"}')
    assert (error.rpc_code, error.message_id) == (codes.INVALID_REQUEST, 5)
    assert "jsonrpc" in error.reason


@pytest.mark.parametrize("body", [b"", b"{", b"nul", b"{]", b"\xef\xbb\xbf{}", b'{"a":1e999}'])
def test_what_is_no_json_is_a_parse_error(body: bytes) -> None:
    assert refusal_of(body).rpc_code == codes.PARSE_ERROR


@pytest.mark.parametrize("text", [b"\xff", b"\\ud800", b"\xed\xa0\x80", b"\xc0\xaf"])
def test_text_that_is_no_unicode_is_a_parse_error(text: bytes) -> None:
    body = b'{"jsonrpc":"2.0","id":1,"method":"%b"}' % text
    assert refusal_of(body).rpc_code == codes.PARSE_ERROR


@pytest.mark.parametrize("body", [b"[]", request().join([b"[", b"]"])])
def test_a_batch_is_refused_and_says_since_when(body: bytes) -> None:
    error = refusal_of(body)
    assert error.rpc_code == codes.INVALID_REQUEST
    assert "2025-06-18" in error.reason


@pytest.mark.parametrize("body", [b"1", b'"x"', b"null", b"true"])
def test_a_bare_value_is_no_message(body: bytes) -> None:
    assert refusal_of(body).rpc_code == codes.INVALID_REQUEST


@pytest.mark.parametrize(
    "params",
    [[], "x", {"name": 5}, {"cursor": 5}, {"_meta": []}, {"_meta": {"traceparent": 1}}],
)
def test_params_of_the_wrong_type_are_invalid_params_and_keep_the_id(params: object) -> None:
    error = refusal_of(request(id=9, params=params))
    assert (error.rpc_code, error.message_id) == (codes.INVALID_PARAMS, 9)
    assert "$.params" in error.reason


def test_a_hundred_thousand_brackets_are_malformed() -> None:
    assert refusal_of(b"[" * 100_000).rpc_code == codes.PARSE_ERROR


def test_a_hundred_thousand_brackets_in_a_member_are_malformed() -> None:
    nest = b"[" * 100_000 + b"]" * 100_000
    for body in (
        b'{"jsonrpc":"2.0","id":1,"method":"x","other":%b}',
        b'{"jsonrpc":"2.0","id":1,"method":"x","params":{"arguments":{"a":%b}}}',
        b'{"jsonrpc":"2.0","id":1,"method":"x","params":{"_meta":{"other":%b}}}',
    ):
        assert refusal_of(body % nest).rpc_code == codes.PARSE_ERROR


def test_a_hundred_thousand_brackets_as_arguments_are_refused() -> None:
    with pytest.raises(ValueError, match=r"^params\.arguments must be a JSON object: "):
        decode_arguments(b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}")


@pytest.mark.parametrize("raw", [b"[]", b"1", b'"x"', b"true", b"nul", b'{"a":1'])
def test_arguments_that_are_no_object_are_refused(raw: bytes) -> None:
    with pytest.raises(ValueError, match=r"^params\.arguments must be a JSON object: "):
        decode_arguments(raw)


@pytest.mark.parametrize("text", [b"\xff", b"\\ud800", b"\xed\xa0\x80"])
def test_arguments_that_are_no_unicode_are_refused(text: bytes) -> None:
    """The outer decode leaves arguments unread, so this one must look."""
    with pytest.raises(ValueError):
        decode_arguments(b'{"a":"%b"}' % text)


@pytest.mark.parametrize("raw", [b"null", b" null\n"])
def test_null_arguments_count_as_none(raw: bytes) -> None:
    assert decode_arguments(raw) == {}


def test_of_duplicate_members_the_last_one_counts_everywhere() -> None:
    """One reading for the whole gateway: nothing may judge the first and execute the last."""
    message = decode(
        b'{"jsonrpc":"2.0","id":1,"id":2,"method":"ping","method":"tools/call",'
        b'"params":{"name":"a","name":"b","arguments":{"n":1,"n":2}}}'
    )
    assert (message.id, message.method) == (2, "tools/call")
    assert message.params is not UNSET
    assert message.params.name == "b"
    assert message.params.arguments is not UNSET
    assert decode_arguments(bytes(message.params.arguments)) == {"n": 2}


def test_an_integer_of_five_thousand_digits_is_refused_not_computed() -> None:
    assert refusal_of(b'{"jsonrpc":"2.0","method":"x","id":%b}' % (b"9" * 5000))


def test_members_nobody_asked_for_are_ignored() -> None:
    assert decode(request(extra={"a": [1]}, params={"others": 5, "other": None})).method == "ping"
