"""An instance put together: database, journal, gateway, REST API and front door."""

import asyncio
import os
from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from types import MappingProxyType

import structlog

from bascule import __version__
from bascule.api.app import build_api
from bascule.api.control import Control
from bascule.api.signin.house import SignIn
from bascule.app.chatting import Chatting, Common, ModelAndLook, keep_purging
from bascule.app.checks import journal_check, state_check
from bascule.app.commands import Commands
from bascule.app.consent import GovernedConsent, open_consent
from bascule.app.deciding import Deciding
from bascule.app.doors import place_of
from bascule.app.elevating import Elevating, Handles, shared_digest
from bascule.app.extensions import sandbox_limits
from bascule.app.fabric import Fabric, Ruling
from bascule.app.front import Front
from bascule.app.identity import Inbound, open_inbound
from bascule.app.importing import import_rules
from bascule.app.key_use import KeyUse, open_key_use
from bascule.app.keyfile import ensure_digest_key
from bascule.app.pages import pages
from bascule.app.pinning import PinKeeper
from bascule.app.places import journal_directory
from bascule.app.plugins import open_plugins
from bascule.app.private import warn_of_open_directory
from bascule.app.probing import UpstreamProber
from bascule.app.reception import Reception, open_reception
from bascule.app.relay import Relay
from bascule.app.standings import RelayStandings
from bascule.app.trimming import without_collections
from bascule.app.upstreams import UpstreamSet
from bascule.app.workspace import PATH, workspace
from bascule.audit.journal import Journal, JournalConfig, open_journal
from bascule.gateway.digests import Digest, keyed_digest
from bascule.gateway.errors import ErrorCode, GatewayError
from bascule.gateway.kernel import Edition, Gateway
from bascule.gateway.principal import KeyRecord, Principal
from bascule.gateway.snapshot import Snapshot
from bascule.identity.api_keys import ApiKeys, RevokedKeys, new_key
from bascule.identity.authenticate import Authenticate
from bascule.identity.certificates import Certificates
from bascule.settings.loading import Loaded
from bascule.settings.model import Settings
from bascule.storage.compiler import Compiler
from bascule.storage.counter import current_version
from bascule.storage.database import Database, PoolConfig, open_database
from bascule.storage.repositories.tenants import Tenants
from bascule.storage.schema import migrate
from bascule.storage.seed import seed_defaults
from bascule.telemetry.health import Health
from bascule.telemetry.metrics import Metrics
from bascule.telemetry.tokens import TokenCounter

LOCAL_TENANT = "default"
_POLL_SECONDS = 1.0
_log = structlog.get_logger(__name__)

INSTRUCTIONS = (
    "Tools here are governed: each call is checked against the caller's rights and the tool's "
    "schema, and recorded. Tools you may not use are not listed."
)


@dataclass(slots=True)
class Live:
    """The snapshot in force, and how a newer one takes its place."""

    database: Database
    relay: Relay
    upstreams: UpstreamSet
    gateway: Gateway
    extra_keys: Mapping[bytes, KeyRecord]
    metrics: Metrics
    deciding: Deciding = field(default_factory=Deciding)
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    compiler: Compiler = field(default_factory=Compiler)

    async def refresh(self) -> Snapshot:
        """Compile the committed state and put it in force; an older one never replaces a newer."""
        async with self.lock:
            async with self.database.read() as session:
                snapshot = await self.compiler.compile(session)
            if self.extra_keys:
                keys = MappingProxyType({**snapshot.keys, **self.extra_keys})
                snapshot = replace(snapshot, keys=keys)
            snapshot = self.deciding.prepared(snapshot)
            if snapshot.version >= self.gateway.snapshot.version:
                await self.relay.prepare(snapshot)
                self.swap(self.relay.follow(snapshot))
                self.upstreams.retire(snapshot)
            return self.gateway.snapshot

    def swap(self, edition: Edition) -> None:
        """Put `edition` in force."""
        self.gateway.replace(edition)
        self.metrics.follow(edition.snapshot)

    async def follow_changes(self) -> None:
        """Put in force what other processes commit to the same database, within a second or so.

        Runs until cancelled. A database that does not answer leaves the last snapshot in force.
        """
        while True:
            await asyncio.sleep(_POLL_SECONDS)  # two engines, one way: neither can tell us
            try:
                async with self.database.read() as session:
                    version = await current_version(session)
                if version > self.gateway.snapshot.version:
                    await self.refresh()
            except GatewayError as failure:
                _log.warning("snapshot.not_followed", reason=failure.private)
            except Exception:  # noqa: BLE001 - the edge of this task: it must go on looking
                _log.exception("snapshot.not_followed")


