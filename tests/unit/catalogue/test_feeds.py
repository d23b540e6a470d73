import asyncio
import gc
import weakref

import pytest

from bascule.catalogue.feeds import FeedLimits, Feeds, TooManyFeeds
from bascule.catalogue.subscriptions import Found
from bascule.gateway.call import Call, Endpoint, EndpointKind, Method
from bascule.gateway.capabilities import read_capabilities
from bascule.gateway.errors import ErrorCode, InvalidValue, MissingCapability
from bascule.gateway.feed import Change, ChangeKind, ListenFilter
from bascule.gateway.hub import ChangeHub, OpenFeed
from fakes.catalogue import TENANT, make_principal
from fakes.feeds import ALL_LISTS, NEWS, FakeRights, FakeWatcher, listen_call, resource, task

TOOLS = ListenFilter(tools_list_changed=True)
ONE = ListenFilter(resource_subscriptions=(NEWS,))
KNOWS_TASKS = read_capabilities(b'{"extensions":{"io.modelcontextprotocol/tasks":{}}}')


class World:
    """Feeds over rights and upstreams that the test sets; everything is told at once."""

    def __init__(self, limits: FeedLimits | None = None) -> None:
        self.hub = ChangeHub(gather_seconds=0)
        self.rights = FakeRights()
        self.watcher = FakeWatcher()
        self.feeds = Feeds(self.hub, self.watcher, limits)
        self.feeds.follow(self.rights, [])

    async def open(self, call: Call) -> OpenFeed:
        async with asyncio.timeout(5):
            result = await self.feeds.execute(call)
        assert isinstance(result.feed, OpenFeed)
        return result.feed

    def publish(self, kind: ChangeKind, key: str = "", upstream: str = "docs") -> None:
        self.hub.publish(Change(TENANT, upstream, kind, key))


async def heard(feed: OpenFeed) -> str:
    async with asyncio.timeout(5):
        note = await feed.next()
    assert note is not None
    return note.method


async def test_granted_is_what_was_wanted_and_the_upstreams_agreed_to():
    world = World()
    world.watcher.grants["docs"] = ListenFilter(prompts_list_changed=True)
    world.watcher.grants["jobs"] = ListenFilter()
    everything = ListenFilter(
        tools_list_changed=True,
        prompts_list_changed=True,
        resources_list_changed=True,
        resource_subscriptions=(NEWS, "file:///secret"),
    )

    feed = await world.open(listen_call(everything))

    assert feed.granted == ListenFilter(tools_list_changed=True, prompts_list_changed=True)


async def test_a_resource_the_caller_may_not_read_is_silently_left_out():
    world = World()

    feed = await world.open(listen_call(ListenFilter(resource_subscriptions=("file:///x", NEWS))))

    assert feed.granted == ONE
    assert world.watcher.wanted("docs") == [ONE], "the upstream is not asked about the other"


async def test_a_task_is_listened_for_by_its_own_id_and_granted_by_the_callers():
    world = World()
    world.rights.tasks["mine"] = task("t-1")
    wanted = ListenFilter(task_ids=("mine", "somebody else's"))

    feed = await world.open(listen_call(wanted, capabilities=KNOWS_TASKS))

    assert feed.granted == ListenFilter(task_ids=("mine",))
    assert world.watcher.wanted("jobs") == [ListenFilter(task_ids=("t-1",))]


async def test_tasks_are_refused_to_callers_that_did_not_declare_them():
    world = World()

    with pytest.raises(MissingCapability) as failure:
        await world.feeds.execute(listen_call(ListenFilter(task_ids=("mine",))))

    assert failure.value.details["requiredCapabilities"] == {
        "extensions": {"io.modelcontextprotocol/tasks": {}}
    }


async def test_a_missing_filter_is_refused():
    with pytest.raises(InvalidValue, match="notifications"):
        await World().feeds.execute(listen_call(None))


async def test_a_slow_upstream_is_granted_what_it_advertised_and_not_waited_for():
    world = World(FeedLimits(locate_seconds=0.01, answer_seconds=0.02))
    world.watcher.slow = {"docs", "jobs"}
    world.rights.capabilities["docs"] = (
        b'{"resources":{"subscribe":true},"prompts":{"listChanged":true}}'
    )
    wanted = ListenFilter(
        prompts_list_changed=True, resources_list_changed=True, resource_subscriptions=(NEWS,)
    )

    feed = await world.open(listen_call(wanted))

    assert feed.granted == wanted


