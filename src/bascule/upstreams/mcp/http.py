"""MCP over HTTP with a server of either era, whichever it turns out to be."""

import asyncio
import time

import msgspec
import structlog

from bascule.gateway.identifiers import Identifiers
from bascule.gateway.tool import Upstream
from bascule.protocol.versions import Era
from bascule.upstreams.http1 import HttpClient
from bascule.upstreams.mcp.endpoint import Endpoint
from bascule.upstreams.mcp.failures import EraMismatch, failed, timed_out
from bascule.upstreams.mcp.legacy import LegacyHttp
from bascule.upstreams.mcp.messages import Outgoing
from bascule.upstreams.mcp.modern import ModernHttp
from bascule.upstreams.mcp.sessions import LegacySessions
from bascule.upstreams.mcp.settings import McpConfig

_log = structlog.get_logger(__name__)


class HttpChannel:
    """Sends requests to one HTTP server. Its era is asked for once, and again when it changed."""

    def __init__(self, upstream: Upstream, client: HttpClient, config: McpConfig) -> None:
        """Raise ValueError where the upstream's URL is unusable; no connection is made."""
        endpoint = Endpoint(upstream, client, config.max_message_bytes)
        ids = Identifiers()
        self._name = upstream.name
        self._modern = ModernHttp(endpoint, ids)
        self._legacy = LegacySessions(LegacyHttp(endpoint, ids), upstream.name, config.max_sessions)
        self._probing = asyncio.Lock()
        self.era: Era | None = None

    async def exchange(self, request: Outgoing, deadline: float) -> msgspec.Raw | bytes:
        """Send `request` and give the `result` of its response.

        Raises:
            UpstreamRpcError: the server answered with an error.
            GatewayError: it could not be reached, did not answer in time or not usably.
        """
        try:
            return await self._exchange(request, deadline)
        except EraMismatch as mismatch:
            _log.info("upstream.era_changed", upstream=self._name, reason=mismatch.reason)
        # Refused as a whole, so it was not executed and may be sent again.
        try:
            return await self._exchange(request, deadline)
        except EraMismatch as mismatch:
            raise failed(self._name, mismatch.reason) from None

    async def close(self) -> None:
        """End the sessions; the connections belong to the client."""
        await self._legacy.close()

    async def _exchange(self, request: Outgoing, deadline: float) -> msgspec.Raw | bytes:
        era = self.era or await self._probe(deadline)
        try:
            if era is Era.MODERN:
                return await self._modern.exchange(request, deadline)
            return await self._legacy.exchange(request, deadline)
        except EraMismatch:
            if self.era is era:
                self.era = None
            raise

    async def _probe(self, deadline: float) -> Era:
        try:
            async with asyncio.timeout(deadline - time.monotonic()):
                await self._probing.acquire()
        except TimeoutError:
            raise timed_out(self._name, "waiting for its era", sent=False) from None
        try:
            if self.era is None:
                self.era = await self._modern.probe(deadline)
                _log.info("upstream.era_found", upstream=self._name, era=self.era)
            return self.era
        finally:
            self._probing.release()
