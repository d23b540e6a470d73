"""The legacy sessions at one HTTP server: one for each caller, so that callers share no state."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from typing import Final

import msgspec

from bascule.gateway.errors import GatewayError
from bascule.gateway.feed import ListenFilter
from bascule.protocol.versions import Era
from bascule.upstreams.mcp.channel import Listening
from bascule.upstreams.mcp.chores import Chores
from bascule.upstreams.mcp.described import Described
from bascule.upstreams.mcp.endpoint import Endpoint
from bascule.upstreams.mcp.failures import failed
from bascule.upstreams.mcp.get_stream import GetStream
from bascule.upstreams.mcp.hooks import Hooks, OnNote
from bascule.upstreams.mcp.legacy import LegacyHttp, Session, SessionLost
from bascule.upstreams.mcp.levels import LogLevel
from bascule.upstreams.mcp.messages import NOBODY, Incoming, Outgoing, SessionKey
from bascule.upstreams.mcp.slots import Slot, Slots
from bascule.upstreams.mcp.subscribing import LegacySubscriptions

_STREAM_SECONDS: Final = 2.0
"""How long a call waits for the stream of its session; servers without one say so at once."""
_WATCHER: Final = SessionKey("", "watcher")
"""The session that hears of changes for all callers. No tenant of a caller has an empty name."""


class OpenSession:
    """A session in use: its stream, its log level, and its subscriptions."""

    def __init__(self, http: LegacyHttp, session: Session, chores: Chores) -> None:
        self.session = session
        self.level = LogLevel(session.described.capabilities)
        self.subscriptions = LegacySubscriptions(
            self._ask, session.routing, session.described.capabilities
        )
        self._http = http
        self._chores = chores
        self._task: asyncio.Task[None] | None = None
        self._users = 0
        self._is_left = False

    async def listen(self, endpoint: Endpoint) -> bool:
        """Open the stream, where the server has one; False where not, or not soon."""
        stream = GetStream(endpoint, self.session.headers, self._take)
        self._task = self._chores.start(self._follow(stream))
        return await stream.settled(_STREAM_SECONDS)

    async def exchange(
        self, request: Outgoing, deadline: float, hooks: Hooks | None
    ) -> msgspec.Raw | bytes:
        """As `LegacyHttp.exchange`, with the log level the request asks for."""
        self._users += 1
        try:
            if request.log_level is not None:
                await self.level.raise_to(request.log_level, self._ask, deadline)
            return await self._http.exchange(self.session, request, deadline, hooks)
        finally:
            self._users -= 1
            if self._is_left:
                self.leave()

    def leave(self) -> None:
        """Close it once nothing is under way in it: that one call was refused proves little."""
        self._is_left = True
        if not self._users:
            self._chores.start(self.close())

    async def close(self) -> None:
        """End stream and session."""
        if self._task is not None:
            self._task.cancel()
        await self._http.end(self.session)

    async def _ask(self, request: Outgoing, deadline: float) -> msgspec.Raw | bytes:
        try:
            return await self._http.exchange(self.session, request, deadline)
        except SessionLost:
            raise failed("the session", "it ended") from None

    async def _follow(self, stream: GetStream) -> None:
        try:
            await stream.run()
        finally:
            self.subscriptions.lose("its stream of messages ended")

    async def _take(self, message: Incoming) -> None:
        if message.is_request:
            if not self.session.routing.take_request(message):
                with suppress(GatewayError):
                    await self._http.refuse(self.session, message)
        elif not message.is_response:
            self.session.routing.take_note(message)


class LegacySessions:
    """Keeps at most `max_sessions`, less those in use; the one used longest ago goes first."""

    def __init__(
        self, http: LegacyHttp, endpoint: Endpoint, chores: Chores, max_sessions: int
    ) -> None:
        """`chores` own the streams of the sessions."""
        self._http = http
        self._endpoint = endpoint
        self._chores = chores
        self._name = endpoint.name
        self._described: Described | None = None
        self.era: Era | None = Era.LEGACY
        self._slots = Slots(self._name, max_sessions, self._open, OpenSession.close)

    def __len__(self) -> int:
        return len(self._slots)

    async def exchange(
        self, request: Outgoing, deadline: float, hooks: Hooks | None = None
    ) -> msgspec.Raw | bytes:
        """Send `request` in the session of its caller; opens one, and anew where it was lost.

        Raises:
            EraMismatch, GatewayError: as `LegacyHttp.initialize` and `LegacyHttp.exchange`.
        """
        async with self._slots.use(request.session) as slot:
            opened = await self._slots.get(request.session, slot, deadline)
            try:
                return await opened.exchange(request, deadline, hooks)
            except SessionLost:
                self._lose(slot, opened)
            opened = await self._slots.get(request.session, slot, deadline)
            try:
                return await opened.exchange(request, deadline, hooks)
            except SessionLost:
                self._lose(slot, opened)
                raise failed(self._name, "it forgets each session it just opened") from None

    async def describe(self, deadline: float) -> Described:
        """What the server said in the last handshake; shakes hands where there was none."""
        if self._described is None:
            async with self._slots.use(NOBODY) as slot:
                await self._slots.get(NOBODY, slot, deadline)
        return self._described or Described(Era.LEGACY, "")

    @asynccontextmanager
    async def listen(
        self, wanted: ListenFilter, on_note: OnNote, deadline: float
    ) -> AsyncGenerator[Listening]:
        """Hear of changes, in a session of its own.

        Raises:
            EraMismatch, GatewayError: as `exchange`.
        """
        async with self._slots.use(_WATCHER) as slot:
            opened = await self._slots.get(_WATCHER, slot, deadline)
            if opened.subscriptions.lost.done():
                self._lose(slot, opened)
                opened = await self._slots.get(_WATCHER, slot, deadline)
            async with opened.subscriptions.listen(wanted, on_note, deadline) as subscription:
                yield subscription

    async def close(self) -> None:
        """End every session."""
        await self._slots.close()

    def _lose(self, slot: Slot[OpenSession], opened: OpenSession) -> None:
        slot.drop(opened)
        opened.leave()

    async def _open(self, key: SessionKey, deadline: float) -> OpenSession:
        session = await self._http.initialize(deadline, key.capabilities)
        self._described = session.described
        opened = OpenSession(self._http, session, self._chores)
        if key.can_ask or key == _WATCHER:
            # Before the first call: the server may put its questions there.
            has_stream = await opened.listen(self._endpoint)
            if not has_stream and key == _WATCHER:
                opened.subscriptions.lose("it has no stream of messages")
        return opened
