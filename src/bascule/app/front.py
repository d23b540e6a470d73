"""The front door of the process: which part answers which path."""

import re
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Protocol

import msgspec

from bascule.gateway.call import EVERYTHING, Endpoint, EndpointKind
from bascule.gateway.errors import ErrorCode
from bascule.gateway.identifiers import Identifiers
from bascule.transports.access import Door, door_header_repeated
from bascule.transports.asgi import AsgiApp, Receive, Scope, Send, respond
from bascule.transports.disconnect import Watch
from bascule.transports.outlet import Outlet
from bascule.transports.reply import Head, HeaderList, Reply
from bascule.transports.streamable_http import StreamableHttp

Page = Callable[[Mapping[bytes, bytes]], Awaitable[tuple[int, bytes, bytes]]]
"""Answers a GET from its request headers: status, content type, body."""

_SLICES = (
    ("/mcp/bundles/", EndpointKind.BUNDLE),
    ("/mcp/servers/", EndpointKind.SERVER),
)

_OTHER_DOOR = re.compile(r"/mcp(?:/(?:bundles|servers)/[^/]+)?/([a-z]+)(?:/.*)?")


class OtherDoor(Protocol):
    """Another transport of MCP, as an ASGI application."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request or connection."""
        ...

    def drain(self) -> None:
        """Open no more connections; end those that would not end by themselves."""
        ...


class Front:
    """An ASGI application. `/mcp…` goes to MCP, exact paths to `pages`, the rest to `control`.

    `judge` and `answer` are the same door to MCP for connections on the express lane. `doors` are
    other transports of MCP, by path without the slice: that of "/mcp/sse" has what is below it,
    too, and what is at and below "/mcp/bundles/{name}/sse".
    """

    def __init__(
        self,
        mcp: StreamableHttp,
        door: Door,
        pages: Mapping[str, Page],
        control: AsgiApp | None,
        doors: Mapping[str, OtherDoor] | None = None,
    ) -> None:
        self._mcp = mcp
        self._door = door
        self._pages = dict(pages)
        self._control = control
        self._doors = dict(doors or {})
        self._ids = Identifiers()
        self.max_body_bytes = mcp.max_body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one HTTP request; other protocols are closed at once."""
        path: str = scope.get("path", "")
        other = self._other_door(path) if self._doors else None
        if other is not None:
            await other(scope, receive, send)
            return
        if scope["type"] != "http":
            await _close(scope, send)
            return
        endpoint = _endpoint(path)
        if endpoint is not None:
            await self._mcp.serve(endpoint, scope, receive, send)
            return
        await self._other(path, scope, receive, send)

    def judge(self, path: str, headers: HeaderList) -> Head | None:
        """Judge a POST by its head; None where it does not go to MCP."""
        endpoint = _endpoint(path)
        return None if endpoint is None else self._mcp.judge(endpoint, "POST", headers)

    def answer(
        self, head: Head, body: bytes, peer: str, watch: Watch, outlet: Outlet
    ) -> Awaitable[Reply | None]:
        """Answer what was judged."""
        return self._mcp.answer(head, body, peer, watch, outlet)

    def drain(self) -> None:
        """End the streams that would not end by themselves; calls under way go on."""
        self._mcp.drain()
        for other in self._doors.values():
            other.drain()

    def _other_door(self, path: str) -> OtherDoor | None:
        found = _OTHER_DOOR.fullmatch(path)
        return self._doors.get(f"/mcp/{found[1]}") if found else None

    async def _other(self, path: str, scope: Scope, receive: Receive, send: Send) -> None:
        headers: dict[bytes, bytes] = dict(scope["headers"])
        reason = self._door.admits(headers.get(b"host"), headers.get(b"origin"))
        if door_header_repeated(scope["headers"]):
            reason = "Host or Origin came more than once"
        page = self._pages.get(path)
        if reason is not None:
            await _refuse(send, self._ids.next(), ErrorCode.ORIGIN_REFUSED, f"Refused: {reason}.")
        elif page is not None and scope["method"] in {"GET", "HEAD"}:
            status, kind, body = await page(headers)
            body = b"" if scope["method"] == "HEAD" else body
            await respond(send, status, body, [(b"content-type", kind)])
        elif self._control is not None:
            await self._control(scope, receive, send)
        else:
            text = "There is nothing here; MCP is at /mcp."
            await _refuse(send, self._ids.next(), ErrorCode.NOT_FOUND, text)


def _endpoint(path: str) -> Endpoint | None:
    if path == "/mcp":
        return EVERYTHING
    if not path.startswith("/mcp/"):
        return None
    for prefix, kind in _SLICES:
        name = path.removeprefix(prefix)
        if name != path and name and "/" not in name:
            return Endpoint(kind, name)
    return EVERYTHING if path == "/mcp/" else None


async def _refuse(send: Send, correlation_id: str, error: ErrorCode, text: str) -> None:
    """Refuse in the shape of the REST API, from in front of it."""
    body: dict[str, object] = {
        "error": {
            "code": error.code,
            "message": text,
            "details": dict[str, object](),
            "correlation_id": correlation_id,
            "request_id": correlation_id,
            "timestamp": datetime.now(UTC),
        }
    }
    headers = [
        (b"content-type", b"application/json"),
        (b"x-correlation-id", correlation_id.encode()),
    ]
    await respond(send, error.http_status, msgspec.json.encode(body), headers)


async def _close(scope: Scope, send: Send) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008, "reason": "not served here"})