async def test_the_answer_comes_within_300_milliseconds_however_slow_everybody_is():
    world = World()
    world.watcher.slow = {"docs", "jobs"}
    never = asyncio.Event()

    async def hang(uri: str) -> None:
        del uri
        await never.wait()

    world.rights.on_look = hang
    began = asyncio.get_running_loop().time()
    await world.open(listen_call(ListenFilter(True, True, True, (NEWS,))))

    # A client may give up after 800 ms; what is beyond 300 is for a busy machine.
    assert asyncio.get_running_loop().time() - began < 0.7


async def test_what_happens_while_another_upstream_is_waited_for_is_not_lost():
    world = World(FeedLimits(answer_seconds=5))
    world.watcher.slow = {"jobs"}
    opening = asyncio.ensure_future(world.open(listen_call(TOOLS)))
    async with asyncio.timeout(5):
        while len(world.watcher.leases) < 2:
            await asyncio.sleep(0)
    world.publish(ChangeKind.TOOLS)
    world.watcher.leases[1][1].agree(TOOLS)

    assert await heard(await opening) == ChangeKind.TOOLS


async def test_a_list_nobody_asked_for_is_never_told():
    world = World()
    feed = await world.open(listen_call(ListenFilter(prompts_list_changed=True)))
    world.publish(ChangeKind.TOOLS)
    world.publish(ChangeKind.RESOURCES)
    world.publish(ChangeKind.PROMPTS)

    assert await heard(feed) == ChangeKind.PROMPTS


async def test_a_new_edition_is_told_where_the_visible_list_is_another():
    world = World()
    same = await world.open(listen_call(TOOLS))
    world.feeds.follow(world.rights, [TENANT])
    newer = FakeRights()
    newer.prints[ChangeKind.TOOLS] = 1
    world.feeds.follow(newer, [TENANT])
    world.feeds.follow(newer, [TENANT])

    assert await heard(same) == ChangeKind.TOOLS
    assert not same._unread


async def test_the_feeds_of_a_revoked_caller_end_and_no_other():
    world = World()
    hers = await world.open(listen_call(TOOLS))
    his = await world.open(listen_call(TOOLS, principal=make_principal("bob")))
    world.rights.gone.add("ann")
    world.feeds.review()

    async with asyncio.timeout(5):
        assert await hers.next() is None
    assert not his.is_ended
    assert len(world.feeds) == 1


async def test_the_feeds_of_a_slice_that_is_gone_end():
    world = World()
    feed = await world.open(listen_call(TOOLS, endpoint=Endpoint(EndpointKind.SERVER, "docs")))
    newer = FakeRights()
    newer.removed.add("docs")
    world.feeds.follow(newer, [TENANT])

    assert feed.is_ended
    assert world.watcher.held == 0


async def test_a_caller_revoked_while_its_feed_is_opened_gets_an_ended_one():
    world = World(FeedLimits(locate_seconds=5))
    looking, go = asyncio.Event(), asyncio.Event()

    async def wait(uri: str) -> None:
        del uri
        looking.set()
        await go.wait()

    world.rights.on_look = wait
    opening = asyncio.ensure_future(world.open(listen_call(ONE)))
    await looking.wait()
    world.rights.gone.add("ann")
    world.feeds.review()
    go.set()
    feed = await opening

    assert await feed.next() is None
    assert world.watcher.leases == []


async def test_an_opening_that_is_cancelled_leaves_nothing_behind():
    world = World(FeedLimits(answer_seconds=5))
    world.watcher.slow = {"docs"}
    opening = asyncio.ensure_future(world.feeds.execute(listen_call(TOOLS)))
    async with asyncio.timeout(5):
        while not world.watcher.leases:
            await asyncio.sleep(0)
    opening.cancel()
    await asyncio.wait([opening])

    assert world.watcher.held == 0
    assert len(world.feeds) == len(world.hub) == 0
    assert not world.feeds._by_caller


