import asyncio
import gc
import weakref
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

from bascule.gateway.feed import ChangeKind, ListenFilter
from bascule.gateway.filters import NOTHING, Topic
from bascule.upstreams.mcp.failures import rpc_error, unreachable
from bascule.upstreams.mcp.watching import Watch, WatchConfig
from fakes.listening import FakeListenable

TOOLS = ListenFilter(tools_list_changed=True)
SOON = WatchConfig(
    first_pause=0.001, longest_pause=0.01, refused_pause=60, stable=60, pace=0.0, opening=5
)


def uris(*names: str) -> ListenFilter:
    return ListenFilter(resource_subscriptions=names)


class Ear:
    def __init__(self) -> None:
        self.heard: list[Topic] = []
        self._changed = asyncio.Event()

    def __call__(self, topic: Topic, params: bytes) -> None:
        del params
        self.heard.append(topic)
        self._changed.set()

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(5):
            while not condition():
                self._changed.clear()
                await self._changed.wait()


@asynccontextmanager
async def watching(
    upstream: FakeListenable, ear: Ear | None = None, config: WatchConfig = SOON
) -> AsyncGenerator[Watch]:
    watch = Watch("docs", ear or Ear(), config)
    watch.use(upstream)
    running = asyncio.ensure_future(watch.run())
    try:
        async with asyncio.timeout(10):
            yield watch
    finally:
        running.cancel()
        await asyncio.wait([running])
        assert not upstream.open, "a watch that ends leaves no stream open"


async def test_nobody_who_wants_anything_means_no_stream():
    upstream = FakeListenable()
    async with watching(upstream) as watch:
        share = watch.want(TOOLS)
        await share.granted()
        share.release()
        await upstream.until(lambda: not upstream.open)

        assert not watch.is_wanted
        assert len(upstream.asked) == 1


async def test_a_change_is_told_by_its_topic():
    upstream, ear = FakeListenable(), Ear()
    async with watching(upstream, ear) as watch:
        assert await watch.want(TOOLS).granted() == TOOLS
        upstream.streams[0].tell(ChangeKind.TOOLS)

        assert ear.heard == [(ChangeKind.TOOLS, "")]


async def test_what_nobody_wants_is_not_told():
    upstream, ear = FakeListenable(), Ear()
    async with watching(upstream, ear) as watch:
        await watch.want(uris("a")).granted()
        for number in range(1000):
            upstream.streams[0].tell(ChangeKind.RESOURCE, b'{"uri":"%d"}' % number)
        upstream.streams[0].tell(ChangeKind.PROMPTS)
        upstream.streams[0].tell("notifications/message", b"{}")

        assert ear.heard == []
        assert not watch._coalescer._gathered


async def test_all_who_want_something_share_one_stream():
    upstream = FakeListenable()
    async with watching(upstream) as watch:
        shares = [watch.want(uris(f"file:///{number % 10}")) for number in range(1000)]
        for share in shares:
            await share.granted()

        assert len(upstream.open) == 1
        assert len(upstream.open[0].wanted.resource_subscriptions) == 10
        assert len(upstream.asked) < 5


async def test_the_wider_stream_is_open_before_the_narrower_is_closed():
    upstream = FakeListenable()
    async with watching(upstream) as watch:
        await watch.want(TOOLS).granted()
        upstream.go.clear()
        wider = watch.want(uris("a"))
        await upstream.until(lambda: len(upstream.asked) == 2)
        assert not upstream.streams[0].closed
        upstream.go.set()

        assert await wider.granted() == uris("a")
        await upstream.until(lambda: upstream.streams[0].closed)
        assert upstream.open[0].wanted == ListenFilter(
            tools_list_changed=True, resource_subscriptions=("a",)
        )


async def test_a_stream_that_brings_much_that_nobody_wants_is_replaced_by_a_narrower_one():
    upstream = FakeListenable()
    async with watching(upstream) as watch:
        base = watch.want(TOOLS)
        many = watch.want(uris(*(f"file:///{number}" for number in range(200))))
        few = watch.want(uris("a", "b"))
        await few.granted()
        few.release()
        await base.granted()
        assert len(upstream.open) == 1
        many.release()
        await upstream.until(lambda: [one.wanted for one in upstream.open] == [TOOLS])


async def test_what_is_listened_for_already_is_granted_at_once():
    upstream = FakeListenable()
    async with watching(upstream) as watch:
        await watch.want(uris("a", "b")).granted()

        assert await watch.want(uris("b")).granted() == uris("b")
        assert len(upstream.asked) == 1


