"""The services of a snapshot, opened: one warm client for all REST and HTTP ones."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Self

from bascule.gateway.snapshot import Snapshot
from bascule.gateway.stage import Executor
from bascule.gateway.tool import Upstream, UpstreamKind
from bascule.settings import model
from bascule.upstreams.http1 import HttpClient, PoolConfig
from bascule.upstreams.mcp import McpUpstream
from bascule.upstreams.rest import RestUpstream


class UpstreamSet:
    """Keeps what is expensive to open across snapshots; closes what no snapshot names any more."""

    def __init__(self, client: HttpClient, settings: model.Upstreams) -> None:
        self._client = client
        self._settings = settings
        self._relayed: dict[tuple[str, Upstream], McpUpstream] = {}

    @classmethod
    @asynccontextmanager
    async def open(cls, settings: model.Upstreams) -> AsyncGenerator[Self]:
        """Open the shared client; it closes with the block."""
        client = HttpClient(
            PoolConfig(
                max_connections=settings.max_connections_per_origin,
                connect_timeout_seconds=settings.connect_timeout_seconds,
                idle_seconds=settings.idle_seconds,
                max_body_bytes=settings.max_response_bytes,
            )
        )
        upstreams = cls(client, settings)
        try:
            yield upstreams
        finally:
            for relayed in upstreams._relayed.values():
                await relayed.aclose()
            await client.close()

    def relay(self, tenant: str, upstream: Upstream) -> McpUpstream:
        """The MCP upstream of this record: the one already open, or a new one."""
        found = self._relayed.get((tenant, upstream))
        if found is None:
            found = self._relayed[tenant, upstream] = McpUpstream(
                self._with_timeouts(upstream), self._client
            )
        return found

    async def executors(self, snapshot: Snapshot) -> Mapping[tuple[str, str], Executor]:
        """An executor for each (tenant, upstream name) of `snapshot`."""
        executors: dict[tuple[str, str], Executor] = {}
        relayed: dict[tuple[str, Upstream], McpUpstream] = {}
        for tenant, view in snapshot.tenants.items():
            for name, upstream in view.upstreams.items():
                if upstream.kind is UpstreamKind.REST:
                    timed = self._with_timeouts(upstream)
                    executors[tenant, name] = RestUpstream(timed, self._client)
                    continue
                one = executors[tenant, name] = self.relay(tenant, upstream)
                relayed[tenant, upstream] = one
        gone = [one for key, one in self._relayed.items() if key not in relayed]
        self._relayed = relayed
        for one in gone:
            await one.aclose()
        return executors

    def _with_timeouts(self, upstream: Upstream) -> Upstream:
        settings = self._settings
        return replace(
            upstream,
            connect_timeout_seconds=upstream.connect_timeout_seconds
            or settings.connect_timeout_seconds,
            timeout_seconds=upstream.timeout_seconds or settings.read_timeout_seconds,
        )
