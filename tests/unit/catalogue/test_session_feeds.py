import asyncio

import pytest

from bascule.catalogue.feeds import FeedLimits, Feeds
from bascule.catalogue.session_feeds import SessionFeeds, SessionRequired
from bascule.gateway.call import Call, Method, More
from bascule.gateway.errors import InvalidRequest, ResourceNotFound
from bascule.gateway.feed import Change, ChangeKind, ListenFilter
from bascule.gateway.hub import ChangeHub, OpenFeed
from bascule.gateway.session import Session, SessionOwner
from bascule.gateway.sessions import MOST_SUBSCRIPTIONS, Standings
from bascule.state.memory import MemoryState
from fakes.catalogue import TENANT, make_principal
from fakes.feeds import NEWS, FakeRights, FakeWatcher, resource


class World:
    def __init__(self) -> None:
        self.hub = ChangeHub(gather_seconds=0)
        self.rights = FakeRights()
        self.watcher = FakeWatcher()
        feeds = Feeds(self.hub, self.watcher, FeedLimits(answer_seconds=0.05))
        feeds.follow(self.rights, [])
        self.sessions = SessionFeeds(feeds, Standings(MemoryState(), 3600))

    async def run(self, method: Method, uri: str = "", session_id: str = "s-1") -> OpenFeed | None:
        ann = make_principal()
        session = Session(session_id, SessionOwner.of(ann), "2025-11-25")
        call = Call(method, "c-1", principal=ann, more=More(uri=uri, session=session))
        async with asyncio.timeout(5):
            result = await self.sessions.execute(call)
        assert result.body == {}
        assert result.feed is None or isinstance(result.feed, OpenFeed)
        return result.feed

    async def stream(self, session_id: str = "s-1") -> OpenFeed:
        feed = await self.run(Method.STREAM, session_id=session_id)
        assert feed is not None
        return feed

    def publish(self, kind: ChangeKind, key: str = "") -> None:
        self.hub.publish(Change(TENANT, "docs", kind, key))


async def heard(feed: OpenFeed) -> str:
    async with asyncio.timeout(5):
        note = await feed.next()
    assert note is not None
    return note.method


async def test_a_stream_that_its_client_left_is_kept_no_longer():
    world = World()
    left, other = await world.stream(), await world.stream("s-2")
    newer = await world.stream()
    assert left.is_ended
    assert len(world.sessions) == 2
    for stream in (left, other, newer):
        await stream.close()
    assert len(world.sessions) == 0


async def test_a_sessions_stream_hears_of_all_lists():
    world = World()
    stream = await world.stream()
    for kind in (ChangeKind.TOOLS, ChangeKind.PROMPTS, ChangeKind.RESOURCES):
        world.publish(kind)
        assert await heard(stream) == kind


async def test_what_was_subscribed_before_the_stream_is_heard_on_it():
    world = World()
    assert await world.run(Method.SUBSCRIBE, NEWS) is None
    stream = await world.stream()
    world.publish(ChangeKind.RESOURCE, NEWS)

    assert await heard(stream) == ChangeKind.RESOURCE


async def test_what_is_subscribed_later_is_heard_on_the_open_stream():
    world = World()
    stream = await world.stream()
    await world.run(Method.SUBSCRIBE, NEWS)
    await world.run(Method.SUBSCRIBE, NEWS)
    world.publish(ChangeKind.RESOURCE, NEWS)

    assert await heard(stream) == ChangeKind.RESOURCE
    assert world.watcher.wanted("docs")[-1] == ListenFilter(resource_subscriptions=(NEWS,))


