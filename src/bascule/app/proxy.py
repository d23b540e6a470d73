"""One MCP server behind the whole pipeline, for whoever started it: no account, names unchanged."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Final

from bascule import __version__
from bascule.app.background import Background
from bascule.app.checks import journal_check
from bascule.app.front import Front
from bascule.app.instance import prepare_directory
from bascule.app.keyfile import ensure_digest_key
from bascule.app.pages import pages
from bascule.app.pipeline import Parts, build_pipeline
from bascule.app.relisting import Relisting, SharedLook
from bascule.app.upstreams import UpstreamSet
from bascule.audit.journal import Journal, JournalConfig, open_journal
from bascule.gateway.digests import keyed_digest
from bascule.gateway.errors import GatewayError, InvalidValue
from bascule.gateway.handshake import Handshake
from bascule.gateway.kernel import Edition, Gateway
from bascule.gateway.principal import Principal
from bascule.gateway.snapshot import Snapshot, TenantView
from bascule.gateway.tool import Bundle, McpSource, RiskLevel, Tool, Upstream
from bascule.guards.schemas import InputSchemas
from bascule.identity.local import AuthenticateLocal
from bascule.protocol.results import Identity
from bascule.settings.loading import Loaded
from bascule.settings.model import Settings
from bascule.telemetry.health import Health
from bascule.telemetry.metrics import Metrics
from bascule.transports.access import Door, DoorConfig
from bascule.transports.streamable_http import HttpConfig, StreamableHttp
from bascule.upstreams.mcp import RelayedTool

TENANT: Final = "local"


class NothingToRelay(Exception):
    """The upstream gave no list of tools; `failure` says why, for whoever chose the upstream."""

    def __init__(self, failure: GatewayError, upstream: Upstream) -> None:
        self.failure = failure
        self.reason = failure.private.removeprefix(f"{upstream.name}: ")
        super().__init__(self.reason)


class Catalogue:
    """The edition made of what the upstream listed last; its version grows with every change."""

    def __init__(self, upstream: Upstream, upstreams: UpstreamSet, parts: Parts) -> None:
        empty = Snapshot(0, {TENANT: TenantView(TENANT, upstreams={upstream.name: upstream})})
        self._upstream = upstream
        self._upstreams = upstreams
        self._parts = parts
        self.edition = self._compile(empty)
        self.on_change: Callable[[Snapshot], None] | None = None
        """Told of each snapshot that takes the place of another."""

    async def look(self) -> None:
        """List the upstream's tools, and put them in force where they changed.

        Raises:
            GatewayError: the upstream did not answer usably; the last list stays in force.
        """
        relay = self._upstreams.relay(TENANT, self._upstream)
        view = _view(self._upstream, await relay.list_tools())
        last = self.edition.snapshot
        # Compared in order: so are the tools listed.
        if list(view.tools.values()) == list(last.tenant(TENANT).tools.values()):
            return
        self.edition = self._compile(Snapshot(last.version + 1, {TENANT: view}))
        if self.on_change is not None:
            self.on_change(self.edition.snapshot)

    def _compile(self, snapshot: Snapshot) -> Edition:
        return build_pipeline(snapshot, self._parts, self._upstreams.executors(snapshot))


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
    """Put `upstream` behind a gateway; its journal goes to `directory`, made once it answered.

    Raises:
        NothingToRelay: the upstream does not list its tools.
        InvalidValue: its URL or command cannot be used.
        GatewayError: the journal cannot be written.
    """
    settings = loaded.settings
    parts = _parts(settings, upstream)
    async with AsyncExitStack() as stack:
        upstreams = await stack.enter_async_context(
            UpstreamSet.open(
                settings.upstreams, grace_seconds=settings.server.shutdown_grace_seconds
            )
        )
        try:
            catalogue = Catalogue(upstream, upstreams, parts)
            await catalogue.look()
        except ValueError as error:
            raise InvalidValue(f"The upstream cannot be used: {error}.") from None
        except GatewayError as failure:
            raise NothingToRelay(failure, upstream) from failure
        await asyncio.to_thread(prepare_directory, directory)
        key = await asyncio.to_thread(ensure_digest_key, directory / "digest.key")
        journal = await stack.enter_async_context(open_journal(_journal(settings, directory)))
        background = await stack.enter_async_context(Background())
        metrics, health = Metrics(version=__version__, recorder=journal), Health()
        health.register("audit", journal_check(journal))
        look = SharedLook(catalogue.look, background)
        relisting = Relisting(parts.authenticate, lambda: catalogue.edition, look, TENANT)
        gateway = _gateway(catalogue, relisting, journal, metrics, key)
        yield _front(settings, gateway, health, metrics), health


def _parts(settings: Settings, upstream: Upstream) -> Parts:
    owner = Principal(TENANT, "local", frozenset({"admin"}), frozenset({"system_admin"}))
    identity = Identity(name=settings.app.name, version=__version__)
    return Parts(
        AuthenticateLocal(owner),
        InputSchemas(),
        Handshake(identity, f"Relays {upstream.name}; every call is recorded."),
        settings.cache.list_page_size,
    )


def _journal(settings: Settings, directory: Path) -> JournalConfig:
    return JournalConfig(
        directory / "audit",
        max_segment_bytes=settings.audit.max_segment_bytes,
        mode=settings.audit.mode,
    )


def _gateway(
    catalogue: Catalogue, relisting: Relisting, journal: Journal, metrics: Metrics, key: bytes
) -> Gateway:
    first = catalogue.edition.snapshot
    gateway = Gateway(Edition(first, relisting), journal, [metrics], keyed_digest(key))

    def follow(snapshot: Snapshot) -> None:
        gateway.replace(Edition(snapshot, relisting))
        metrics.follow(snapshot)

    metrics.follow(first)
    catalogue.on_change = follow
    return gateway


def _front(settings: Settings, gateway: Gateway, health: Health, metrics: Metrics) -> Front:
    server = settings.server
    door = Door(DoorConfig(frozenset(server.allowed_hosts), frozenset(server.allowed_origins)))
    http = HttpConfig(server.max_body_bytes, server.request_timeout_seconds)
    identity = Identity(name=settings.app.name, version=__version__)
    mcp = StreamableHttp(gateway, door, identity, http)
    return Front(mcp, door, pages(settings, health, metrics), None)
