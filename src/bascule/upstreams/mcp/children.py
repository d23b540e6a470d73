"""The child processes of one upstream: one for all, and, where it asks questions, one for each.

A legacy server's request names no request of ours. On a channel that many share it cannot be
told whose call it is about, so a caller that can be asked gets a child of its own.
"""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager

import msgspec

from bascule.gateway.feed import ListenFilter
from bascule.gateway.tool import Upstream
from bascule.protocol.versions import Era
from bascule.upstreams.mcp.channel import Listening
from bascule.upstreams.mcp.chores import Chores
from bascule.upstreams.mcp.described import Described
from bascule.upstreams.mcp.hooks import Hooks, OnNote
from bascule.upstreams.mcp.messages import Outgoing, SessionKey
from bascule.upstreams.mcp.settings import McpConfig
from bascule.upstreams.mcp.slots import Slots
from bascule.upstreams.mcp.stdio import BeforeFirst, StdioChannel


class ChildrenChannel:
    """Sends requests to the children of one upstream; starts each when it is needed."""

    def __init__(
        self,
        upstream: Upstream,
        config: McpConfig,
        environment: Mapping[str, str],
        before_first: BeforeFirst | None = None,
    ) -> None:
        """Start nothing yet. Raises ValueError where there is no command.

        `before_first` is told of the command before any child of it is started.
        """
        self._upstream = upstream
        self._config = config
        self._environment = environment
        # Of the children it is started first: it tells the era, and so whether others are needed.
        self._shared = StdioChannel(upstream, config, environment, before_first=before_first)
        self._own = Slots(upstream.name, config.max_children, self._open, StdioChannel.close)
        self._chores = Chores()
        self._sweeping = False

    @property
    def era(self) -> Era | None:
        """The server's era, where it is known."""
        return self._shared.era

    async def exchange(
        self, request: Outgoing, deadline: float, hooks: Hooks | None = None
    ) -> msgspec.Raw | bytes:
        """Send `request` and give the `result` of its response.

        Raises:
            UpstreamUnreachable: nothing was sent: it cannot be started, or too many run already.
            GatewayError: as `StdioChannel.exchange`.
        """
        key = request.session
        if not key.can_ask or await self._era(deadline) is Era.MODERN:
            return await self._shared.exchange(request, deadline, hooks)
        async with self._own.use(key, strictly=True) as slot:
            child = await self._own.get(key, slot, deadline)
            return await child.exchange(request, deadline, hooks)

    async def describe(self, deadline: float) -> Described:
        """What the server said about itself. Raises as `exchange`."""
        return await self._shared.describe(deadline)

    @asynccontextmanager
    async def listen(
        self, wanted: ListenFilter, on_note: OnNote, deadline: float
    ) -> AsyncGenerator[Listening]:
        """Hear of changes at the child that all share. Raises as `exchange`."""
        async with self._shared.listen(wanted, on_note, deadline) as listening:
            yield listening

    async def close(self) -> None:
        """End the children and what they started."""
        await self._chores.close()
        await asyncio.gather(self._shared.close(), self._own.close())

    async def _era(self, deadline: float) -> Era:
        return self._shared.era or (await self._shared.describe(deadline)).era

    async def _open(self, key: SessionKey, deadline: float) -> StdioChannel:
        if not self._sweeping:
            self._sweeping = self._chores.start(self._sweep()) is not None
        return StdioChannel(self._upstream, self._config, self._environment, key)

    async def _sweep(self) -> None:
        """End children that nobody has needed for a while, for as long as there are any."""
        try:
            while len(self._own):
                await asyncio.sleep(self._config.child_idle_seconds / 2)
                await self._own.close_idle(self._config.child_idle_seconds)
        finally:
            self._sweeping = False
