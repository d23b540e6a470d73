"""A dictionary whose entries expire, and which refuses rather than grows."""

import heapq
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

Item = TypeVar("Item")

_ENTRY_BYTES: Final = 300
"""What an entry costs beside its key and its item: slots, the heap's tuple, numbers."""
_SPARE_DEADLINES: Final = 1024


class Full(Exception):
    """There is no room. Nothing was put, and nothing that lives was dropped for it."""


@dataclass(slots=True)
class _Entry(Generic[Item]):
    item: Item
    size: int
    expires_at: float


class Expiring(Generic[Item]):
    """At most `most_entries` and `most_bytes`; `clock` gives seconds that never go back.

    Full means refused: dropping the oldest would let whoever fills it end the sessions of others.
    """

    def __init__(self, most_entries: int, most_bytes: int, clock: Callable[[], float]) -> None:
        self._most_entries = most_entries
        self._most_bytes = most_bytes
        self._clock = clock
        self._entries: dict[str, _Entry[Item]] = {}
        # Holds deadlines of entries that are gone or were put again, too: see `_push`.
        self._deadlines: list[tuple[float, str]] = []
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def held_bytes(self) -> int:
        """What the entries are reckoned to cost."""
        return self._bytes

    @property
    def deadlines(self) -> int:
        """Length of the list of deadlines, at most about twice that of the entries."""
        return len(self._deadlines)

    def get(self, key: str) -> Item | None:
        """The item, unless it has expired."""
        entry = self._entries.get(key)
        return entry.item if entry is not None and entry.expires_at > self._clock() else None

    def put(self, key: str, item: Item, item_bytes: int, ttl_seconds: float) -> None:
        """Set the item of `item_bytes` and its remaining life.

        Raises:
            Full: what was there before stays.
        """
        now = self._clock()
        self._sweep(now)
        size = item_bytes + len(key) + _ENTRY_BYTES
        before = self._entries.get(key)
        freed = before.size if before is not None else 0
        if self._bytes - freed + size > self._most_bytes or (
            before is None and len(self._entries) >= self._most_entries
        ):
            raise Full
        self._entries[key] = _Entry(item, size, now + ttl_seconds)
        self._bytes += size - freed
        self._push(now + ttl_seconds, key)

    def pop(self, key: str) -> Item | None:
        """The item, which is gone thereafter."""
        entry = self._entries.pop(key, None)
        if entry is None:
            return None
        self._bytes -= entry.size
        return entry.item if entry.expires_at > self._clock() else None

    def _sweep(self, now: float) -> None:
        while self._deadlines and self._deadlines[0][0] <= now:
            _, key = heapq.heappop(self._deadlines)
            entry = self._entries.get(key)
            if entry is not None and entry.expires_at <= now:
                self.pop(key)

    def _push(self, deadline: float, key: str) -> None:
        heapq.heappush(self._deadlines, (deadline, key))
        if len(self._deadlines) > 2 * len(self._entries) + _SPARE_DEADLINES:
            self._deadlines = [(one.expires_at, key) for key, one in self._entries.items()]
            heapq.heapify(self._deadlines)
