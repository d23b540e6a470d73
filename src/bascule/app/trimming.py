"""Gives memory back to the system when a wave of streams is over.

What a thousand listeners took is not in use once they are gone, but stays: what a cancelled task
held refers to itself in circles, which nothing looks for while little is allocated, and glibc keeps
free pages that lie between used ones until it is told to give them back.
"""

import asyncio
import ctypes
import gc
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Final

_LOOK_SECONDS: Final = 10.0
_WAVE: Final = 256
"""Streams gone since the last time that are worth some milliseconds of the allocator."""

Trim = Callable[[], object]


def find_trim() -> Trim | None:
    """What gives free memory back; None where the system's allocator has no such function."""
    try:
        trim = ctypes.CDLL(None).malloc_trim
    except (OSError, AttributeError, TypeError):
        return None

    def collect_and_trim() -> object:
        gc.collect()
        return trim(0)

    return collect_and_trim


@contextmanager
def without_collections() -> Generator[None]:
    """Look for no garbage while very much is loaded that will stay: it would be found to be none,
    again and again, which takes longer than the loading."""
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


async def give_back(
    count: Callable[[], int], trim: Trim | None, *, look_seconds: float = _LOOK_SECONDS
) -> None:
    """Trim whenever `count`, the number of open streams, has fallen far. Runs until cancelled."""
    if trim is None:
        return
    most = 0
    while True:
        await asyncio.sleep(look_seconds)
        now = count()
        most = max(most, now)
        if most - now >= _WAVE:
            # In a thread: calls go on while pages are given back, which is the longer part.
            await asyncio.to_thread(trim)
            most = now
