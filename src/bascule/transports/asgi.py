"""The ASGI contract, in the types this room uses (ASGI 3.0), and a response sent in pieces."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final, TypeAlias

Scope: TypeAlias = MutableMapping[str, Any]
Event: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Any]]
Send: TypeAlias = Callable[[Any], Awaitable[None]]
AsgiApp: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]

_MOST_UNSENT_BYTES: Final = 64 * 1024
"""Who waits for an outlet waits until no more than this is unsent."""


async def respond(send: Send, status: int, body: bytes, headers: list[tuple[bytes, bytes]]) -> None:
    """Send a complete response; Content-Length is added."""
    headers = [*headers, (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


class AsgiOutlet:
    """An `Outlet` over `send`: one task, made when the response begins, sends what is written."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._events: deque[Event] = deque()
        self._news = asyncio.Event()
        self._sent = asyncio.Event()
        self._sender: asyncio.Task[None] | None = None
        self._ended = False
        self.unsent = 0

    @property
    def begun(self) -> bool:
        """Whether the head has gone out."""
        return self._sender is not None

    def begin(self, status: int, headers: list[tuple[bytes, bytes]]) -> None:
        """As `Outlet.begin`."""
        self._put({"type": "http.response.start", "status": status, "headers": headers})
        # Not a TaskGroup: it begins in the middle of a call; `finished` ends it on every path.
        self._sender = asyncio.get_running_loop().create_task(self._send_all())

    def write(self, data: bytes) -> None:
        """As `Outlet.write`."""
        if self._ended or self._sender is None or self._sender.done():
            return
        self.unsent += len(data)
        self._put({"type": "http.response.body", "body": data, "more_body": True})

    async def drained(self) -> None:
        """As `Outlet.drained`."""
        while self.unsent > _MOST_UNSENT_BYTES and self._sender is not None:
            if self._sender.done():
                return
            self._sent.clear()
            await self._sent.wait()

    def end(self) -> None:
        """As `Outlet.end`."""
        if not self._ended:
            self._ended = True
            self._put({"type": "http.response.body", "body": b""})

    def abort(self) -> None:
        """As `Outlet.abort`; the server closes a connection whose response is not complete."""
        self._ended = True
        self._events.clear()
        if self._sender is not None:
            self._sender.cancel()

    async def finished(self) -> None:
        """Wait until everything is sent, where anything was begun; cancelled, give it up."""
        if self._sender is None:
            return
        self.end()
        try:
            await asyncio.wait([self._sender])
        finally:
            self._sender.cancel()

    def _put(self, event: Event) -> None:
        self._events.append(event)
        self._news.set()

    async def _send_all(self) -> None:
        try:
            while not (self._ended and not self._events):
                while not self._events:
                    self._news.clear()
                    await self._news.wait()
                event = self._events.popleft()
                await self._send(event)
                self.unsent -= len(event.get("body", b""))
                self._sent.set()
        except OSError:  # the client has gone; who watches the connection knows it, too
            self._events.clear()
        finally:
            self.unsent = 0
            self._sent.set()
