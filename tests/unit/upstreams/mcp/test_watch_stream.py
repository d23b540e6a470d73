import asyncio

from bascule.gateway.errors import UpstreamUnreachable
from bascule.gateway.feed import ChangeKind, ListenFilter
from bascule.gateway.filters import NOTHING
from bascule.upstreams.mcp.failures import unreachable
from bascule.upstreams.mcp.messages import Incoming
from bascule.upstreams.mcp.watch_stream import Stream
from fakes.listening import FakeListenable

TOOLS = ListenFilter(tools_list_changed=True)
ASKED = frozenset({(ChangeKind.TOOLS, "")})


def deaf(note: Incoming) -> None:
    del note


async def test_a_stream_is_settled_once_it_is_open_and_over_when_its_server_ends_it():
    upstream = FakeListenable()
    stream = Stream(upstream, ASKED)
    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        holding = group.create_task(stream.hold(TOOLS, deaf, 5))
        await stream.settled.wait()
        assert stream.granted == TOOLS
        assert stream.opened_at is not None
        assert not stream.is_over
        upstream.open[0].end()

    assert holding.result() == "the test ended it"
    assert stream.is_over
    assert not upstream.open


async def test_a_failure_to_open_is_kept_and_its_reason_given():
    upstream = FakeListenable()

    def fail(wanted: ListenFilter) -> ListenFilter:
        raise unreachable("docs", "refused")

    upstream.judge = fail
    stream = Stream(upstream, ASKED)

    assert await stream.hold(TOOLS, deaf, 5) == "docs: refused"
    assert isinstance(stream.failure, UpstreamUnreachable)
    assert stream.settled.is_set()
    assert (stream.granted, stream.opened_at, stream.is_over) == (NOTHING, None, True)


async def test_a_bug_ends_the_stream_and_nothing_else():
    upstream = FakeListenable()

    def crash(wanted: ListenFilter) -> ListenFilter:
        raise KeyError("a bug")

    upstream.judge = crash
    stream = Stream(upstream, ASKED)

    assert await stream.hold(TOOLS, deaf, 5) == "KeyError"
    assert stream.failure is None
    assert stream.is_over


async def test_a_dropped_stream_is_closed():
    upstream = FakeListenable()
    stream = Stream(upstream, ASKED)
    stream.drop()
    assert stream.is_over, "even one that was not begun"

    async def hold() -> None:
        await stream.hold(TOOLS, deaf, 5)

    stream.task = asyncio.ensure_future(hold())
    async with asyncio.timeout(5):
        await stream.settled.wait()
        stream.drop()
        await asyncio.wait([stream.task])

    assert stream.task.cancelled()
    assert not upstream.open
