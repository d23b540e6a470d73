"""One MCP server behind the whole pipeline, for whoever started it: no account, names unchanged."""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Final

from bascule import __version__
from bascule.app.checks import journal_check
from bascule.app.front import Front
from bascule.app.instance import prepare_directory
from bascule.app.pages import pages
from bascule.app.pipeline import Parts, build_pipeline
from bascule.app.upstreams import UpstreamSet
from bascule.audit.journal import JournalConfig, open_journal
from bascule.gateway.call import Call, Method
from bascule.gateway.errors import GatewayError
from bascule.gateway.handshake import Handshake
from bascule.gateway.kernel import Answer, Edition, Gateway, Renderer
from bascule.gateway.principal import Principal
from bascule.gateway.record import Observer, Recorder
from bascule.gateway.snapshot import Snapshot, TenantView
from bascule.gateway.tool import Bundle, McpSource, RiskLevel, Tool, Upstream
from bascule.guards.schemas import InputSchemas
from bascule.identity.local import AuthenticateLocal
from bascule.protocol.results import Identity
from bascule.settings.loading import Loaded
from bascule.telemetry.health import Health
from bascule.telemetry.metrics import Metrics
from bascule.transports.access import Door, DoorConfig
from bascule.transports.streamable_http import HttpConfig, StreamableHttp
from bascule.upstreams.mcp import McpUpstream, RelayedTool

TENANT: Final = "local"
_FRESH_SECONDS: Final = 1.0
"""A client that asks for the list again within this time gets the one just fetched."""


class ProxyGateway(Gateway):
    """A gateway whose catalogue is whatever its one upstream lists at the moment."""

    def __init__(
        self,
        upstream: Upstream,
        upstreams: UpstreamSet,
        parts: Parts,
        recorder: Recorder,
        observers: list[Observer],
    ) -> None:
        empty = Snapshot(0, {TENANT: TenantView(TENANT, upstreams={upstream.name: upstream})})
        super().__init__(build_pipeline(empty, parts, {}), recorder, observers)
        self._upstream = upstream
        self._upstreams = upstreams
        self._parts = parts
        self._lock = asyncio.Lock()
        self._listed_at = 0.0

    async def handle(self, call: Call, render: Renderer) -> Answer:
        """As the kernel, after looking at the upstream's list again where the answer hangs on it.

        An upstream that does not answer leaves the last list in force.
        """
        tools = self.snapshot.tenant(TENANT).tools
        if call.method is Method.TOOLS_LIST or (call.tool_name and call.tool_name not in tools):
            try:
                await self.look_again()
            except GatewayError:
                if not tools:
                    raise
        return await super().handle(call, render)

    async def look_again(self) -> None:
        """List the upstream's tools and put them in force, at most once in a second.

        Raises:
            GatewayError: the upstream did not answer.
        """
        async with self._lock:
            if time.monotonic() - self._listed_at < _FRESH_SECONDS:
                return
            listed = await self._relay().list_tools()
            self._listed_at = time.monotonic()
            view = _view(self._upstream, listed)
            if view != self.snapshot.tenant(TENANT):
                self.replace(
                    await self._compile(Snapshot(self.snapshot.version + 1, {TENANT: view}))
                )

    async def _compile(self, snapshot: Snapshot) -> Edition:
        executors = await self._upstreams.executors(snapshot)
        return build_pipeline(snapshot, self._parts, executors)

    def _relay(self) -> McpUpstream:
        return self._upstreams.relay(TENANT, self._upstream)


def _view(upstream: Upstream, listed: list[RelayedTool]) -> TenantView:
    tools = {
        tool.name: Tool(
            name=tool.name,
            title=tool.title,
            description=tool.description,
            bundle=upstream.name,
            source=McpSource(upstream.name, tool.name),
            input_schema=tool.input_schema,
            output_schema=tool.output_schema,
            risk=RiskLevel.WRITE,
            definition=tool.definition,
        )
        for tool in listed
    }
    return TenantView(
        TENANT,
        tools=tools,
        bundles={upstream.name: Bundle(upstream.name)},
        upstreams={upstream.name: upstream},
    )


@asynccontextmanager
async def open_proxy(
    loaded: Loaded, upstream: Upstream, directory: Path
) -> AsyncGenerator[tuple[Front, Health]]:
    """Put `upstream` behind a gateway; its journal goes to `directory`.

    Raises:
        GatewayError: the upstream does not answer, or the journal cannot be written.
    """
    settings = loaded.settings
    await asyncio.to_thread(prepare_directory, directory.parent)
    async with AsyncExitStack() as stack:
        journal = await stack.enter_async_context(open_journal(JournalConfig(directory)))
        upstreams = await stack.enter_async_context(UpstreamSet.open(settings.upstreams))
        identity = Identity(name=settings.app.name, version=__version__)
        owner = Principal(TENANT, "local", frozenset({"admin"}), frozenset({"system_admin"}))
        parts = Parts(
            AuthenticateLocal(owner),
            InputSchemas(),
            Handshake(identity, f"Relays {upstream.name}; every call is recorded."),
            settings.cache.list_page_size,
        )
        metrics, health = Metrics(version=__version__, recorder=journal), Health()
        health.register("audit", journal_check(journal))
        gateway = ProxyGateway(upstream, upstreams, parts, journal, [metrics])
        await gateway.look_again()
        door = Door(DoorConfig())
        http = HttpConfig(settings.server.max_body_bytes, settings.server.request_timeout_seconds)
        mcp = StreamableHttp(gateway, door, identity, http)
        yield Front(mcp, door, pages(settings, health, metrics), None), health
