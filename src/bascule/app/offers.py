"""What the MCP servers of a snapshot offer, listed live and kept for as long as it holds."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple, Protocol, TypeVar

import structlog

from bascule.app.background import Background
from bascule.app.relisting import SharedLook
from bascule.catalogue.advertising import declared
from bascule.catalogue.merging import Offer
from bascule.catalogue.pinning import digests_of
from bascule.gateway.connector import Pinning
from bascule.gateway.errors import GatewayError, UpstreamFailed
from bascule.gateway.inventory import Inventory, Listed
from bascule.gateway.tool import MCP_KINDS, McpSource, RiskLevel, Tool, Upstream
from bascule.protocol import codes
from bascule.protocol.mirroring import InvalidAnnotation, Mirror, find_mirrors
from bascule.upstreams.mcp import RelayedTool, UpstreamRpcError
from bascule.upstreams.mcp.described import Described
from bascule.upstreams.mcp.listing import Freshness, Listing, ListKind, Page
from bascule.upstreams.oauth.access import Access

_log = structlog.get_logger(__name__)

_MOST_SECONDS: Final = 300.0
"""However long a server says its lists hold."""

_SECONDS: Final = 30.0

_T = TypeVar("_T")


def look_seconds(upstream: Upstream) -> float:
    """How long a look at what `upstream` offers may take."""
    return upstream.timeout_seconds or _SECONDS


class Server(Protocol):
    """An MCP server that is asked what it offers; `bascule.upstreams.mcp.McpUpstream` is one."""

    tools_fresh: Freshness

    @property
    def access(self) -> Access | None:
        """Who agreed to be served on their behalf; None where everybody is served alike."""
        ...

    async def describe(self, deadline: float) -> Described:
        """What it says about itself."""
        ...

    async def list_tools(self) -> list[RelayedTool]:
        """All its tools; sets `tools_fresh`."""
        ...

    async def list_items(self, kind: ListKind, deadline: float) -> Listing:
        """All of another kind."""
        ...

    async def list_page(self, kind: ListKind, cursor: str | None, deadline: float) -> Page:
        """One page of a kind."""
        ...


Keep = Callable[[Upstream, Sequence[Tool], Mapping[str, bytes]], Awaitable[None]]
"""Notes what a server lists, with the digest of each by name, before any of it is in force.

