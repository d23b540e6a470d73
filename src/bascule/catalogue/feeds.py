"""`subscriptions/listen`: what a caller may hear of, agreed on in time, and told as it happens.

Source: specification 2026-07-28, basic/patterns/subscriptions.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass

from bascule.catalogue.agreements import locate, own_lists, settle, share_out
from bascule.catalogue.promises import promised
from bascule.catalogue.rights import Lease, Rights, Watcher
from bascule.catalogue.subscriptions import Found, Subscription
from bascule.gateway.call import Call, Result
from bascule.gateway.capabilities import TASKS_EXTENSION
from bascule.gateway.errors import ErrorCode, GatewayError, InvalidValue, MissingCapability
from bascule.gateway.feed import Change, ListenFilter
from bascule.gateway.filters import LISTS, Topic, common, filter_of, topics
from bascule.gateway.hub import ChangeHub, OpenFeed
from bascule.gateway.principal import Principal


@dataclass(frozen=True, slots=True)
class FeedLimits:
    """How many may listen, and how long a caller waits to hear what it was granted.

    Within `locate_seconds` what it asked for must be found, within `answer_seconds`, counted
    from the same start, upstreams must have agreed; else what they advertised counts.
    """

    most_feeds: int = 4096
    most_feeds_per_caller: int = 64
    locate_seconds: float = 0.15
    answer_seconds: float = 0.3


class TooManyFeeds(GatewayError):
    """As many subscriptions are open as there may be."""

    error = ErrorCode.UNAVAILABLE


class Feeds:
    """Opens feeds, and ends those whose caller or slice is gone. Outlives editions."""

    def __init__(self, hub: ChangeHub, watcher: Watcher, limits: FeedLimits | None = None) -> None:
        self._hub = hub
        self._watcher = watcher
        self._limits = limits or FeedLimits()
        self._rights: Rights | None = None
        self._open: dict[OpenFeed, Subscription] = {}
        self._by_caller: Counter[tuple[str, str]] = Counter()

    def __len__(self) -> int:
        return len(self._open)

    @property
    def rights(self) -> Rights:
        """Those of the edition in force."""
        if self._rights is None:
            raise RuntimeError("no edition is in force yet")
        return self._rights

    def follow(self, rights: Rights, tenants: Iterable[str]) -> None:
        """A new edition is in force: tell those of `tenants` whose own lists are others now."""
        self._rights = rights
        self.review()
        for tenant in tenants:
            for kind in LISTS:
                self._hub.publish(Change(tenant, "", kind))

    def review(self) -> None:
        """End the feeds of callers that may not call any more, and of slices that are gone."""
        for feed, subscription in tuple(self._open.items()):
            if not subscription.stands():
                feed.end()

    async def execute(self, call: Call) -> Result:
        """Open the feed that `call` asks for; the result has no members yet.

        Raises:
            InvalidValue: no filter came.
            MissingCapability: tasks are asked for by a caller that does not know of them.
            TooManyFeeds: this caller, or all together, listen too often already.
        """
        wanted = call.more.wanted
        if wanted is None:
            raise InvalidValue(
                "params.notifications is missing: name what to be told of.",
                details={"field": "notifications"},
            )
        if wanted.task_ids and not call.capabilities.tasks:
            raise MissingCapability(
                "params.notifications.taskIds needs the tasks extension: declare it.",
                details={"requiredCapabilities": {"extensions": {TASKS_EXTENSION: {}}}},
            )
        return Result({}, feed=await self.open(call, wanted))

    async def open(
        self,
        call: Call,
        wanted: ListenFilter,
        on_close: Callable[[OpenFeed], None] | None = None,
    ) -> OpenFeed:
        """Open a feed for the caller of `call`, of what it may hear of `wanted`.

        `on_close` is called once, whoever ends the feed.
        """
        principal = _principal(call)
        caller = (principal.tenant, principal.owner)
        self._check_room(caller)
        started = asyncio.get_running_loop().time()
        subscription = Subscription(lambda: self.rights, principal, call.endpoint)
        feed = self._register(caller, subscription, on_close)
        try:
            deadline = started + self._limits.locate_seconds
            found = await locate(self.rights, call, wanted, deadline)
            if not feed.is_ended:
                shares = share_out(self.rights, subscription, wanted, found)
                # Before anybody is asked: what happens between two answers must not be lost.
                feed.listen(topic for share in shares.values() for topic in share)
                own = own_lists(self.rights, subscription)
                feed.listen(topic for topic in topics(wanted) if topic in own)
                deadline = started + self._limits.answer_seconds
                agreed = await self._ask(subscription, shares, deadline)
                feed.grant(settle(wanted, own, found, agreed))
        except BaseException:
            feed.end()
            raise
        return feed

    async def widen(self, feed: OpenFeed, found: Found) -> None:
        """Tell `feed` of this as well; waits for the upstream, but not longer than for a filter."""
        subscription = self._open.get(feed)
        if subscription is None:
            return
        subscription.find(found)
        feed.listen([found.topic])
        lease = self._watcher.want(feed.tenant, found.target.upstream, filter_of([found.topic]))
        if lease is not None:
            subscription.hold(found.target.upstream, found.name, lease)
            with suppress(TimeoutError):
                async with asyncio.timeout(self._limits.answer_seconds):
                    await lease.granted()

    def narrow(self, feed: OpenFeed, name: str) -> None:
        """Tell `feed` no more of what its caller calls `name`."""
        subscription = self._open.get(feed)
        if subscription is not None:
            feed.ignore(subscription.lose(name))

    async def _ask(
        self, subscription: Subscription, shares: Mapping[str, list[Topic]], deadline: float
    ) -> dict[str, ListenFilter]:
        """Listen at each upstream for its share; gives what each agreed to, or advertised."""
        tenant = subscription.principal.tenant
        agreed: dict[str, ListenFilter] = {}

        async def ask(upstream: str, lease: Lease, share: ListenFilter) -> None:
            try:
                async with asyncio.timeout_at(deadline):
                    agreed[upstream] = common(share, await lease.granted())
            except TimeoutError:
                agreed[upstream] = promised(share, self.rights.advertised(tenant, upstream))

        async with asyncio.TaskGroup() as group:
            for upstream, share in shares.items():
                wanted = filter_of(share)
                lease = self._watcher.want(tenant, upstream, wanted)
                if lease is not None:
                    subscription.hold(upstream, "", lease)
                    group.create_task(ask(upstream, lease, wanted))
        return agreed

    def _check_room(self, caller: tuple[str, str]) -> None:
        limits = self._limits
        if len(self._open) >= limits.most_feeds:
            raise TooManyFeeds("Too many subscriptions are open here. Try again later.")
        if self._by_caller[caller] >= limits.most_feeds_per_caller:
            raise TooManyFeeds(
                f"You have {limits.most_feeds_per_caller} subscriptions open. Close one first."
            )

    def _register(
        self,
        caller: tuple[str, str],
        subscription: Subscription,
        tell_owner: Callable[[OpenFeed], None] | None,
    ) -> OpenFeed:
        def on_close(feed: OpenFeed) -> None:
            del self._open[feed]
            subscription.release_all()
            self._by_caller[caller] -= 1
            if not self._by_caller[caller]:
                del self._by_caller[caller]
            if tell_owner is not None:
                tell_owner(feed)

        feed = self._hub.open(caller[0], subscription.accepts, on_close)
        self._open[feed] = subscription
        self._by_caller[caller] += 1
        return feed


def _principal(call: Call) -> Principal:
    if call.principal is None:
        raise RuntimeError("a subscription needs a principal")
    return call.principal
