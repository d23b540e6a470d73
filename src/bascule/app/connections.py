"""How a connection is kept: one system call for a response, and bounds on who sends nothing.

uvicorn writes a response's head and its body separately, and uvloop sends each at once. On the
call path that second `send` is among the most expensive things that happen.
"""

import asyncio
from typing import Any, ClassVar, Final, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from bascule.transports.peers import PEER, peer_of

_MOST_HEAD_BYTES: Final = 64 * 1024


class JoinedWrites:
    """A transport that holds back a response's head until its body, or the end of this turn.

    Everything else is the transport underneath. A head whose body comes later (a stream) leaves
    with the current turn of the event loop.
    """

    __slots__ = ("_call_soon", "_held", "_transport", "_write")

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._write = transport.write
        self._call_soon = loop.call_soon
        self._held: bytes | None = None

    def write(self, data: bytes) -> None:
        """Send `data`, after what is held back; a head of a response is held back."""
        held = self._held
        if held is not None:
            self._held = None
            self._write(held + data)
        elif data.startswith(b"HTTP/1.1 ") and data.endswith(b"\r\n\r\n"):
            self._held = data
            self._call_soon(self._release)
        else:
            self._write(data)

    def close(self) -> None:
        """Send what is held back, then close."""
        self._release()
        self._transport.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def _release(self) -> None:
        held, self._held = self._held, None
        if held is not None:
            self._write(held)


class BoundedProtocol(HttpToolsProtocol):
    """uvicorn's HTTP/1.1 protocol with joined writes, bounded heads and bounded patience.

    uvicorn itself waits for ever for a request that does not arrive, and keeps headers without
    end; both would let strangers hold connections and memory.
    """

    patience_seconds: ClassVar[float] = 30.0
    """Time from the first byte (or the connection) to the whole request."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin a connection; it must bring a request in time."""
        super().connection_made(cast("asyncio.Transport", JoinedWrites(transport, self.loop)))
        self._peer = peer_of(transport)
        self._head_bytes = 0
        self._has_head = False
        self._waiting_since: float | None = self.loop.time()
        self._watch = self.loop.call_later(self.patience_seconds, self._look)

    def connection_lost(self, exc: Exception | None) -> None:
        """End a connection."""
        self._watch.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take in bytes; a head larger than any honest one ends the connection."""
        # A whole request that comes in one piece, as most do, is counted and timed in no way.
        self._head_bytes += len(data)
        super().data_received(data)
        if not self._head_bytes:
            return
        if self._waiting_since is None:
            self._waiting_since = self.loop.time()
        if self._head_bytes > _MOST_HEAD_BYTES and not self._has_head:
            self.send_400_response("The request headers are larger than 64 KiB.")

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        cast("dict[str, Any]", self.scope)[PEER] = self._peer

    def on_headers_complete(self) -> None:
        """The head of a request is complete."""
        self._has_head = True
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """The request is complete."""
        self._has_head = False
        self._head_bytes = 0
        self._waiting_since = None
        super().on_message_complete()

    def handle_websocket_upgrade(self) -> None:
        """Another protocol has the connection from here on, and its own patience."""
        self._watch.cancel()
        super().handle_websocket_upgrade()

    def _look(self) -> None:
        since = self._waiting_since
        if since is not None and self.loop.time() - since >= self.patience_seconds:
            self.transport.abort()
            return
        self._watch = self.loop.call_later(self.patience_seconds / 2, self._look)


class KnownWebSocket(WebSocketsSansIOProtocol):
    """uvicorn's WebSocket protocol, which says who is at the other end."""

    async def run_asgi(self) -> None:
        """Serve the connection."""
        cast("dict[str, Any]", self.scope)[PEER] = peer_of(self.transport)
        await super().run_asgi()
