"""The services of a snapshot, opened: one warm client for all REST and HTTP ones.

What lasts (event streams, calls that wait for a caller) has a client of its own: it can never use
up the connections that other calls wait for.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from functools import partial
from typing import Self

import structlog

from bascule.app.background import Background
from bascule.app.commands import Commands
from bascule.app.connectors import Clients, Connectors, Reach
from bascule.app.extensions import KINDS, Extensions
from bascule.app.granting import Ways, granted
from bascule.app.rpc import open_grpc
from bascule.app.secrets import no_secrets
from bascule.app.traffic import Traffic
from bascule.gateway.connector import Mode
from bascule.gateway.errors import UpstreamUnreachable
from bascule.gateway.snapshot import Snapshot
from bascule.gateway.stage import Executor
from bascule.gateway.tool import MCP_KINDS, Upstream, UpstreamKind
from bascule.settings import model
from bascule.upstreams.egress import AddressRules, parse_networks
from bascule.upstreams.grpc.upstream import GrpcUpstream
from bascule.upstreams.http1 import HttpClient, PoolConfig, client_tls
from bascule.upstreams.mcp import Bridge, McpUpstream
from bascule.upstreams.mock import MockUpstream
from bascule.upstreams.oauth.access import Access
from bascule.upstreams.oauth.client import GrantedClients
from bascule.upstreams.oauth.setup import Setup
from bascule.upstreams.rest import AnswerLimits, RestUpstream
from bascule.upstreams.rest.probing import probe
from bascule.upstreams.secrets import SecretResolver
from bascule.upstreams.wasm.limits import SandboxLimits

_log = structlog.get_logger(__name__)


class UpstreamSet:
    """Keeps what is expensive to open across snapshots.

    To change to a new snapshot: `executors`, then put it in force, then `retire`.
    """

    def __init__(
        self,
        connectors: Connectors,
        settings: model.Upstreams,
        background: Background,
        grace_seconds: float,
        bridge: Bridge | None,
        traffic: Traffic,
    ) -> None:
        self.traffic = traffic
        self._extensions = Extensions({}, SandboxLimits())
        self.connectors = connectors
        self._bridge = bridge
        self._settings = settings
        self._background = background
        self._grace_seconds = grace_seconds
        self.oauth: Setup | None = None
        """How people consent to access on their behalf; set before there is a snapshot."""
        self.commands = Commands()
        """What is told of each command before it runs; set likewise."""
        self._relayed: dict[tuple[str, Upstream], McpUpstream] = {}
        self._rpc: dict[tuple[str, Upstream], GrpcUpstream] = {}
        self._retiring: set[McpUpstream | GrpcUpstream] = set()

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        settings: model.Upstreams,
        *,
        grace_seconds: float,
        bridge: Bridge | None = None,
        traffic: Traffic | None = None,
        resolver: SecretResolver | None = None,
        extensions: Extensions | None = None,
    ) -> AsyncGenerator[Self]:
        """Open the shared clients; they close with the block, as do all upstreams.

        `grace_seconds` bounds how long calls under way keep an upstream that is no longer named.
        Without `bridge`, MCP upstreams cannot ask callers anything; without `traffic`, breakers,
        kept answers and health are as by default; without `resolver` no reference has a value.
        `extensions` are the upstreams that are code of others; they close with the block.
        """
        config = PoolConfig(
            max_connections=settings.max_connections_per_origin,
            connect_timeout_seconds=settings.connect_timeout_seconds,
            idle_seconds=settings.idle_seconds,
            max_body_bytes=settings.max_response_bytes,
            rules=AddressRules(parse_networks(settings.allowed_networks)),
        )
        many = replace(config, max_connections=settings.max_streams_per_origin)
        tls = client_tls()
        async with AsyncExitStack() as stack:
            client, lasting = [
                await stack.enter_async_context(HttpClient(one, tls=tls)) for one in (config, many)
            ]
            resolver = resolver or no_secrets()
            reaching = Connectors(Clients(client, lasting), (config, many), tls, resolver)
            stack.push_async_callback(reaching.close)
            background = await stack.enter_async_context(Background())
            traffic = traffic or Traffic(model.Settings(upstreams=settings))
            traffic.generation = reaching.resolver.generation
            upstreams = cls(reaching, settings, background, grace_seconds, bridge, traffic)
            upstreams._extensions = extensions or upstreams._extensions
            stack.callback(upstreams._extensions.close)
            stack.push_async_callback(upstreams._close)
            yield upstreams

    def relay(self, tenant: str, upstream: Upstream) -> McpUpstream:
        """The MCP upstream of this record: the one already open, or a new one."""
        found = self._relayed.get((tenant, upstream))
        if found is None:
            reach = self.connectors.reach(tenant, self.timed(upstream))
            granting = upstream.connector.user_grants is not None
            client = self._granted(tenant, upstream, reach) if granting else reach.client
            found = self._relayed[tenant, upstream] = McpUpstream(
                reach.upstream,
                client,
                lasting=reach.lasting,
                bridge=self._bridge,
                before_first=partial(self._show, tenant, upstream.name),
            )
        return found

    async def _show(self, tenant: str, name: str, argv: tuple[str, ...]) -> None:
        await self.commands.show(tenant, name, argv)

    def access(self, tenant: str, upstream: Upstream) -> Access | None:
        """Who agreed to be served on their behalf; None where that is not done.

        Raises:
            ValueError: the upstream cannot be used.
        """
        if upstream.connector.user_grants is None:
            return None
        return self.relay(tenant, upstream).access

    def _granted(self, tenant: str, upstream: Upstream, reach: Reach) -> GrantedClients:
        """Clients with the tokens of callers."""
        if any(name.lower() == "authorization" for name, _ in upstream.headers):
            raise ValueError("it has an Authorization header, where the tokens of callers belong")
        if self.oauth is None:
            raise ValueError(
                "it is called on behalf of its callers, who have no way to consent here; set "
                "server.public_url"
            )
        ways = Ways(*self.connectors.common, self.connectors.resolver)
        return granted(tenant, reach, self.oauth, ways)

    def executors(self, snapshot: Snapshot) -> Mapping[tuple[str, str], Executor]:
        """An executor for each (tenant, upstream name) of `snapshot`; closes none of others."""
        self.connectors.resolver.follow(snapshot)
        executors: dict[tuple[str, str], Executor] = {}
        for tenant, view in snapshot.tenants.items():
            for name, upstream in view.upstreams.items():
                try:
                    executors[tenant, name] = self._executor(tenant, upstream)
                except ValueError as reason:
                    # One record that cannot be used must not keep all others from being served.
                    _log.error(
                        "upstream.unusable", tenant=tenant, upstream=name, reason=str(reason)
                    )
        self.traffic.follow(snapshot)
        return executors

    def _executor(self, tenant: str, upstream: Upstream) -> Executor:
        if upstream.kind in MCP_KINDS:
            return self.relay(tenant, upstream)
        if self._is_mock(upstream):
            return MockUpstream()
        if upstream.kind in KINDS:
            opened = self._extensions.open(tenant, self.timed(upstream))
            return self.traffic.wrap(tenant, upstream, opened)
        if upstream.kind is UpstreamKind.GRPC:
            return self.traffic.wrap(tenant, upstream, self._call_service(tenant, upstream))
        reach = self.connectors.reach(tenant, self.timed(upstream))
        rest = RestUpstream(
            reach.upstream,
            reach.client,
            reach.lasting,
            self._answer_limits(),
            reach.elsewhere,
            reach.callers,
        )
        return self.traffic.wrap(tenant, upstream, rest)

    def _call_service(self, tenant: str, upstream: Upstream) -> GrpcUpstream:
        found = self._rpc.get((tenant, upstream))
        if found is None:
            found = self._rpc[tenant, upstream] = open_grpc(
                tenant, self.timed(upstream), self.connectors, self._settings.max_response_bytes
            )
        return found

    def _answer_limits(self) -> AnswerLimits:
        return AnswerLimits(
            self._settings.max_text_characters,
            self._settings.max_embedded_bytes,
            self._settings.max_response_bytes,
        )

    def _is_mock(self, upstream: Upstream) -> bool:
        return self._settings.mode == Mode.MOCK or upstream.connector.mode is Mode.MOCK

    async def probe(self, tenant: str, upstream: Upstream) -> None:
        """Ask an upstream with a URL whether it is there.

        Raises:
            GatewayError: it is not, or fails.
        """
        if self._is_mock(upstream):
            return
        try:
            reach = self.connectors.reach(tenant, self.timed(upstream))
        except ValueError as reason:
            raise UpstreamUnreachable("It cannot be used.", private=str(reason)) from None
        timed = reach.upstream
        await probe(timed, reach.bare, time.monotonic() + timed.connect_timeout_seconds)

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
        for kept in (self._relayed, self._rpc):
            for key in [key for key in kept if key not in named]:
                gone = kept.pop(key)
                self._retiring.add(gone)
                self._background.start(self._retire(gone))
        self.connectors.retire(snapshot, self._background, self._grace_seconds)
        self._extensions.retire(snapshot)

    async def _retire(self, gone: McpUpstream | GrpcUpstream) -> None:
        await gone.retire(self._grace_seconds)
        self._retiring.discard(gone)

    async def _close(self) -> None:
        self.traffic.end()
        # Side by side: a child that does not want to end takes seconds of its own.
        opened = [*self._relayed.values(), *self._rpc.values(), *self._retiring]
        closings = await asyncio.gather(*(one.aclose() for one in opened), return_exceptions=True)
        for failure in closings:
            if isinstance(failure, Exception):
                _log.error("upstream.not_closed", exc_info=failure)

    def timed(self, upstream: Upstream) -> Upstream:
        """`upstream` with the time-outs that hold for it."""
        settings = self._settings
        return replace(
            upstream,
            connect_timeout_seconds=upstream.connect_timeout_seconds
            or settings.connect_timeout_seconds,
            timeout_seconds=upstream.timeout_seconds or settings.read_timeout_seconds,
        )
