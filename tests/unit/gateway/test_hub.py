import asyncio
import gc
import weakref

import pytest

from bascule.gateway.backchannel import Notification
from bascule.gateway.feed import Change, ChangeKind, Feed, ListenFilter
from bascule.gateway.filters import Topic
from bascule.gateway.hub import ChangeHub, OpenFeed

TOOLS: Topic = (ChangeKind.TOOLS, "")
PROMPTS: Topic = (ChangeKind.PROMPTS, "")


def everything(change: Change) -> Notification | None:
    return Notification(change.kind, change.params)


def nothing(change: Change) -> Notification | None:
    del change
    return None


def closed(feed: Feed) -> None:
    del feed


def opened(hub: ChangeHub, *topics: Topic, tenant: str = "acme", accepts=everything) -> OpenFeed:
    feed = hub.open(tenant, accepts, closed)
    feed.listen(topics)
    return feed


def tools(upstream: str = "docs", tenant: str = "acme") -> Change:
    return Change(tenant, upstream, ChangeKind.TOOLS)


def news(number: int = 0, uri: str = "file:///news") -> Change:
    return Change("acme", "docs", ChangeKind.RESOURCE, uri, b'{"n":%d}' % number)


async def unread(feed: OpenFeed) -> list[Notification]:
    """Everything there is, which ends the feed: a hub without a gathering time has it all due."""
    notes: list[Notification] = []
    async with asyncio.timeout(5):
        while True:
            waiting = asyncio.ensure_future(feed.next())
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            if not waiting.done():
                feed.end()
                assert await waiting is None
                return notes
            note = waiting.result()
            if note is None:
                return notes
            notes.append(note)


async def test_a_change_reaches_who_listens_for_its_topic():
    hub = ChangeHub(gather_seconds=0)
    feed, other = opened(hub, TOOLS), opened(hub, PROMPTS)

    hub.publish(tools())

    assert await unread(feed) == [Notification(ChangeKind.TOOLS, b"{}")]
    assert await unread(other) == []


async def test_a_change_never_crosses_to_another_tenant():
    hub = ChangeHub(gather_seconds=0)
    feed = opened(hub, TOOLS, tenant="other")

    hub.publish(tools())

    assert await unread(feed) == []


async def test_a_change_reaches_a_reader_that_waits_already():
    hub = ChangeHub(gather_seconds=0.001)
    feed = opened(hub, TOOLS)

    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        reading = group.create_task(feed.next())
        await asyncio.sleep(0)
        hub.publish(tools())

    assert reading.result() == Notification(ChangeKind.TOOLS, b"{}")


async def test_changes_of_one_list_within_the_gathering_time_are_told_once():
    hub = ChangeHub(gather_seconds=0.01)
    feed = opened(hub, TOOLS, PROMPTS)
    for upstream in ("", "docs", "jobs"):
        hub.publish(tools(upstream))
    hub.publish(Change("acme", "docs", ChangeKind.PROMPTS))

    async with asyncio.timeout(5):
        first, second = await feed.next(), await feed.next()

    assert first == Notification(ChangeKind.TOOLS, b"{}")
    assert second == Notification(ChangeKind.PROMPTS, b"{}")
    assert await unread(feed) == []


async def test_a_change_is_held_back_until_the_gathering_time_is_over():
    hub = ChangeHub(gather_seconds=0.02)
    feed = opened(hub, TOOLS)
    began = asyncio.get_running_loop().time()
    hub.publish(tools())

    async with asyncio.timeout(5):
        await feed.next()

    assert asyncio.get_running_loop().time() - began >= 0.02


async def test_a_list_that_changes_without_end_is_told_all_the_same():
    hub = ChangeHub(gather_seconds=0.005)
    feed = opened(hub, TOOLS)

    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        reading = group.create_task(feed.next())
        while not reading.done():
            hub.publish(tools())
            await asyncio.sleep(0)

    assert reading.result() == Notification(ChangeKind.TOOLS, b"{}")


async def test_of_one_resource_the_newest_change_is_told():
    hub = ChangeHub(gather_seconds=0)
    feed = opened(hub, (ChangeKind.RESOURCE, "file:///news"))
    for number in range(10_000):
        hub.publish(news(number))

    assert [note.params for note in await unread(feed)] == [b'{"n":9999}']