GatewayError from it: it could not be noted, and the last list stays in force.
"""


class Catalogue(NamedTuple):
    """Tools of one listing, and the digests of their definitions where pins are kept."""

    tools: tuple[Tool, ...]
    digests: Mapping[str, bytes] | None = None


class Watched:
    """One server: its last offer, and how it stands.

    A list that cannot be had leaves the last one in force.
    """

    def __init__(
        self,
        upstream: Upstream,
        server: Server,
        background: Background,
        changed: Callable[[], None],
        keep: Keep | None = None,
    ) -> None:
        """`changed` is told when the offer is another one; `keep` notes its tools before that."""
        self.upstream = upstream
        self.server = server
        self.offer: Offer | None = None
        self.failure: GatewayError | None = None
        self.look = SharedLook(self._look, background)
        self._changed = changed
        self._keep = keep
        self._fresh: dict[ListKind, tuple[Freshness, float]] = {}

    @property
    def is_behind(self) -> bool:
        """Whether what is known of it may not be what it offers now."""
        return self.offer is None or self.failure is not None or self.look.under_way

    def knows(self, kind: ListKind) -> bool:
        """Whether it ever gave the list of `kind`."""
        return kind in self._fresh

    def left_of(self, kind: ListKind) -> Freshness:
        """How long, from now, the list of `kind` holds."""
        fresh, listed_at = self._fresh.get(kind, (Freshness(), 0.0))
        age_ms = int((time.monotonic() - listed_at) * 1000)
        return fresh._replace(ttl_ms=max(0, fresh.ttl_ms - age_ms))

    async def _look(self) -> float:
        try:
            return await self._list()
        except GatewayError as failure:
            self._note(failure)
            raise
        except Exception as crash:
            # Whatever a server's lists do to us is that server's failure, and nobody else's.
            failure = UpstreamFailed(
                "The service behind this gave lists that cannot be used.",
                private=f"{self.upstream.name}: {type(crash).__name__}",
            )
            self._note(failure)
            raise failure from crash

    async def _list(self) -> float:
        deadline = time.monotonic() + look_seconds(self.upstream)
        described = await self.server.describe(deadline)
        offered = declared(described.capabilities)
        tools, prompts, templates = await asyncio.gather(
            _had(self._tools(must="tools" in offered)),
            _had(self._items(ListKind.PROMPTS, deadline, offered="prompts" in offered)),
            _had(self._items(ListKind.TEMPLATES, deadline, offered="resources" in offered)),
        )
        self._take(described, tools, prompts, templates)
        failures = [one for one in (tools, prompts, templates) if isinstance(one, GatewayError)]
        if failures:
            raise failures[0]
        self.failure = None
        return min(self.left_of(kind).ttl_ms / 1000 for kind in self._fresh)

    def _note(self, failure: GatewayError) -> None:
        self.failure = failure
        _log.warning("upstream.list_failed", upstream=self.upstream.name, reason=failure.private)

    async def _tools(self, *, must: bool) -> Catalogue:
        try:
            listed = await self.server.list_tools()
        except UpstreamRpcError as error:
            if must or error.rpc_code != codes.METHOD_NOT_FOUND:
                raise
            listed = []
        fresh = self.server.tools_fresh if listed else Freshness()
        self._fresh[ListKind.TOOLS] = _bounded(fresh), time.monotonic()
        tools = tuple(_tool(self.upstream, one) for one in listed)
        if self._keep is not None and self.upstream.pinning is not Pinning.OFF:
            digests = await asyncio.to_thread(digests_of, tools)
            await self._keep(self.upstream, tools, digests)
            return Catalogue(tools, digests)
        return Catalogue(tools)

    async def _items(self, kind: ListKind, deadline: float, *, offered: bool) -> tuple[Listed, ...]:
        listing = Listing((), Freshness(int(_MOST_SECONDS * 1000), public=True))
        if offered:
            try:
                listing = await self.server.list_items(kind, deadline)
            except UpstreamRpcError as error:
                # Many servers with resources have no templates, and do not know the method.
                if error.rpc_code != codes.METHOD_NOT_FOUND:
                    raise
        self._fresh[kind] = _bounded(listing.fresh), time.monotonic()
        name = self.upstream.name
        return tuple(Listed(one.key, name, name, one.key, one.definition) for one in listing.items)

    def _take(
        self,
        described: Described,
        tools: Catalogue | GatewayError,
        prompts: tuple[Listed, ...] | GatewayError,
        templates: tuple[Listed, ...] | GatewayError,
    ) -> None:
        last = self.offer or Offer(Inventory(self.upstream.name, described.era))
        prompts = (
            tuple(last.inventory.prompts.values()) if isinstance(prompts, GatewayError) else prompts
        )
        # Tools and digests go together: those of one listing say nothing of another's.
        known = Catalogue(last.tools, last.digests)
        listed = known if isinstance(tools, GatewayError) else tools
        offer = Offer(
            Inventory(
                self.upstream.name,
                described.era,
                described.capabilities,
                described.instructions,
                {one.name: one for one in prompts},
                last.inventory.templates if isinstance(templates, GatewayError) else templates,
            ),
            listed.tools,
            listed.digests,
        )
        # Compared in order: so is all that is listed.
        if self.offer is None or not _same(offer, self.offer):
            self.offer = offer
            self._changed()


def _same(offer: Offer, last: Offer) -> bool:
    return offer == last and list(offer.inventory.prompts) == list(last.inventory.prompts)


def _bounded(fresh: Freshness) -> Freshness:
    return fresh._replace(ttl_ms=min(fresh.ttl_ms, int(_MOST_SECONDS * 1000)))


async def _had(work: Coroutine[Any, Any, _T]) -> _T | GatewayError:
    try:
        return await work
    except GatewayError as failure:
        return failure


def _tool(upstream: Upstream, tool: RelayedTool) -> Tool:
    return Tool(
        name=tool.name,
        title=tool.title,
        description=tool.description,
        bundle=upstream.name,
        source=McpSource(upstream.name, tool.name),
        input_schema=tool.input_schema,
        output_schema=tool.output_schema,
        # What a server says of its own tools is no reason to trust it.
        risk=RiskLevel.WRITE,
        definition=tool.definition,
        mirrors=_mirrors(upstream, tool),
    )


def _mirrors(upstream: Upstream, tool: RelayedTool) -> tuple[Mirror, ...]:
    try:
        return find_mirrors(tool.input_schema)
    except InvalidAnnotation as reason:
        # Over HTTP such a tool is not listed at all; elsewhere the annotation means nothing.
        _log.info(
            "upstream.headers_ignored", upstream=upstream.name, tool=tool.name, reason=str(reason)
        )
        return ()


class Offers:
    """The servers of all tenants. `edits` grows whenever any of them offers something else."""

    def __init__(
        self,
        connect: Callable[[str, Upstream], Server],
        background: Background,
        keep: Callable[[str], Keep] | None = None,
    ) -> None:
        """`connect` gives the server of a tenant's record, `keep` notes a tenant's tools.

        ValueError from `connect`: the record cannot be used; the server is logged and left out.
        """
        self._connect = connect
        self._keep = keep
        self._background = background
        self._watched: dict[tuple[str, Upstream], Watched] = {}
        self.edits = 0

    def follow(self, named: Iterable[tuple[str, Upstream]]) -> list[tuple[str, str]]:
        """Watch the MCP servers of these (tenant, record), and no others.

        Gives those no longer watched, as (tenant, name): what they said is worth nothing now.
        """
        wanted = {(tenant, upstream) for tenant, upstream in named if upstream.kind in MCP_KINDS}
        gone = list(self._watched.keys() - wanted)
        for one in gone:
            del self._watched[one]
        for tenant, upstream in wanted - self._watched.keys():
            try:
                server = self._connect(tenant, upstream)
            except ValueError as reason:
                _log.error(
                    "upstream.unusable", tenant=tenant, upstream=upstream.name, reason=str(reason)
                )
                continue
            self._watched[tenant, upstream] = Watched(
                upstream,
                server,
                self._background,
                self._edited,
                None if self._keep is None else self._keep(tenant),
            )
        return [(tenant, upstream.name) for tenant, upstream in gone]

    def servers(self, tenant: str) -> dict[str, Watched]:
        """The servers of `tenant` by name."""
        watched = self._watched.items()
        return {upstream.name: one for (owner, upstream), one in watched if owner == tenant}

    def of(self, tenant: str) -> dict[str, Offer]:
        """What is known of `tenant`'s servers, by their names."""
        watched = self.servers(tenant).items()
        return {name: one.offer for name, one in watched if one.offer is not None}

    def _edited(self) -> None:
        self.edits += 1
