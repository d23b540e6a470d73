"""How it is said that there is no answer, and bounds on waiting for one."""

import asyncio
import math
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from bascule.gateway.rego import RegoFailed

_PUBLIC = "The policies cannot be evaluated now. Try again shortly."


def failed(why: str) -> RegoFailed:
    """There is no answer, for the reason `why`, which the caller does not learn."""
    return RegoFailed(_PUBLIC, private=f"Rego: {why}")


@asynccontextmanager
async def answered_before(deadline: float) -> AsyncGenerator[None]:
    """Bounds the block, which raises RegoFailed at `deadline`, in seconds of `time.monotonic`."""
    left = None if deadline == math.inf else deadline - time.monotonic()
    try:
        async with asyncio.timeout(left):
            yield
    except TimeoutError:
        raise failed("no answer before the call's deadline") from None
