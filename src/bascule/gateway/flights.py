"""Work by key that several wait for and one does."""

import asyncio
from typing import Generic, TypeVar

K = TypeVar("K")
T = TypeVar("T")


class Flights(Generic[K, T]):
    """What is being found out at this moment.

    Who begins a flight has to end it, with its outcome or with None where there is none: then
    those who wait look after themselves.
    """

    def __init__(self) -> None:
        self._open: dict[K, asyncio.Future[T | None]] = {}

    def is_open(self, key: K) -> bool:
        """Whether somebody is at it."""
        return key in self._open

    def begin(self, key: K) -> None:
        """Note that the caller is at it; nobody else may be."""
        if key in self._open:
            raise RuntimeError("somebody else is at it")
        self._open[key] = asyncio.get_running_loop().create_future()

    def end(self, key: K, outcome: T | None) -> None:
        """Tell all who wait; nothing happens where it has ended already."""
        flight = self._open.pop(key, None)
        if flight is not None and not flight.done():
            flight.set_result(outcome)

    async def outcome(self, key: K, seconds: float) -> T | None:
        """What came of it; None where nothing did within `seconds`, or nobody is at it."""
        flight = self._open.get(key)
        if flight is None:
            return None
        await asyncio.wait([flight], timeout=max(0.0, seconds))
        return flight.result() if flight.done() else None
