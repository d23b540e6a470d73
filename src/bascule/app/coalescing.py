"""One system call for a response instead of two.

uvicorn writes a response's head and its body separately, and uvloop sends each at once. On the
call path that second `send` is among the most expensive things that happen.
"""

import asyncio
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


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


class CoalescingProtocol(HttpToolsProtocol):
    """uvicorn's HTTP/1.1 protocol over a transport with joined writes."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin a connection."""
        super().connection_made(cast("asyncio.Transport", JoinedWrites(transport, self.loop)))
