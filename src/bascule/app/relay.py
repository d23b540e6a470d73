"""The gateway's own catalogue and what its MCP servers offer at the moment, as one edition.

A call of a tool that is in force costs nothing more. Only what hangs on the servers' lists waits
for a look at them, shared by all who wait.
"""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from types import CoroutineType
from typing import Any, Final

from bascule.app.known import KnownTools
from bascule.app.looks import BY_NAME, LISTS, Looks
from bascule.app.offers import Offers, Watched
from bascule.app.pipeline import Compiled
from bascule.catalogue.caching import Cache
from bascule.catalogue.merging import merge
from bascule.catalogue.slices import behind, is_relayed, lenders
from bascule.gateway.call import Call, EndpointKind, Method, Outcome, Result
from bascule.gateway.errors import GatewayError
from bascule.gateway.kernel import Edition
from bascule.gateway.pipeline import Pipeline
from bascule.gateway.snapshot import EMPTY_SNAPSHOT, Snapshot, TenantView
from bascule.gateway.stage import Stage

_ABOUT_TOOLS: Final = frozenset({Method.TOOLS_LIST, Method.TOOLS_CALL})
_ON_INVENTORIES: Final = frozenset(
    {
        Method.DISCOVER,
        Method.INITIALIZE,
        Method.RESOURCES_LIST,
        Method.RESOURCES_READ,
        Method.SUBSCRIBE,
        Method.COMPLETE,
    }
)


class Relay:
    """Keeps the edition in step with the stored snapshot and with the servers' offers."""

    def __init__(
        self,
        offers: Offers,
        looks: Looks,
        build: Callable[[Snapshot], Compiled],
        entrance: Sequence[Stage],
        caches: Sequence[Cache[Any]] = (),
        *,
        always_prefix: bool = False,
    ) -> None:
        """`build` compiles a snapshot; `entrance` are the stages that make the caller known.

        `caches` hold what servers answered.
        """
        self._offers = offers
        self._looks = looks
        self._build = build
        self.caches = tuple(caches)
        self._always_prefix = always_prefix
        self._stored = EMPTY_SNAPSHOT
        self._edits = -1
        self._compiled: Compiled | None = None
        self._known: dict[str, KnownTools] = {}
        self.entrance = Pipeline(entrance, self)
        self.counts_changes = False
        """Whether a change of an offer is a new version: where nothing else ever changes."""
        self.on_change: Callable[[Edition], None] | None = None
        """Told of each edition that takes the place of another because an offer changed."""
        self.on_stored: Callable[[Snapshot], Awaitable[None]] | None = None
        """Told of a stored snapshot before it is followed, which waits for that."""
        self.on_compiled: Callable[[Compiled], None] | None = None
        """Told of everything that is about to be put in force."""

    async def prepare(self, stored: Snapshot) -> None:
        """Make ready what calls will need once `stored` is followed."""
        if self.on_stored is not None:
            await self.on_stored(stored)

    def follow(self, stored: Snapshot) -> Edition:
        """The edition of `stored`, from now on."""
        self._stored = stored
        named = (
            (tenant, upstream)
            for tenant, view in stored.tenants.items()
            for upstream in view.upstreams.values()
        )
        for tenant, gone in self._offers.follow(named):
            self.forget(tenant, gone)
        return self._edition(self._compile())

    def newest(self) -> Compiled:
        """What is in force, after a swap where an offer changed."""
        if self._compiled is not None and self._edits == self._offers.edits:
            return self._compiled
        compiled = self._compile()
        if self.on_change is not None:
            self.on_change(self._edition(compiled))
        return compiled

    async def execute(self, call: Call) -> Result:
        """Look at the servers where the answer to `call`, whose caller is known, hangs on them.

        Raises:
            GatewayError: the answer cannot be given without a server that does not answer.
        """
        if call.principal is not None:
            view = self.newest().snapshot.tenant(call.principal.tenant)
            if _hangs_on_servers(call, view, self._known_in(view)):
                kind = LISTS.get(call.method) or BY_NAME.get(call.method)
                await self._looks.take(view, call, kind)
        return Result({})

    async def meet(self, tenant: str, upstream: str) -> None:
        """Look for the first time; who asks next is not given this, but looks anew.

        Raises:
            GatewayError: the server did not give its lists.
        """
        await self.changed(tenant, upstream)
        self._offers.servers(tenant)[upstream].look.expire()

    async def changed(self, tenant: str, upstream: str) -> None:
        """Look anew, as `upstream` says that its lists changed; returns once that is in force.

        Raises:
            GatewayError: the server did not give its lists; the last ones stay in force.
        """
        watched = self._offers.servers(tenant).get(upstream)
        self.forget(tenant, upstream)
        if watched is not None:
            if watched.look.under_way:
                # It may have begun before the change, and would be taken for the newest.
                with suppress(GatewayError):
                    await watched.look.take(0)
            watched.look.expire()
            await watched.look.take(0)
            self.newest()

    def watched(self, tenant: str, upstream: str) -> Watched | None:
        """What is known of a server; None where it is none, or its record cannot be used."""
        return self._offers.servers(tenant).get(upstream)

    def forget(self, tenant: str, upstream: str) -> None:
        """Keep nothing of what `upstream` answered: a resource of it changed, or it is gone."""
        for cache in self.caches:
            cache.drop(tenant, upstream)

    def _known_in(self, view: TenantView) -> KnownTools:
        known = self._known.get(view.tenant)
        if known is None or not known.is_of(view):
            known = self._known[view.tenant] = KnownTools(view)
        return known

    def _compile(self) -> Compiled:
        self._edits = self._offers.edits
        version = self._stored.version + (self._edits if self.counts_changes else 0)
        tenants = {
            name: merge(view, self._offers.of(name), always=self._always_prefix)
            for name, view in self._stored.tenants.items()
        }
        self._compiled = self._build(replace(self._stored, version=version, tenants=tenants))
        if self.on_compiled is not None:
            self.on_compiled(self._compiled)
        return self._compiled

    def _edition(self, compiled: Compiled) -> Edition:
        views = compiled.snapshot.tenants.values()
        relaying = [
            view for view in views if any(is_relayed(one) for one in view.upstreams.values())
        ]
        if not relaying:
            return Edition(compiled.snapshot, compiled.whole)
        return Edition(compiled.snapshot, RelayedRunner(self, compiled, relaying))


