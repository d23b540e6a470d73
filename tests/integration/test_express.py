"""The lane and its fallback on real sockets, under the real server."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import cast

from bascule.app.front import Front
from bascule.app.serving import ListenConfig, bind, listen
from bascule.gateway.call import EVERYTHING
from bascule.transports.asgi import Receive, Scope, Send, respond
from bascule.transports.disconnect import Watch
from bascule.transports.outlet import Outlet
from bascule.transports.peers import Peer
from bascule.transports.reply import Head, HeaderList, Reply

PLAIN = b"POST /mcp HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi"
CHUNKED = b"POST /mcp HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nho\r\n0\r\n\r\n"


class FakeFront:
    """Answers with the body, and with who carried it; waits for `gate`."""

    max_body_bytes = 1000

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.gate.set()
        self.begun = asyncio.Event()
        self.cancelled = asyncio.Event()

    def judge(self, path: str, headers: HeaderList, peer: Peer) -> Head | None:
        return Head(EVERYTHING, {}, headers, None, None)

    async def answer(self, head: Head, body: bytes, watch: Watch, outlet: Outlet) -> Reply | None:
        self.begun.set()
        with watch:
            try:
                await self.gate.wait()
            except asyncio.CancelledError:
                self.cancelled.set()
                raise
            return Reply(200, b"lane:" + body, [])
        return None

    def drain(self) -> None:
        pass

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        message = await receive()
        await respond(send, 200, b"asgi:" + message.get("body", b""), [])


@asynccontextmanager
async def serving(front: FakeFront, stop: asyncio.Event, grace: float) -> AsyncGenerator[int]:
    config = ListenConfig(port=0, grace_seconds=grace)
    listener = bind(config)
    ready = asyncio.Event()
    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        group.create_task(
            listen(
                cast("Front", front), listener, config,
                on_ready=ready.set, on_drain=lambda: None, until=_set(stop),
            )
        )  # fmt: skip
        await ready.wait()
        try:
            yield listener.getsockname()[1]
        finally:
            stop.set()


async def _set(event: asyncio.Event) -> None:
    await event.wait()


async def test_a_connection_changes_hands_without_losing_a_byte() -> None:
    stream = PLAIN + PLAIN + CHUNKED + PLAIN
    for size in (1, 7, 100, len(stream)):
        async with serving(FakeFront(), asyncio.Event(), 5) as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            for start in range(0, len(stream), size):
                writer.write(stream[start : start + size])
                await writer.drain()
            bodies = [(await reader.readuntil(b"\r\n\r\n"), await reader.readexactly(7))[1]
                      for _ in range(4)]  # fmt: skip
            writer.close()
        assert bodies == [b"lane:hi", b"lane:hi", b"asgi:ho", b"asgi:hi"]


async def test_a_drain_lets_the_answer_under_way_out() -> None:
    front, stop = FakeFront(), asyncio.Event()
    front.gate.clear()
    async with serving(front, stop, 5) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(PLAIN + PLAIN)
        await front.begun.wait()
        stop.set()
        while True:  # until nobody is let in any more
            try:
                _, other = await asyncio.open_connection("127.0.0.1", port)
            except ConnectionError:
                break
            other.close()
        front.gate.set()
        answer = await reader.read()
        writer.close()
    assert b"connection: close" in answer
    assert answer.endswith(b"lane:hi")
    assert answer.count(b"HTTP/1.1") == 1


async def test_what_outlasts_the_grace_is_told_that_it_was_given_up() -> None:
    front, stop = FakeFront(), asyncio.Event()
    front.gate.clear()
    async with serving(front, stop, 0) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(PLAIN)
        await front.begun.wait()
        stop.set()
        answer = await reader.read()
        writer.close()
    assert answer.startswith(b"HTTP/1.1 503 ")
    assert b"shutting down" in answer


async def test_a_client_that_leaves_cancels_its_call() -> None:
    front = FakeFront()
    front.gate.clear()
    async with serving(front, asyncio.Event(), 5) as port:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(PLAIN)
        await front.begun.wait()
        writer.close()
        await front.cancelled.wait()


async def test_a_greeting_in_tls_is_refused_at_once() -> None:
    async with serving(FakeFront(), asyncio.Event(), 5) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"\x16\x03\x01\x02\x00\x01\x00")
        async with asyncio.timeout(2):
            assert (await reader.read()).startswith(b"HTTP/1.1 400 ")
        writer.close()