async def test_an_upstream_that_is_not_watched_is_granted_nothing():
    world = World()
    world.watcher.absent = {"docs"}

    assert (await world.open(listen_call(ONE))).granted == ListenFilter()


async def test_a_caller_has_only_so_many_feeds():
    world = World(FeedLimits(most_feeds_per_caller=2))
    first = await world.open(listen_call(TOOLS))
    await world.open(listen_call(TOOLS))

    with pytest.raises(TooManyFeeds) as failure:
        await world.open(listen_call(TOOLS))
    assert failure.value.error is ErrorCode.UNAVAILABLE

    await world.open(listen_call(TOOLS, principal=make_principal("bob")))
    await first.close()
    await world.open(listen_call(TOOLS))


async def test_all_callers_together_have_only_so_many_feeds():
    world = World(FeedLimits(most_feeds=1))
    await world.open(listen_call(TOOLS))

    with pytest.raises(TooManyFeeds):
        await world.open(listen_call(TOOLS, principal=make_principal("bob")))


async def test_a_feed_can_be_widened_and_narrowed():
    world = World()
    feed = await world.open(listen_call(TOOLS))
    await world.feeds.widen(feed, Found(NEWS, resource(NEWS)))
    world.publish(ChangeKind.RESOURCE, NEWS)
    assert await heard(feed) == ChangeKind.RESOURCE

    held = world.watcher.held
    world.feeds.narrow(feed, NEWS)
    world.publish(ChangeKind.RESOURCE, NEWS)
    world.publish(ChangeKind.TOOLS)

    assert await heard(feed) == ChangeKind.TOOLS
    assert world.watcher.held == held - 1


async def test_widening_does_not_wait_for_ever():
    world = World(FeedLimits(answer_seconds=0.01))
    feed = await world.open(listen_call(TOOLS))
    world.watcher.slow = {"docs"}

    async with asyncio.timeout(5):
        await world.feeds.widen(feed, Found(NEWS, resource(NEWS)))


async def test_widening_where_there_is_no_upstream_or_no_feed_changes_nothing():
    world = World()
    feed = await world.open(listen_call(TOOLS))
    world.watcher.absent = {"docs"}
    await world.feeds.widen(feed, Found(NEWS, resource(NEWS)))
    feed.end()
    await world.feeds.widen(feed, Found(NEWS, resource(NEWS)))
    world.feeds.narrow(feed, NEWS)

    assert world.watcher.held == 0


async def test_without_an_edition_or_a_caller_nothing_can_be_opened():
    with pytest.raises(RuntimeError):
        await Feeds(ChangeHub(), FakeWatcher()).execute(listen_call(TOOLS))
    with pytest.raises(RuntimeError):
        await World().feeds.open(Call(Method.LISTEN, "c-1"), TOOLS)


async def test_a_thousand_feeds_are_told_of_a_change_and_leave_nothing_behind():
    world = World()
    everything = ListenFilter(True, True, True, (NEWS,))
    tasks = asyncio.all_tasks()
    kept: list[weakref.ref[OpenFeed]] = []
    feeds: list[OpenFeed] = []
    for number in range(1000):
        principal = make_principal(f"user-{number % 20}")
        feeds.append(await world.open(listen_call(everything, principal=principal)))
        kept.append(weakref.ref(feeds[-1]))
    for _ in range(10):
        for kind in (ChangeKind.TOOLS, ChangeKind.PROMPTS):
            world.publish(kind)
        world.publish(ChangeKind.RESOURCE, NEWS)
    assert all(len(feed._unread) == 3 for feed in feeds), "unread feeds hold each change once"
    while feeds:
        feed = feeds.pop()
        assert await heard(feed) == ChangeKind.TOOLS
        await feed.close()
    del feed
    gc.collect()

    assert [one for one in kept if one() is not None] == []
    assert asyncio.all_tasks() == tasks
    assert world.watcher.held == 0
    assert not world.feeds._by_caller
    assert not world.hub._interested


async def test_granted_lists_are_those_of_all_upstreams_together():
    world = World()

    feed = await world.open(listen_call(ALL_LISTS))

    assert feed.granted == ALL_LISTS
