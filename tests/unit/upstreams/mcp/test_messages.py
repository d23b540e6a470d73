import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bascule.protocol.versions import Era
from bascule.upstreams.mcp.messages import (
    Incoming,
    Outgoing,
    SessionKey,
    decode,
    decode_members,
    encode,
    encode_answer,
    encode_cancelled,
    encode_initialize,
    encode_refusal,
    encode_reply,
    member,
    valid_traceparent,
)

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def test_modern_request_states_version_capabilities_and_client() -> None:
    message = json.loads(encode("1", Outgoing("server/discover"), Era.MODERN))
    meta = message["params"]["_meta"]
    assert meta["io.modelcontextprotocol/protocolVersion"] == "2026-07-28"
    assert meta["io.modelcontextprotocol/clientCapabilities"] == {}
    assert meta["io.modelcontextprotocol/clientInfo"]["name"] == "bascule"
    assert (message["jsonrpc"], message["id"]) == ("2.0", "1")


def test_legacy_request_has_no_meta_unless_it_is_traced() -> None:
    bare = json.loads(encode("1", Outgoing("tools/list"), Era.LEGACY))
    assert "params" not in bare
    traced = Outgoing("tools/call", member("name", "x"), traceparent=TRACE)
    params = json.loads(encode("1", traced, Era.LEGACY))["params"]
    assert params == {"name": "x", "_meta": {"traceparent": TRACE}}


def test_arguments_pass_byte_for_byte() -> None:
    odd = b'{"n": 1.0e2 , "big":12345678901234567890123}'
    request = Outgoing("tools/call", member("name", 'a"b') + b',"arguments":' + odd)
    encoded = encode("1", request, Era.MODERN)
    assert odd in encoded
    assert json.loads(encoded)["params"]["name"] == 'a"b'


@pytest.mark.parametrize("trace", ["", "x", TRACE.upper(), TRACE + "-", '"},"evil":{"'])
def test_what_is_no_traceparent_is_left_out(trace: str) -> None:
    request = Outgoing("tools/list", traceparent=trace)
    assert valid_traceparent(trace) is None
    assert b"traceparent" not in encode("1", request, Era.MODERN)


def test_initialize_offers_the_newest_legacy_version_and_no_capability() -> None:
    params = json.loads(encode_initialize("1"))["params"]
    assert params["protocolVersion"] == "2025-11-25"
    assert params["capabilities"] == {}


def test_cancellation_names_its_request() -> None:
    message = json.loads(encode_cancelled("7", "gone"))
    assert "id" not in message
    assert message["params"] == {"requestId": "7", "reason": "gone"}


def test_ping_is_answered_and_other_requests_are_refused() -> None:
    assert json.loads(encode_reply(Incoming(id=3, method="ping")))["result"] == {}
    refusal = json.loads(encode_reply(Incoming(id="x", method="sampling/createMessage")))
    assert (refusal["id"], refusal["error"]["code"]) == ("x", -32601)


def test_responses_requests_and_notifications_are_told_apart() -> None:
    response = decode(b'{"jsonrpc":"2.0","id":1,"result":{},"error":null}')
    failure = decode(b'{"jsonrpc":"2.0","id":null,"error":{"code":-1,"message":"x"}}')
    request = decode(b'{"jsonrpc":"2.0","id":1,"method":"ping"}')
    notification = decode(b'{"jsonrpc":"2.0","method":"x"}')
    assert response is not None
    assert failure is not None
    assert request is not None
    assert notification is not None
    assert [one.is_response for one in (response, failure, request, notification)] == [
        True, True, False, False,
    ]  # fmt: skip
    assert [one.is_request for one in (response, failure, request, notification)] == [
        False, False, True, False,
    ]  # fmt: skip
    assert bytes(response.result_bytes) == b"{}"
    assert failure.result_bytes == b""


@given(st.binary(max_size=60))
def test_any_bytes_are_a_message_or_none(line: bytes) -> None:
    assert decode(line) is None or isinstance(decode(line), Incoming)
    members = decode_members(line)
    assert members is None or isinstance(members, dict)


def test_nesting_without_end_is_no_message() -> None:
    assert decode(b'{"id":' + b"[" * 100_000) is None
    assert decode_members(b"[" * 100_000) is None


def test_meta_says_what_the_caller_can_be_asked_and_wants_to_hear() -> None:
    request = Outgoing(
        "tools/call", capabilities=b'{"roots":{}}', progress_token='a"b', log_level="info"
    )
    meta = json.loads(encode("1", request, Era.MODERN))["params"]["_meta"]
    assert meta["io.modelcontextprotocol/clientCapabilities"] == {"roots": {}}
    assert meta["io.modelcontextprotocol/logLevel"] == "info"
    assert meta["progressToken"] == 'a"b'
    assert meta["io.modelcontextprotocol/protocolVersion"] == "2026-07-28"
    legacy = json.loads(encode("1", request, Era.LEGACY))["params"]
    assert legacy == {"_meta": {"progressToken": 'a"b'}}


def test_initialize_says_what_the_caller_can_be_asked() -> None:
    params = json.loads(encode_initialize("1", b'{"sampling":{}}'))["params"]
    assert params["capabilities"] == {"sampling": {}}


def test_answers_and_refusals_carry_the_id_they_answer() -> None:
    asked = Incoming(id=7, method="roots/list")
    answer = json.loads(encode_answer(asked, b'{"roots": []}'))
    assert answer == {"jsonrpc": "2.0", "id": 7, "result": {"roots": []}}
    refusal = json.loads(encode_refusal(asked, -1, "no", b"[1]"))
    assert refusal["error"] == {"code": -1, "message": "no", "data": [1]}
    assert "data" not in json.loads(encode_refusal(asked, -1, "no"))["error"]


@pytest.mark.parametrize(
    ("capabilities", "can_ask"),
    [
        (b"{}", False),
        (b'{"extensions":{"x":{}}}', False),
        (b'{"elicitation":{}}', True),
        (b'{"extensions":{},"roots":{}}', True),
        (b'{"sampling":{"tools":{}}}', True),
    ],
)
def test_session_can_ask_where_a_question_was_declared(capabilities: bytes, can_ask: bool) -> None:
    assert SessionKey("t", "ann", capabilities).can_ask is can_ask


def test_what_is_not_utf_8_is_no_message() -> None:
    assert decode('{"id":"1","result":{"a":"ä"}}'.encode()) is not None
    assert decode('{"id":"1","result":{"a":"ä"}}'.encode("latin-1")) is None
