"""Refusals as they come over the wire, held to their shape before anything is read from them."""

from typing import Any

import httpx2


def rpc_error(answer: httpx2.Response, status: int, rpc_code: int) -> dict[str, Any]:
    """The error of a JSON-RPC answer, once it is found to be one."""
    assert answer.status_code == status, answer.text
    body = answer.json()
    assert body["jsonrpc"] == "2.0"
    assert body["error"]["code"] == rpc_code
    return body["error"]


def rest_error(answer: httpx2.Response, status: int) -> dict[str, Any]:
    """The error of a REST answer, once it is found to have every member."""
    assert answer.status_code == status, answer.text
    error = answer.json()["error"]
    assert set(error) == {
        "code",
        "message",
        "details",
        "correlation_id",
        "request_id",
        "timestamp",
    }
    assert error["correlation_id"] == answer.headers["x-correlation-id"]
    return error
