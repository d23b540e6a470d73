import asyncio
import json
import time
from collections.abc import Awaitable, Callable

import pytest
from structlog.testing import capture_logs

from bascule.gateway.backchannel import CallerGone, CallerRefused
from bascule.gateway.errors import UpstreamFailed
from bascule.upstreams.mcp.asking import Questions
from bascule.upstreams.mcp.clock import Clock
from bascule.upstreams.mcp.messages import Incoming

ASK = Incoming(id=1, method="elicitation/create")


class Peer:
    """Takes the replies, and tells when one has come."""

    def __init__(self) -> None:
        self.replies: list[dict] = []
        self.came = asyncio.Event()

    async def take(self, message: bytes) -> None:
        self.replies.append(json.loads(message))
        self.came.set()

    async def reply(self) -> dict:
        async with asyncio.timeout(5):
            await self.came.wait()
        return self.replies[-1]


async def ask(on_request: Callable[[Incoming], Awaitable[bytes]], request: Incoming = ASK) -> dict:
    peer = Peer()
    async with (
        Clock(time.monotonic() + 5) as clock,
        Questions(on_request, peer.take, clock) as questions,
    ):
        questions.take(request)
        return await peer.reply()


async def test_answer_goes_back_under_the_id_of_the_question() -> None:
    async def answer(request: Incoming) -> bytes:
        assert request is ASK
        return b'{"action": "accept"}'

    assert await ask(answer) == {"jsonrpc": "2.0", "id": 1, "result": {"action": "accept"}}


async def test_callers_error_goes_back_as_it_is() -> None:
    async def refuse(_: Incoming) -> bytes:
        raise CallerRefused(-1, "never", b'{"a":1}')

    assert (await ask(refuse))["error"] == {"code": -1, "message": "never", "data": {"a": 1}}


async def test_caller_who_is_gone_is_an_error_too() -> None:
    async def vanish(_: Incoming) -> bytes:
        raise CallerGone

    assert (await ask(vanish))["error"]["code"] == -32603


async def test_ping_is_answered_without_asking_anybody() -> None:
    async def answer(_: Incoming) -> bytes:
        raise AssertionError

    reply = await ask(answer, Incoming(id="p", method="ping"))
    assert reply == {"jsonrpc": "2.0", "id": "p", "result": {}}


async def test_questions_do_not_wait_for_each_other_nor_does_the_clock_run() -> None:
    peer, both = Peer(), asyncio.Barrier(2)

    async def answer(_: Incoming) -> bytes:
        await both.wait()
        await asyncio.sleep(0.05)
        return b"{}"

    async with (
        Clock(time.monotonic() + 0.02) as clock,
        Questions(answer, peer.take, clock) as questions,
    ):
        questions.take(ASK)
        questions.take(Incoming(id=2, method="roots/list"))
        await peer.reply()
    assert {reply["id"] for reply in peer.replies} <= {1, 2}


async def test_end_of_the_exchange_drops_open_questions() -> None:
    peer, dropped = Peer(), asyncio.Event()

    async def wait(_: Incoming) -> bytes:
        try:
            await asyncio.Event().wait()
        finally:
            dropped.set()
        return b""

    async with asyncio.timeout(5):
        async with (
            Clock(time.monotonic() + 5) as clock,
            Questions(wait, peer.take, clock) as questions,
        ):
            questions.take(ASK)
            await asyncio.sleep(0)
            await asyncio.sleep(0)
    assert dropped.is_set()
    assert peer.replies == []


async def test_reply_that_cannot_be_sent_ends_the_exchange_under_its_own_name() -> None:
    async def answer(_: Incoming) -> bytes:
        return b"{}"

    async def fail(_: bytes) -> None:
        raise UpstreamFailed("gone")

    async def exchange() -> None:
        async with (
            Clock(time.monotonic() + 5) as clock,
            Questions(answer, fail, clock) as questions,
        ):
            questions.take(ASK)
            await asyncio.Event().wait()

    with pytest.raises(UpstreamFailed, match="gone"):
        await exchange()


async def test_flood_of_questions_is_cut_off() -> None:
    peer, count = Peer(), 0

    async def wait(_: Incoming) -> bytes:
        nonlocal count
        count += 1
        return await asyncio.Event().wait() and b""

    with capture_logs() as logs:
        async with (
            Clock(time.monotonic() + 5) as clock,
            Questions(wait, peer.take, clock) as questions,
        ):
            for number in range(100):
                questions.take(Incoming(id=number, method="roots/list"))
            await asyncio.sleep(0)
    assert count == 64
    assert len(logs) == 36
