"""Requests and responses with one child process, many at a time over its one pair of pipes."""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Final, Protocol

import msgspec
import structlog

from bascule.gateway.errors import GatewayError
from bascule.gateway.feed import ListenFilter
from bascule.gateway.identifiers import Identifiers
from bascule.protocol.versions import Era
from bascule.upstreams.mcp.channel import Listening
from bascule.upstreams.mcp.described import Described
from bascule.upstreams.mcp.dialogue import Dialogue
from bascule.upstreams.mcp.failures import failed, timed_out
from bascule.upstreams.mcp.handshake import Handshake
from bascule.upstreams.mcp.hooks import Hooks, OnNote
from bascule.upstreams.mcp.messages import NOBODY, Outgoing, SessionKey, decode
from bascule.upstreams.mcp.settings import McpConfig
from bascule.upstreams.mcp.subscribing import LegacySubscriptions

_log = structlog.get_logger(__name__)

_MOST_NOISE_LOGGED: Final = 20


class Lines(Protocol):
    """Where lines are written; `bascule.upstreams.mcp.child.Child` is one."""

    def write(self, line: bytes) -> bool:
        """Send one line; False where nobody reads it."""
        ...


class HandshakeBroken(Exception):
    """The child ended while it was asked for its era, which some legacy servers do."""


class Conversation:
    """One life of a child process, from its handshake to its end.

    The handshake goes on whoever waits for it: a slow start is not begun anew with each call.
    """

    def __init__(self, name: str, ids: Identifiers, session: SessionKey = NOBODY) -> None:
        """`session` is whose child it is: that caller's alone, or everybody's."""
        self._name = name
        self._lines: Lines | None = None
        self._handshake = Handshake(ids.next(), ids.next(), session.capabilities)
        self._dialogue = Dialogue(name, ids, self, is_private=session != NOBODY)
        self._subscriptions: LegacySubscriptions | None = None
        self._timers: list[asyncio.TimerHandle] = []
        self._ready: asyncio.Future[Era] = asyncio.get_running_loop().create_future()
        self._ended: str | None = None
        self._noise = 0

    @property
    def is_over(self) -> bool:
        """No request can be made any more."""
        return self._ended is not None or self._handshake.failure is not None

    @property
    def era(self) -> Era | None:
        """The server's era, once it is known."""
        return self._handshake.era

    def begin(self, lines: Lines, config: McpConfig, *, probe: bool) -> None:
        """Begin the handshake; without `probe` with `initialize`."""
        if self._ended is not None:
            return
        self._lines = lines
        lines.write(self._handshake.begin(probe=probe))
        loop = asyncio.get_running_loop()
        self._timers = [
            loop.call_later(config.probe_seconds, self._stop_probing),
            loop.call_later(config.start_seconds, self._give_up, config.start_seconds),
        ]

    async def exchange(
        self, request: Outgoing, deadline: float, hooks: Hooks | None = None
    ) -> msgspec.Raw | bytes:
        """Send `request` and give the `result` of its response.

        Raises:
            HandshakeBroken: try again without a probe; nothing was sent.
            UpstreamRpcError: the server answered with an error.
            GatewayError: it ended, did not answer in time, or is not to be talked to.
        """
        era = await self._until_ready(deadline)
        return await self._dialogue.exchange(request, era, deadline, hooks)

    async def describe(self, deadline: float) -> Described:
        """What the server said about itself. Raises as `exchange`."""
        era = await self._until_ready(deadline)
        return self._handshake.described or Described(era, "")

    @asynccontextmanager
    async def listen(
        self, wanted: ListenFilter, on_note: OnNote, deadline: float
    ) -> AsyncGenerator[Listening]:
        """Hear of changes while the block lasts. Raises as `exchange`."""
        era = await self._until_ready(deadline)
        if era is Era.MODERN:
            async with self._dialogue.listen(wanted, on_note, deadline) as subscription:
                yield subscription
            return
        async with self._legacy_subscriptions().listen(wanted, on_note, deadline) as subscription:
            yield subscription

    def _legacy_subscriptions(self) -> LegacySubscriptions:
        if self._subscriptions is None:
            described = self._handshake.described
            capabilities = b"{}" if described is None else described.capabilities
            self._subscriptions = LegacySubscriptions(
                self.exchange, self._dialogue.routing, capabilities
            )
            if self._ended is not None:
                self._subscriptions.lose(self._ended)
        return self._subscriptions

    async def _until_ready(self, deadline: float) -> Era:
        if self._handshake.era is not None and self._ended is None:
            return self._handshake.era
        try:
            async with asyncio.timeout(deadline - time.monotonic()):
                return await asyncio.shield(self._ready)
        except TimeoutError:
            raise timed_out(self._name, "waiting for its start", sent=False) from None

    async def send(self, message: bytes) -> None:
        """Write one message; raises UpstreamFailed where nobody reads it."""
        if not self._write(message):
            raise failed(self._name, self._ended or "it does not read what is sent to it")

    def post(self, message: bytes) -> None:
        """Write one message, if anybody reads it."""
        self._write(message)

    def _write(self, message: bytes) -> bool:
        # Line breaks between the tokens of relayed JSON would end the message early.
        line = message.replace(b"\n", b" ").replace(b"\r", b" ")
        return self._ended is None and self._lines is not None and self._lines.write(line)

    def _stop_probing(self) -> None:
        self._continue(self._handshake.stop_probing())

    def _give_up(self, seconds: float) -> None:
        self._handshake.failure = f"it did not finish its handshake in {seconds:g} seconds"
        self._continue(None)

    def _continue(self, message: bytes | None) -> None:
        """Send the next message of the handshake, or note how it ended."""
        if message is not None and self._lines is not None:
            self._lines.write(message)
        if not self._handshake.is_over or self._ready.done():
            return
        self._stop_timers()
        if self._handshake.era is not None:
            self._ready.set_result(self._handshake.era)
        else:
            self._fail_ready(failed(self._name, self._handshake.failure or "no handshake"))

    def _fail_ready(self, failure: Exception) -> None:
        if not self._ready.done():
            self._ready.set_exception(failure)
            # Marked as seen: it may be that nobody waits for it any more.
            self._ready.exception()

    def _stop_timers(self) -> None:
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()

    # Events from the child.

    def take_line(self, line: bytes) -> None:
        """The child wrote a line."""
        if not line.strip():
            return
        message = decode(line)
        if message is None:
            self._note_noise(line)
        else:
            if message.is_response and not self._handshake.is_over:
                self._continue(self._handshake.take(message))
            self._dialogue.take(message, self._handshake.era)

    def take_end(self, reason: str) -> None:
        """The child is gone, or of no further use."""
        self._ended = reason
        self._stop_timers()
        failure: GatewayError = failed(self._name, reason)
        broken = self._handshake.is_probing and not self._handshake.is_over
        self._fail_ready(HandshakeBroken(reason) if broken else failure)
        self._dialogue.end(reason)
        if self._subscriptions is not None:
            self._subscriptions.lose(reason)

    def _note_noise(self, line: bytes) -> None:
        self._noise += 1
        if self._noise <= _MOST_NOISE_LOGGED:
            text = line[:200].decode("utf-8", "replace")
            _log.warning("upstream.not_json", upstream=self._name, line=text)
