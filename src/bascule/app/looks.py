"""Looks at the MCP servers behind an endpoint: how long they are waited for, and how they stand."""

import asyncio
import time
from collections.abc import Sequence
from typing import Final

from prometheus_client import CollectorRegistry, Counter

from bascule.app.offers import Offers, Watched
from bascule.catalogue.caching import Cache, Fresh, Key
from bascule.catalogue.listing import Standing
from bascule.catalogue.pages import ListedResource, ResourcePage
from bascule.catalogue.slices import behind, lenders, relayed, sole
from bascule.gateway.call import Call, EndpointKind, Method
from bascule.gateway.errors import GatewayError, UpstreamUnreachable
from bascule.gateway.snapshot import TenantView
from bascule.gateway.tool import McpSource
from bascule.upstreams.mcp.listing import Freshness, ListKind
from bascule.upstreams.oauth.failures import NotConnected

_PATIENCE_SECONDS: Final = 2.0
"""How long a list of many servers waits for one of them."""

_LITTLE_PATIENCE_SECONDS: Final = 0.1
"""The same, where that server did not answer the last time."""

LISTS: Final = {
    Method.TOOLS_LIST: ListKind.TOOLS,
    Method.PROMPTS_LIST: ListKind.PROMPTS,
    Method.TEMPLATES_LIST: ListKind.TEMPLATES,
}
BY_NAME: Final = {Method.TOOLS_CALL: ListKind.TOOLS, Method.PROMPTS_GET: ListKind.PROMPTS}


class Looks:
    """Looks at the servers behind an endpoint, and says how they stand."""

    def __init__(self, offers: Offers, registry: CollectorRegistry, *, one_caller: bool) -> None:
        self._offers = offers
        self._one_caller = one_caller
        self._failures = Counter(
            "bascule_upstream_list_failures",
            "Lists that were given without what a server behind them offers at the moment.",
            ["tenant", "upstream"],
            registry=registry,
        )

    async def take(self, view: TenantView, call: Call, kind: ListKind | None) -> None:
        """Look at the servers of the slice of `call`, which needs the list of `kind`, if any.

        Raises:
            GatewayError: the slice is one server's, and it never gave that list.
        """
        lent = lenders(view, call.endpoint)
        if lent and kind is ListKind.TOOLS:
            anew = call.method in BY_NAME
            await self._wait(self._watched(view, lent), call.deadline, anew=anew)
            return
        known = relayed(view, call.endpoint, call.principal)
        if not known and call.endpoint.kind is not EndpointKind.ALL:
            return  # for this caller nothing is there
        # All of them, known or not: the names of tools hang on what every server offers.
        servers = self._watched(view, behind(view, call.endpoint))
        anew = call.method in BY_NAME
        alone = sole(view, call.endpoint, known)
        if alone is None or kind is None:
            await self._wait(servers, call.deadline, anew=anew)
            return
        if not servers:
            raise _unusable(alone)
        try:
            await servers[0].look.take(call.deadline, anew=anew)
        except GatewayError as failure:
            if not anew and servers[0].knows(kind) and not _is_empty(servers[0], kind):
                return
            if not isinstance(failure, NotConnected):
                raise
            await _look_for(call, servers[0], failure)

    async def _wait(self, servers: Sequence[Watched], deadline: float, *, anew: bool) -> None:
        flights = [(one, one.look.begin(anew=anew)) for one in servers]
        began = time.monotonic()
        for seconds in (_LITTLE_PATIENCE_SECONDS, _PATIENCE_SECONDS):
            little = seconds == _LITTLE_PATIENCE_SECONDS
            waiting = [
                flight
                for one, flight in flights
                if not flight.done() and (little or one.failure is None)
            ]
            until = min(began + seconds, deadline or began + seconds)
            if waiting:
                await asyncio.wait(waiting, timeout=max(0.0, until - time.monotonic()))

    def standing(self, call: Call) -> Standing:
        """How the list that `call` asks for stands."""
        if call.principal is None:
            return Standing()
        view = call.snapshot.tenant(call.principal.tenant)
        kind = LISTS[call.method]
        names = relayed(view, call.endpoint, call.principal)
        servers = self._watched(view, names)
        current = {one.upstream.name for one in servers if not one.is_behind}
        missing = tuple(name for name in names if name not in current)
        for name in missing:
            self._failures.labels(view.tenant, name).inc()
        left = [one.left_of(kind) for one in servers]
        fresh = Freshness(0) if missing or not left else left[0]
        for one in left[1:]:
            fresh = fresh.and_of(one)
        alone = sole(view, call.endpoint, names) is not None
        if not alone and kind is ListKind.TOOLS and _has_own_tools(view):
            fresh = Freshness(0)
        return Standing(fresh.ttl_ms, alone and fresh.public and self._one_caller, missing)

    def _watched(self, view: TenantView, names: Sequence[str]) -> list[Watched]:
        watched = self._offers.servers(view.tenant)
        return [watched[name] for name in names if name in watched]


async def _look_for(call: Call, server: Watched, failure: NotConnected) -> None:
    """Look at a server that nobody has connected yet in the name of who asks for it.

    Raises:
        ConsentNeeded: they have to agree first; says where.
        GatewayError: the server did not give its lists.
    """
    access = server.server.access
    if access is None or call.principal is None:
        raise failure
    if await access.current(call.principal.owner) is None:
        await access.connect(call.principal.owner)
    server.look.expire()
    await server.look.take(call.deadline)


def _is_empty(server: Watched, kind: ListKind) -> bool:
    return kind is ListKind.TOOLS and (server.offer is None or not server.offer.tools)


def _has_own_tools(view: TenantView) -> bool:
    return any(not isinstance(tool.source, McpSource) for tool in view.tools.values())


def _unusable(name: str) -> GatewayError:
    return UpstreamUnreachable(
        "The service behind this cannot be used. An operator must correct its address.",
        private=f"{name}: its record cannot be used",
    )


class ServerPages:
    """Pages of resources, fetched through the servers that are watched; a `Pages`."""

    def __init__(self, offers: Offers, cache: Cache[ResourcePage]) -> None:
        self._offers = offers
        self._cache = cache

    async def page(
        self, tenant: str, upstream: str, cursor: str | None, *, scope: str, deadline: float
    ) -> ResourcePage:
        """As `bascule.catalogue.pages.Pages`."""
        watched = self._offers.servers(tenant).get(upstream)
        if watched is None:
            raise _unusable(upstream)

        async def fetch() -> Fresh[ResourcePage]:
            page = await watched.server.list_page(ListKind.RESOURCES, cursor, deadline)
            items = tuple(ListedResource(one.key, one.definition) for one in page.items)
            size = sum(len(one.definition) for one in page.items)
            found = ResourcePage(items, page.next_cursor, *page.fresh)
            return Fresh(found, *page.fresh, size)

        about = f"{ListKind.RESOURCES} {'' if cursor is None else f'+{cursor}'}"
        fresh = await self._cache.get(Key(tenant, upstream, about, scope), fetch, deadline)
        return fresh.value._replace(ttl_ms=fresh.ttl_ms)
