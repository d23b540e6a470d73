import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bascule.transports.cors import area_of, is_preflight, preflight, public_preflight, sharing

ORIGIN = b"https://console.example"
ASKING = {b"origin": ORIGIN, b"access-control-request-method": b"POST"}
CREDENTIALS = b"access-control-allow-credentials"


def answered(area: str, wanted: bytes = b"", *, trusted: bool = True) -> dict[bytes, bytes]:
    headers = {**ASKING, b"access-control-request-headers": wanted}
    reply = preflight(area, headers, trusted=trusted)
    assert (reply.status, reply.body) == (204, b"")
    return dict(reply.headers)


@pytest.mark.parametrize(
    ("path", "area"),
    [("/mcp", "/mcp"), ("/mcp/bundles/x", "/mcp"), ("/api/admin/keys", "/api"), ("/api", "/api"),
     ("/mcpx", None), ("/", None), ("/health", None), ("/apis", None)],
)  # fmt: skip
def test_other_origins_may_call_mcp_and_the_api_only(path: str, area: str | None) -> None:
    assert area_of(path) == area


def test_a_preflight_is_what_asks_for_a_method() -> None:
    assert is_preflight("OPTIONS", ASKING)
    assert not is_preflight("OPTIONS", {b"origin": ORIGIN})
    assert not is_preflight("POST", ASKING)


def test_a_preflight_names_its_origin_and_never_all() -> None:
    for area in ("/mcp", "/api"):
        headers = answered(area)
        assert headers[b"access-control-allow-origin"] == ORIGIN
        assert b"Origin" in headers[b"vary"]
        assert b"*" not in b"".join(headers.values())


def test_what_clients_send_is_allowed_and_nothing_else() -> None:
    wanted = (
        b"Authorization, content-type,Mcp-Method,mcp-name,  Mcp-Param-City ,MCP-Protocol-Version,"
        b"mcp-session-id,Last-Event-ID,x-correlation-id,X-Bascule-Tenant,x-csrf-token,"
        b"idempotency-key,traceparent,cookie,x-evil,mcp-param-a b"
    )
    granted = answered("/mcp", wanted)[b"access-control-allow-headers"].decode().split(", ")
    assert granted == [
        "authorization", "content-type", "mcp-method", "mcp-name", "mcp-param-city",
        "mcp-protocol-version", "mcp-session-id", "last-event-id", "x-correlation-id",
        "x-bascule-tenant", "x-csrf-token", "idempotency-key", "traceparent",
    ]  # fmt: skip


@given(st.binary())
def test_what_is_asked_for_cannot_add_to_the_answer(wanted: bytes) -> None:
    granted = answered("/mcp", wanted)[b"access-control-allow-headers"]
    assert re.fullmatch(rb"[!#$%&'*+.^_`|~0-9a-z, -]*", granted)
    assert len(granted) <= len(wanted) * 2 + 1


def test_cookies_are_for_the_api_and_for_pages_that_are_trusted_with_them() -> None:
    assert answered("/api")[CREDENTIALS] == b"true"
    assert CREDENTIALS not in answered("/api", trusted=False)
    assert CREDENTIALS not in answered("/mcp")


def test_a_public_document_is_for_everybody_and_for_no_cookie() -> None:
    headers = dict(public_preflight().headers)
    assert headers[b"access-control-allow-origin"] == b"*"
    assert CREDENTIALS not in headers


async def test_an_answer_is_shared_with_its_origin() -> None:
    sent: list[dict[str, Any]] = []

    async def send(event: dict[str, Any]) -> None:
        sent.append(event)

    for area, trusted in (("/api", True), ("/api", False), ("/mcp", True)):
        sent.clear()
        shared = sharing(send, area, ORIGIN, trusted=trusted)
        await shared({"type": "http.response.start", "status": 401, "headers": [(b"a", b"b")]})
        await shared({"type": "http.response.body", "body": b"x"})
        headers = dict(sent[0]["headers"])
        assert headers[b"a"] == b"b"
        assert headers[b"access-control-allow-origin"] == ORIGIN
        assert b"WWW-Authenticate" in headers[b"access-control-expose-headers"]
        assert headers[b"vary"] == b"Origin"
        assert (CREDENTIALS in headers) == (area == "/api" and trusted)
        assert sent[1] == {"type": "http.response.body", "body": b"x"}
