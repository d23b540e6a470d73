import asyncio
import math
import threading
import time

import pytest

from bascule.gateway.aside import aside, until


async def test_work_is_done_in_another_thread_and_its_value_comes_back() -> None:
    assert await aside(threading.get_ident) != threading.get_ident()
    assert await aside(sorted, [2, 1], reverse=True) == [2, 1]


async def test_what_fails_there_fails_here() -> None:
    with pytest.raises(ZeroDivisionError):
        await aside(lambda: 1 // 0)


async def test_a_block_ends_at_its_deadline_and_one_without_goes_on() -> None:
    with pytest.raises(TimeoutError):
        async with until(time.monotonic() - 1):
            await asyncio.Event().wait()
    async with until(math.inf):
        assert await aside(int) == 0
