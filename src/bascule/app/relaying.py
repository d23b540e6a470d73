"""The relay put together, the same for an instance and for one server."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from prometheus_client import CollectorRegistry

from bascule import __version__
from bascule.app.background import Background
from bascule.app.deciding import Deciding
from bascule.app.looks import Looks, ServerPages
from bascule.app.offers import Keep, Offers
from bascule.app.pipeline import Compiled, Parts, Relayed, compile_pipeline, entrance
from bascule.app.relay import Relay
from bascule.app.upstreams import UpstreamSet
from bascule.app.warming import Warming
from bascule.catalogue.advertising import Advertising
from bascule.catalogue.advertising import Relayed as Passed
from bascule.catalogue.caching import Cache
from bascule.catalogue.locating import CatalogueLocator
from bascule.catalogue.owners import Owners
from bascule.catalogue.pages import ResourcePage
from bascule.gateway.call import Method, Result
from bascule.gateway.elevation import Elevations
from bascule.gateway.handshake import Handshake
from bascule.gateway.sealing import Sealer
from bascule.gateway.snapshot import Snapshot
from bascule.gateway.stage import Executor, Stage
from bascule.gateway.state import StateStore
from bascule.gateway.tasks import TaskIds
from bascule.guards.schemas import InputSchemas
from bascule.plugins import Slot
from bascule.protocol.results import Identity
from bascule.settings.model import Settings


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a relay works with.

    `one_caller`: nobody else calls. `passed` is what goes from servers to callers besides answers,
    and so what is advertised; `tasks` opens task ids, `executors` are of methods that concern
    neither a list nor a target.
    """

    settings: Settings
    upstreams: UpstreamSet
    background: Background
    registry: CollectorRegistry
    sealer: Sealer
    authenticate: Stage
    instructions: str
    one_caller: bool = False
    passed: Passed = field(default_factory=Passed)
    tasks: TaskIds | None = None
    executors: Mapping[Method, Executor] = field(default_factory=dict[Method, Executor])
    added: Mapping[Slot, Sequence[Stage]] = field(default_factory=dict[Slot, Sequence[Stage]])
    """Stages of plugins."""
    keep: Callable[[str], Keep] | None = None
    """Notes what the servers of a tenant list; without it, whatever they list is served."""
    deciding: Deciding = field(default_factory=Deciding)
    elevations: Elevations | None = None
    """Who may do more than the rules allow, for now; None: nobody."""
    counters: StateStore | None = None
    """Where calls are counted that rules limit; None: they are not."""


class Made(NamedTuple):
    """A relay, and what finds its way in what it relays."""

    relay: Relay
    locator: CatalogueLocator


def make_relay(around: Surroundings) -> Made:
    """A relay that follows no snapshot yet."""
    settings = around.settings
    offers = Offers(around.upstreams.relay, around.background, around.keep)
    looks = Looks(offers, around.registry, one_caller=around.one_caller)
    kept = settings.cache.max_entries
    pages_kept = Cache[ResourcePage](kept)
    reads_kept = Cache[Result](kept)
    pages = ServerPages(offers, pages_kept)
    relayed = Relayed(
        pages,
        Owners(pages),
        around.sealer,
        looks.standing,
        reads_kept,
        around.tasks,
        around.one_caller,
        around.executors,
    )
    identity = Identity(name=settings.app.name, version=__version__)
    advertising = Advertising(around.instructions, around.passed)
    traffic = around.upstreams.traffic
    schemas = InputSchemas()
    warming = Warming(schemas, around.background)
    parts = Parts(
        around.authenticate,
        schemas,
        Handshake(identity, around.instructions, advertising.advertise),
        settings.cache.list_page_size,
        relayed,
        # Nothing stands between one caller and its one server.
        0 if around.one_caller else settings.catalogue.search_above_tools,
        mismatches=traffic.mismatches_of_output,
        when_down=traffic.when_down,
        is_down=traffic.is_down,
        added=around.added,
        access=around.deciding.access,
        elevations=around.elevations,
        counters=around.counters,
    )

    def build(snapshot: Snapshot) -> Compiled:
        compiled = compile_pipeline(snapshot, parts, around.upstreams.executors(snapshot))
        warming.follow(snapshot, compiled.access.prepare)
        return compiled

    prefix = settings.upstreams.prefix == "always"
    caches = (pages_kept, reads_kept)
    relay = Relay(offers, looks, build, entrance(parts), caches, always_prefix=prefix)
    relay.on_stored = warming.prepare
    return Made(relay, relayed.locator)
