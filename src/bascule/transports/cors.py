"""What scripts of other web origins may do: answers to preflights, and what is added to others.

Only origins that the door admits get here. Source: Fetch Standard, "CORS protocol".
"""

import re
from collections.abc import Mapping
from typing import Final

from bascule.transports.asgi import Event, Send
from bascule.transports.reply import HeaderList, Reply

_ALLOWED: Final = frozenset(
    {
        "accept", "authorization", "baggage", "cache-control", "content-type", "idempotency-key",
        "if-match", "if-none-match", "last-event-id", "mcp-method", "mcp-name",
        "mcp-protocol-version", "mcp-session-id", "traceparent", "tracestate",
        "x-bascule-tenant", "x-correlation-id", "x-csrf-token", "x-mcp-bundle-version",
        "x-mcp-tool-version",
    }
)  # fmt: skip
_ALLOWED_START: Final = "mcp-param-"
_FIELD_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9a-z-]{1,128}")
_MOST_NAMES: Final = 100
_EXPOSED: Final = (
    b"WWW-Authenticate, Mcp-Session-Id, MCP-Protocol-Version, X-Correlation-ID, Retry-After, "
    b"Location, ETag, Allow, Content-Disposition"
)
_MAX_AGE_SECONDS: Final = b"600"
_METHODS: Final = {"/mcp": b"POST, GET, DELETE", "/api": b"GET, POST, PUT, PATCH, DELETE"}

_ORIGIN: Final = (b"vary", b"Origin")
_ASKED: Final = (
    b"vary",
    b"Origin, Access-Control-Request-Method, Access-Control-Request-Headers",
)
_CREDENTIALS: Final = (b"access-control-allow-credentials", b"true")
FOR_ANYONE: Final[HeaderList] = [
    (b"access-control-allow-origin", b"*"),
    (b"access-control-expose-headers", b"X-Correlation-ID"),
]
"""For documents that are public, and the same for all."""


def area_of(path: str) -> str | None:
    """Which part of the gateway `path` belongs to, as far as other origins may call it."""
    for area in _METHODS:
        if path == area or path.startswith(f"{area}/"):
            return area
    return None


def is_preflight(method: str, headers: Mapping[bytes, bytes]) -> bool:
    """Whether a browser asks what it may send."""
    return method == "OPTIONS" and b"access-control-request-method" in headers


def preflight(area: str, headers: Mapping[bytes, bytes], *, trusted: bool) -> Reply:
    """The answer to a preflight for `area` from an origin that is admitted.

    Cookies are for `/api` alone, and for pages whose origin is `trusted` with them.
    """
    wanted = headers.get(b"access-control-request-headers", b"")
    allowed: HeaderList = [
        (b"access-control-allow-origin", headers[b"origin"]),
        (b"access-control-allow-methods", _METHODS[area]),
        (b"access-control-allow-headers", _granted(wanted)),
        (b"access-control-max-age", _MAX_AGE_SECONDS),
        _ASKED,
    ]
    if trusted and area == "/api":
        allowed.append(_CREDENTIALS)
    return Reply(204, b"", allowed)


def public_preflight() -> Reply:
    """The answer to a preflight for a public document."""
    headers = [
        (b"access-control-allow-methods", b"GET, HEAD"),
        (b"access-control-allow-headers", b"*"),
        (b"access-control-max-age", _MAX_AGE_SECONDS),
    ]
    return Reply(204, b"", [*FOR_ANYONE, *headers])


def sharing(send: Send, area: str, origin: bytes, *, trusted: bool) -> Send:
    """`send`, with leave for the scripts of `origin` to read the answer."""
    added: HeaderList = [
        (b"access-control-allow-origin", origin),
        (b"access-control-expose-headers", _EXPOSED),
        _ORIGIN,
    ]
    if trusted and area == "/api":
        added.append(_CREDENTIALS)

    async def send_shared(event: Event) -> None:
        if event["type"] == "http.response.start":
            event["headers"] = [*event["headers"], *added]
        await send(event)

    return send_shared


def _granted(wanted: bytes) -> bytes:
    """Those of the named headers that may be sent; nothing else of what was asked comes back."""
    names = [one.strip().lower() for one in wanted.decode("latin-1").split(",")[:_MOST_NAMES]]
    granted = (
        one
        for one in names
        if one in _ALLOWED or (one.startswith(_ALLOWED_START) and _FIELD_NAME.fullmatch(one))
    )
    return ", ".join(granted).encode("ascii")
