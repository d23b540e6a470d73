"""The services of a snapshot, opened: one warm client for all REST and HTTP ones.

What lasts (event streams, calls that wait for a caller) has a client of its own: it can never use
up the connections that other calls wait for.
"""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import NamedTuple, Self

import structlog

from bascule.app.background import Background
from bascule.gateway.snapshot import Snapshot
from bascule.gateway.stage import Executor
from bascule.gateway.tool import Upstream, UpstreamKind
from bascule.settings import model
from bascule.upstreams.http1 import HttpClient, PoolConfig
from bascule.upstreams.mcp import Bridge, McpUpstream
from bascule.upstreams.rest import RestUpstream

_log = structlog.get_logger(__name__)


class _Clients(NamedTuple):
    client: HttpClient
    lasting: HttpClient


class UpstreamSet:
    """Keeps what is expensive to open across snapshots.

    To change to a new snapshot: `executors`, then put it in force, then `retire`.
    """

    def __init__(
        self,
        clients: _Clients,
        settings: model.Upstreams,
        background: Background,
        grace_seconds: float,
        bridge: Bridge | None,
    ) -> None:
        self._clients = clients
        self._bridge = bridge
        self._settings = settings
        self._background = background
        self._grace_seconds = grace_seconds
        self._relayed: dict[tuple[str, Upstream], McpUpstream] = {}
        self._retiring: set[McpUpstream] = set()

    @classmethod
    @asynccontextmanager
    async def open(
        cls, settings: model.Upstreams, *, grace_seconds: float, bridge: Bridge | None = None
    ) -> AsyncGenerator[Self]:
        """Open the shared clients; they close with the block, as do all upstreams.

        `grace_seconds` bounds how long calls under way keep an upstream that is no longer named.
        Without `bridge`, MCP upstreams cannot ask callers anything.
        """
        config = PoolConfig(
            max_connections=settings.max_connections_per_origin,
            connect_timeout_seconds=settings.connect_timeout_seconds,
            idle_seconds=settings.idle_seconds,
            max_body_bytes=settings.max_response_bytes,
        )
        many = replace(config, max_connections=settings.max_streams_per_origin)
        async with (
            HttpClient(config) as client,
            HttpClient(many) as lasting,
            Background() as background,
        ):
            clients = _Clients(client, lasting)
            upstreams = cls(clients, settings, background, grace_seconds, bridge)
            try:
                yield upstreams
            finally:
                await upstreams._close()

    def relay(self, tenant: str, upstream: Upstream) -> McpUpstream:
        """The MCP upstream of this record: the one already open, or a new one."""
        found = self._relayed.get((tenant, upstream))
        if found is None:
            found = self._relayed[tenant, upstream] = McpUpstream(
                self._with_timeouts(upstream),
                self._clients.client,
                lasting=self._clients.lasting,
                bridge=self._bridge,
            )
        return found

    def executors(self, snapshot: Snapshot) -> Mapping[tuple[str, str], Executor]:
        """An executor for each (tenant, upstream name) of `snapshot`; closes none of others."""
        executors: dict[tuple[str, str], Executor] = {}
        for tenant, view in snapshot.tenants.items():
            for name, upstream in view.upstreams.items():
                if upstream.kind is UpstreamKind.REST:
                    timed = self._with_timeouts(upstream)
                    executors[tenant, name] = RestUpstream(timed, self._clients.client)
                    continue
                try:
                    executors[tenant, name] = self.relay(tenant, upstream)
                except ValueError as reason:
                    # One record that cannot be used must not keep all others from being served.
                    _log.error("upstream.unusable", upstream=name, reason=str(reason))
        return executors

    def retire(self, snapshot: Snapshot) -> None:
        """Let go of what `snapshot`, now in force, does not name.

        Returns at once; each upstream closes when the calls that older snapshots sent to it have
        finished, at the latest after the grace.
        """
        named = {
            (tenant, upstream)
            for tenant, view in snapshot.tenants.items()
            for upstream in view.upstreams.values()
        }
        for key in [key for key in self._relayed if key not in named]:
            gone = self._relayed.pop(key)
            self._retiring.add(gone)
            self._background.start(self._retire(gone))

    async def _retire(self, gone: McpUpstream) -> None:
        await gone.retire(self._grace_seconds)
        self._retiring.discard(gone)

    async def _close(self) -> None:
        # Side by side: a child that does not want to end takes seconds of its own.
        opened = [*self._relayed.values(), *self._retiring]
        closings = await asyncio.gather(*(one.aclose() for one in opened), return_exceptions=True)
        for failure in closings:
            if isinstance(failure, Exception):
                _log.error("upstream.not_closed", exc_info=failure)

    def _with_timeouts(self, upstream: Upstream) -> Upstream:
        settings = self._settings
        return replace(
            upstream,
            connect_timeout_seconds=upstream.connect_timeout_seconds
            or settings.connect_timeout_seconds,
            timeout_seconds=upstream.timeout_seconds or settings.read_timeout_seconds,
        )