@dataclass(frozen=True, slots=True)
class Instance:
    """Everything a process needs to serve."""

    front: Front
    database: Database
    journal: Journal
    health: Health
    live: Live
    sign_in: SignIn
    chatting: Chatting


class DirectoryUnusable(GatewayError):
    """The data directory cannot be made or used; the message says what to do."""

    error = ErrorCode.UNAVAILABLE


def prepare_directory(data: Path) -> None:
    """Make the data directory, readable by its owner only, unless it is there.

    Raises:
        DirectoryUnusable: not a directory, or not permitted.
    """
    try:
        data.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise DirectoryUnusable(
            f"The data directory {data} cannot be used: {reason}. Choose another with --data."
        ) from None
    if not os.access(data, os.R_OK | os.W_OK | os.X_OK):
        raise DirectoryUnusable(
            f"The data directory {data} cannot be read and written by this user. "
            "Change its owner, or choose another with --data."
        )
    warn_of_open_directory(data)


@asynccontextmanager
async def open_instance(
    loaded: Loaded,
    data: Path,
    extra_keys: Mapping[bytes, KeyRecord] | None = None,
    listens_at: str = "",
) -> AsyncGenerator[Instance]:
    """Open everything on `data`; leaving the block closes it in reverse order.

    `extra_keys` are accepted beside the stored ones and exist only in this process. `listens_at`
    is the address that is listened on, as a URL without a path, where there is one.

    Raises:
        GatewayError: database or journal cannot be opened; says what to do.
    """
    settings = loaded.settings
    await asyncio.to_thread(prepare_directory, data)
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(_database(settings, data))
        journal = await stack.enter_async_context(open_journal(_journal_config(settings, data)))
        plugins = await stack.enter_async_context(open_plugins(settings))
        deciding = await stack.enter_async_context(Deciding.open(settings))
        fabric = await stack.enter_async_context(Fabric.open(settings, data, plugins))
        fabric.upstreams.commands = Commands(journal)
        digest_key = await asyncio.to_thread(ensure_digest_key, data / "digest.key")
        place = journal_directory(settings, data)
        resolver = fabric.upstreams.connectors.resolver
        inbound = await stack.enter_async_context(open_inbound(settings, resolver, listens_at))
        public_url = settings.server.public_url or listens_at
        oauth, consent = open_consent(database, fabric.state, fabric.box, public_url)
        fabric.upstreams.oauth = oauth
        use = await stack.enter_async_context(open_key_use(database))
        reception = await stack.enter_async_context(open_reception(settings, inbound, resolver))
        handles = Handles(
            fabric.state, fabric.seals, shared_digest(settings, digest_key), public_url
        )
        elevating = await stack.enter_async_context(
            Elevating.open(settings, handles, database, journal)
        )
        model = await stack.enter_async_context(ModelAndLook.open(settings, digest_key))
        resources = _Resources(
            database,
            journal,
            place,
            fabric,
            keyed_digest(digest_key),
            inbound,
            consent,
            use,
            reception,
            deciding,
            elevating,
            model,
        )
        instance = await _assemble(settings, resources, extra_keys or {})
        if listens_at:  # a command that opens the instance for itself needs no keys in advance
            instance.front.mount(PATH, await asyncio.to_thread(workspace))
            fresh = inbound.keep_fresh(lambda: instance.live.gateway.snapshot)
            fabric.background.start(fresh)
            days = settings.chat.deleted_days
            tenants = partial(_tenants, instance.live.gateway)
            fabric.background.start(keep_purging(database, tenants, days))
        # Not a TaskGroup, which would wrap whatever fails in the block into a group of failures.
        watch = asyncio.get_running_loop().create_task(instance.live.follow_changes())
        try:
            yield instance
        finally:
            await instance.chatting.aclose()
            watch.cancel()
            await asyncio.wait([watch])


@dataclass(frozen=True, slots=True)
class _Resources:
    database: Database
    journal: Journal
    journal_directory: Path
    fabric: Fabric
    digest: Digest
    inbound: Inbound
    consent: GovernedConsent
    key_use: KeyUse
    reception: Reception
    deciding: Deciding
    elevating: Elevating
    model: ModelAndLook


def _tenants(gateway: Gateway) -> list[str]:
    return list(gateway.snapshot.tenants)


