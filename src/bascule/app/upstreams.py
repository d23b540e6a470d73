"""The services of a snapshot, opened: one warm client for all REST and HTTP ones."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Self

import structlog

from bascule.app.background import Background
from bascule.gateway.snapshot import Snapshot
from bascule.gateway.stage import Executor
from bascule.gateway.tool import Upstream, UpstreamKind
from bascule.settings import model
from bascule.upstreams.http1 import HttpClient, PoolConfig
from bascule.upstreams.mcp import McpUpstream
from bascule.upstreams.rest import RestUpstream

_log = structlog.get_logger(__name__)


class UpstreamSet:
    """Keeps what is expensive to open across snapshots.

    To change to a new snapshot: `executors`, then put it in force, then `retire`.
    """

    def __init__(
        self,
        client: HttpClient,
        settings: model.Upstreams,
        background: Background,
        grace_seconds: float,
    ) -> None:
        self._client = client
        self._settings = settings
        self._background = background
        self._grace_seconds = grace_seconds
        self._relayed: dict[tuple[str, Upstream], McpUpstream] = {}
        self._retiring: set[McpUpstream] = set()

    @classmethod
    @asynccontextmanager
    async def open(cls, settings: model.Upstreams, *, grace_seconds: float) -> AsyncGenerator[Self]:
        """Open the shared client; it closes with the block, as do all upstreams.

        `grace_seconds` bounds how long calls under way keep an upstream that is no longer named.
        """
        client = HttpClient(
            PoolConfig(
                max_connections=settings.max_connections_per_origin,
                connect_timeout_seconds=settings.connect_timeout_seconds,
                idle_seconds=settings.idle_seconds,
                max_body_bytes=settings.max_response_bytes,
            )
        )
        async with client, Background() as background:
            upstreams = cls(client, settings, background, grace_seconds)
            try:
                yield upstreams
            finally:
                await upstreams._close()

    def relay(self, tenant: str, upstream: Upstream) -> McpUpstream:
        """The MCP upstream of this record: the one already open, or a new one."""
        found = self._relayed.get((tenant, upstream))
        if found is None:
            found = self._relayed[tenant, upstream] = McpUpstream(
                self._with_timeouts(upstream), self._client
            )
        return found

    def executors(self, snapshot: Snapshot) -> Mapping[tuple[str, str], Executor]:
        """An executor for each (tenant, upstream name) of `snapshot`; closes none of others."""
        executors: dict[tuple[str, str], Executor] = {}
        for tenant, view in snapshot.tenants.items():
            for name, upstream in view.upstreams.items():
                if upstream.kind is UpstreamKind.REST:
                    timed = self._with_timeouts(upstream)
                    executors[tenant, name] = RestUpstream(timed, self._client)
                else:
                    executors[tenant, name] = self.relay(tenant, upstream)
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