async def test_tasks_of_the_same_id_at_two_upstreams_are_two():
    hub = ChangeHub(gather_seconds=0)
    feed = opened(hub, (ChangeKind.TASK, "1"))
    for upstream in ("docs", "jobs"):
        hub.publish(Change("acme", upstream, ChangeKind.TASK, "1"))

    assert len(await unread(feed)) == 2


async def test_what_a_feed_does_not_accept_is_not_told():
    hub = ChangeHub(gather_seconds=0)
    feed = opened(hub, TOOLS, accepts=nothing)

    hub.publish(tools())

    assert await unread(feed) == []


async def test_topics_can_be_added_and_taken_away():
    hub = ChangeHub(gather_seconds=0)
    feed = opened(hub, TOOLS)
    feed.listen([TOOLS, PROMPTS])
    feed.ignore([TOOLS, (ChangeKind.RESOURCE, "never wanted")])

    hub.publish(tools())
    hub.publish(Change("acme", "docs", ChangeKind.PROMPTS))

    assert [note.method for note in await unread(feed)] == [ChangeKind.PROMPTS]


async def test_what_is_granted_can_be_settled_after_opening():
    feed = ChangeHub().open("acme", everything, closed)
    assert feed.granted == ListenFilter()

    feed.grant(ListenFilter(tools_list_changed=True))

    assert feed.granted == ListenFilter(tools_list_changed=True)


async def test_an_unread_feed_is_ended_when_it_holds_too_much():
    hub = ChangeHub(gather_seconds=0, most_unread_bytes=100)
    feed = opened(hub, *((ChangeKind.RESOURCE, str(number)) for number in range(3)))
    for number in range(3):
        hub.publish(Change("acme", "docs", ChangeKind.RESOURCE, str(number), b"x" * 50))

    assert feed.is_ended
    assert await feed.next() is None
    assert len(hub) == 0


async def test_one_large_change_alone_is_told():
    hub = ChangeHub(gather_seconds=0, most_unread_bytes=100)
    feed = opened(hub, (ChangeKind.TASK, "1"))
    for _ in range(3):
        hub.publish(Change("acme", "jobs", ChangeKind.TASK, "1", b"x" * 1000))

    assert [len(note.params) for note in await unread(feed)] == [1000]


async def test_a_waiting_reader_is_told_that_the_feed_ended():
    hub = ChangeHub()
    feed = opened(hub, TOOLS)

    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        reading = group.create_task(feed.next())
        await asyncio.sleep(0)
        hub.end_all()

    assert reading.result() is None


async def test_a_feed_that_ends_drops_what_is_unread_and_hears_nothing_more():
    hub = ChangeHub(gather_seconds=0)
    feed = opened(hub, TOOLS)
    hub.publish(tools())
    feed.end()
    feed.listen([PROMPTS])
    feed.offer(tools())

    async with asyncio.timeout(5):
        assert await feed.next() is None


async def test_closing_twice_tells_its_owner_once():
    told: list[OpenFeed] = []
    feed = ChangeHub().open("acme", everything, told.append)

    await feed.close()
    await feed.close()
    feed.end()

    assert told == [feed]


async def test_a_feed_may_end_while_a_change_is_told():
    hub = ChangeHub(gather_seconds=0)
    feeds: list[OpenFeed] = []

    def end_the_others(change: Change) -> Notification | None:
        for feed in feeds[1:]:
            feed.end()
        return everything(change)

    feeds += [opened(hub, TOOLS, accepts=end_the_others) for _ in range(3)]

    hub.publish(tools())

    assert len(hub) == 1
    assert len(await unread(feeds[0])) == 1


async def test_a_cancelled_reader_loses_nothing():
    hub = ChangeHub(gather_seconds=0)
    feed = opened(hub, TOOLS)
    reading = asyncio.ensure_future(feed.next())
    await asyncio.sleep(0)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading

    hub.publish(tools())

    assert len(await unread(feed)) == 1


async def test_a_thousand_feeds_opened_and_closed_leave_nothing_behind():
    hub = ChangeHub(gather_seconds=0)
    kept = [
        weakref.ref(opened(hub, TOOLS, (ChangeKind.RESOURCE, f"file:///{number}")))
        for number in range(1000)
    ]
    hub.publish(tools())
    before = asyncio.all_tasks()
    for feed in [one() for one in kept]:
        assert feed is not None
        assert await feed.next() is not None
        await feed.close()
    del feed
    gc.collect()

    assert len(hub) == 0
    assert not hub._interested
    assert [one for one in kept if one() is not None] == []
    assert asyncio.all_tasks() == before
