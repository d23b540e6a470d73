"""Legacy sessions over HTTP: their sealed ids, and what of them is under way in this process.

Source: specification 2025-11-25, basic/transports "Session Management". A session exists by the
seal of its id; nothing is written down for one that begins. Only its end is, and what it changes.
"""

import asyncio
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Self

import msgspec
import structlog

from bascule.gateway.call import Call, Endpoint
from bascule.gateway.capabilities import read_capabilities
from bascule.gateway.principal import Principal
from bascule.gateway.sealing import Purpose, SealBroken, Sealer
from bascule.gateway.session import Session, SessionOwner
from bascule.gateway.sessions import Standings
from bascule.gateway.state import StateStore, StateUnavailable
from bascule.protocol.messages import MessageId
from bascule.transports.questions import Questions

_CHANNEL: Final = "sessions"
_MOST_REMEMBERED: Final = 4096

_logger = structlog.get_logger(__name__)


class _Sealed(msgspec.Struct, array_like=True):
    session_id: str
    tenant: str
    subject: str
    key_id: str | None
    version: str
    endpoint: str
    capabilities: bytes
    agent: str
    issued_at: int


class _News(msgspec.Struct, array_like=True):
    """What one worker tells the others about a session."""

    worker: str
    session_id: str
    ended: bool = False
    cancelled: int | float | str | None = None


_encode = msgspec.msgpack.Encoder().encode
_decode_sealed = msgspec.msgpack.Decoder(_Sealed).decode
_decode_news = msgspec.msgpack.Decoder(_News).decode


@dataclass(frozen=True, slots=True)
class SessionConfig:
    """How long a session lives, and how many streams may be open."""

    life_seconds: float = 24 * 3600.0
    max_streams: int = 4096


class _Live:
    """What is under way for one session in this process."""

    def __init__(self) -> None:
        self.calls: dict[MessageId, Running] = {}
        self.end_stream: Callable[[], None] | None = None
        """Ends the standalone stream: each message goes to one stream only."""


class Running:
    """A call of a session; entered, it can be cancelled by its id. `cancelled` says it was."""

    def __init__(self, live: dict[str, _Live], session_id: str, message_id: MessageId) -> None:
        self._live = live
        self._session_id = session_id
        self._message_id = message_id
        self._task: asyncio.Task[object] | None = None
        self.cancelled = False

    def __enter__(self) -> Self:
        self._task = asyncio.current_task()
        self._live.setdefault(self._session_id, _Live()).calls.setdefault(self._message_id, self)
        return self

    def __exit__(self, kind: object, value: object, traceback: object) -> bool:
        live = self._live.get(self._session_id)
        if live is not None and live.calls.get(self._message_id) is self:
            del live.calls[self._message_id]
            _forget_if_idle(self._live, self._session_id)
        task, self._task = self._task, None
        if self.cancelled and isinstance(value, asyncio.CancelledError) and task is not None:
            return task.uncancel() == 0
        return False

    def cancel(self) -> None:
        """Cancel the call, once."""
        if not self.cancelled and self._task is not None:
            self.cancelled = True
            self._task.cancel()


