"""Reading what an HTTP server answers to a JSON-RPC message: JSON, or an event stream.

Source: specification 2026-07-28 basic/transports/streamable-http "Receiving Messages";
2025-11-25 basic/transports "Sending Messages", "Resumability and Redelivery".
"""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, NamedTuple

from bascule.gateway.errors import UpstreamFailed
from bascule.upstreams.http1 import ResponseStream
from bascule.upstreams.mcp.events import Event, EventReader, EventTooLarge
from bascule.upstreams.mcp.failures import failed, timed_out
from bascule.upstreams.mcp.hooks import OnNote
from bascule.upstreams.mcp.messages import Incoming, decode

_DEFAULT_RETRY_MS: Final = 1000
_LONGEST_SESSION_ID: Final = 1024


class Listener(NamedTuple):
    """Takes in what an event stream brings besides the response.

    `on_request` sees to the answer to a request of a legacy server, `drained` is waited for
    before more is read.
    """

    on_note: OnNote | None = None
    on_request: Callable[[Incoming], Awaitable[None]] | None = None
    drained: Callable[[], Awaitable[None]] | None = None


@dataclass(frozen=True, slots=True)
class Resumption:
    """The stream ended before the response, and can be taken up again after `last_event_id`."""

    last_event_id: str
    retry_ms: int


class Answer(NamedTuple):
    """An HTTP answer. `message` is the JSON-RPC response in it, if there is one."""

    status: int
    message: Incoming | None = None
    session_id: str | None = None
    retry_after: str | None = None
    resumption: Resumption | None = None

    def answers(self, request_id: str) -> bool:
        """It holds the response to `request_id`, not one to a message nobody could read."""
        return self.message is not None and self.message.id == request_id


class AnswerReader:
    """Reads the answers of one upstream; `limit` in bytes bounds one message."""

    def __init__(self, upstream: str, limit: int) -> None:
        self._upstream = upstream
        self.limit = limit

    async def read(
        self, response: ResponseStream, request_id: str, listener: Listener | None = None
    ) -> Answer:
        """Read until the response to `request_id`; what `listener` does not take is ignored.

        Raises:
            UpstreamFailed: neither JSON nor events, too large, or for another request.
            UpstreamTimeout: the deadline of `response` passed.
        """
        kind = (response.header("content-type") or "").partition(";")[0].strip().lower()
        message, resumption = None, None
        if kind == "text/event-stream" and response.status == 200:
            message, resumption = await self._read_events(response, request_id, listener)
        elif kind == "application/json":
            message = self._read_json(await response.read(), response.status, request_id)
        elif response.status == 200:
            raise self._failed(f"its answer has the content type {kind[:64]!r}")
        return Answer(
            response.status,
            message,
            _session_id(response),
            response.header("retry-after"),
            resumption,
        )

    def _read_json(self, body: bytes, status: int, request_id: str) -> Incoming | None:
        message = decode(body)
        if message is not None and not message.is_response:
            message = None
        if status == 200:
            if message is None:
                raise self._failed("its answer is not a JSON-RPC response")
            if message.id != request_id and message.id is not None:
                raise self._failed("it answered another request than the one sent")
        return message

    async def _read_events(
        self, response: ResponseStream, request_id: str, listener: Listener | None
    ) -> tuple[Incoming | None, Resumption | None]:
        reader = EventReader(self.limit)
        while True:
            messages = await self.next_messages(response, reader)
            if messages is None:
                break
            for message in messages:
                if message.is_response and message.id in {request_id, None}:
                    return message, None
                if listener is not None:
                    await _tell(listener, message)
            if listener is not None and listener.drained is not None:
                await self._wait_for(listener.drained, response.deadline)
        if reader.last_id is None:
            raise self._failed("its event stream ended without the response")
        retry_ms = _DEFAULT_RETRY_MS if reader.retry_ms is None else reader.retry_ms
        return None, Resumption(reader.last_id, retry_ms)

    async def _wait_for(self, drained: Callable[[], Awaitable[None]], deadline: float) -> None:
        left = None if deadline == math.inf else deadline - time.monotonic()
        try:
            async with asyncio.timeout(left):
                await drained()
        except TimeoutError:
            raise timed_out(self._upstream, "its caller did not read on") from None

    async def next_messages(
        self, response: ResponseStream, reader: EventReader
    ) -> list[Incoming] | None:
        """The messages of the next piece of a stream, often none; None at its end.

        Raises:
            UpstreamFailed: what came is no message, or the stream broke and cannot be resumed.
        """
        try:
            piece = await response.next_piece()
        except UpstreamFailed:
            if reader.last_id is None:
                raise
            return None
        if not piece:
            return None
        decoded = [self.decode(event) for event in self.feed(reader, piece)]
        return [message for message in decoded if message is not None]

    def feed(self, reader: EventReader, piece: bytes) -> list[Event]:
        """The events that `piece` completes; raises UpstreamFailed where one is too large."""
        try:
            return reader.feed(piece)
        except EventTooLarge:
            raise self._failed(f"an event is larger than {self.limit} bytes") from None

    def decode(self, event: Event) -> Incoming | None:
        """The message in `event`, if it is for one; raises UpstreamFailed where it is none."""
        if event.type != "message" or not event.data:
            return None
        message = decode(event.data)
        if message is None:
            raise self._failed("an event is not a JSON-RPC message")
        return message

    def _failed(self, reason: str) -> UpstreamFailed:
        return failed(self._upstream, reason)


async def _tell(listener: Listener, message: Incoming) -> None:
    if message.is_request:
        if listener.on_request is not None:
            await listener.on_request(message)
    elif not message.is_response and listener.on_note is not None:
        listener.on_note(message)


def _session_id(response: ResponseStream) -> str | None:
    value = response.header("mcp-session-id")
    # Visible ASCII (2025-11-25 "Session Management"); what is not cannot be sent back.
    if not value or len(value) > _LONGEST_SESSION_ID:
        return None
    return value if all("!" <= character <= "~" for character in value) else None
