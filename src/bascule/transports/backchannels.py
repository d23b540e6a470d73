"""The way back to one HTTP request's client: an answer that becomes a stream only when it must.

Sources: specification 2026-07-28, basic/transports/streamable-http "Sending Messages";
2025-11-25 basic/transports.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from bascule.gateway.backchannel import CallerGone, Notification, Question
from bascule.gateway.call import Call
from bascule.protocol.levels import at_least
from bascule.protocol.notices import encode_notice
from bascule.protocol.versions import LATEST_LEGACY_VERSION, Era
from bascule.transports.event_log import EventLog
from bascule.transports.outlet import Outlet
from bascule.transports.reply import Reply
from bascule.transports.sse import COMMENT, SSE_HEADERS, KeepAlive, encode_event, encode_priming

MOST_UNSENT_BYTES: Final = 256 * 1024

_OPEN_AFTER_SECONDS: Final = 10.0
"""A legacy client that waits this long gets a stream, which it can take up again if it breaks."""
_PROGRESS: Final = "notifications/progress"
_LOG: Final = "notifications/message"

Ask = Callable[[Question, Callable[[bytes], None], float], Awaitable[bytes]]
"""Puts a question by the given way to send, until the deadline, and gives its answer."""


class EventStream:
    """One response of events. It begins with the first message, or when it is told to."""

    def __init__(
        self,
        outlet: Outlet,
        keep_alive: KeepAlive,
        correlation_id: str,
        *,
        new_log: Callable[[], EventLog] | None = None,
        primed: bool = False,
    ) -> None:
        """With `new_log` its events can be resumed after; `primed` streams begin with an id."""
        self._outlet = outlet
        self._keep_alive = keep_alive
        self._correlation_id = correlation_id
        self._new_log = new_log
        self._primed = primed
        self._log: EventLog | None = None
        self._last = asyncio.get_running_loop().time()
        self._over = False
        self.opens_by_itself = False
        keep_alive.add(self)

    @property
    def begun(self) -> bool:
        """Whether the answer is a stream for good."""
        return self._outlet.begun

    @property
    def is_full(self) -> bool:
        """Whether the client lags so far behind that nothing more should be sent."""
        return self._outlet.unsent > MOST_UNSENT_BYTES

    def open(self) -> None:
        """Begin the response."""
        headers = [*SSE_HEADERS, (b"x-correlation-id", self._correlation_id.encode())]
        self._outlet.begin(200, headers)
        if self._new_log is not None:
            self._log = self._new_log()
            opening = encode_priming(self._log.next_id) if self._primed else COMMENT
            self._log.add(opening)
            self._outlet.write(opening)

    def send(self, message: bytes) -> None:
        """Send a JSON-RPC message."""
        if not self._outlet.begun:
            self.open()
        event = encode_event(message, self._log.next_id if self._log is not None else "")
        if self._log is not None:
            self._log.add(event)
        self._write(event)

    def replay(self, event: bytes) -> None:
        """Send an event as it was sent before."""
        if not self._outlet.begun:
            headers = [*SSE_HEADERS, (b"x-correlation-id", self._correlation_id.encode())]
            self._outlet.begin(200, headers)
        self._write(event)

    async def drained(self) -> None:
        """Wait until the client has read most of it."""
        await self._outlet.drained()

    def end(self) -> None:
        """Nothing follows; safe to repeat."""
        if self._over:
            return
        self._over = True
        self._keep_alive.remove(self)
        if self._log is not None:
            self._log.end()
        if self._outlet.begun:
            self._outlet.end()

    def cut(self) -> None:
        """End it for a client that does not read."""
        self.end()
        self._outlet.abort()

    def beat(self, now: float) -> None:
        """As `Quiet.beat`."""
        quiet_seconds = now - self._last
        if not self._outlet.begun:
            if self.opens_by_itself and quiet_seconds >= _OPEN_AFTER_SECONDS:
                self.open()
        elif quiet_seconds >= self._keep_alive.comment_seconds:
            self._write(COMMENT)

    def _write(self, data: bytes) -> None:
        self._last = asyncio.get_running_loop().time()
        self._outlet.write(data)


class LazyStream:
    """The backchannel of one call over HTTP; `conclude` says how its answer goes out."""

    def __init__(self, call: Call, stream: EventStream, ask: Ask | None = None) -> None:
        """Without `ask` the caller cannot be asked."""
        self._call = call
        self._stream = stream
        self._ask = ask
        self._over = False

    @property
    def interactive(self) -> bool:
        """Only a legacy client with a session can be asked while its call waits."""
        return self._ask is not None

    def notify(self, note: Notification) -> bool:
        """Send what this call has asked to be told, and nothing else."""
        if self._over or self._stream.is_full or not self._wants(note):
            return False
        self._stream.send(encode_notice(note.method, note.params))
        return True

    async def drained(self) -> None:
        """As `Backchannel.drained`."""
        await self._stream.drained()

    async def ask(self, question: Question, deadline: float) -> bytes:
        """As `Backchannel.ask`."""
        if self._ask is None or self._over:
            raise CallerGone("this caller cannot be asked")
        return await self._ask(question, self._send_while_open, deadline)

    def conclude(self, reply: Reply) -> Reply | None:
        """The call's answer: whole as it is, or None once it was sent as the last event."""
        self._over = True
        if self._stream.begun:
            self._stream.send(reply.body)
        self._stream.end()
        return None if self._stream.begun else reply

    def give_up(self) -> None:
        """The call was cancelled: no answer follows, but the response must end."""
        self._over = True
        self._stream.end()

    def _send_while_open(self, message: bytes) -> None:
        if not self._over:
            self._stream.send(message)

    def _wants(self, note: Notification) -> bool:
        more = self._call.more
        if note.method == _PROGRESS:
            return more.progress_token is not None
        if note.method == _LOG:
            return more.log_level is not None and at_least(note.params, more.log_level)
        # A stateless request's stream has nothing but these two; changes have their subscription.
        return self._call.era is Era.LEGACY


def is_primed(version: str) -> bool:
    """Whether clients of `version` know an event without a message; older ones choke on it."""
    return version == LATEST_LEGACY_VERSION