def _hangs_on_servers(call: Call, view: TenantView, known: KnownTools) -> bool:
    if lenders(view, call.endpoint):
        shown = view.bundle_tools.get(call.endpoint.name, {})
        is_known = call.method is Method.TOOLS_CALL and call.tool_name in shown
        return call.method in _ABOUT_TOOLS and not is_known
    names = behind(view, call.endpoint)
    if not names:
        return False
    if call.method is Method.TOOLS_CALL:
        return not _is_known(call, view, known)
    if call.method is Method.PROMPTS_GET:
        found = (view.inventories.get(name) for name in names)
        return not any(one is not None and _lists_prompt(one.prompts, call) for one in found)
    if call.method in _ON_INVENTORIES:
        return any(name not in view.inventories for name in names)
    return call.method in LISTS


def _lists_prompt(prompts: Any, call: Call) -> bool:
    if call.tool_name in prompts:
        return True
    own = call.endpoint.kind is not EndpointKind.ALL
    return own and any(one.inner == call.tool_name for one in prompts.values())


def _is_known(call: Call, view: TenantView, known: KnownTools) -> bool:
    """Whether the tool is in force, also by the name its server has for it, at that endpoint."""
    if call.endpoint.kind is EndpointKind.ALL:
        return call.tool_name in view.tools
    return known.lists(call.endpoint.name, call.tool_name)


class RelayedRunner:
    """Runs calls on one compiled snapshot, or on a newer one where they hang on the servers."""

    def __init__(self, relay: Relay, compiled: Compiled, views: Sequence[TenantView]) -> None:
        """`views` are those with servers."""
        self._relay = relay
        self._run = compiled.whole.run
        self._known = [KnownTools(view) for view in views]

    def run(self, call: Call) -> "CoroutineType[Any, Any, Outcome]":
        """Take `call` to its outcome.

        Raises:
            GatewayError: as the pipeline; or a server's list is needed and cannot be had.
        """
        if call.method is Method.TOOLS_CALL:
            where = call.endpoint.name if call.endpoint.kind is not EndpointKind.ALL else ""
            if all(one.has(where, call.tool_name) for one in self._known):
                return self._run(call)
        return self._look_first(call)

    async def _look_first(self, call: Call) -> Outcome:
        # Who calls is known, and that the message is sound, before a server is bothered.
        outcome = await self._relay.entrance.run(call)
        if not isinstance(outcome, Result):
            return outcome
        newest = self._relay.newest()
        call.snapshot = newest.snapshot
        return await newest.rest.run(call)
