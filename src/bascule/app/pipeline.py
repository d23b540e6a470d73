"""The order of a call's stages. This is its one address."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from bascule.catalogue.caching import Cache
from bascule.catalogue.listing import ListOffers, ListTools, Standings, as_it_is
from bascule.catalogue.locating import CatalogueLocator
from bascule.catalogue.owners import Owners
from bascule.catalogue.pages import Pages
from bascule.catalogue.reading import CachedReads
from bascule.catalogue.resources import ListResources
from bascule.catalogue.search_tools import SEARCH, Condensed, SearchTools, Shelf
from bascule.gateway.builtin import SEARCHER
from bascule.gateway.call import Method, Result
from bascule.gateway.dispatch import ByMethod, ByUpstream, Wellformed
from bascule.gateway.elevation import Elevations
from bascule.gateway.handshake import Handshake
from bascule.gateway.kernel import Edition
from bascule.gateway.pipeline import Pipeline
from bascule.gateway.sealing import Sealer
from bascule.gateway.snapshot import Snapshot
from bascule.gateway.stage import Executor, Stage
from bascule.gateway.state import StateStore
from bascule.gateway.targets import ByTarget
from bascule.gateway.tasks import TaskIds
from bascule.guards.output import Mismatches, ValidateOutput
from bascule.guards.schemas import InputSchemas, ValidateInput
from bascule.identity.scopes import Scopes
from bascule.plugins import Slot
from bascule.policy.access import Access
from bascule.policy.authorise import Authorise
from bascule.policy.elevate import Elevate
from bascule.policy.rates import RateLimits
from bascule.traffic.standby import IsDown, RefuseDown, WhenDown, WithoutDown


@dataclass(frozen=True, slots=True)
class Relayed:
    """What it takes to pass on more than tools; shared by all pipelines.

    `one_caller`: nobody else calls, so that lists are the same for all. `executors` are of methods
    that concern neither a list nor a target; they go before those made here.
    """

    pages: Pages
    owners: Owners
    sealer: Sealer
    standings: Standings
    reads: Cache[Result]
    tasks: TaskIds | None = None
    one_caller: bool = False
    executors: Mapping[Method, Executor] = field(default_factory=dict[Method, Executor])

    @property
    def locator(self) -> CatalogueLocator:
        """Finds what calls are about."""
        return CatalogueLocator(self.owners, self.tasks)


def _never(tenant: str, name: str) -> bool:
    del tenant, name
    return False


@dataclass(frozen=True, slots=True)
class Parts:
    """What outlives a snapshot and is shared by all pipelines."""

    authenticate: Stage
    schemas: InputSchemas
    handshake: Handshake
    page_size: int
    relayed: Relayed | None = None
    search_above_tools: int = 0
    """A list of more is given as a search; 0: never."""
    shelf: Shelf = field(default_factory=Shelf)
    mismatches: Mismatches = field(default_factory=Mismatches)
    when_down: WhenDown = WhenDown.SERVE
    is_down: IsDown = _never
    added: Mapping[Slot, Sequence[Stage]] = field(default_factory=dict[Slot, Sequence[Stage]])
    """Stages of plugins."""
    access: Callable[[Snapshot], Access] = Access
    """Makes decisions over a snapshot."""
    elevations: Elevations | None = None
    """Who may do more than the rules allow, for now; None: nobody."""
    counters: StateStore | None = None
    """Where calls are counted that rules limit; None: they are not."""


@dataclass(frozen=True, slots=True)
class Compiled:
    """A snapshot and what enforces it: `whole`, or `rest` for a caller who is known already."""

    snapshot: Snapshot
    whole: Pipeline
    rest: Pipeline
    access: Access


def entrance(parts: Parts) -> list[Stage]:
    """The stages that need to know nothing of what is called."""
    return [parts.authenticate, *parts.added.get(Slot.IDENTIFIED, ()), Wellformed(), Scopes()]


def compile_pipeline(
    snapshot: Snapshot, parts: Parts, upstreams: Mapping[tuple[str, str], Executor]
) -> Compiled:
    """Compile `snapshot` into the pipelines that enforce it."""
    access = parts.access(snapshot)
    relayed = parts.relayed
    own = {SEARCH.name: SEARCH} if parts.search_above_tools else None
    locator = None if relayed is None else relayed.locator
    authorise = Authorise(access, locator, own)
    hides = parts.when_down is WhenDown.HIDE
    listed = WithoutDown(authorise, parts.is_down) if hides else authorise
    visibility = Condensed(listed, parts.search_above_tools)
    search = SearchTools(snapshot, authorise, parts.shelf)
    down = [] if parts.when_down is WhenDown.SERVE else [RefuseDown(parts.is_down)]
    validate_input = ValidateInput(snapshot, parts.schemas)
    validate_output = ValidateOutput(parts.schemas, parts.mismatches)
    limits = [] if parts.counters is None else [RateLimits(snapshot, parts.counters)]
    rates = [one for one in limits if not one.is_idle]
    inner: list[Stage] = [
        authorise,
        *rates,
        *parts.added.get(Slot.AUTHORISED, ()),
        *down,
        validate_input,
        *parts.added.get(Slot.VALIDATED, ()),
        Elevate(parts.elevations),
        validate_output,
    ]
    standings = as_it_is if relayed is None else relayed.standings
    list_tools = ListTools(visibility, parts.page_size, standings)
    executors: dict[Method, Executor] = {
        Method.TOOLS_CALL: ByUpstream(
            {**upstreams, **{(tenant, SEARCHER): search for tenant in snapshot.tenants}}
        ),
        Method.TOOLS_LIST: list_tools,
        Method.DISCOVER: parts.handshake,
        Method.INITIALIZE: parts.handshake,
        Method.PING: parts.handshake,
        Method.NOTIFICATION: parts.handshake,
    }
    if relayed is not None:
        executors |= _relaying(authorise, relayed, ByTarget(upstreams), parts.page_size)
        executors |= relayed.executors
    execute = ByMethod(executors)
    whole = Pipeline([*entrance(parts), *inner], execute)
    return Compiled(snapshot, whole, Pipeline(inner, execute), access)


def _relaying(
    authorise: Authorise, relayed: Relayed, by_target: ByTarget, page_size: int
) -> dict[Method, Executor]:
    offers = ListOffers(authorise, page_size, relayed.standings)
    return {
        Method.PROMPTS_LIST: offers,
        Method.TEMPLATES_LIST: offers,
        Method.RESOURCES_LIST: ListResources(
            relayed.pages,
            authorise,
            relayed.owners,
            relayed.sealer,
            one_caller=relayed.one_caller,
        ),
        Method.RESOURCES_READ: CachedReads(by_target, relayed.reads),
        Method.PROMPTS_GET: by_target,
        Method.COMPLETE: by_target,
        Method.TASKS_GET: by_target,
        Method.TASKS_UPDATE: by_target,
        Method.TASKS_CANCEL: by_target,
    }


def build_pipeline(
    snapshot: Snapshot, parts: Parts, upstreams: Mapping[tuple[str, str], Executor]
) -> Edition:
    """Compile `snapshot` into the edition that enforces it."""
    return Edition(snapshot, compile_pipeline(snapshot, parts, upstreams).whole)
