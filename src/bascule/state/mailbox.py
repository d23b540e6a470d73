"""Messages that wait for one reader, up to a bound."""

import asyncio
from collections import deque
from typing import Final

_MOST_MESSAGES: Final = 10_000
_MOST_BYTES: Final = 8 * 1024 * 1024


class Mailbox:
    """One writer, one reader. What does not fit is dropped: a slow reader slows nobody."""

    def __init__(self, most_messages: int = _MOST_MESSAGES, most_bytes: int = _MOST_BYTES) -> None:
        self._most_messages = most_messages
        self._most_bytes = most_bytes
        self._messages: deque[bytes] = deque()
        self._bytes = 0
        self._arrived = asyncio.Event()

    def offer(self, message: bytes) -> bool:
        """Leave `message` for the reader; False where it was dropped."""
        size = len(message)
        if len(self._messages) >= self._most_messages or self._bytes + size > self._most_bytes:
            return False
        self._messages.append(message)
        self._bytes += size
        self._arrived.set()
        return True

    def __aiter__(self) -> "Mailbox":
        return self

    async def __anext__(self) -> bytes:
        while not self._messages:
            self._arrived.clear()
            await self._arrived.wait()
        message = self._messages.popleft()
        self._bytes -= len(message)
        return message
