"""Work that has begun is finished, whoever is cancelled."""

import asyncio

import pytest

from bascule.chat.finishing import to_the_end


async def test_work_ends_before_its_caller_is_cancelled() -> None:
    gate, done = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        await gate.wait()
        done.set()

    caller = asyncio.ensure_future(to_the_end(work()))
    await asyncio.sleep(0)
    caller.cancel()
    gate.set()
    with pytest.raises(asyncio.CancelledError):
        await caller
    assert done.is_set()


async def test_a_result_and_a_failure_are_the_callers() -> None:
    async def work(value: int) -> int:
        return 10 // value

    assert await to_the_end(work(5)) == 2
    with pytest.raises(ZeroDivisionError):
        await to_the_end(work(0))
