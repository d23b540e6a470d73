"""Callers without a key, with a wrong one, or from where nobody may call."""

import socket
from collections.abc import Iterator

import httpx2
import pytest

from fakes.errors import rest_error, rpc_error
from fakes.instances import Instance, tool_call

ROUTES = [
    "/",
    "/mcp",
    "/mcp/bundles/hostile",
    "/api/mcp/tools",
    "/api/admin/tools",
    "/api/openapi.json",
    "/health",
    "/healthz",
    "/readyz",
    "/metrics",
    "/not-there",
]


@pytest.fixture
def client(narrow: Instance) -> Iterator[httpx2.Client]:
    with narrow.api() as client:
        yield client


@pytest.mark.parametrize(
    ("headers", "code", "sentence"),
    [
        ({}, "E1001", "Authorization: Bearer"),
        ({"authorization": "Basic YTpi"}, "E1001", "Authorization: Bearer"),
        ({"authorization": "Bearer"}, "E1001", "Authorization: Bearer"),
        ({"authorization": "Bearer bsc_wrong"}, "E1002", "ask an administrator"),
    ],
    ids=["none", "another scheme", "empty", "wrong"],
)
def test_a_call_without_a_key_in_force_is_refused_everywhere(
    narrow: Instance, headers: dict[str, str], code: str, sentence: str
) -> None:
    with httpx2.Client(base_url=narrow.url, headers=headers, trust_env=False) as client:
        call = client.post("/mcp", **tool_call("fine", {}))
        page = client.get("/api/admin/tools")

    error = rpc_error(call, 401, -32600)
    assert error["data"]["code"] == rest_error(page, 401)["code"] == code
    assert sentence in error["message"]
    assert call.headers["www-authenticate"].startswith("Bearer ")
    assert page.headers["www-authenticate"].startswith("Bearer ")


def test_a_key_in_the_address_is_no_key(narrow: Instance) -> None:
    with httpx2.Client(base_url=narrow.url, trust_env=False) as client:
        query = {"key": narrow.admin_key, "access_token": narrow.admin_key}
        answer = client.post("/mcp", params=query, **tool_call("fine", {}))

    assert rpc_error(answer, 401, -32600)["data"]["code"] == "E1001"


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("host", "evil.example"),
        ("host", "127.0.0.1.evil.example"),
        ("origin", "https://evil.example"),
        ("origin", "null"),
    ],
)
def test_a_foreign_host_or_origin_is_refused_on_every_route(
    client: httpx2.Client, route: str, header: str, value: str
) -> None:
    answers = [
        client.get(route, headers={header: value}),
        client.post(route, headers={header: value}),
    ]

    for answer in answers:
        assert answer.status_code == 403
        assert "E1005" in answer.text
        assert f"server.allowed_{header}s" in answer.json()["error"]["message"]


def test_a_request_without_a_host_is_refused(narrow: Instance) -> None:
    port = int(narrow.url.rsplit(":", 1)[1])
    with socket.create_connection(("127.0.0.1", port), 5) as raw:
        raw.sendall(b"GET /metrics HTTP/1.0\r\n\r\n")
        answer = raw.makefile("rb").read()

    assert answer.split()[1] == b"403"
    assert b"the Host header is missing" in answer


def test_bytes_that_are_not_http_end_the_connection_and_nothing_else(
    narrow: Instance, client: httpx2.Client
) -> None:
    port = int(narrow.url.rsplit(":", 1)[1])
    with socket.create_connection(("127.0.0.1", port), 5) as raw:
        raw.sendall(b"\x16\x03\x01 not http \r\n\r\n")
        answer = raw.makefile("rb").read()

    assert b" 400 " in answer.splitlines()[0]
    assert client.get("/healthz").status_code == 200
