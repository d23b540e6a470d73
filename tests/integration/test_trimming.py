"""When memory is given back: after many streams have gone, and at no other time."""

import asyncio
import gc
from collections.abc import Sequence

import pytest

from bascule.app.trimming import find_trim, give_back, without_collections


async def trims(counts: Sequence[int]) -> list[int]:
    """The numbers of streams at which memory was given back, of those seen one by one."""
    left = list(counts)
    seen: list[int] = []
    found: list[int] = []
    over = asyncio.Event()

    def count() -> int:
        if not left:
            over.set()
            return seen[-1]
        seen.append(left.pop(0))
        return seen[-1]

    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        work = give_back(count, lambda: found.append(seen[-1]), look_seconds=0)
        task = group.create_task(work)
        await over.wait()
        task.cancel()
    return found


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ((0, 300, 0, 0), [0]),
        ((1000, 700, 400, 100), [700, 400, 100]),
        ((0, 100, 0, 100, 0), []),
        ((0, 200, 1000), []),
        ((300, 45, 44), [44]),
    ],
)
async def test_memory_is_given_back_after_a_wave_and_not_otherwise(
    counts: Sequence[int], expected: list[int]
) -> None:
    assert await trims(counts) == expected


async def test_where_nothing_can_be_given_back_nobody_looks() -> None:
    async with asyncio.timeout(5):
        await give_back(pytest.fail, None)


def test_what_was_found_can_be_called() -> None:
    trim = find_trim()
    assert trim is None or trim() in {0, 1}


def fail_while_loading() -> None:
    with without_collections():
        assert not gc.isenabled()
        with without_collections():
            assert not gc.isenabled()
        assert not gc.isenabled()
        raise KeyError


def test_nothing_is_looked_through_while_very_much_is_loaded() -> None:
    assert gc.isenabled()
    with pytest.raises(KeyError):
        fail_while_loading()
    assert gc.isenabled()
