import asyncio

from bascule.gateway.feed import ChangeKind
from bascule.gateway.filters import Topic
from bascule.upstreams.mcp.coalescing import Coalescer

TOOLS: Topic = (ChangeKind.TOOLS, "")
NEWS: Topic = (ChangeKind.RESOURCE, "file:///news")


class Ear:
    def __init__(self) -> None:
        self.heard: list[tuple[Topic, bytes]] = []
        self.more = asyncio.Event()

    def __call__(self, topic: Topic, params: bytes) -> None:
        self.heard.append((topic, params))
        self.more.set()

    async def next(self) -> None:
        async with asyncio.timeout(5):
            await self.more.wait()
        self.more.clear()


async def test_the_first_change_is_told_at_once():
    ear = Ear()
    Coalescer(ear).take(TOOLS, b"{}")

    assert ear.heard == [(TOOLS, b"{}")]


async def test_a_flood_is_told_as_the_newest_of_each_topic():
    ear = Ear()
    coalescer = Coalescer(ear)
    for number in range(10_000):
        coalescer.take(TOOLS, b"%d" % number)
        coalescer.take(NEWS, b"%d" % number)
    ear.more.clear()
    await ear.next()

    assert ear.heard[0] == (TOOLS, b"0")
    assert sorted(ear.heard[1:]) == sorted([(TOOLS, b"9999"), (NEWS, b"9999")])


async def test_after_a_quiet_time_a_change_is_told_at_once_again():
    ear = Ear()
    coalescer = Coalescer(ear)
    coalescer.take(TOOLS, b"1")
    coalescer.take(TOOLS, b"2")
    ear.more.clear()
    await ear.next()
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(5):
        while coalescer._timer is not None:
            quiet = asyncio.Event()
            loop.call_later(0.01, quiet.set)
            await quiet.wait()

    coalescer.take(TOOLS, b"3")

    assert [params for _, params in ear.heard] == [b"1", b"2", b"3"]


async def test_a_closed_one_tells_nothing_more():
    ear = Ear()
    coalescer = Coalescer(ear)
    coalescer.close()
    coalescer.take(TOOLS, b"1")
    coalescer.take(TOOLS, b"2")
    coalescer.close()

    assert [params for _, params in ear.heard] == [b"1"]
    assert coalescer._timer is None
