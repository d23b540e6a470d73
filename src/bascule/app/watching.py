"""Keeps an ear at every MCP server that is relayed, and makes changes known in the right order.

A list that changed is looked at again before anybody is told, or a client would ask at once and
be given the old one.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final, Protocol

import structlog

from bascule.app.background import Background
from bascule.catalogue.feeds import Feeds
from bascule.gateway.errors import GatewayError
from bascule.gateway.feed import Change, ChangeKind, ListenFilter
from bascule.gateway.filters import LISTS, Topic
from bascule.gateway.hub import ChangeHub
from bascule.upstreams.mcp.shares import Share
from bascule.upstreams.mcp.watch_stream import Listenable
from bascule.upstreams.mcp.watching import Watch, WatchConfig

_log = structlog.get_logger(__name__)

_ALL_LISTS: Final = ListenFilter(
    tools_list_changed=True, prompts_list_changed=True, resources_list_changed=True
)
_REVIEW_SECONDS: Final = 5.0
_LOOK_PAUSE_SECONDS: Final = 0.5
"""An upstream that tells of changes without end is looked at again only so often."""

Place = tuple[str, str]
"""A tenant, and the name of one of its upstreams."""


class Inventories(Protocol):
    """What was listed by upstreams, and can become stale."""

    async def renew(self, tenant: str, upstream: str, kind: ChangeKind) -> None:
        """Look at the list again; returns once what was found is in force.

        A look that began before this was called does not count.

        Raises:
            GatewayError: the upstream did not answer usably; the last list stays in force.
        """
        ...

    def forget(self, change: Change) -> None:
        """Drop the answers kept that `change` makes stale. Never waits."""
        ...


class Renewing:
    """Looks at a changed list first, then publishes. One look at a time for each list."""

    def __init__(
        self,
        hub: ChangeHub,
        inventories: Inventories,
        background: Background,
        *,
        pause_seconds: float = _LOOK_PAUSE_SECONDS,
    ) -> None:
        self._hub = hub
        self._inventories = inventories
        self._background = background
        self._pause_seconds = pause_seconds
        self._dirty: dict[tuple[str, str, ChangeKind], bool] = {}

    def tell(self, place: Place, topic: Topic, params: bytes) -> None:
        """Something changed at an upstream. Never waits."""
        tenant, upstream = place
        kind, name = topic
        change = Change(tenant, upstream, kind, name, params)
        self._inventories.forget(change)
        if kind not in LISTS:
            self._hub.publish(change)
            return
        key = (tenant, upstream, kind)
        is_running = key in self._dirty
        self._dirty[key] = True
        if not is_running:
            self._background.start(self._renew(change))

    async def _renew(self, change: Change) -> None:
        key = (change.tenant, change.upstream, change.kind)
        try:
            while self._dirty[key]:
                self._dirty[key] = False
                try:
                    await self._inventories.renew(*key)
                except GatewayError as failure:
                    # Told all the same: whoever asks for the list has it looked at again.
                    _log.warning(
                        "upstream.not_looked_at",
                        upstream=change.upstream,
                        kind=change.kind,
                        reason=failure.private,
                    )
                self._hub.publish(change)
                await asyncio.sleep(self._pause_seconds)
        finally:
            del self._dirty[key]


@dataclass(slots=True)
class _Watched:
    watch: Watch
    run: asyncio.Task[None]
    lists: Share | None = None


class Watching:
    """A watch for each MCP upstream of the snapshot in force; it outlives the upstream's record,
    so that feeds go on hearing from a server whose address was changed."""

    def __init__(
        self, renewing: Renewing, background: Background, config: WatchConfig | None = None
    ) -> None:
        self._renewing = renewing
        self._background = background
        self._config = config
        self._watched: dict[Place, _Watched] = {}

    def __len__(self) -> int:
        return len(self._watched)

    def follow(self, channels: Mapping[Place, Listenable]) -> None:
        """Listen at exactly these; each one's lists are always listened for."""
        for place, channel in channels.items():
            watched = self._watched.get(place) or self._begin(place)
            watched.watch.use(channel)
            if watched.lists is None:
                watched.lists = watched.watch.want(_ALL_LISTS)
        for place in [one for one in self._watched if one not in channels]:
            watched = self._watched[place]
            watched.watch.use(None)
            if watched.lists is not None:
                watched.lists.release()
                watched.lists = None
            if not watched.watch.is_wanted:
                watched.run.cancel()
                del self._watched[place]

    def want(self, tenant: str, upstream: str, wanted: ListenFilter) -> Share | None:
        """As `catalogue.rights.Watcher.want`."""
        watched = self._watched.get((tenant, upstream))
        return None if watched is None else watched.watch.want(wanted)

    def _begin(self, place: Place) -> _Watched:
        watch = Watch(place[1], partial(self._renewing.tell, place), self._config)
        watched = _Watched(watch, self._background.start(watch.run()))
        self._watched[place] = watched
        return watched


async def review_feeds(feeds: Feeds, seconds: float = _REVIEW_SECONDS) -> None:
    """End the feeds of callers whose key has expired meanwhile. Runs until cancelled."""
    while True:
        await asyncio.sleep(seconds)
        feeds.review()
