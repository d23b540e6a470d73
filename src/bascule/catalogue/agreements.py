"""How what a caller wants to hear of becomes what it is told it will hear."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Final

from bascule.catalogue.promises import offered
from bascule.catalogue.rights import Rights
from bascule.catalogue.subscriptions import Found, Subscription
from bascule.gateway.call import Call
from bascule.gateway.errors import GatewayError
from bascule.gateway.feed import ChangeKind, ListenFilter
from bascule.gateway.filters import Topic, filter_of, topics

_TOOLS: Final[Topic] = (ChangeKind.TOOLS, "")


async def locate(rights: Rights, call: Call, wanted: ListenFilter, deadline: float) -> list[Found]:
    """Where what the caller named is; what cannot be found in time does not exist for it.

    `deadline` in seconds of the loop's clock.
    """
    found: list[Found] = []

    async def look(kind: ChangeKind, name: str) -> None:
        find = rights.task if kind is ChangeKind.TASK else rights.readable
        with suppress(GatewayError):
            target = await find(call, name)
            if target is not None:
                found.append(Found(name, target))

    with suppress(TimeoutError):
        async with asyncio.timeout_at(deadline), asyncio.TaskGroup() as group:
            for kind, name in topics(wanted):
                if name:
                    group.create_task(look(kind, name))
    return found


def share_out(
    rights: Rights, subscription: Subscription, wanted: ListenFilter, found: Sequence[Found]
) -> dict[str, list[Topic]]:
    """What to listen for at which upstream; makes `subscription` about what was found."""
    lists = [topic for topic in topics(wanted) if not topic[1]]
    shares: dict[str, list[Topic]] = {}
    if lists:
        for upstream in sorted(rights.upstreams(subscription.principal, subscription.endpoint)):
            shares[upstream] = list(lists)
    for one in found:
        subscription.find(one)
        shares.setdefault(one.target.upstream, []).append(one.topic)
    return shares


def own_lists(rights: Rights, subscription: Subscription) -> set[Topic]:
    """The lists whose changes are seen here, whatever an upstream tells.

    Tools change by what operators do, and all lists when an upstream is looked at again.
    """
    own: set[Topic] = {_TOOLS}
    principal = subscription.principal
    for upstream in rights.upstreams(principal, subscription.endpoint):
        capabilities = rights.advertised(principal.tenant, upstream)
        own.update((kind, "") for kind in offered(capabilities))
    return own


def settle(
    wanted: ListenFilter,
    own: Iterable[Topic],
    found: Sequence[Found],
    agreed: Mapping[str, ListenFilter],
) -> ListenFilter:
    """What of `wanted` will be told, by us or as the upstreams have `agreed`; in the caller's
    terms."""
    by_upstream = {upstream: set(topics(granted)) for upstream, granted in agreed.items()}
    told = set(own)
    for granted in by_upstream.values():
        told |= {topic for topic in granted if not topic[1]}
    for one in found:
        if one.topic in by_upstream.get(one.target.upstream, ()):
            told.add((one.topic[0], one.name))
    return filter_of(topic for topic in topics(wanted) if topic in told)
