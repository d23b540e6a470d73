"""One connection: writes a request, waits for its response, knows when it may serve another."""

import asyncio
import math
import select
import time
from typing import Final, Protocol, cast

from bascule.upstreams.http1.failures import Disconnected, failed, timed_out
from bascule.upstreams.http1.messages import Origin
from bascule.upstreams.http1.parsing import Garbled, ResponseReader, Stage

_PAUSE_ABOVE_BYTES: Final = 64 * 1024
_LINGER_SECONDS: Final = 0.25
_LINGER_BYTES: Final = 64 * 1024
# Up to this age the loop has surely polled the socket since the connection fell idle; above it,
# one poll() tells whether the peer has closed meanwhile.
_TRUSTED_IDLE_SECONDS: Final = 0.1


class ConnectionOwner(Protocol):
    """The pool, as a connection sees it."""

    def connection_closed(self, connection: "Connection") -> None:
        """The connection is gone; its place is free."""
        ...

    def release(self, connection: "Connection") -> None:
        """The connection has finished what it was doing."""
        ...


class Connection(asyncio.Protocol):
    """A connection to one origin; serves one exchange at a time.

    `born` and `idle_since` are seconds of `time.monotonic`. `served` is True once a response
    was completed on it, which is when a silent close by the peer becomes likely.
    """

    __slots__ = (
        "_closed", "_deadline", "_failure", "_linger_until_bytes", "_lingering", "_loop", "_origin",
        "_owner", "_paused", "_sent", "_streaming", "_timer", "_timer_due", "_transport",
        "_waiter", "born", "idle_since", "reader", "served",
    )  # fmt: skip

    def __init__(
        self,
        owner: ConnectionOwner,
        origin: Origin,
        loop: asyncio.AbstractEventLoop,
        header_limit: int,
    ) -> None:
        self._owner = owner
        self._origin = origin
        self._loop = loop
        self._transport: asyncio.Transport | None = None
        self._closed = False
        self._waiter: asyncio.Future[None] | None = None
        self._failure: Exception | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._timer_due = 0.0
        self._deadline = 0.0
        self._streaming = False
        self._lingering = False
        self._linger_until_bytes = 0
        self._paused = False
        self._sent = False
        self.reader = ResponseReader(header_limit)
        self.born = self.idle_since = 0.0
        self.served = False

    @property
    def is_open(self) -> bool:
        """Connected, and not known to be closing."""
        return self._transport is not None and not self._transport.is_closing()

    def is_usable(self, now: float, idle_seconds: float, max_lifetime_seconds: float) -> bool:
        """Fit to take from the idle ones; looks for a close the loop has not reported yet."""
        idle = now - self.idle_since
        if not self.is_open or idle > idle_seconds or now - self.born > max_lifetime_seconds:
            return False
        return idle < _TRUSTED_IDLE_SECONDS or not self._has_news()

    def _has_news(self) -> bool:
        assert self._transport is not None  # noqa: S101 - is_open was asked before
        try:
            descriptor: int = self._transport.get_extra_info("socket").fileno()
            poll = select.poll()
            poll.register(descriptor, select.POLLIN)
            return bool(poll.poll(0))
        except (OSError, ValueError):
            return True

    # One exchange.

    def start(
        self, payload: bytes, deadline: float, *, bodyless: bool, body_limit: int | None
    ) -> asyncio.Future[None]:
        """Send `payload`; the future is done when the response is whole.

        Without `body_limit` it is done when the header section is, and `next_piece` gives the
        body, to one reader at a time. A `deadline` of `math.inf` never passes. The future raises
        Disconnected, UpstreamTimeout or UpstreamFailed.
        """
        self._waiter = waiter = self._loop.create_future()
        self._failure = None
        self._sent = False
        self._streaming = body_limit is None
        transport = self._transport
        if transport is None or transport.is_closing():
            self._fail(Disconnected(sent=False, answered=False))
            return waiter
        self.reader.begin(bodyless=bodyless, body_limit=body_limit)
        self._arm(deadline)
        self._sent = True
        transport.write(payload)
        return waiter

    async def next_piece(self) -> bytes:
        """The body that has come since; b"" at its end. Raises what `start` may raise."""
        reader = self.reader
        while True:
            piece = reader.take()
            if piece:
                if self._paused and self._transport is not None:
                    self._paused = False
                    self._transport.resume_reading()
                return piece
            if self._failure is not None:
                raise self._failure
            if reader.stage is Stage.DONE:
                return b""
            self._waiter = self._loop.create_future()
            await self._waiter

    @property
    def reusable(self) -> bool:
        """The exchange ended cleanly on both sides."""
        transport = self._transport
        return (
            self.reader.reusable
            and transport is not None
            and not transport.is_closing()
            # An answer may come before the request was taken in whole; the rest would then be
            # read as the next request.
            and transport.get_write_buffer_size() == 0
        )

    def rest(self, now: float) -> None:
        """Fall idle: anything that comes from now on is unasked for."""
        self.reader.stage = Stage.IDLE
        self.reader.chunks = []
        self._streaming = False
        self.served = True
        self.idle_since = now

    def linger(self) -> None:
        """Wait a moment for the end of a response nobody reads on; then release or abort."""
        if self.reader.stage is Stage.DONE:
            self._owner.release(self)
            return
        self._lingering = True
        self._linger_until_bytes = self.reader.body_bytes + _LINGER_BYTES
        if self._paused and self._transport is not None:
            self._paused = False
            self._transport.resume_reading()
        self._arm(time.monotonic() + _LINGER_SECONDS)
        self._discard()

    def close(self) -> None:
        """Close politely: what was written is still sent."""
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """Close at once. Before the connection is open this dooms it."""
        self._closed = True
        if self._transport is not None:
            self._transport.abort()

    # The deadline. One timer serves many exchanges: it is moved only when it would fire late.

    def _arm(self, deadline: float) -> None:
        self._deadline = deadline
        if deadline == math.inf:
            return
        if self._timer is not None:
            if self._timer_due <= deadline:
                return
            self._timer.cancel()
        self._set_timer(deadline - time.monotonic())

    def _set_timer(self, seconds: float) -> None:
        self._timer_due = self._deadline
        self._timer = self._loop.call_later(max(seconds, 0.001), self._on_timer)

    def _on_timer(self) -> None:
        self._timer = None
        if self.reader.stage is Stage.IDLE:
            return
        remaining = self._deadline - time.monotonic()
        if remaining > 0:
            if remaining != math.inf:
                self._set_timer(remaining)
            return
        self._fail(timed_out(self._origin, "waiting for its answer"))
        self.abort()

    # Events from the transport.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The connection (and TLS, where it is used) is up."""
        # Not isinstance: the transports of uvloop only look like asyncio's.
        self._transport = cast("asyncio.Transport", transport)
        self.born = self.idle_since = time.monotonic()
        if self._closed:
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        """Bytes came."""
        reader = self.reader
        try:
            reader.feed(data)
        except Garbled as garbled:
            self._fail(failed(self._origin, str(garbled)))
            self.abort()
            return
        waiter = self._waiter
        if reader.stage is Stage.DONE or (self._streaming and reader.stage is Stage.BODY):
            if waiter is not None:
                self._waiter = None
                if not waiter.done():
                    waiter.set_result(None)
            if self._streaming:
                self._regulate()
        elif reader.stage is Stage.IDLE:
            self.abort()

    def _regulate(self) -> None:
        if self._lingering:
            self._discard()
        elif (
            not self._paused
            and self._transport is not None
            and self.reader.stage is Stage.BODY
            and self.reader.pending_bytes > _PAUSE_ABOVE_BYTES
        ):
            self._paused = True
            self._transport.pause_reading()

    def _discard(self) -> None:
        reader = self.reader
        reader.take()
        if reader.stage is Stage.DONE:
            self._lingering = False
            self._owner.release(self)
        elif reader.body_bytes > self._linger_until_bytes:
            self.abort()

    def eof_received(self) -> bool | None:
        """The peer closed its side, which may be the end of a body."""
        if self.reader.end():
            self._wake()
        return None

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone, for whatever reason."""
        self._closed = True
        self._transport = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self.reader.stage is Stage.HEAD or self.reader.stage is Stage.BODY:
            self._fail(Disconnected(sent=self._sent, answered=self.reader.started, cause=exc))
        self._owner.connection_closed(self)

    def _wake(self) -> None:
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    def _fail(self, failure: Exception) -> None:
        if self._failure is not None:
            return
        self._failure = failure
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_exception(failure)
