import asyncio
import contextlib

from bascule.upstreams.mcp.under_way import UnderWay


async def test_nothing_under_way_is_over_at_once() -> None:
    assert await UnderWay().over(5)


async def test_waiting_ends_with_the_last_one() -> None:
    under_way = UnderWay()
    with under_way:
        waiting = asyncio.ensure_future(under_way.over(5))
        with under_way:
            assert under_way.count == 2
        await asyncio.sleep(0)
        assert not waiting.done()
    assert await waiting


async def test_waiting_ends_when_its_time_is_up() -> None:
    under_way = UnderWay()
    with under_way:
        assert not await under_way.over(0.01)


async def test_what_fails_is_under_way_no_more() -> None:
    under_way = UnderWay()
    with contextlib.suppress(ValueError), under_way:
        raise ValueError
    assert under_way.count == 0
