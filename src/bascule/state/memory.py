"""The state of one process, in its memory: nothing to set up, and gone when the process ends."""

import time
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

import structlog

from bascule.gateway.state import StateUnavailable, check_life, check_value
from bascule.state.expiring import Expiring, Full
from bascule.state.mailbox import Mailbox

_MOST_ENTRIES: Final = 100_000
_MOST_BYTES: Final = 64 * 1024 * 1024
_LOG_ENTRY_BYTES: Final = 100
_COUNT_BYTES: Final = 80
_MOST_LOG_BYTES: Final = 1024 * 1024

_logger = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Log:
    """`entries` with their numbers; `size` is that of the entries."""

    entries: deque[tuple[int, bytes]] = field(default_factory=deque[tuple[int, bytes]])
    last: int = 0
    size: int = 0

    def drop_oldest(self, most: int) -> None:
        """Keep `most` entries, and fewer where they are large, so that one log cannot fill all."""
        entries = self.entries
        while len(entries) > most or (self.size > _MOST_LOG_BYTES and len(entries) > 1):
            _, oldest = entries.popleft()
            self.size -= len(oldest) + _LOG_ENTRY_BYTES


@dataclass(slots=True)
class _Count:
    reached: int = 1


class MemoryState:
    """A `StateStore` for one process. Full, it refuses what is new and keeps what it has."""

    def __init__(
        self,
        *,
        most_entries: int = _MOST_ENTRIES,
        most_bytes: int = _MOST_BYTES,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._held: Expiring[bytes | _Log | _Count] = Expiring(most_entries, most_bytes, clock)
        self._readers: dict[str, set[Mailbox]] = {}

    @property
    def local(self) -> bool:
        """As `StateStore.local`."""
        return True

    async def get(self, key: str) -> bytes | None:
        """As `StateStore.get`."""
        return _as_value(self._held.get(_value_key(key)))

    async def put(self, key: str, value: bytes, ttl_seconds: float) -> None:
        """As `StateStore.put`."""
        check_value(value, ttl_seconds)
        self._keep(_value_key(key), value, len(value), ttl_seconds)

    async def put_new(self, key: str, value: bytes, ttl_seconds: float) -> bool:
        """As `StateStore.put_new`."""
        check_value(value, ttl_seconds)
        if self._held.get(_value_key(key)) is not None:
            return False
        self._keep(_value_key(key), value, len(value), ttl_seconds)
        return True

    async def take(self, key: str) -> bytes | None:
        """As `StateStore.take`."""
        return _as_value(self._held.pop(_value_key(key)))

    async def delete(self, key: str) -> None:
        """As `StateStore.delete`."""
        self._held.pop(_value_key(key))

    async def count(self, key: str, ttl_seconds: float) -> int:
        """As `StateStore.count`."""
        check_life(ttl_seconds)
        known = self._held.get(_count_key(key))
        if isinstance(known, _Count):
            known.reached += 1
            return known.reached
        self._keep(_count_key(key), _Count(), _COUNT_BYTES, ttl_seconds)
        return 1

    async def append(self, log: str, value: bytes, *, most: int, ttl_seconds: float) -> int:
        """As `StateStore.append`."""
        check_value(value, ttl_seconds)
        known = self._held.get(_log_key(log))
        kept = known if isinstance(known, _Log) else _Log()
        size = kept.size + len(value) + _LOG_ENTRY_BYTES
        # Reckoned before the oldest go, so that a refusal leaves the log as it was.
        self._keep(_log_key(log), kept, size, ttl_seconds)
        kept.last += 1
        kept.size = size
        kept.entries.append((kept.last, value))
        kept.drop_oldest(most)
        if kept.size != size:
            self._keep(_log_key(log), kept, kept.size, ttl_seconds)
        return kept.last

    async def read(self, log: str, after: int) -> list[tuple[int, bytes]]:
        """As `StateStore.read`."""
        known = self._held.get(_log_key(log))
        if not isinstance(known, _Log):
            return []
        return [entry for entry in known.entries if entry[0] > after]

    async def publish(self, channel: str, message: bytes) -> None:
        """As `StateStore.publish`."""
        check_value(message)
        for reader in self._readers.get(channel, ()):
            if not reader.offer(message):
                _logger.warning("state.message_dropped", reason="a reader is too slow")

    @asynccontextmanager
    async def subscribe(self, channel: str) -> AsyncGenerator[AsyncIterator[bytes]]:
        """As `StateStore.subscribe`."""
        mailbox = Mailbox()
        readers = self._readers.setdefault(channel, set())
        readers.add(mailbox)
        try:
            yield mailbox
        finally:
            readers.discard(mailbox)
            if not readers:
                self._readers.pop(channel, None)

    def _keep(self, key: str, item: bytes | _Log | _Count, size: int, ttl_seconds: float) -> None:
        try:
            self._held.put(key, item, size, ttl_seconds)
        except Full:
            raise StateUnavailable(
                "The gateway holds as many conversations as it can; try again later.",
                private="the state kept in memory is full",
            ) from None


def _value_key(key: str) -> str:
    return f"value:{key}"


def _count_key(key: str) -> str:
    return f"count:{key}"


def _log_key(log: str) -> str:
    return f"log:{log}"


def _as_value(item: bytes | _Log | _Count | None) -> bytes | None:
    return item if isinstance(item, bytes) else None
