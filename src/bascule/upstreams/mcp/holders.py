"""One HTTP server spoken to on behalf of many: for each holder as if there were no other.

What carries a holder's token (sessions, streams, what is known of the server's era) is that
holder's alone. The gateway's own requests, which list what there is and hear of changes, go in the
name of whoever's grant lists (`Access.lender`), in sessions apart from that holder's; for them
nobody is asked to consent.
"""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Final

import msgspec

from bascule.gateway.feed import ListenFilter
from bascule.gateway.tool import Upstream
from bascule.protocol.versions import Era
from bascule.upstreams.mcp.channel import Listening
from bascule.upstreams.mcp.described import Described
from bascule.upstreams.mcp.hooks import Hooks, OnNote
from bascule.upstreams.mcp.http import HttpChannel
from bascule.upstreams.mcp.messages import NOBODY, Outgoing, SessionKey
from bascule.upstreams.mcp.settings import McpConfig
from bascule.upstreams.mcp.slots import Slots
from bascule.upstreams.oauth.access import Access
from bascule.upstreams.oauth.client import GrantedClients

_LENT: Final = ""
"""In place of the tenant, which no caller has an empty name of."""


class HoldersChannel:
    """A `Channel` that keeps one for each holder, at most `max_sessions`, less those in use."""

    def __init__(self, upstream: Upstream, clients: GrantedClients, config: McpConfig) -> None:
        """ValueError: the upstream's URL is unusable."""
        self._upstream = upstream
        self._clients = clients
        self._config = config
        self._slots = Slots(upstream.name, config.max_sessions, self._open, HttpChannel.close)
        self._last = self._make("", lent=True)  # where a URL cannot be used, that is known at once

    @property
    def access(self) -> Access:
        """Who has agreed to what."""
        return self._clients.access

    @property
    def era(self) -> Era | None:
        """The server's era, as whoever came last found it."""
        return self._last.era

    async def exchange(
        self, request: Outgoing, deadline: float, hooks: Hooks | None = None
    ) -> msgspec.Raw | bytes:
        """Send `request` with its caller's token. Raises as `Channel.exchange`, and:

        ConsentNeeded: the caller has to agree first.
        NotConnected: the request is the gateway's own, and nobody has agreed yet.
        """
        async with self._channel(await self._key(request.session), deadline) as channel:
            return await channel.exchange(request, deadline, hooks)

    async def describe(self, deadline: float) -> Described:
        """What the server says about itself. Raises as `exchange`."""
        async with self._channel(await self._key(NOBODY), deadline) as channel:
            return await channel.describe(deadline)

    @asynccontextmanager
    async def listen(
        self, wanted: ListenFilter, on_note: OnNote, deadline: float
    ) -> AsyncGenerator[Listening]:
        """Hear of changes while the block lasts. Raises as `exchange`."""
        async with (
            self._channel(await self._key(NOBODY), deadline) as channel,
            channel.listen(wanted, on_note, deadline) as listening,
        ):
            yield listening

    async def close(self) -> None:
        """End every holder's sessions."""
        await self._slots.close()
        await self._clients.close()

    @asynccontextmanager
    async def _channel(self, key: SessionKey, deadline: float) -> AsyncGenerator[HttpChannel]:
        async with self._slots.use(key) as slot:
            self._last = channel = await self._slots.get(key, slot, deadline)
            yield channel

    async def _key(self, session: SessionKey) -> SessionKey:
        access = self._clients.access
        if session == NOBODY:
            return SessionKey(_LENT, await access.lender())
        return SessionKey(session.tenant, access.owner(session.subject))

    async def _open(self, key: SessionKey, deadline: float) -> HttpChannel:
        return self._make(key.subject, lent=key.tenant == _LENT)

    def _make(self, owner: str, *, lent: bool) -> HttpChannel:
        client, lasting = self._clients.of(owner, lent=lent)
        return HttpChannel(self._upstream, client, self._config, lasting)
