"""MCP over HTTP as of the first revision: one event stream, and POSTs to where it says.

Source: specification 2024-11-05, basic/transports "HTTP with SSE"; 2025-11-25, basic/transports
"Backwards Compatibility".
"""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Final

import msgspec

from bascule.gateway.errors import GatewayError
from bascule.gateway.feed import ListenFilter
from bascule.gateway.identifiers import Identifiers
from bascule.protocol.versions import Era
from bascule.upstreams.http1 import ResponseStream
from bascule.upstreams.mcp.answers import Answer
from bascule.upstreams.mcp.channel import Listening
from bascule.upstreams.mcp.chores import Chores
from bascule.upstreams.mcp.described import Described, describe
from bascule.upstreams.mcp.dialogue import Dialogue
from bascule.upstreams.mcp.endpoint import Endpoint
from bascule.upstreams.mcp.events import EventReader
from bascule.upstreams.mcp.failures import EraMismatch, failed
from bascule.upstreams.mcp.hooks import Hooks, OnNote
from bascule.upstreams.mcp.levels import LogLevel
from bascule.upstreams.mcp.messages import (
    INITIALIZED,
    NOBODY,
    Incoming,
    Outgoing,
    SessionKey,
    initialize_members,
)
from bascule.upstreams.mcp.slots import Slots
from bascule.upstreams.mcp.subscribing import LegacySubscriptions
from bascule.upstreams.mcp.versions import NoCommonVersion, legacy_version

_ENDPOINT_SECONDS: Final = 5.0
_POST_SECONDS: Final = 10.0


class SseConnection:
    """One event stream and its session; both end together."""

    def __init__(self, endpoint: Endpoint, ids: Identifiers, chores: Chores) -> None:
        """`chores` own the reading of the stream."""
        self._endpoint = endpoint
        self._chores = chores
        self._target: str | None = None
        self._described = Described(Era.LEGACY, "")
        self._dialogue = Dialogue(endpoint.name, ids, self, is_private=True)
        self._located: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._task: asyncio.Task[None] | None = None
        self._reader = EventReader(endpoint.reader.limit)
        self.is_over = False
        self.level = LogLevel(b"{}")
        self.subscriptions = LegacySubscriptions(
            self.exchange, self._dialogue.routing, self._described.capabilities
        )

    async def open(self, key: SessionKey, deadline: float) -> Described:
        """Open the stream and shake hands.

        Raises:
            EraMismatch: there is no such stream.
            GatewayError: it cannot be reached, did not answer in time or not usably.
        """
        self._task = self._chores.start(self._run())
        try:
            async with asyncio.timeout(min(deadline - time.monotonic(), _ENDPOINT_SECONDS)):
                self._target = await asyncio.shield(self._located)
        except TimeoutError:
            self.close()
            raise EraMismatch("it opened no event stream that names an endpoint") from None
        try:
            self._described = await self._shake_hands(key, deadline)
        except BaseException:
            self.close()
            raise
        self.level = LogLevel(self._described.capabilities)
        self.subscriptions = LegacySubscriptions(
            self.exchange, self._dialogue.routing, self._described.capabilities
        )
        return self._described

    async def exchange(
        self, request: Outgoing, deadline: float, hooks: Hooks | None = None
    ) -> msgspec.Raw | bytes:
        """Send `request` and give the `result` of its response. Raises as `Dialogue.exchange`."""
        if request.log_level is not None:
            await self.level.raise_to(request.log_level, self.exchange, deadline)
        return await self._dialogue.exchange(request, Era.LEGACY, deadline, hooks)

    def close(self) -> None:
        """End the stream, and with it the session."""
        self._end("the gateway ended it")
        if self._task is not None:
            self._task.cancel()

    # What the dialogue sends.

    async def send(self, message: bytes) -> None:
        """Post one message; raises GatewayError where the server does not take it."""
        deadline = time.monotonic() + _POST_SECONDS
        status = await self._endpoint.notify(message, (), deadline, self._target)
        if not 200 <= status < 300:
            failure = self._endpoint.failure_of(Answer(status))
            raise failure or failed(self._endpoint.name, f"it refused a message ({status})")

    def post(self, message: bytes) -> None:
        """Post one message without waiting."""
        self._chores.start(self._post(message))

    async def _post(self, message: bytes) -> None:
        try:
            await self.send(message)
        except GatewayError as failure:
            self._end(failure.private)

    async def _shake_hands(self, key: SessionKey, deadline: float) -> Described:
        request = Outgoing("initialize", initialize_members(key.capabilities))
        result = await self._dialogue.exchange(request, Era.LEGACY, deadline)
        answer = Incoming(result=msgspec.Raw(result))
        try:
            version = legacy_version(answer)
        except (NoCommonVersion, ValueError) as refusal:
            raise failed(self._endpoint.name, f"it cannot be initialized: {refusal}") from None
        await self.send(INITIALIZED)
        return describe(answer, Era.LEGACY, version)

    # The stream.

    async def _run(self) -> None:
        """Read the stream to its end."""
        try:
            async with self._endpoint.open(b"", ()) as response:
                kind = (response.header("content-type") or "").partition(";")[0].strip().lower()
                if response.status != 200 or kind != "text/event-stream":
                    status = response.status
                    self._fail(
                        self._endpoint.failure_of(Answer(status))
                        or EraMismatch(f"it answered a GET with status {status} and no stream")
                    )
                    return
                await self._read(response)
            self._end("its event stream ended")
        except GatewayError as failure:
            self._fail(failure)
            self._end(failure.private)
        finally:
            self._end("its event stream ended")

    async def _read(self, response: ResponseStream) -> None:
        reader = self._endpoint.reader
        while piece := await response.next_piece():
            for event in reader.feed(self._reader, piece):
                if event.type == "endpoint":
                    self._locate(event.data.decode("utf-8", "replace"))
                elif (message := reader.decode(event)) is not None:
                    self._dialogue.take(message, Era.LEGACY)

    def _locate(self, reference: str) -> None:
        if self._located.done():
            return
        try:
            self._located.set_result(self._endpoint.locate(reference))
        except ValueError as reason:
            self._fail(failed(self._endpoint.name, f"its endpoint is unusable: {reason}"))

    def _fail(self, failure: Exception) -> None:
        if not self._located.done():
            self._located.set_exception(failure)
            self._located.exception()  # marked as seen: perhaps nobody waits any more

    def _end(self, reason: str) -> None:
        if self.is_over:
            return
        self.is_over = True
        self._fail(failed(self._endpoint.name, reason))
        self._dialogue.end(reason)
        self.subscriptions.lose(reason)


