"""One MCP server behind the whole pipeline, for whoever started it: no account, names unchanged."""

import asyncio
import shutil
import time
from collections.abc import AsyncGenerator, Generator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Final

from bascule import __version__
from bascule.app.checks import journal_check, state_check
from bascule.app.fabric import Fabric
from bascule.app.front import Front
from bascule.app.instance import prepare_directory
from bascule.app.keyfile import ensure_digest_key
from bascule.app.offers import look_seconds
from bascule.app.pages import pages
from bascule.app.relay import Relay
from bascule.app.upstreams import UpstreamSet
from bascule.audit.journal import Journal, JournalConfig, open_journal
from bascule.gateway.digests import Digest, keyed_digest
from bascule.gateway.errors import GatewayError, InvalidValue
from bascule.gateway.kernel import Edition, Gateway
from bascule.gateway.principal import Principal
from bascule.gateway.snapshot import Snapshot, TenantView
from bascule.gateway.tool import Upstream
from bascule.identity.local import AuthenticateLocal
from bascule.settings.loading import Loaded
from bascule.settings.model import Settings
from bascule.telemetry.health import Health
from bascule.telemetry.metrics import Metrics
from bascule.upstreams.oauth.setup import Setup

TENANT: Final = "local"
_OWNER: Final = Principal(TENANT, "local", frozenset({"admin"}), frozenset({"system_admin"}))


class NothingToRelay(Exception):
    """The upstream gave no list of tools; `failure` says why, for whoever chose the upstream."""

    def __init__(self, failure: GatewayError, upstream: Upstream) -> None:
        self.failure = failure
        self.reason = failure.private.removeprefix(f"{upstream.name}: ")
        super().__init__(self.reason)


@asynccontextmanager
async def open_proxy(
    loaded: Loaded, upstream: Upstream, directory: Path, oauth: Setup | None = None
) -> AsyncGenerator[tuple[Front, Health]]:
    """Put `upstream` behind a gateway; its journal goes to `directory`, kept once it answered.

    `oauth` is how whoever started this consents, where the connector asks for that.

    Raises:
        NothingToRelay: the upstream does not list its tools.
        InvalidValue: its URL or command cannot be used.
        GatewayError: the journal cannot be written.
    """
    settings = loaded.settings
    async with AsyncExitStack() as stack:
        new = await asyncio.to_thread(_first_missing, directory)
        await asyncio.to_thread(prepare_directory, directory)
        if new is not None:
            stack.callback(_remove_unless_used, new, directory)
        key = await asyncio.to_thread(ensure_digest_key, directory / "digest.key")
        fabric = await stack.enter_async_context(Fabric.open(settings, directory))
        fabric.upstreams.oauth = oauth
        await _reach(fabric.upstreams, upstream)
        journal = await stack.enter_async_context(open_journal(_journal(settings, directory)))
        metrics, health = Metrics(version=__version__, recorder=journal), Health()
        health.register("audit", journal_check(journal))
        health.register("state", state_check(fabric.state))
        relay = fabric.relay(
            metrics.registry,
            AuthenticateLocal(_OWNER),
            f"Relays {upstream.name}; every call is recorded.",
            one_caller=True,
        )
        gateway = await _gateway(relay, upstream, journal, metrics, keyed_digest(key))
        yield fabric.front(gateway, pages(settings, health, metrics), None), health


def _first_missing(directory: Path) -> Path | None:
    """The topmost of `directory` and its parents that does not exist yet."""
    missing = [one for one in (directory, *directory.parents) if not one.exists()]
    return missing[-1] if missing else None


def _remove_unless_used(new: Path, directory: Path) -> None:
    """Leave nothing behind of an upstream that was never reached."""
    if not (directory / "audit").exists():
        shutil.rmtree(new, ignore_errors=True)


def _journal(settings: Settings, directory: Path) -> JournalConfig:
    return JournalConfig(
        directory / "audit",
        max_segment_bytes=settings.audit.max_segment_bytes,
        mode=settings.audit.mode,
    )


async def _reach(upstreams: UpstreamSet, upstream: Upstream) -> None:
    """Meet the upstream before anything is made for it."""
    try:
        server = upstreams.relay(TENANT, upstream)
    except ValueError as error:
        raise InvalidValue(f"The upstream cannot be used: {error}.") from None
    with _naming(upstream):
        await server.describe(time.monotonic() + look_seconds(upstream))


async def _gateway(
    relay: Relay, upstream: Upstream, journal: Journal, metrics: Metrics, digest: Digest
) -> Gateway:
    relay.counts_changes = True
    view = TenantView(TENANT, upstreams={upstream.name: upstream})
    gateway = Gateway(relay.follow(Snapshot(0, {TENANT: view})), journal, [metrics], digest)

    def swap(edition: Edition) -> None:
        gateway.replace(edition)
        metrics.follow(edition.snapshot)

    relay.on_change = swap
    with _naming(upstream):
        await relay.meet(TENANT, upstream.name)
    return gateway


@contextmanager
def _naming(upstream: Upstream) -> Generator[None]:
    try:
        yield
    except GatewayError as failure:
        raise NothingToRelay(failure, upstream) from failure
