"""What is kept open for each caller at one server: sessions, connections or children."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from itertools import islice
from typing import Generic, TypeVar

from bascule.upstreams.mcp.failures import timed_out, unreachable
from bascule.upstreams.mcp.messages import SessionKey

Kept = TypeVar("Kept")


class Slot(Generic[Kept]):
    """What one caller has, while it is opened and used. `idle_since` is of `time.monotonic`."""

    def __init__(self) -> None:
        self.kept: Kept | None = None
        self.opening = asyncio.Lock()
        self.users = 0
        self.idle_since = 0.0

    def drop(self, lost: Kept) -> None:
        """Forget `lost`, unless another has taken its place already."""
        if self.kept is lost:
            self.kept = None


class Slots(Generic[Kept]):
    """At most `most` of them, less those in use; the one used longest ago goes first."""

    def __init__(
        self,
        name: str,
        most: int,
        open_one: Callable[[SessionKey, float], Awaitable[Kept]],
        close_one: Callable[[Kept], Awaitable[None]],
    ) -> None:
        """`open_one` gets a deadline of `time.monotonic`; what it raises ends the attempt."""
        self._name = name
        self._most = most
        self._open_one = open_one
        self._close_one = close_one
        self._slots: OrderedDict[SessionKey, Slot[Kept]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._slots)

    @asynccontextmanager
    async def use(self, key: SessionKey, *, strictly: bool = False) -> AsyncGenerator[Slot[Kept]]:
        """The slot of `key`, which is not closed while the block lasts.

        Raises:
            UpstreamUnreachable: all are in use, and none more may be opened (`strictly` only).
        """
        slot = self._slots.get(key)
        if slot is None:
            victims = self._victims()
            if strictly and len(self._slots) - len(victims) >= self._most:
                raise unreachable(self._name, f"it serves {self._most} callers already")
            slot = self._slots[key] = Slot()
            slot.users += 1
            try:
                for victim in victims:
                    await self._remove(victim)
            finally:
                slot.users -= 1
        else:
            self._slots.move_to_end(key)
        slot.users += 1
        try:
            yield slot
        finally:
            slot.users -= 1
            slot.idle_since = time.monotonic()
            if slot.kept is None and not slot.users and self._slots.get(key) is slot:
                del self._slots[key]

    async def get(self, key: SessionKey, slot: Slot[Kept], deadline: float) -> Kept:
        """What `slot` keeps, opened where it keeps nothing.

        Raises:
            UpstreamTimeout: others were still opening it at the deadline.
            EraMismatch, GatewayError: as whoever opens it says.
        """
        if slot.kept is not None:
            return slot.kept
        try:
            async with asyncio.timeout(deadline - time.monotonic()):
                await slot.opening.acquire()
        except TimeoutError:
            raise timed_out(self._name, "waiting for its handshake", sent=False) from None
        try:
            if slot.kept is None:
                slot.kept = await self._open_one(key, deadline)
            return slot.kept
        finally:
            slot.opening.release()

    async def close_idle(self, idle_seconds: float) -> None:
        """Close what nobody has used for that long."""
        before = time.monotonic() - idle_seconds
        for key in [key for key, slot in self._slots.items() if slot.idle_since <= before]:
            slot = self._slots.get(key)
            if slot is not None and not slot.users and slot.idle_since <= before:
                await self._remove(key)

    async def close(self) -> None:
        """Close everything, in use or not."""
        await asyncio.gather(*(self._remove(key) for key in list(self._slots)))

    def _victims(self) -> list[SessionKey]:
        """Who makes way for one more: more than one where many were in use at once before."""
        excess = len(self._slots) + 1 - self._most
        if excess <= 0:
            return []
        idle = (key for key, slot in self._slots.items() if not slot.users)
        return list(islice(idle, excess))

    async def _remove(self, key: SessionKey) -> None:
        slot = self._slots.pop(key, None)
        if slot is not None and slot.kept is not None:
            await self._close_one(slot.kept)
