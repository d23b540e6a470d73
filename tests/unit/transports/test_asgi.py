import asyncio
from typing import Any

from bascule.transports.asgi import AsgiOutlet, respond
from fakes.asgi import FakeExchange


async def test_a_response_is_complete_and_says_how_long_it_is() -> None:
    exchange = FakeExchange()
    await respond(exchange.send, 418, b"tea", [(b"x-a", b"1")])
    assert exchange.sent == [
        {
            "type": "http.response.start",
            "status": 418,
            "headers": [(b"x-a", b"1"), (b"content-length", b"3")],
        },
        {"type": "http.response.body", "body": b"tea"},
    ]


class Gate:
    """A `send` that lets pass what it is opened for."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []
        self.open = asyncio.Event()
        self.open.set()
        self.error: OSError | None = None

    async def send(self, event: dict[str, Any]) -> None:
        await self.open.wait()
        if self.error is not None:
            raise self.error
        self.sent.append(event)


async def test_an_outlet_sends_in_order_and_ends() -> None:
    gate = Gate()
    outlet = AsgiOutlet(gate.send)
    assert not outlet.begun
    await outlet.finished()
    outlet.begin(200, [(b"a", b"b")])
    outlet.write(b"1")
    outlet.write(b"2")
    assert (outlet.begun, outlet.unsent) == (True, 2)
    async with asyncio.timeout(5):
        await outlet.finished()
    outlet.end()
    outlet.write(b"3")
    assert gate.sent == [
        {"type": "http.response.start", "status": 200, "headers": [(b"a", b"b")]},
        {"type": "http.response.body", "body": b"1", "more_body": True},
        {"type": "http.response.body", "body": b"2", "more_body": True},
        {"type": "http.response.body", "body": b""},
    ]
    assert outlet.unsent == 0


async def test_an_outlet_is_drained_once_most_is_sent() -> None:
    gate = Gate()
    gate.open.clear()
    outlet = AsgiOutlet(gate.send)
    await outlet.drained()
    outlet.begin(200, [])
    outlet.write(b"x" * 100_000)
    waiting = asyncio.ensure_future(outlet.drained())
    await asyncio.sleep(0)
    assert not waiting.done()
    gate.open.set()
    async with asyncio.timeout(5):
        await waiting
        await outlet.finished()


async def test_a_client_that_has_gone_holds_nobody_up() -> None:
    gate = Gate()
    gate.open.clear()
    gate.error = BrokenPipeError()
    outlet = AsgiOutlet(gate.send)
    outlet.begin(200, [])
    outlet.write(b"x" * 100_000)
    waiting = asyncio.ensure_future(outlet.drained())
    await asyncio.sleep(0)
    gate.open.set()
    async with asyncio.timeout(5):
        await waiting
        outlet.write(b"more")
        await outlet.drained()
        await outlet.finished()
    assert (gate.sent, outlet.unsent) == ([], 0)


async def test_an_aborted_outlet_sends_nothing_more() -> None:
    gate = Gate()
    gate.open.clear()
    outlet = AsgiOutlet(gate.send)
    outlet.abort()
    outlet = AsgiOutlet(gate.send)
    outlet.begin(200, [])
    outlet.write(b"x")
    outlet.abort()
    outlet.end()
    async with asyncio.timeout(5):
        await outlet.finished()
    assert gate.sent == []
