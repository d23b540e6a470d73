import asyncio
import time

import pytest

from bascule.upstreams.mcp.clock import Clock


async def test_clock_ends_its_block_at_the_deadline() -> None:
    with pytest.raises(TimeoutError):
        async with Clock(time.monotonic() + 0.01):
            await asyncio.Event().wait()


async def test_paused_clock_does_not_run_out() -> None:
    async with Clock(time.monotonic() + 0.03) as clock:
        clock.pause()
        clock.pause()
        await asyncio.sleep(0.05)
        clock.resume()
        await asyncio.sleep(0.05)
        clock.resume()


async def test_resumed_clock_has_the_time_left_that_it_had() -> None:
    async def wait() -> None:
        async with Clock(time.monotonic() + 0.03) as clock:
            clock.pause()
            await asyncio.sleep(0.05)
            clock.resume()
            await asyncio.Event().wait()

    with pytest.raises(TimeoutError):
        await wait()


async def test_pausing_after_the_end_means_nothing() -> None:
    async with Clock(time.monotonic() + 5) as clock:
        pass
    clock.pause()
    clock.resume()


async def test_pause_before_the_block_does_not_stop_it() -> None:
    async def wait(clock: Clock) -> None:
        async with clock:
            clock.resume()
            await asyncio.Event().wait()

    clock = Clock(time.monotonic() + 0.01)
    clock.pause()
    with pytest.raises(TimeoutError):
        await wait(clock)
