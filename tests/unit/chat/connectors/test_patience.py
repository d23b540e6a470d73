import asyncio
from collections.abc import AsyncIterator

import pytest

from bascule.chat.connectors.patience import patient


async def silent() -> AsyncIterator[int]:
    yield 1
    await asyncio.Event().wait()


async def endless() -> AsyncIterator[int]:
    while True:
        await asyncio.sleep(0)
        yield 1


async def test_all_that_comes_in_time_is_passed_on():
    async def two() -> AsyncIterator[int]:
        yield 1
        yield 2

    assert [one async for one in patient(two(), 5)] == [1, 2]


async def test_silence_is_not_waited_for():
    events = patient(silent(), 0.01)
    assert await anext(events) == 1
    with pytest.raises(TimeoutError):
        await anext(events)


async def test_what_never_ends_is_cut_off_however_much_it_says():
    with pytest.raises(TimeoutError):
        async for _ in patient(endless(), 5, longest_seconds=0.05):
            pass
