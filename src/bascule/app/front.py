"""The front door of the process: which part answers which path."""

import re
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Protocol

import msgspec

from bascule.gateway.call import EVERYTHING, Endpoint, EndpointKind
from bascule.gateway.errors import ErrorCode
from bascule.gateway.identifiers import Identifiers
from bascule.gateway.verdict import Refuse
from bascule.transports.access import Door, door_header_repeated
from bascule.transports.asgi import AsgiApp, Receive, Scope, Send, respond
from bascule.transports.cors import FOR_ANYONE, area_of, is_preflight, preflight, sharing
from bascule.transports.disconnect import Watch
from bascule.transports.metadata import Metadata
from bascule.transports.outlet import Outlet
from bascule.transports.peers import PEER, Peer, peer_in
from bascule.transports.places import WELL_KNOWN
from bascule.transports.proxies import REPEATED, CertificateRepeated
from bascule.transports.reply import Head, HeaderList, Reply
from bascule.transports.shielding import shielding
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

    Scripts of other origins, where the door admits them, are served here and never on the lane.

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
        metadata: Metadata | None = None,
    ) -> None:
        self._mcp = mcp
        self._metadata = metadata
        self._door = door
        self._pages = dict(pages)
        self._control = control
        self._doors = dict(doors or {})
        self._ids = Identifiers()
        self._drains: list[Callable[[], None]] = []
        self._mounts: dict[str, AsgiApp] = {}
        self.max_body_bytes = mcp.max_body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one HTTP request; other protocols are closed at once."""
        path: str = scope.get("path", "")
        area = area_of(path) if scope["type"] == "http" else None
        if area is not None:
            reply, send = self._share(area, scope, send)
            if reply is not None:
                await respond(send, *reply)
                return
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

    def judge(self, path: str, headers: HeaderList, peer: Peer) -> Head | None:
        """Judge a POST by its head; None where it does not go to MCP."""
        endpoint = _endpoint(path)
        if endpoint is None:
            return None
        head = self._mcp.judge(endpoint, "POST", headers, peer)
        return None if b"origin" in head.headers else head

    def answer(
        self, head: Head, body: bytes, watch: Watch, outlet: Outlet
    ) -> Awaitable[Reply | None]:
        """Answer what was judged."""
        return self._mcp.answer(head, body, watch, outlet)

    def on_drain(self, drain: Callable[[], None]) -> None:
        """Have `drain` end streams of its own, too."""
        self._drains.append(drain)

    def mount(self, path: str, app: AsgiApp) -> None:
        """Have `app` answer at `path`, which is one segment such as "/chat", and below it."""
        self._mounts[path] = app

    def drain(self) -> None:
        """End the streams that would not end by themselves; calls under way go on."""
        self._mcp.drain()
        for other in self._doors.values():
            other.drain()
        for drain in self._drains:
            drain()

    def _share(self, area: str, scope: Scope, send: Send) -> tuple[Reply | None, Send]:
        """The answer to a preflight; for others `send` as the scripts of another origin need it.

        Origins that the door does not admit are left to be refused, with nothing added.
        """
        headers: dict[bytes, bytes] = dict(scope["headers"])
        host, origin = headers.get(b"host"), headers.get(b"origin")
        if origin is None or self._door.admits(host, origin) is not None:
            return None, send
        trusted = self._door.trusts(host, origin)
        if is_preflight(scope["method"], headers) and not door_header_repeated(scope["headers"]):
            return preflight(area, headers, trusted=trusted), send
        return None, sharing(send, area, origin, trusted=trusted)

    def _other_door(self, path: str) -> OtherDoor | None:
        found = _OTHER_DOOR.fullmatch(path)
        return self._doors.get(f"/mcp/{found[1]}") if found else None

    def _mounted(self, path: str) -> AsgiApp | None:
        first = path.find("/", 1)
        return self._mounts.get(path if first < 0 else path[:first])

    async def _other(self, path: str, scope: Scope, receive: Receive, send: Send) -> None:
        headers: dict[bytes, bytes] = dict(scope["headers"])
        reason = self._door.admits(headers.get(b"host"), headers.get(b"origin"))
        if door_header_repeated(scope["headers"]):
            reason = "Host or Origin came more than once"
        page, mounted = self._pages.get(path), self._mounted(path)
        send = shielding(send)
        if reason is not None:
            await _refuse(send, self._ids.next(), ErrorCode.ORIGIN_REFUSED, f"Refused: {reason}.")
        elif path.startswith(WELL_KNOWN) and self._metadata is not None:
            await self._describe(self._metadata, path, scope, send)
        elif page is not None and scope["method"] in {"GET", "HEAD"}:
            status, kind, body = await page(headers)
            body = b"" if scope["method"] == "HEAD" else body
            await respond(send, status, body, [(b"content-type", kind)])
        elif mounted is not None:
            await mounted(scope, receive, send)
        elif self._control is not None:
            await self._administer(self._control, scope, receive, send)
        else:
            text = "There is nothing here; MCP is at /mcp."
            await _refuse(send, self._ids.next(), ErrorCode.NOT_FOUND, text)

    async def _describe(self, metadata: Metadata, path: str, scope: Scope, send: Send) -> None:
        """Describe a resource to whoever asks, or say why there is nothing to describe."""
        scheme = self._door.proxies.scheme(peer_in(scope), scope["headers"])
        found = metadata.answer(scope["method"], path, dict(scope["headers"]), scheme)
        if isinstance(found, Refuse):
            await _refuse(send, self._ids.next(), found.error, found.public, *FOR_ANYONE)
        else:
            await respond(send, *found)

    async def _administer(
        self, control: AsgiApp, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Let `control` serve a request as one of whom it comes from, not of the proxy between."""
        proxies, peer = self._door.proxies, peer_in(scope)
        try:
            origin = proxies.origin(peer, scope["headers"])
        except CertificateRepeated:
            await _refuse(send, self._ids.next(), ErrorCode.INVALID_REQUEST, REPEATED)
            return
        if origin is not peer:
            scheme = proxies.scheme(peer, scope["headers"]) or scope.get("scheme", "http")
            scope = {**scope, "client": (origin.address, 0), "scheme": scheme, PEER: origin}
        await control(scope, receive, send)


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


async def _refuse(
    send: Send, correlation_id: str, error: ErrorCode, text: str, *more: tuple[bytes, bytes]
) -> None:
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
        *more,
    ]
    await respond(send, error.http_status, msgspec.json.encode(body), headers)


async def _close(scope: Scope, send: Send) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008, "reason": "not served here"})
