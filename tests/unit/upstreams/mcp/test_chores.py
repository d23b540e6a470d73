import asyncio

from structlog.testing import capture_logs

from bascule.upstreams.mcp.chores import Chores


async def test_closing_ends_what_runs_and_waits_for_its_end() -> None:
    chores, ended = Chores(), asyncio.Event()

    async def read_for_ever() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    chores.start(read_for_ever())
    await asyncio.sleep(0)
    async with asyncio.timeout(5):
        await chores.close()
    assert ended.is_set()
    assert len(chores) == 0


async def test_closed_chores_take_no_more() -> None:
    chores = Chores()
    await chores.close()
    assert chores.start(asyncio.Event().wait()) is None  # type: ignore[arg-type]


async def test_failure_of_one_is_logged_and_ends_no_other() -> None:
    chores, going_on = Chores(), asyncio.Event()

    async def fail() -> None:
        raise ValueError("broken")

    async def go_on() -> None:
        await going_on.wait()

    other = chores.start(go_on())
    with capture_logs() as logs:
        failing = chores.start(fail())
        assert failing is not None
        await asyncio.wait([failing])
        await asyncio.sleep(0)
    assert [one["event"] for one in logs] == ["upstream.chore_failed"]
    going_on.set()
    assert other is not None
    async with asyncio.timeout(5):
        await other
