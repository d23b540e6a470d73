"""MCP over the pipes of a child process, which is started when needed and again when it died."""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Final, TypeAlias

import msgspec
import structlog

from bascule.gateway.feed import ListenFilter
from bascule.gateway.identifiers import Identifiers
from bascule.gateway.tool import Upstream
from bascule.protocol.versions import Era
from bascule.upstreams.mcp.channel import Listening
from bascule.upstreams.mcp.child import Child, ChildEvents, Command
from bascule.upstreams.mcp.conversation import Conversation, HandshakeBroken
from bascule.upstreams.mcp.described import Described
from bascule.upstreams.mcp.failures import failed, timed_out, unreachable
from bascule.upstreams.mcp.hooks import Hooks, OnNote
from bascule.upstreams.mcp.levels import LogLevel
from bascule.upstreams.mcp.messages import NOBODY, Outgoing, SessionKey
from bascule.upstreams.mcp.settings import McpConfig

_log = structlog.get_logger(__name__)

BeforeFirst: TypeAlias = Callable[[tuple[str, ...]], Awaitable[None]]
"""Told of a command, the path of its program first, before it runs for the first time.

Where it raises a GatewayError, nothing is started, and it is told again.
"""

_STABLE_SECONDS: Final = 10.0
_FIRST_PAUSE_SECONDS: Final = 0.5
_LONGEST_PAUSE_SECONDS: Final = 30.0


class StdioChannel:
    """Sends requests to one child process: of one caller, or shared by all.

    A child that dies young is started again at once the first time, then only after a pause,
    which doubles each time.
    """

    def __init__(
        self,
        upstream: Upstream,
        config: McpConfig,
        environment: Mapping[str, str],
        session: SessionKey = NOBODY,
        before_first: BeforeFirst | None = None,
    ) -> None:
        """Start nothing yet; `session` is whose child it will be.

        `before_first` is waited for before the command runs for the first time.

        Raises:
            ValueError: there is no command.
        """
        if not upstream.command or not upstream.command[0]:
            raise ValueError("the upstream has no command: set the program and its arguments")
        self._name = upstream.name
        self._command = Command.of(upstream.command, environment)
        self._config = config
        self._session = session
        self._before_first = before_first
        self._ids = Identifiers()
        self._starting = asyncio.Lock()
        self._child: Child | None = None
        self._conversation: Conversation | None = None
        # Only a legacy server gets a child for each caller.
        self._probes = session == NOBODY
        self._started_at = 0.0
        self._early_deaths = 0
        self._not_before = 0.0
        self._level = LogLevel(b"{}")
        self._is_ending = False
        self._is_closed = False

    @property
    def era(self) -> Era | None:
        """The server's era, while a child of it runs that told it."""
        return None if self._conversation is None else self._conversation.era

    async def exchange(
        self, request: Outgoing, deadline: float, hooks: Hooks | None = None
    ) -> msgspec.Raw | bytes:
        """Send `request` and give the `result` of its response.

        Raises:
            UpstreamRpcError: the server answered with an error.
            UpstreamUnreachable: it cannot be started; nothing was sent.
            GatewayError: it died, did not answer in time or not usably.
        """
        conversation = await self._ready(deadline)
        if request.log_level is not None and conversation.era is Era.LEGACY:
            await self._level.raise_to(request.log_level, conversation.exchange, deadline)
        return await conversation.exchange(request, deadline, hooks)

    async def describe(self, deadline: float) -> Described:
        """What the server said about itself. Raises as `exchange`."""
        return await (await self._ready(deadline)).describe(deadline)

    @asynccontextmanager
    async def listen(
        self, wanted: ListenFilter, on_note: OnNote, deadline: float
    ) -> AsyncGenerator[Listening]:
        """Hear of changes while the block lasts. Raises as `exchange`."""
        conversation = await self._ready(deadline)
        async with conversation.listen(wanted, on_note, deadline) as listening:
            yield listening

    async def close(self) -> None:
        """End the child and what it started."""
        self._is_closed = True
        async with self._starting:
            await self._end_child()

    async def _ready(self, deadline: float) -> Conversation:
        """A conversation whose handshake is over."""
        conversation = await self._converse(deadline)
        if conversation.era is not None:
            return conversation
        try:
            described = await conversation.describe(deadline)
        except HandshakeBroken:
            self._probes = False
            self._not_before = 0.0
            conversation = await self._converse(deadline)
            try:
                described = await conversation.describe(deadline)
            except HandshakeBroken as broken:
                raise failed(self._name, str(broken)) from None
        if described.era is Era.LEGACY:
            self._level = LogLevel(described.capabilities)
        return conversation

    async def _converse(self, deadline: float) -> Conversation:
        current = self._conversation
        if current is not None and not current.is_over:
            return current
        try:
            async with asyncio.timeout(deadline - time.monotonic()), self._starting:
                current = self._conversation
                if current is None or current.is_over:
                    current = await self._start()
                return current
        except TimeoutError:
            raise timed_out(self._name, "starting it", sent=False) from None

    async def _start(self) -> Conversation:
        if self._is_closed:
            raise unreachable(self._name, "the gateway no longer uses it")
        if self._child is not None and self._child.is_running:
            self._note_end()  # it runs, but refused the handshake
        await self._end_child()
        pause = self._not_before - time.monotonic()
        if pause > 0:
            raise unreachable(self._name, f"it keeps ending; started again in {pause:.0f} seconds")
        conversation = Conversation(self._name, self._ids, self._session)

        def on_end(reason: str) -> None:
            if not self._is_ending:
                _log.warning("upstream.ended", upstream=self._name, reason=reason)
                self._note_end()
            conversation.take_end(reason)

        events = ChildEvents(conversation.take_line, on_end)
        self._started_at = time.monotonic()
        try:
            program = self._command.locate()
            if self._before_first is not None:
                await self._before_first((program, *self._command.argv[1:]))
                self._before_first = None
            child = await Child.start(
                self._name, self._command, events, self._config.max_message_bytes
            )
        except OSError as error:
            self._note_end()
            raise unreachable(self._name, f"cannot start: {error}") from error
        _log.info("upstream.started", upstream=self._name, program=self._command.argv[0])
        self._child, self._conversation = child, conversation
        conversation.begin(child, self._config, probe=self._probes)
        return conversation

    async def _end_child(self) -> None:
        child, self._child, self._conversation = self._child, None, None
        if child is None:
            return
        self._is_ending = True
        try:
            await child.close(self._config.close_grace_seconds)
        except asyncio.CancelledError:
            child.kill()
            raise
        finally:
            self._is_ending = False

    def _note_end(self) -> None:
        now = time.monotonic()
        if now - self._started_at > _STABLE_SECONDS:
            self._early_deaths = 0
            return
        if self._early_deaths > 0:
            pause = _FIRST_PAUSE_SECONDS * 2 ** (self._early_deaths - 1)
            self._not_before = now + min(pause, _LONGEST_PAUSE_SECONDS)
        self._early_deaths = min(self._early_deaths + 1, 10)
