"""What was sent on a legacy stream, kept so that its client can take it up again.

Source: specification 2025-11-25, basic/transports "Resumability and Redelivery". An event id is
`<stream>.<number>`. A stream is found by its session and its id together, so nobody reads another
session's; the log is in the state all workers share, so any of them can resume it.
"""

import asyncio
import re
import secrets
from collections import deque
from collections.abc import AsyncGenerator
from typing import Final, NamedTuple

import structlog

from bascule.gateway.state import StateStore

_MOST_EVENTS: Final = 256
_MOST_BYTES: Final = 1024 * 1024
_MOST_UNSAVED: Final = 1024
_OPEN_SECONDS: Final = 3600.0
_KEPT_SECONDS: Final = 300.0
_END: Final = b""
_EVENT_ID: Final = re.compile(r"([cg][0-9a-f]{24})\.([0-9]{1,9})")
_NEWS: Final = b"!"

_logger = structlog.get_logger(__name__)


class Place(NamedTuple):
    """A place in a stream: everything up to event `number` has been received."""

    stream_id: str
    number: int

    @property
    def is_standalone(self) -> bool:
        """Whether it is the stream of a session, not that of a call."""
        return self.stream_id.startswith("g")


def read_place(event_id: str) -> Place | None:
    """The place that a Last-Event-ID names, None where it is none of ours."""
    found = _EVENT_ID.fullmatch(event_id)
    return Place(found[1], int(found[2])) if found else None


class EventLog:
    """The log of one stream, written by the worker that owns the stream.

    Writing never waits: a task, made where there is something to write, brings it to the store.
    Where the store fails, the stream goes on and cannot be resumed.
    """

    def __init__(self, store: StateStore, session_id: str, *, standalone: bool = False) -> None:
        self._stream_id = f"{'g' if standalone else 'c'}{secrets.token_hex(12)}"
        self._store = store
        self._key = _key(session_id, self._stream_id)
        self._count = 0
        self._sizes: deque[int] = deque()
        self._kept_bytes = 0
        self._unsaved: deque[bytes] = deque()
        self._given_up = False
        self._saver: asyncio.Task[None] | None = None

    @property
    def next_id(self) -> str:
        """The id of the event that is added next."""
        return f"{self._stream_id}.{self._count}"

    def add(self, event: bytes) -> None:
        """Keep an event, encoded with `next_id`; of too many, the oldest go."""
        self._count += 1
        self._save(event)

    def end(self) -> None:
        """The stream is complete; whoever resumes it gets no more than this."""
        self._save(_END)

    def _save(self, entry: bytes) -> None:
        if self._given_up:
            return
        if len(self._unsaved) >= _MOST_UNSAVED:
            self._give_up("the store is slower than the stream")
            return
        self._unsaved.append(entry)
        if self._saver is None or self._saver.done():
            # Not a TaskGroup: it ends by itself, and may outlive the call whose events it saves.
            self._saver = asyncio.get_running_loop().create_task(self._save_all())

    async def _save_all(self) -> None:
        try:
            while self._unsaved:
                entry = self._unsaved.popleft()
                life = _OPEN_SECONDS if entry else _KEPT_SECONDS
                await self._store.append(
                    self._key, entry, most=self._reckon(entry), ttl_seconds=life
                )
                await self._store.publish(self._key, _NEWS)
        except Exception as failure:  # noqa: BLE001 - the edge of this task
            self._give_up(str(failure))

    def _give_up(self, reason: str) -> None:
        """Keep no more: with an event missing, the numbers of the rest would be wrong."""
        self._given_up = True
        self._unsaved.clear()
        _logger.warning("events.not_kept", reason=reason)

    def _reckon(self, entry: bytes) -> int:
        """How many entries, with this one, are within the bounds."""
        self._sizes.append(len(entry))
        self._kept_bytes += len(entry)
        while len(self._sizes) > _MOST_EVENTS or (
            self._kept_bytes > _MOST_BYTES and len(self._sizes) > 1
        ):
            self._kept_bytes -= self._sizes.popleft()
        return len(self._sizes)


async def kept_after(store: StateStore, session_id: str, place: Place) -> list[bytes] | None:
    """The events after `place`, as they were encoded; None where not all of them are kept."""
    entries = await store.read(_key(session_id, place.stream_id), 0)
    # Entries are numbered from one, events from zero.
    received = place.number + 1
    if not entries or not entries[0][0] - 1 <= received <= entries[-1][0]:
        return None
    return [entry for number, entry in entries if number > received and entry != _END]


async def follow(store: StateStore, session_id: str, place: Place) -> AsyncGenerator[bytes]:
    """The events after `place`, as they were encoded, then those to come; ends with the stream."""
    key = _key(session_id, place.stream_id)
    after = place.number + 1
    async with store.subscribe(key) as news:
        while True:
            for number, entry in await store.read(key, after):
                if entry == _END:
                    return
                after = number
                yield entry
            await anext(news)


def _key(session_id: str, stream_id: str) -> str:
    return f"events:{session_id}:{stream_id}"