class Sessions:
    """Begins, finds and ends sessions. One for all endpoints of a process."""

    def __init__(
        self,
        sealer: Sealer,
        store: StateStore,
        config: SessionConfig | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._sealer = sealer
        self._config = config or SessionConfig()
        self._clock = clock
        self._worker = secrets.token_hex(8)
        self._live: dict[str, _Live] = {}
        self._opened: dict[str, Session] = {}
        self.store = store
        self.standings = Standings(store, self._config.life_seconds)
        self.questions = Questions(store)

    def begin(self, call: Call, principal: Principal) -> str:
        """The id for the session that the `initialize` in `call` begins: visible ASCII."""
        owner = SessionOwner.of(principal)
        sealed = _Sealed(
            secrets.token_hex(16),
            owner.tenant,
            owner.subject,
            owner.key_id,
            call.version,
            _slice(call.endpoint),
            call.capabilities.raw,
            call.agent or "",
            int(self._clock()),
        )
        return self._sealer.seal(Purpose.SESSION, "", _encode(sealed))

    def find(self, token: str, endpoint: Endpoint) -> Session | None:
        """The session with this id, its owner not yet compared; None for one that is not valid."""
        session = self._opened.get(token) or self._unseal(token)
        if session is None or session.endpoint != _slice(endpoint):
            return None
        age_seconds = self._clock() - session.issued_at
        return session if age_seconds < self._config.life_seconds else None

    def running(self, session: Session, message_id: MessageId) -> Running:
        """A call of `session`, to be entered while it runs."""
        return Running(self._live, session.session_id, message_id)

    @property
    def open_streams(self) -> int:
        """How many sessions have their standalone stream open here."""
        return sum(live.end_stream is not None for live in self._live.values())

    @property
    def open_calls(self) -> int:
        """How many calls of sessions are under way here."""
        return sum(len(live.calls) for live in self._live.values())

    @property
    def has_room(self) -> bool:
        """Whether one more standalone stream may be opened."""
        return self.open_streams < self._config.max_streams

    async def take_stream(self, session: Session, end: Callable[[], None]) -> None:
        """`end` ends the standalone stream that is being opened; the one before it ends now."""
        live = self._live.setdefault(session.session_id, _Live())
        before, live.end_stream = live.end_stream, end
        if before is not None:
            before()
        await self._tell(_News(self._worker, session.session_id))

    def leave_stream(self, session: Session, end: Callable[[], None]) -> None:
        """The standalone stream is over, if it is still this one."""
        live = self._live.get(session.session_id)
        if live is not None and live.end_stream is end:
            live.end_stream = None
            _forget_if_idle(self._live, session.session_id)

    async def cancel(self, session: Session, message_id: MessageId) -> None:
        """Cancel a call of `session`, if it is under way, here or on another worker."""
        if not self._cancel(session.session_id, message_id):
            await self._tell(_News(self._worker, session.session_id, cancelled=message_id))

    async def end(self, session: Session) -> bool:
        """End `session` for all workers; False where it had ended before."""
        if not await self.standings.end(session):
            return False
        self._end(session.session_id)
        await self._tell(_News(self._worker, session.session_id, ended=True))
        return True

    async def run(self) -> None:
        """Follow what other workers say, until cancelled; needless where the store is local."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.questions.run())
            group.create_task(self._follow())

    async def _follow(self) -> None:
        async with self.store.subscribe(_CHANNEL) as messages:
            async for message in messages:
                try:
                    self._hear(_decode_news(message))
                except msgspec.DecodeError:
                    _logger.warning("sessions.unreadable_news")

    def _hear(self, news: _News) -> None:
        if news.worker == self._worker:
            return
        if news.ended:
            self._end(news.session_id)
        elif news.cancelled is not None:
            self._cancel(news.session_id, news.cancelled)
        else:
            live = self._live.get(news.session_id)
            if live is not None and live.end_stream is not None:
                live.end_stream()

    async def _tell(self, news: _News) -> None:
        if self.store.local:
            return
        try:
            await self.store.publish(_CHANNEL, _encode(news))
        except StateUnavailable as failure:
            # What it means here has happened; elsewhere, the next request of the session asks.
            _logger.warning("sessions.news_lost", reason=failure.private)

    def _cancel(self, session_id: str, message_id: MessageId) -> bool:
        live = self._live.get(session_id)
        running = live.calls.get(message_id) if live is not None else None
        if running is not None:
            running.cancel()
        return running is not None

    def _end(self, session_id: str) -> None:
        self.questions.close(session_id)
        live = self._live.pop(session_id, None)
        if live is None:
            return
        for running in tuple(live.calls.values()):
            running.cancel()
        if live.end_stream is not None:
            live.end_stream()

    def _unseal(self, token: str) -> Session | None:
        try:
            sealed = _decode_sealed(self._sealer.open(Purpose.SESSION, "", token))
            session = Session(
                sealed.session_id,
                SessionOwner(sealed.tenant, sealed.subject, sealed.key_id),
                sealed.version,
                sealed.endpoint,
                read_capabilities(sealed.capabilities),
                sealed.agent,
                sealed.issued_at,
            )
        except (SealBroken, msgspec.DecodeError, ValueError):
            return None
        if len(self._opened) >= _MOST_REMEMBERED:
            self._opened.clear()
        self._opened[token] = session
        return session


def _forget_if_idle(live: dict[str, _Live], session_id: str) -> None:
    found = live.get(session_id)
    if found is not None and not found.calls and found.end_stream is None:
        del live[session_id]


def _slice(endpoint: Endpoint) -> str:
    return f"{endpoint.kind}:{endpoint.name}"