async def test_what_is_unsubscribed_is_not_heard_any_more_now_or_on_the_next_stream():
    world = World()
    await world.run(Method.SUBSCRIBE, NEWS)
    stream = await world.stream()
    await world.run(Method.UNSUBSCRIBE, NEWS)
    await world.run(Method.UNSUBSCRIBE, "file:///never")
    world.publish(ChangeKind.RESOURCE, NEWS)
    world.publish(ChangeKind.TOOLS)
    assert await heard(stream) == ChangeKind.TOOLS

    stream = await world.stream()
    world.publish(ChangeKind.RESOURCE, NEWS)
    world.publish(ChangeKind.TOOLS)
    assert await heard(stream) == ChangeKind.TOOLS


async def test_unsubscribing_without_a_stream_is_fine():
    world = World()
    await world.run(Method.SUBSCRIBE, NEWS)

    assert await world.run(Method.UNSUBSCRIBE, NEWS) is None


async def test_a_second_stream_ends_the_first():
    world = World()
    first, second = await world.stream(), await world.stream()

    async with asyncio.timeout(5):
        assert await first.next() is None
    world.publish(ChangeKind.TOOLS)
    assert await heard(second) == ChangeKind.TOOLS


async def test_sessions_hear_nothing_of_each_others_subscriptions():
    world = World()
    await world.run(Method.SUBSCRIBE, NEWS, "s-1")
    other = await world.stream("s-2")
    world.publish(ChangeKind.RESOURCE, NEWS)
    world.publish(ChangeKind.TOOLS)

    assert await heard(other) == ChangeKind.TOOLS


async def test_a_resource_the_caller_may_not_read_does_not_exist_for_it():
    world = World()
    with pytest.raises(ResourceNotFound) as failure:
        await world.run(Method.SUBSCRIBE, "file:///secret")

    assert failure.value.details == {"uri": "file:///secret"}
    await world.run(Method.UNSUBSCRIBE, "file:///secret")


async def test_the_target_that_was_found_before_is_taken():
    world = World()
    world.rights.readables.clear()
    ann = make_principal()
    session = Session("s-1", SessionOwner.of(ann), "2025-11-25")
    call = Call(
        Method.SUBSCRIBE,
        "c-1",
        principal=ann,
        target=resource(NEWS),
        more=More(uri=NEWS, session=session),
    )
    stream = await world.stream()
    await world.sessions.execute(call)
    world.publish(ChangeKind.RESOURCE, NEWS)

    assert await heard(stream) == ChangeKind.RESOURCE


async def test_a_session_has_only_so_many_subscriptions():
    world = World()
    for number in range(MOST_SUBSCRIPTIONS + 1):
        world.rights.readables[str(number)] = resource(str(number))
    for number in range(MOST_SUBSCRIPTIONS):
        await world.run(Method.SUBSCRIBE, str(number))
    await world.run(Method.SUBSCRIBE, "0")

    with pytest.raises(InvalidRequest, match=str(MOST_SUBSCRIPTIONS)):
        await world.run(Method.SUBSCRIBE, str(MOST_SUBSCRIPTIONS))


async def test_without_a_session_there_is_nothing_to_subscribe():
    call = Call(Method.SUBSCRIBE, "c-1", principal=make_principal(), more=More(uri=NEWS))

    with pytest.raises(SessionRequired, match="initialize"):
        await World().sessions.execute(call)


async def test_the_stream_of_an_ended_session_ends():
    world = World()
    stream = await world.stream()
    world.sessions.end("s-1")
    world.sessions.end("s-1")

    assert stream.is_ended
    assert world.watcher.held == 0


async def test_subscriptions_that_are_sent_at_once_are_all_kept():
    world = World()
    uris = [f"file:///{number}" for number in range(50)]
    world.rights.readables.update({uri: resource(uri) for uri in uris})
    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        for uri in uris:
            group.create_task(world.run(Method.SUBSCRIBE, uri))

    stream = await world.stream()

    assert sorted(stream.granted.resource_subscriptions) == sorted(uris)


async def test_streams_that_ended_are_forgotten_with_the_next_one():
    world = World()
    for number in range(100):
        (await world.stream(f"s-{number}")).end()
    await world.stream("last")

    assert len(world.sessions) == 1
    assert not world.sessions._locks
