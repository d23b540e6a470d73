import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

from bascule.upstreams.mcp.chores import Chores
from bascule.upstreams.mcp.get_stream import GetStream
from bascule.upstreams.mcp.messages import Incoming

NOTE = {"jsonrpc": "2.0", "method": "notifications/tools/list_changed"}
SESSION = (("mcp-session-id", "s1"),)


class Stream:
    """A stream that is being read, and what came."""

    def __init__(self, endpoint, chores: Chores) -> None:
        self.came: list[Incoming] = []
        self._changed = asyncio.Condition()
        self.stream = GetStream(endpoint, SESSION, self._take)
        self.task = chores.start(self.stream.run())

    async def _take(self, message: Incoming) -> None:
        async with self._changed:
            self.came.append(message)
            self._changed.notify_all()

    async def until(self, count: int) -> None:
        async with asyncio.timeout(5), self._changed:
            await self._changed.wait_for(lambda: len(self.came) >= count)


@pytest.fixture
async def read(serve, endpoint) -> AsyncIterator[Callable]:
    chores = Chores()

    async def read(handler):
        server = await serve(handler)
        return Stream(endpoint(server), chores), server

    yield read
    await chores.close()


async def test_messages_come_as_they_are_sent(read, wire) -> None:
    later: asyncio.Queue[bytes | None] = asyncio.Queue()
    one, server = await read(lambda _: wire.stream(b": hello\n\n", later=later))
    assert await one.stream.settled(5)
    later.put_nowait(wire.event(NOTE))
    await one.until(1)
    later.put_nowait(wire.event(NOTE))
    await one.until(2)
    assert server.seen[0].headers["mcp-session-id"] == "s1"
    assert server.seen[0].headers["accept"] == "text/event-stream"


async def test_stream_that_ends_is_taken_up_where_it_ended(read, wire) -> None:
    def handler(seen):
        again = "last-event-id" in seen.headers
        if again:
            return wire.stream(wire.event(NOTE, "e2"), stays_open=True)
        return wire.stream(b"retry: 10\n\n", wire.event(NOTE, "e1"))

    one, server = await read(handler)
    await one.until(2)
    assert [seen.headers.get("last-event-id") for seen in server.seen] == [None, "e1"]


@pytest.mark.parametrize("status", [400, 404, 405])
async def test_server_without_a_stream_is_left_alone(read, wire, status: int) -> None:
    one, server = await read(lambda _: wire.Reply(status))
    assert not await one.stream.settled(5)
    async with asyncio.timeout(5):
        await one.task
    assert len(server.seen) == 1


async def test_answer_that_is_no_stream_is_none(read, wire) -> None:
    one, _ = await read(lambda _: wire.Reply(200, b"{}", {"content-type": "application/json"}))
    assert not await one.stream.settled(5)


async def test_server_that_says_nothing_keeps_nobody_waiting(read, wire) -> None:
    never = asyncio.Event()

    async def handler(_):
        await never.wait()
        return wire.Reply(405)

    one, _ = await read(handler)
    assert not await one.stream.settled(0.05)


async def test_streams_that_end_at_once_are_not_opened_for_ever(read, wire) -> None:
    one, server = await read(lambda _: wire.stream(b"retry: 1\n\n"))
    async with asyncio.timeout(5):
        await one.task
    assert len(server.seen) == 5


async def test_stream_of_nonsense_ends(read, wire) -> None:
    one, server = await read(lambda _: wire.stream(b"retry: 1\n\n", b"data: nonsense\n\n"))
    async with asyncio.timeout(5):
        await one.task
    assert one.came == []
    assert len(server.seen) == 5


async def test_a_server_that_wants_no_pause_gets_one(
    read, wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []
    sleep = asyncio.sleep

    async def note(seconds: float) -> None:
        pauses.append(seconds)
        await sleep(0)

    monkeypatch.setattr("bascule.upstreams.mcp.get_stream.asyncio.sleep", note)
    one, _ = await read(lambda _: wire.stream(b"retry: 0\n\n", wire.event(NOTE, "e1")))
    await one.until(3)
    assert min(pauses) == 0.1
