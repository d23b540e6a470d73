"""MCP over HTTP with a server of any revision, whichever it turns out to be."""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final, TypeVar

import msgspec
import structlog

from bascule.gateway.feed import ListenFilter
from bascule.gateway.identifiers import Identifiers
from bascule.gateway.tool import Upstream
from bascule.protocol.versions import Era
from bascule.upstreams.http1 import HttpSender
from bascule.upstreams.mcp.channel import Channel, Listening
from bascule.upstreams.mcp.chores import Chores
from bascule.upstreams.mcp.described import Described
from bascule.upstreams.mcp.endpoint import Endpoint
from bascule.upstreams.mcp.failures import EraMismatch, NotStreamable, failed, timed_out
from bascule.upstreams.mcp.hooks import Hooks, OnNote
from bascule.upstreams.mcp.legacy import LegacyHttp
from bascule.upstreams.mcp.messages import Outgoing
from bascule.upstreams.mcp.modern import ModernHttp
from bascule.upstreams.mcp.sessions import LegacySessions
from bascule.upstreams.mcp.settings import McpConfig
from bascule.upstreams.mcp.sse_client import SseSessions

_log = structlog.get_logger(__name__)

_MOST_MISMATCHES: Final = 3
"""A server may cease to be modern, and then turn out to be of the first revision."""

Answer = TypeVar("Answer")


class HttpChannel:
    """Sends requests to one HTTP server. Its era is asked for once, and again when it changed.

    Source: specification 2026-07-28 and 2025-11-25, basic/transports "Backward Compatibility".
    """

    def __init__(
        self,
        upstream: Upstream,
        client: HttpSender,
        config: McpConfig,
        lasting: HttpSender | None = None,
    ) -> None:
        """`lasting` is for streams without a near end, lest they use up `client`'s connections.

        Raises:
            ValueError: the upstream's URL is unusable. No connection is made.
        """
        endpoint = Endpoint(upstream, client, config.max_message_bytes, lasting)
        ids = Identifiers()
        self._name = upstream.name
        self._chores = Chores()
        self._modern = ModernHttp(endpoint, ids, self._chores)
        self._legacy = LegacySessions(
            LegacyHttp(endpoint, ids), endpoint, self._chores, config.max_sessions
        )
        self._sse = SseSessions(endpoint, ids, self._chores, config.max_sessions)
        self._probing = asyncio.Lock()
        self._wire: Channel | None = None

    @property
    def era(self) -> Era | None:
        """The server's era, once it is known."""
        return None if self._wire is None else self._wire.era

    async def exchange(
        self, request: Outgoing, deadline: float, hooks: Hooks | None = None
    ) -> msgspec.Raw | bytes:
        """Send `request` and give the `result` of its response. Raises as `Channel.exchange`."""
        wire = self._wire
        if wire is not None:
            try:
                return await wire.exchange(request, deadline, hooks)
            except EraMismatch as mismatch:
                self._leave(wire, mismatch)
        # Refused as a whole, so it was not executed and may be sent again.
        return await self._try(lambda wire: wire.exchange(request, deadline, hooks), deadline)

    async def describe(self, deadline: float) -> Described:
        """What the server said about itself. Raises as `Channel.describe`."""
        return await self._try(lambda wire: wire.describe(deadline), deadline)

    @asynccontextmanager
    async def listen(
        self, wanted: ListenFilter, on_note: OnNote, deadline: float
    ) -> AsyncGenerator[Listening]:
        """Hear of changes while the block lasts. Raises as `Channel.listen`."""
        await self.describe(deadline)
        wire = self._wire
        if wire is None:
            raise failed(self._name, "its era changed while it was asked for")
        try:
            async with wire.listen(wanted, on_note, deadline) as listening:
                yield listening
        except EraMismatch as mismatch:
            self._leave(wire, mismatch)
            raise failed(self._name, mismatch.reason) from None

    async def close(self) -> None:
        """End the sessions; the connections belong to the clients."""
        await self._legacy.close()
        await self._sse.close()
        await self._chores.close()

    async def _try(self, send: Callable[[Channel], Awaitable[Answer]], deadline: float) -> Answer:
        reason = ""
        for _ in range(_MOST_MISMATCHES):
            wire = self._wire or await self._probe(deadline)
            try:
                return await send(wire)
            except EraMismatch as mismatch:
                self._leave(wire, mismatch)
                if wire is self._sse and reason:
                    # The last thing to try; what was wrong with the others says more.
                    break
                reason = mismatch.reason
        raise failed(self._name, reason)

    def _leave(self, wire: Channel, mismatch: EraMismatch) -> None:
        """Be ready to find out anew how the server is spoken to."""
        _log.info("upstream.era_changed", upstream=self._name, reason=mismatch.reason)
        if self._wire is wire:
            self._wire = self._sse if isinstance(mismatch, NotStreamable) else None

    async def _probe(self, deadline: float) -> Channel:
        try:
            async with asyncio.timeout(deadline - time.monotonic()):
                await self._probing.acquire()
        except TimeoutError:
            raise timed_out(self._name, "waiting for its era", sent=False) from None
        try:
            if self._wire is None:
                era = await self._modern.probe(deadline)
                self._wire = self._modern if era is Era.MODERN else self._legacy
                _log.info("upstream.era_found", upstream=self._name, era=era)
            return self._wire
        finally:
            self._probing.release()
