"""Server-sent events as MCP uses them, and the timer that keeps quiet streams open.

Sources: WHATWG HTML section 9.2 "Server-sent events"; specification 2026-07-28
basic/transports/streamable-http; 2025-11-25 basic/transports "Resumability and Redelivery".
"""

import asyncio
from typing import Final, Protocol

from bascule.transports.reply import HeaderList

SSE_HEADERS: Final[HeaderList] = [
    (b"content-type", b"text/event-stream"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
]
COMMENT: Final = b": \n\n"
RETRY_MILLISECONDS: Final = 1000
"""What a client is asked to wait before it takes up a stream again."""

_TICK_SECONDS: Final = 5.0


def encode_event(message: bytes, event_id: str = "") -> bytes:
    """The event that carries one JSON-RPC message; without an id it cannot be resumed after."""
    # Line ends in JSON are white space between its tokens; in an event they would end the data.
    data = message.replace(b"\r", b" ").replace(b"\n", b" ")
    if not event_id:
        return b"event: message\ndata: %b\n\n" % data
    return b"id: %b\nevent: message\ndata: %b\n\n" % (event_id.encode(), data)


def encode_priming(event_id: str) -> bytes:
    """An event without a message, so that a stream can be taken up again before its first."""
    return b"id: %b\nretry: %d\ndata:\n\n" % (event_id.encode(), RETRY_MILLISECONDS)


class Quiet(Protocol):
    """A stream that may have had nothing to send for a while."""

    def beat(self, now: float) -> None:
        """Look whether something must be sent to keep the stream open; `now` of the loop."""
        ...


class KeepAlive:
    """One timer for all streams; it runs only while there are any."""

    def __init__(self, comment_seconds: float = 15.0) -> None:
        """`comment_seconds` is how long a stream may be quiet; looked at every few seconds."""
        self.comment_seconds = comment_seconds
        self._streams: set[Quiet] = set()
        self._ticking = False

    def add(self, stream: Quiet) -> None:
        """Look after `stream` until it is removed."""
        self._streams.add(stream)
        if not self._ticking:
            self._ticking = True
            asyncio.get_running_loop().call_later(_TICK_SECONDS, self._tick)

    def remove(self, stream: Quiet) -> None:
        """It is over; safe to repeat."""
        self._streams.discard(stream)

    def _tick(self) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        for stream in tuple(self._streams):
            stream.beat(now)
        if self._streams:
            loop.call_later(_TICK_SECONDS, self._tick)
        else:
            self._ticking = False
