"""What takes long without waiting for anything, done where it keeps nobody from being served."""

import asyncio
import math
import time
from collections.abc import Callable
from typing import ParamSpec, TypeVar

_P = ParamSpec("_P")
_R = TypeVar("_R")


async def aside(work: Callable[_P, _R], *args: _P.args, **kwargs: _P.kwargs) -> _R:
    """What `work` gives, done in a thread of its own."""
    return await asyncio.to_thread(work, *args, **kwargs)


def until(deadline: float) -> asyncio.Timeout:
    """A block that raises TimeoutError at `deadline`, in seconds of `time.monotonic`.

    An infinite one never comes.
    """
    return asyncio.timeout(None if math.isinf(deadline) else deadline - time.monotonic())
