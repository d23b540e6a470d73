"""Changes put together: from the servers behind the gateway, by way of the hub, to who listens."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol

import structlog

from bascule.app.background import Background
from bascule.app.pipeline import Compiled
from bascule.app.rights import EditionRights
from bascule.app.watching import Place, Renewing, Watching, review_feeds
from bascule.catalogue.feeds import FeedLimits, Feeds
from bascule.catalogue.session_feeds import SessionFeeds
from bascule.catalogue.slices import is_relayed
from bascule.gateway.call import Method
from bascule.gateway.feed import Change, ChangeKind
from bascule.gateway.hub import ChangeHub
from bascule.gateway.locating import Locator
from bascule.gateway.sessions import Standings
from bascule.gateway.snapshot import Snapshot
from bascule.gateway.stage import Executor
from bascule.gateway.tool import Upstream
from bascule.policy.authorise import Authorise
from bascule.upstreams.mcp import McpUpstream
from bascule.upstreams.mcp.watch_stream import Listenable

_log = structlog.get_logger(__name__)


class Relaying(Protocol):
    """The part of `bascule.app.relay.Relay` that changes need."""

    async def changed(self, tenant: str, upstream: str) -> None:
        """Look anew at the upstream's lists; returns once that is in force."""
        ...


class Droppable(Protocol):
    """A cache of answers; `bascule.catalogue.caching.Cache` is one."""

    def drop(self, tenant: str, upstream: str) -> None:
        """Forget everything that `upstream` answered."""
        ...


class Connections(Protocol):
    """Gives the open upstream of a record; `bascule.app.upstreams.UpstreamSet` does."""

    def relay(self, tenant: str, upstream: Upstream) -> McpUpstream:
        """The one already open, or a new one. ValueError: the record cannot be used."""
        ...


class RelayedInventories:
    """What a relay listed, and the answers kept beside it; does nothing until `attach`."""

    def __init__(self) -> None:
        self._relay: Relaying | None = None
        self._caches: tuple[Droppable, ...] = ()
        self._stale: set[Place] = set()

    def attach(self, relay: Relaying, caches: Sequence[Droppable]) -> None:
        """From now on, renew the lists of `relay` and drop from `caches`."""
        self._relay = relay
        self._caches = tuple(caches)

    async def renew(self, tenant: str, upstream: str, kind: ChangeKind) -> None:
        """As `Inventories.renew`. A look is at all lists, so `kind` makes no difference."""
        del kind
        if self._relay is not None:
            await self._relay.changed(tenant, upstream)

    def forget(self, change: Change) -> None:
        """Drop everything of the upstream: once, for all that it tells at one time."""
        if change.kind in {ChangeKind.RESOURCES, ChangeKind.RESOURCE} and self._caches:
            if not self._stale:
                asyncio.get_running_loop().call_soon(self._drop)
            self._stale.add((change.tenant, change.upstream))

    def _drop(self) -> None:
        stale, self._stale = self._stale, set()
        for tenant, upstream in stale:
            for cache in self._caches:
                cache.drop(tenant, upstream)


class Changes:
    """Feeds for callers, and ears at upstreams. Goes from edition to edition by `follow`."""

    def __init__(
        self,
        connections: Connections,
        background: Background,
        standings: Standings,
        limits: FeedLimits | None = None,
    ) -> None:
        """`background` owns the streams to upstreams: leave it before they are closed."""
        self._connections = connections
        self._background = background
        self._hub = ChangeHub()
        self._inventories = RelayedInventories()
        renewing = Renewing(self._hub, self._inventories, background)
        self._watching = Watching(renewing, background)
        self._feeds = Feeds(self._hub, self._watching, limits)
        self.sessions = SessionFeeds(self._feeds, standings)

    @property
    def executors(self) -> Mapping[Method, Executor]:
        """Who executes the methods that have to do with changes."""
        return {
            Method.LISTEN: self._feeds,
            Method.STREAM: self.sessions,
            Method.SUBSCRIBE: self.sessions,
            Method.UNSUBSCRIBE: self.sessions,
        }

    @property
    def open_feeds(self) -> int:
        """How many callers listen, in whatever way."""
        return len(self._feeds)

    @property
    def counts(self) -> Mapping[str, Callable[[], int]]:
        """What is open now, by kind: for whoever watches this process."""
        return {
            "subscription": lambda: len(self._feeds) - len(self.sessions),
            "session_stream": lambda: len(self.sessions),
            "upstream": lambda: len(self._watching),
        }

    def attach(self, relay: Relaying, caches: Sequence[Droppable] = ()) -> None:
        """Renew the lists of `relay` before telling of them, and begin to look after feeds."""
        self._inventories.attach(relay, caches)
        self._background.start(review_feeds(self._feeds))

    def follow(self, compiled: Compiled, locator: Locator) -> None:
        """`compiled` is in force: listen at its upstreams, tell what it shows differently."""
        snapshot, access = compiled.snapshot, compiled.access
        rights = EditionRights(snapshot, access, Authorise(access, locator), locator)
        self._watching.follow(dict(self._channels(snapshot)))
        self._feeds.follow(rights, snapshot.tenants)

    def end(self) -> None:
        """End every feed, as the process stops."""
        self._hub.end_all()

    def _channels(self, snapshot: Snapshot) -> Iterable[tuple[Place, Listenable]]:
        for tenant, view in snapshot.tenants.items():
            for name, upstream in view.upstreams.items():
                # Others were never reached; to listen would be to start a process unasked.
                if is_relayed(upstream) and name in view.inventories:
                    try:
                        yield (tenant, name), self._connections.relay(tenant, upstream).channel
                    except ValueError as reason:
                        _log.warning("upstream.not_watched", upstream=name, reason=str(reason))
