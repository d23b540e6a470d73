"""A parked call gathers what is asked, and settles once."""

import asyncio

import pytest

from bascule.gateway.capabilities import read_capabilities
from bascule.gateway.errors import UpstreamFailed
from bascule.upstreams.mcp.hooks import Hooks
from bascule.upstreams.mcp.messages import Incoming
from bascule.upstreams.mcp.parked_call import (
    Caller,
    GatewayClosing,
    ParkedCall,
    ParkedTooMany,
    ParkingLimits,
    closing,
)
from fakes.asking import ALL

ROOTS = Incoming(id=1, method="roots/list")


def make(limits: ParkingLimits | None = None) -> ParkedCall:
    caller = Caller("asha", read_capabilities(ALL), lambda _: None)
    return ParkedCall(caller, limits or ParkingLimits(gather_seconds=0.001), lambda: None)


async def ask(hooks: Hooks) -> bytes:
    assert hooks.on_request is not None
    return await hooks.on_request(ROOTS)


async def test_questions_come_before_the_result() -> None:
    one = make()
    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        group.create_task(one.run(ask))
        assert list(await one.next()) == ["q1"]
        one.answer({"q1": b'{"roots":[]}'})
        assert await one.next() == b'{"roots":[]}'


async def test_a_question_taken_back_before_it_is_put_is_never_put() -> None:
    async def take_back_and_ask_again(hooks: Hooks) -> bytes:
        first = asyncio.ensure_future(ask(hooks))
        await asyncio.sleep(0)
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
        one._publish()
        assert not one._come.is_set()
        return await ask(hooks)

    one = make()
    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        group.create_task(one.run(take_back_and_ask_again))
        assert list(await one.next()) == ["q2"]
        one.answer({"q1": b"{}", "q2": b"{}"})
        assert await one.next() == b"{}"


async def test_what_settled_first_stays() -> None:
    one = make(ParkingLimits(gather_seconds=3600))
    async with asyncio.timeout(5):
        running = asyncio.ensure_future(one.run(ask))
        await asyncio.sleep(0)
        one.fail(ParkedTooMany("first"))
        one.fail(UpstreamFailed("second"))
        for _ in range(2):
            with pytest.raises(ParkedTooMany):
                await one.next()
        with pytest.raises(asyncio.CancelledError):
            await running


async def test_an_answer_after_the_end_changes_nothing() -> None:
    async def say(_: Hooks) -> bytes:
        return b"{}"

    one = make()
    await one.run(say)
    one.answer({"q1": b"{}"})
    assert await one.next() == b"{}"


async def test_a_question_answered_as_it_is_dropped_stays_dropped() -> None:
    one = make(ParkingLimits(gather_seconds=3600))
    async with asyncio.timeout(5):
        running = asyncio.ensure_future(one.run(ask))
        await asyncio.sleep(0)
        running.cancel()
        one._open["q1"][1].cancel()
        one.answer({"q1": b"{}"})
        with pytest.raises(asyncio.CancelledError):
            await running
        with pytest.raises(GatewayClosing):
            await one.next()


def test_who_waits_is_told_that_the_service_may_have_acted() -> None:
    assert "check before repeating" in closing().public
