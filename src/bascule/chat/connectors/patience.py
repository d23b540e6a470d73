"""How long a provider may be silent, and how long it may talk."""

import asyncio
from collections.abc import AsyncIterator
from typing import Final, TypeVar

LONGEST_ANSWER_SECONDS: Final = 1800.0
"""A slow model on a small machine is done by then; one that never ends is not waited for."""

_Event = TypeVar("_Event")


async def patient(
    events: AsyncIterator[_Event],
    silence_seconds: float,
    longest_seconds: float = LONGEST_ANSWER_SECONDS,
) -> AsyncIterator[_Event]:
    """`events`, each within `silence_seconds` of being asked for, all within `longest_seconds`.

    Time-outs of connections do not do: comments that keep a connection alive are no answer.

    Raises:
        TimeoutError: the next event took too long, or the whole.
    """
    clock = asyncio.get_running_loop().time
    end = clock() + longest_seconds
    while True:
        try:
            async with asyncio.timeout_at(min(clock() + silence_seconds, end)):
                event = await anext(events)
        except StopAsyncIteration:
            return
        yield event
