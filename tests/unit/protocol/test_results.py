import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bascule.protocol.messages import SERVER_INFO_KEY
from bascule.protocol.results import (
    Identity,
    discover_result,
    encode_error,
    encode_result,
    initialize_result,
    tool_error,
)
from bascule.protocol.versions import SUPPORTED_VERSIONS, Era

IDENTITY = Identity("bascule", "1.2.3")
SERVER_INFO = {"name": "bascule", "version": "1.2.3", "title": "Bascule"}


def result_of(result: dict[str, object], era: Era) -> dict[str, Any]:
    return json.loads(encode_result(1, result, era, IDENTITY))["result"]


@pytest.mark.parametrize("message_id", [1, 0, -5, 2**64, 1.5, "a", "", 'x"y\n', "é"])
@pytest.mark.parametrize("era", Era)
def test_the_id_is_echoed_exactly(message_id: float | str, era: Era) -> None:
    for encoded in (
        encode_result(message_id, {}, era, IDENTITY),
        encode_error(message_id, -32603, "no"),
    ):
        answer = json.loads(encoded)
        assert answer["id"] == message_id
        assert type(answer["id"]) is type(message_id)
        assert answer["jsonrpc"] == "2.0"


def test_a_modern_result_carries_its_type_and_who_gave_it() -> None:
    assert result_of({"content": []}, Era.MODERN) == {
        "resultType": "complete",
        "content": [],
        "_meta": {SERVER_INFO_KEY: SERVER_INFO},
    }


def test_a_modern_result_keeps_the_type_it_was_given() -> None:
    assert result_of({"resultType": "input_required"}, Era.MODERN)["resultType"] == (
        "input_required"
    )


def test_a_legacy_result_is_stripped_of_modern_members() -> None:
    modern = {"resultType": "complete", "ttlMs": 5, "cacheScope": "private", "tools": []}
    assert result_of(modern, Era.LEGACY) == {"tools": []}


def test_a_legacy_result_without_modern_members_is_left_alone() -> None:
    body: dict[str, object] = {"content": [], "_meta": {"mine": 1}}
    assert result_of(body, Era.LEGACY) == body


def test_encoding_does_not_change_the_result_it_was_given() -> None:
    body: dict[str, object] = {"ttlMs": 1, "_meta": {"mine": 1}}
    encode_result(1, body, Era.MODERN, IDENTITY)
    encode_result(1, body, Era.LEGACY, IDENTITY)
    assert body == {"ttlMs": 1, "_meta": {"mine": 1}}


@pytest.mark.parametrize("meta", [{"mine": 1}, msgspec.Raw(b'{"mine":1}')], ids=["dict", "raw"])
def test_an_upstream_keeps_its_meta_but_not_the_name_of_the_server(meta: object) -> None:
    assert result_of({"_meta": meta}, Era.MODERN)["_meta"] == {
        "mine": 1,
        SERVER_INFO_KEY: SERVER_INFO,
    }


def test_an_upstream_cannot_pose_as_this_server() -> None:
    forged = {SERVER_INFO_KEY: {"name": "evil", "version": "0"}}
    assert result_of({"_meta": forged}, Era.MODERN)["_meta"] == {SERVER_INFO_KEY: SERVER_INFO}


@pytest.mark.parametrize(
    "meta", [5, "x", [1], None, msgspec.Raw(b"[1]"), msgspec.Raw(b"5"), msgspec.Raw(b"{"), {1: 2}]
)
def test_a_meta_that_is_no_object_is_dropped(meta: object) -> None:
    assert result_of({"_meta": meta}, Era.MODERN)["_meta"] == {SERVER_INFO_KEY: SERVER_INFO}


def test_raw_members_are_passed_on_as_they_came() -> None:
    encoded = encode_result(1, {"content": msgspec.Raw(b'[ {"n":1e2} ]')}, Era.MODERN, IDENTITY)
    assert b'"content":[ {"n":1e2} ]' in encoded


@given(st.text(), st.text())
def test_hostile_text_stays_inside_its_string(message: str, message_id: str) -> None:
    answer = json.loads(encode_error(message_id, -32603, message))
    assert answer == {
        "jsonrpc": "2.0",
        "id": message_id,
        "error": {"code": -32603, "message": message},
    }


def test_an_error_without_readable_id_has_none() -> None:
    """Source: schema.ts, `JSONRPCErrorResponse.id?: RequestId`."""
    assert "id" not in json.loads(encode_error(None, -32700, "no"))


def test_an_error_carries_data_only_if_there_is_some() -> None:
    assert json.loads(encode_error(1, -32603, "no", {"code": "E5001"}))["error"] == {
        "code": -32603,
        "message": "no",
        "data": {"code": "E5001"},
    }
    assert "data" not in json.loads(encode_error(1, -32603, "no", {}))["error"]


def test_a_tool_error_is_a_result_that_says_so_in_text() -> None:
    assert tool_error("try again", {"k": 1}) == {
        "content": [{"type": "text", "text": "try again"}],
        "isError": True,
        "_meta": {"k": 1},
    }


def test_discover_advertises_only_tools_and_is_never_shared_between_callers() -> None:
    assert discover_result(SUPPORTED_VERSIONS, "hello") == {
        "supportedVersions": SUPPORTED_VERSIONS,
        "capabilities": {"tools": {}},
        "instructions": "hello",
        "ttlMs": 0,
        "cacheScope": "private",
    }


def test_initialize_answers_with_the_agreed_version_and_the_server() -> None:
    body = initialize_result("2025-06-18", IDENTITY, "hello")
    assert result_of(body, Era.LEGACY) == {
        "protocolVersion": "2025-06-18",
        "capabilities": {"tools": {}},
        "serverInfo": SERVER_INFO,
        "instructions": "hello",
    }


def test_a_legacy_caller_is_not_told_twice_who_answers() -> None:
    """`serverInfo` in each result is of the modern era; other members of `_meta` stay."""
    info = {SERVER_INFO_KEY: {"name": "upstream"}}
    for meta, left in (
        ({**info, "a": 1}, {"a": 1}),
        ({"a": 1}, {"a": 1}),
        (msgspec.Raw(b'{"a":1}'), {"a": 1}),
        (info, None),
        (msgspec.Raw(b"5"), None),
    ):
        answer = encode_result(1, {"content": [], "_meta": meta, "ttlMs": 5}, Era.LEGACY, IDENTITY)
        expected = {"content": []} if left is None else {"content": [], "_meta": left}
        assert json.loads(answer)["result"] == expected


@pytest.mark.parametrize("era", list(Era))
def test_an_upstream_does_not_speak_in_the_gateway_s_name(era: Era) -> None:
    meta = msgspec.Raw(b'{"io.bascule/error":{"code":"E1004"},"x":{"big":1e999}}')
    result = encode_result(1, {"content": [], "_meta": meta}, era, IDENTITY)
    assert b"io.bascule/" not in result
    assert b'"x":{"big":1e999}' in result
