"""Messages on their way out of a shared channel, in the order they were put in."""

import asyncio
from collections import deque
from typing import Final

_MOST_UNSENT_BYTES: Final = 64 * 1024
"""Who waits for the outbox waits until no more than this is unsent."""


class Outbox:
    """Filled by many calls, emptied by the one task that owns the channel."""

    def __init__(self) -> None:
        self._messages: deque[bytes] = deque()
        self._unsent = 0
        self._leaving = 0
        self._closed = False
        self._news = asyncio.Event()
        self._drained = asyncio.Event()
        self._drained.set()

    @property
    def unsent(self) -> int:
        """How many bytes nobody has taken yet."""
        return self._unsent

    def put(self, message: bytes) -> None:
        """Add a message; a closed outbox drops it, since nobody reads any more."""
        if self._closed:
            return
        self._messages.append(message)
        self._unsent += len(message)
        self._news.set()
        if self._unsent > _MOST_UNSENT_BYTES:
            self._drained.clear()

    async def next(self) -> bytes | None:
        """Take the next message, once there is one; None after the last of a closed outbox.

        A message counts as unsent until the one after it is asked for.
        """
        self._count_sent()
        while not self._messages:
            if self._closed:
                return None
            self._news.clear()
            await self._news.wait()
        message = self._messages.popleft()
        self._leaving = len(message)
        return message

    async def drained(self) -> None:
        """Wait until most of what was put in is sent, or can be sent no more."""
        await self._drained.wait()

    def close(self) -> None:
        """Take no more messages; those that are in can still be taken out."""
        self._closed = True
        self._news.set()
        self._drained.set()

    def _count_sent(self) -> None:
        self._unsent -= self._leaving
        self._leaving = 0
        if self._unsent <= _MOST_UNSENT_BYTES:
            self._drained.set()
