"""The events of one run of a turn, for any number of readers at any pace.

A reader costs a number, not a queue: it reads from a bounded ring, and where it was too slow for
that, it is given the whole message as it stands and goes on from there.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from typing import Final

import msgspec

from bascule.chat.desk import Numbered
from bascule.chat.events import CallChanged, Ended, Event, Snapshot, TextDelta
from bascule.chat.parts import Message

_LEAST_WEIGHT: Final = 64


class Numbers:
    """Where the numbers of a run begin, so that no other run of the message has given them.

    The first run of a message begins at 1; each later one at the microseconds since the epoch,
    below 2^53 until the year 2255. No run tells as much as one event a microsecond.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._last = 0

    def base(self) -> int:
        """The number before the first of a run, above all that were used."""
        return max(int(self._clock() * 1_000_000), self._last + 1)

    def use(self, number: int) -> None:
        """Numbers up to this one were given."""
        self._last = max(self._last, number)


class Stream:
    """The events of a run, from number `base` + 1. `snapshot` gives the message as it stands."""

    def __init__(
        self, snapshot: Callable[[], Message], *, base: int, most_events: int, most_bytes: int
    ) -> None:
        self._snapshot = snapshot
        self._ring: deque[tuple[Numbered, int]] = deque()
        self._weight = 0
        self._most_events = most_events
        self._most_bytes = most_bytes
        self.last = base
        """The number of the last event."""
        self._is_closed = False
        self._news = asyncio.Event()

    def publish(self, event: Event) -> None:
        """Tell all readers. What they have not read when the ring is full, they get as a whole."""
        self.last += 1
        weight = _weight(event)
        self._ring.append((Numbered(self.last, event), weight))
        self._weight += weight
        while len(self._ring) > self._most_events or self._weight > self._most_bytes:
            self._weight -= self._ring.popleft()[1]
        self._wake()

    def close(self) -> None:
        """Nothing more is told; readers end once they have read what there is."""
        self._is_closed = True
        self._wake()

    def _wake(self) -> None:
        self._news.set()
        self._news = asyncio.Event()

    async def follow(self, since: int | None) -> AsyncIterator[Numbered]:
        """The events after number `since`, up to `Ended`, or up to where the run broke off.

        With None, or where some of them are gone, a `Snapshot` comes first.
        """
        position = since
        while True:
            if position is None or not self._reaches(position):
                position = self.last - self._has_ended
                yield Numbered(position, Snapshot(self._snapshot()))
                continue
            upcoming = self._after(position)
            if upcoming is not None:
                position = upcoming.number
                yield upcoming
                if isinstance(upcoming.event, Ended):
                    return
            elif self._is_closed:
                return
            else:
                await self._news.wait()

    @property
    def _has_ended(self) -> bool:
        return bool(self._ring) and isinstance(self._ring[-1][0].event, Ended)

    def _reaches(self, position: int) -> bool:
        """Whether all events after `position` are still here."""
        return self.last - len(self._ring) <= position <= self.last

    def _after(self, position: int) -> Numbered | None:
        behind = self.last - position
        return self._ring[-behind][0] if behind else None


def _weight(event: Event) -> int:
    if isinstance(event, TextDelta):
        return _LEAST_WEIGHT + len(event.text)
    if isinstance(event, CallChanged | Snapshot):
        return _LEAST_WEIGHT + len(msgspec.json.encode(event))
    return _LEAST_WEIGHT