async def test_only_what_the_upstream_agreed_to_is_granted():
    upstream = FakeListenable()
    upstream.judge = lambda _: ListenFilter(
        resource_subscriptions=("a", "never wanted"), tools_list_changed=True
    )
    async with watching(upstream) as watch:
        assert await watch.want(uris("a", "b")).granted() == uris("a")


async def test_after_a_loss_everything_that_was_agreed_is_told_to_have_changed():
    upstream, ear = FakeListenable(), Ear()
    everything = ListenFilter(
        tools_list_changed=True, resource_subscriptions=("a",), task_ids=("t",)
    )
    async with watching(upstream, ear) as watch:
        await watch.want(everything).granted()
        upstream.streams[0].end()
        await ear.until(lambda: len(ear.heard) == 2)

        assert ear.heard == [(ChangeKind.TOOLS, ""), (ChangeKind.RESOURCE, "a")]
        assert len(upstream.open) == 1


async def test_an_upstream_that_dies_again_and_again_is_asked_ever_more_rarely():
    upstream, ear = FakeListenable(), Ear()
    config = WatchConfig(first_pause=0.01, longest_pause=0.04, stable=60, pace=0)
    async with watching(upstream, ear, config) as watch:
        await watch.want(TOOLS).granted()
        loop = asyncio.get_running_loop()
        began = loop.time()
        for number in range(1, 6):
            upstream.streams[-1].end()
            await upstream.until(lambda number=number: len(upstream.streams) == number + 1)

        # At least half of 10, 20, 40, 40 and 40 ms.
        assert loop.time() - began >= 0.07
        assert len(upstream.asked) == 6


async def test_an_upstream_that_cannot_be_reached_is_tried_until_it_can():
    upstream, ear = FakeListenable(), Ear()
    failures = [unreachable("docs", "refused"), RuntimeError("a bug"), unreachable("docs", "again")]

    def fail_first(wanted: ListenFilter) -> ListenFilter:
        if failures:
            raise failures.pop()
        return wanted

    upstream.judge = fail_first
    async with watching(upstream, ear) as watch:
        share = watch.want(TOOLS)

        assert await share.granted() == TOOLS
        await ear.until(lambda: bool(ear.heard))
        assert ear.heard == [(ChangeKind.TOOLS, "")], "what was missed meanwhile is not known"


async def test_who_did_not_wait_for_a_slow_upstream_is_told_that_something_may_have_changed():
    upstream, ear = FakeListenable(), Ear()
    upstream.go.clear()
    async with watching(upstream, ear) as watch:
        share = watch.want(TOOLS)
        waiting = asyncio.ensure_future(share.granted())
        await upstream.until(lambda: bool(upstream.asked))
        waiting.cancel()
        await asyncio.wait([waiting])
        upstream.go.set()
        await ear.until(lambda: bool(ear.heard))

        assert ear.heard == [(ChangeKind.TOOLS, "")]


async def test_a_refused_filter_is_asked_again_without_tasks_then_without_resources():
    upstream = FakeListenable()

    def only_lists(wanted: ListenFilter) -> ListenFilter:
        if wanted.task_ids or wanted.resource_subscriptions:
            raise rpc_error(-32602, "unknown id")
        return wanted

    upstream.judge = only_lists
    wanted = ListenFilter(tools_list_changed=True, resource_subscriptions=("a",), task_ids=("t",))
    async with watching(upstream) as watch:
        share = watch.want(wanted)

        assert await share.granted() == TOOLS
        assert len(upstream.asked) == 3
        assert await watch.want(uris("b")).granted() == NOTHING


async def test_a_server_that_cannot_be_listened_to_is_left_alone():
    upstream = FakeListenable()

    def refuse(wanted: ListenFilter) -> ListenFilter:
        raise rpc_error(-32601, "method not found")

    upstream.judge = refuse
    async with watching(upstream) as watch:
        assert await watch.want(TOOLS).granted() == NOTHING
        assert await watch.want(uris("a")).granted() == NOTHING

        assert len(upstream.asked) == 1


async def test_a_server_that_agrees_but_has_no_stream_is_left_alone():
    upstream, ear = FakeListenable(), Ear()
    upstream.stillborn = True
    async with watching(upstream, ear) as watch:
        assert await watch.want(TOOLS).granted() == NOTHING

        assert len(upstream.asked) == 1
        assert ear.heard == []