class SseSessions:
    """A connection for each caller, at most `max_sessions`, less those in use."""

    def __init__(
        self, endpoint: Endpoint, ids: Identifiers, chores: Chores, max_sessions: int
    ) -> None:
        """`chores` own the streams."""
        self._endpoint = endpoint
        self._ids = ids
        self._chores = chores
        self._described: Described | None = None
        self.era: Era | None = Era.LEGACY
        self._slots = Slots(endpoint.name, max_sessions, self._open, _close)

    async def exchange(
        self, request: Outgoing, deadline: float, hooks: Hooks | None = None
    ) -> msgspec.Raw | bytes:
        """Send `request` over its caller's connection; opens one where there is none any more.

        Raises:
            EraMismatch, GatewayError: as `SseConnection.open` and `SseConnection.exchange`.
        """
        async with self._connected(request.session, deadline) as connection:
            return await connection.exchange(request, deadline, hooks)

    async def describe(self, deadline: float) -> Described:
        """What the server said in the last handshake; shakes hands where there was none."""
        if self._described is None:
            async with self._connected(NOBODY, deadline):
                pass
        return self._described or Described(Era.LEGACY, "")

    @asynccontextmanager
    async def listen(
        self, wanted: ListenFilter, on_note: OnNote, deadline: float
    ) -> AsyncGenerator[Listening]:
        """Hear of changes, over the connection that belongs to no caller."""
        async with (
            self._connected(NOBODY, deadline) as connection,
            connection.subscriptions.listen(wanted, on_note, deadline) as subscription,
        ):
            yield subscription

    async def close(self) -> None:
        """End every connection."""
        await self._slots.close()

    @asynccontextmanager
    async def _connected(self, key: SessionKey, deadline: float) -> AsyncGenerator[SseConnection]:
        async with self._slots.use(key) as slot:
            if slot.kept is not None and slot.kept.is_over:
                slot.drop(slot.kept)
            yield await self._slots.get(key, slot, deadline)

    async def _open(self, key: SessionKey, deadline: float) -> SseConnection:
        connection = SseConnection(self._endpoint, self._ids, self._chores)
        self._described = await connection.open(key, deadline)
        return connection


async def _close(connection: SseConnection) -> None:
    connection.close()