async def _assemble(
    settings: Settings, resources: _Resources, extra_keys: Mapping[bytes, KeyRecord]
) -> Instance:
    database, journal, fabric = resources.database, resources.journal, resources.fabric
    revocations = RevokedKeys()
    inbound = resources.inbound
    authenticator = Authenticate(ApiKeys(revocations), inbound.tokens, Certificates())
    metrics = Metrics(version=__version__, recorder=journal)
    inbound.register(metrics.registry)
    pins = PinKeeper(database, journal)
    deciding = resources.deciding
    elevations = resources.elevating.live(metrics.registry)
    ruling = Ruling(deciding, elevations)
    relay = fabric.relay(metrics.registry, authenticator, INSTRUCTIONS, keep=pins.of, ruling=ruling)
    observers = [metrics, resources.key_use, *fabric.plugins.observers]
    gateway = Gateway(relay.follow(Snapshot(version=-1)), journal, observers, resources.digest)
    live = Live(database, relay, fabric.upstreams, gateway, extra_keys, metrics, deciding)
    relay.on_change = live.swap
    pins.attach(lambda: gateway.snapshot, live.refresh)
    resources.consent.attach(lambda: gateway.snapshot, fabric.upstreams.access)
    browsers = resources.reception.browsers(database, lambda: gateway.snapshot, live.refresh)
    chatting = _chatting(settings, resources, gateway, metrics)
    control = Control(
        database=database,
        recorder=journal,
        authenticator=authenticator,
        revocations=revocations,
        tokens=inbound.tokens,
        resolve=fabric.upstreams.connectors.resolver.resolve,
        journal_directory=resources.journal_directory,
        snapshot=lambda: gateway.snapshot,
        refresh=live.refresh,
        standings=RelayStandings(relay),
        conditions=fabric.upstreams.traffic,
        prober=UpstreamProber(fabric.upstreams),
        box=fabric.box,
        sessions=browsers,
        assistant=chatting.assistant,
        passwords=resources.reception.passwords,
        least_password_characters=settings.identity.min_password_characters,
        note_use=resources.key_use.note,
        consents=resources.consent,
        elevations=elevations,
        rego=deciding.inspector,
        decisions=deciding.access,
        imports=import_rules(settings),
        place=place_of(settings),
        metrics=metrics.render if settings.observability.metrics_enabled else None,
        plugins=fabric.plugins.loaded,
        connectors=fabric.plugins.connectors,
        sandbox=sandbox_limits(settings.sandbox),
        grpc=fabric.upstreams.connectors.rules,
    )
    health = _health(journal, fabric)
    sign_in = resources.reception.sign_in(control, browsers, fabric.state)
    api = build_api(control, sign_in)
    front = fabric.front(gateway, pages(settings, health, metrics), api)
    front.on_drain(chatting.drain)
    with without_collections():
        await live.refresh()
    await resources.elevating.restore(elevations, gateway.snapshot.tenants)
    return Instance(front, database, journal, health, live, sign_in, chatting)


def _chatting(
    settings: Settings, resources: _Resources, gateway: Gateway, metrics: Metrics
) -> Chatting:
    tokens = TokenCounter(metrics.registry)
    common = Common(resources.fabric.state, resources.database, tokens)
    access = resources.deciding.access
    return Chatting.over(settings, resources.model, gateway, access, common)


def _health(journal: Journal, fabric: Fabric) -> Health:
    health = Health()
    health.register("audit", journal_check(journal))
    health.register("state", state_check(fabric.state))
    return health


@asynccontextmanager
async def open_local(loaded: Loaded, data: Path) -> AsyncGenerator[tuple[Front, str]]:
    """Open the instance on `data` for its owner alone: the front, and an admin key for it.

    For commands where no instance runs. Whoever may read the data directory owns it already.
    """
    key = new_key()
    permissions = frozenset({"system_admin"})
    owner = Principal(LOCAL_TENANT, "local", frozenset({"admin"}), permissions)
    record = KeyRecord("local", owner)
    async with open_instance(loaded, data, {key.digest: record}) as instance:
        yield instance.front, key.secret


@asynccontextmanager
async def _database(settings: Settings, data: Path) -> AsyncGenerator[Database]:
    chosen = settings.database
    url = chosen.url.get_secret_value() or f"sqlite+aiosqlite:///{data / 'bascule.db'}"
    pool = PoolConfig(
        kept_connections=chosen.pool_size,
        most_connections=chosen.pool_size + chosen.max_overflow,
        recycle_seconds=chosen.recycle_seconds,
        statement_seconds=chosen.statement_timeout_seconds,
    )
    async with open_database(url, pool) as database:
        await migrate(database)
        async with database.read() as session:
            known = await Tenants(session).find(LOCAL_TENANT)
        if known is None:
            async with database.change(author="bascule") as session:
                await seed_defaults(session)
        yield database


def _journal_config(settings: Settings, data: Path) -> JournalConfig:
    return JournalConfig(
        directory=journal_directory(settings, data),
        max_segment_bytes=settings.audit.max_segment_bytes,
        mode=settings.audit.mode,
    )
