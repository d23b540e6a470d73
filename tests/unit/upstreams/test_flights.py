"""Many wait, one works."""

import asyncio

import pytest

from bascule.upstreams.flights import Flight


async def test_all_who_ask_meanwhile_share_one_outcome() -> None:
    flight, begun, gate = Flight[int](), 0, asyncio.Event()

    async def work() -> int:
        nonlocal begun
        begun += 1
        await gate.wait()
        return begun

    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        asking = [group.create_task(flight.join(work)) for _ in range(1000)]
        await asyncio.sleep(0)
        assert flight.is_under_way
        gate.set()
    assert {one.result() for one in asking} == {1}
    assert not flight.is_under_way
    assert await flight.join(work) == 2


async def test_who_gives_up_does_not_end_the_work_of_others() -> None:
    flight, gate = Flight[str](), asyncio.Event()

    async def work() -> str:
        await gate.wait()
        return "done"

    first = asyncio.ensure_future(flight.join(work))
    await asyncio.sleep(0)
    second = asyncio.ensure_future(flight.join(work))
    await asyncio.sleep(0)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    gate.set()
    async with asyncio.timeout(5):
        assert await second == "done"


async def test_a_failure_reaches_everybody_and_troubles_nobody_else() -> None:
    flight = Flight[int]()

    async def work() -> int:
        raise LookupError("no")

    with pytest.raises(LookupError):
        await flight.join(work)
    unseen = flight.begin(work)
    async with asyncio.timeout(5):
        await asyncio.wait([unseen])


async def test_closing_ends_what_is_under_way() -> None:
    flight = Flight[None]()
    ended = asyncio.Event()

    async def work() -> None:
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            ended.set()

    flight.begin(work)
    await asyncio.sleep(0)
    async with asyncio.timeout(5):
        await flight.close()
        await flight.close()
    assert ended.is_set()
