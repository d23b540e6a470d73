"""Where changes meet those who want to hear of them."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Final, TypeAlias

import structlog

from bascule.gateway.backchannel import Notification
from bascule.gateway.feed import Change, ChangeKind, ListenFilter
from bascule.gateway.filters import NOTHING, Topic

_log = structlog.get_logger(__name__)

Accepts: TypeAlias = Callable[[Change], Notification | None]
"""Says a change in the terms of one caller; None where that caller is not to hear of it."""

GATHER_SECONDS: Final = 0.05
"""Changes of one thing within this time are told once."""

MOST_UNREAD_BYTES: Final = 256 * 1024


class ChangeHub:
    """Takes in changes and gives each to the feeds that asked for its topic. Never waits."""

    def __init__(
        self,
        *,
        gather_seconds: float = GATHER_SECONDS,
        most_unread_bytes: int = MOST_UNREAD_BYTES,
    ) -> None:
        self._gather_seconds = gather_seconds
        self._most_unread_bytes = most_unread_bytes
        # By tenant and topic; a dict for its order: who came first is told first.
        self._interested: dict[tuple[str, Topic], dict[OpenFeed, None]] = defaultdict(dict)
        self._feeds: dict[OpenFeed, None] = {}

    def __len__(self) -> int:
        return len(self._feeds)

    def publish(self, change: Change) -> None:
        """Tell every feed of the tenant that listens for this topic."""
        topic = (change.kind, change.key)
        for feed in tuple(self._interested.get((change.tenant, topic), ())):
            feed.offer(change)

    def open(
        self, tenant: str, accepts: Accepts, on_close: Callable[["OpenFeed"], None]
    ) -> "OpenFeed":
        """A feed that hears nothing until `listen`; its owner must close it.

        `on_close` is called once, whoever ends the feed.
        """
        feed = OpenFeed(self, tenant, accepts, on_close)
        self._feeds[feed] = None
        return feed

    def end_all(self) -> None:
        """End every feed, as a server does that stops."""
        for feed in tuple(self._feeds):
            feed.end()

    @property
    def gather_seconds(self) -> float:
        """How long a change is held back for others of its topic to join it."""
        return self._gather_seconds

    @property
    def most_unread_bytes(self) -> int:
        """What a feed holds for a reader that does not read, before it is ended."""
        return self._most_unread_bytes

    def add(self, feed: "OpenFeed", topics: Iterable[Topic]) -> None:
        """Tell `feed` of `topics` from now on."""
        for topic in topics:
            self._interested[feed.tenant, topic][feed] = None

    def remove(self, feed: "OpenFeed", topics: Iterable[Topic]) -> None:
        """Tell `feed` of `topics`, which it was told of, no more."""
        for topic in topics:
            key = (feed.tenant, topic)
            feeds = self._interested[key]
            del feeds[feed]
            if not feeds:
                del self._interested[key]

    def forget(self, feed: "OpenFeed") -> None:
        """Let go of an ended feed."""
        self._feeds.pop(feed, None)


class OpenFeed:
    """A `Feed`. What is unread is held once for each topic, the newest in place of the oldest."""

    def __init__(
        self,
        hub: ChangeHub,
        tenant: str,
        accepts: Accepts,
        on_close: Callable[["OpenFeed"], None],
    ) -> None:
        self.tenant = tenant
        self._hub = hub
        self._granted = NOTHING
        self._accepts = accepts
        self._on_close = on_close
        self._topics: set[Topic] = set()
        self._unread: dict[tuple[str, ChangeKind, str], tuple[float, Notification]] = {}
        self._unread_bytes = 0
        self._stirred = asyncio.Event()
        self._is_ended = False

    @property
    def granted(self) -> ListenFilter:
        """What the caller will be told."""
        return self._granted

    @property
    def is_ended(self) -> bool:
        """Whether nothing more will come."""
        return self._is_ended

    def grant(self, granted: ListenFilter) -> None:
        """Settle what the caller is told that it will hear; what came before stays unread."""
        self._granted = granted

    def listen(self, topics: Iterable[Topic]) -> None:
        """Hear of `topics` as well; keys are those of the changes, not the caller's."""
        added = [topic for topic in topics if topic not in self._topics]
        if not self._is_ended:
            self._topics.update(added)
            self._hub.add(self, added)

    def ignore(self, topics: Iterable[Topic]) -> None:
        """Hear of `topics` no more."""
        removed = [topic for topic in topics if topic in self._topics]
        self._topics.difference_update(removed)
        self._hub.remove(self, removed)

    def offer(self, change: Change) -> None:
        """Keep what `change` means to the caller until it is read. Never waits."""
        if self._is_ended:
            return
        note = self._accepts(change)
        if note is None:
            return
        # Of a list it matters that it changed, not where; two upstreams may share a task id.
        topic = (change.upstream if change.key else "", change.kind, change.key)
        before = self._unread.get(topic)
        due = asyncio.get_running_loop().time() + self._hub.gather_seconds
        if before is not None:
            due = before[0]
            self._unread_bytes -= len(before[1].params)
        self._unread_bytes += len(note.params)
        self._unread[topic] = (due, note)
        # One alone may be large: it is as large as the upstream's answer would have been.
        if self._unread_bytes > self._hub.most_unread_bytes and len(self._unread) > 1:
            _log.warning("feed.not_read", tenant=self.tenant, unread=len(self._unread))
            self.end()
        elif len(self._unread) == 1:
            self._stirred.set()

    async def next(self) -> Notification | None:
        """As `Feed.next`; for one reader at a time."""
        loop = asyncio.get_running_loop()
        while not self._is_ended:
            wait_seconds = None
            if self._unread:
                topic, (due, note) = next(iter(self._unread.items()))
                wait_seconds = due - loop.time()
                if wait_seconds <= 0:
                    del self._unread[topic]
                    self._unread_bytes -= len(note.params)
                    return note
            await self._rest(wait_seconds)
        return None

    async def close(self) -> None:
        """As `Feed.close`."""
        self.end()

    def end(self) -> None:
        """End the feed: what is unread is dropped, and its reader is told there is no more."""
        if self._is_ended:
            return
        self._is_ended = True
        self._hub.remove(self, self._topics)
        self._hub.forget(self)
        self._topics.clear()
        self._unread.clear()
        self._stirred.set()
        self._on_close(self)

    async def _rest(self, seconds: float | None) -> None:
        """Wait until something is due, or comes where nothing was, or the feed ends."""
        self._stirred.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stirred.wait()