async def test_a_stream_that_cannot_be_widened_stays():
    upstream, ear = FakeListenable(), Ear()

    def only_tools(wanted: ListenFilter) -> ListenFilter:
        if wanted.prompts_list_changed:
            raise rpc_error(-32602, "no prompts here")
        return wanted

    upstream.judge = only_tools
    async with watching(upstream, ear) as watch:
        await watch.want(TOOLS).granted()

        prompts = watch.want(ListenFilter(prompts_list_changed=True))
        assert await prompts.granted() == NOTHING
        upstream.streams[0].tell(ChangeKind.TOOLS)
        assert ear.heard == [(ChangeKind.TOOLS, "")]


async def test_another_channel_takes_over_and_what_was_missed_is_told():
    old, new, ear = FakeListenable(), FakeListenable(), Ear()
    async with watching(old, ear) as watch:
        await watch.want(TOOLS).granted()
        watch.use(new)
        watch.use(new)
        await ear.until(lambda: bool(ear.heard))

        assert not old.open
        assert len(new.open) == 1
        watch.use(None)
        await new.until(lambda: not new.open)


async def test_a_channel_that_is_slow_to_open_does_not_hold_up_its_successor():
    old, new = FakeListenable(), FakeListenable()
    old.go.clear()
    async with watching(old) as watch:
        share = watch.want(TOOLS)
        await old.until(lambda: bool(old.asked))
        watch.use(new)

        assert await share.granted() == TOOLS
        assert len(new.open) == 1


async def test_a_pause_ends_when_the_channel_is_replaced():
    old, new = FakeListenable(), FakeListenable()

    def refuse(wanted: ListenFilter) -> ListenFilter:
        raise rpc_error(-32601, "method not found")

    old.judge = refuse
    async with watching(old) as watch:
        await watch.want(TOOLS).granted()
        watch.use(new)

        await new.until(lambda: len(new.open) == 1)


async def test_a_share_given_up_before_its_stream_is_opened_leaves_nothing_to_ask():
    upstream = FakeListenable()
    config = WatchConfig(first_pause=0.02, longest_pause=0.02, pace=0)
    async with watching(upstream, config=config) as watch:
        share = watch.want(TOOLS)
        await share.granted()
        upstream.streams[0].end()
        while watch._stream is not None:
            await asyncio.sleep(0)
        await asyncio.sleep(0)
        share.release()
        loop, passed = asyncio.get_running_loop(), asyncio.Event()
        loop.call_later(0.05, passed.set)
        await passed.wait()

        assert len(upstream.asked) == 1


async def test_a_stream_that_was_stable_is_opened_again_soon():
    upstream = FakeListenable()
    config = WatchConfig(first_pause=0.001, longest_pause=60, stable=0, pace=0)
    async with watching(upstream, config=config) as watch:
        await watch.want(TOOLS).granted()
        for number in range(1, 12):
            upstream.streams[-1].end()
            await upstream.until(lambda number=number: len(upstream.streams) == number + 1)

        assert len(upstream.asked) == 12


async def test_a_stream_lost_while_a_wider_one_is_refused_is_opened_again():
    upstream, ear = FakeListenable(), Ear()

    def only_tools(wanted: ListenFilter) -> ListenFilter:
        if wanted.prompts_list_changed:
            raise rpc_error(-32602, "no prompts here")
        return wanted

    upstream.judge = only_tools
    async with watching(upstream, ear) as watch:
        await watch.want(TOOLS).granted()
        prompts = watch.want(ListenFilter(prompts_list_changed=True))
        await prompts.granted()
        prompts.release()
        upstream.streams[0].end()
        await upstream.until(lambda: len(upstream.open) == 1 and len(upstream.streams) == 2)
        await ear.until(lambda: bool(ear.heard))

        assert ear.heard == [(ChangeKind.TOOLS, "")]


async def test_a_thousand_shares_taken_and_released_leave_nothing_behind():
    upstream = FakeListenable()
    async with watching(upstream) as watch:
        base = watch.want(TOOLS)
        await base.granted()
        tasks = asyncio.all_tasks()
        kept: list[weakref.ref[object]] = []
        for number in range(1000):
            share = watch.want(uris(f"file:///{number}"))
            if number % 100 == 0:
                await share.granted()
            share.release()
            kept.append(weakref.ref(share))
        del share
        await upstream.until(lambda: len(upstream.open) == 1)
        gc.collect()

        assert [one for one in kept if one() is not None] == []
        assert watch._shares.topics == ((ChangeKind.TOOLS, ""),)
        assert len(asyncio.all_tasks() - tasks) <= 1
