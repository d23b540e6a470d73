"""Services that are down, slow, or answer nonsense: what the caller reads and what is recorded."""

import json
import socket
from typing import Any

import pytest

from fakes.hostile import Hostile
from fakes.instances import Instance


def recorded(instance: Instance, correlation_id: str) -> dict[str, Any]:
    """The one audit record of a call."""
    with instance.api() as client:
        query = {"correlation_id": correlation_id}
        (record,) = client.get("/api/admin/audit-logs", params=query).json()["logs"]
    return record


@pytest.mark.parametrize(
    ("tool", "code", "sentence"),
    [
        ("never", "E4002", "did not answer in time. It may have acted"),
        ("endless", "E4004", "larger than 65536 bytes. It may have acted"),
        ("broken_json", "E4004", "calls its body JSON, but it is not. It may have acted"),
        ("no_http", "E4004", "is not HTTP/1.1"),
        ("hang_up", "E4004", "closed the connection without an answer. It may have acted"),
        ("half", "E4004", "in the middle of its answer. It may have acted"),
        ("status_429", "E4003", "Try again in 7 seconds"),
    ],
)
def test_a_service_without_a_usable_answer_fails_the_call_and_not_the_gateway(
    narrow: Instance, tool: str, code: str, sentence: str
) -> None:
    answer = narrow.call(tool)

    result = answer.json()["result"]
    error = result["_meta"]["io.bascule/error"]
    assert answer.status_code == 200
    assert result["isError"] is True
    assert result["content"][0]["text"].startswith(f"{code}: The service behind ")
    assert sentence in result["content"][0]["text"]
    assert error["code"] == code
    record = recorded(narrow, error["correlation_id"])
    assert (record["status"], record["error_code"]) == ("failure", code)
    assert narrow.call("fine").json()["result"]["structuredContent"] == {"said": "fine"}


@pytest.mark.parametrize(
    ("status", "advice"),
    [
        (400, "Check the arguments"),
        (401, "An operator can set one"),
        (404, "look the identifiers up again"),
        (409, "read the current state first"),
        (422, "correct what the message names"),
        (500, "only reads, so it may be repeated"),
        (503, "only reads, so it may be repeated"),
    ],
)
def test_a_service_that_says_no_is_quoted_with_advice(
    narrow: Instance, status: int, advice: str
) -> None:
    answer = narrow.call(f"status_{status}")

    result = answer.json()["result"]
    text = result["content"][0]["text"]
    assert result["isError"] is True
    assert f"HTTP {status}" in text
    assert f"refused with {status}" in text
    assert advice in text
    record = recorded(narrow, answer.headers["x-correlation-id"])
    assert (record["status"], record["error_code"]) == ("failure", "E3003")


def test_a_redirect_is_reported_and_not_followed(narrow: Instance, hostile: Hostile) -> None:
    before = len(hostile.requests)

    text = narrow.call("status_302").json()["result"]["content"][0]["text"]

    assert "which was not followed" in text
    assert "secret" not in text
    assert hostile.requests[before:] == ["GET /status_302 HTTP/1.1"]


def test_a_service_that_is_down_is_named_as_such(narrow: Instance) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound but not listening: connections are refused
        narrow.publish(_one_tool("gone"), "down", f"http://127.0.0.1:{taken.getsockname()[1]}")
        result = narrow.call("gone").json()["result"]

    assert result["_meta"]["io.bascule/error"]["code"] == "E4001"
    assert "cannot be reached. Nothing was sent to it" in result["content"][0]["text"]


def test_a_caller_of_the_handshake_era_is_told_the_same(narrow: Instance) -> None:
    with narrow.api() as client:
        call = {"name": "hang_up", "arguments": {}}
        message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call}
        result = client.post("/mcp", json=message).json()["result"]

    assert result["isError"] is True
    assert result["_meta"]["io.bascule/error"]["code"] == "E4004"


def _one_tool(name: str) -> bytes:
    operation = {"operationId": name, "responses": {"200": {"description": "Fine."}}}
    head = {"openapi": "3.1.0", "info": {"title": "Gone", "version": "1"}}
    return json.dumps({**head, "paths": {"/": {"get": operation}}}).encode()
