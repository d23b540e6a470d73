"""How many calls of one channel may be at work at the same time."""

import asyncio


class Room:
    """Lets in as many as there is room for; who waits for the client meanwhile takes none.

    Without that a channel could be full of calls that wait for answers, and the answers could
    not be read for want of room.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._busy = 0
        self._free = asyncio.Event()
        self._free.set()

    async def enter(self) -> None:
        """Wait for room, and take it."""
        while self._busy >= self._most:
            self._free.clear()
            await self._free.wait()
        self._busy += 1

    def leave(self) -> None:
        """Give the room back, for good or for the time of a wait."""
        self._busy -= 1
        self._free.set()

    def enter_again(self) -> None:
        """Go on after a wait, at once: what was begun is not made to wait behind what was not."""
        self._busy += 1
