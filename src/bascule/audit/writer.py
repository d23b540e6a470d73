"""The blocking end of a journal: puts sealed lines on the disk, or leaves no trace of them."""

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from types import MappingProxyType
from typing import Final, NamedTuple

from bascule.audit.disk import Disk, sync_directory
from bascule.audit.heads import HEADS_EVERY_BYTES, heads_budget, heads_lines
from bascule.audit.lines import GENESIS, MAX_LINE_BYTES, Entry, Head, seal
from bascule.audit.segments import Segment

MAX_WRITE_BYTES: Final = 1024 * 1024
"""A batch is synced whenever it has grown to this, so that memory and a torn end stay small."""

MAX_UNFINISHED_BYTES: Final = MAX_WRITE_BYTES + MAX_LINE_BYTES
"""The most that a write cut off by a crash can leave behind."""


class Position(NamedTuple):
    """Where a chain goes on: the segment, how much of it is durable, and the last line.

    `tenants` are the heads of the tenants' chains; they are written down again after
    `until_heads_bytes` more.
    """

    segment: Segment
    durable_bytes: int
    head: Head
    tenants: Mapping[str, Head] = MappingProxyType({})
    until_heads_bytes: int = HEADS_EVERY_BYTES


class Committed(NamedTuple):
    """How many records of a batch are durable, and what kept the others from it."""

    durable: int
    failure: Exception | None = None


class _Chunk(NamedTuple):
    content: bytes
    records: int
    head: Head
    tenants: Mapping[str, Head]


class ChainWriter:
    """Appends records to one writer's chain. Used from one thread at a time.

    Every failure leaves the chain at its last durable line: the file is cut back to it before
    anything else is written, so that a record is either durable or gone.
    """

    def __init__(self, position: Position, max_segment_bytes: int, disk: Disk) -> None:
        """Open the segment of `position`, creating it where there is none.

        Raises:
            OSError: it cannot be opened or created.
        """
        self._segment, self._durable_bytes, self._head, tenants, until = position
        self._tenants, self._until_heads_bytes = dict(tenants), until
        self._max_segment_bytes = max_segment_bytes
        self._disk = disk
        self._descriptor = _open(self._segment, self._durable_bytes)
        self._dirty = False
        self._distrusted = False

    @property
    def head(self) -> Head:
        """The last durable line; an anchor kept elsewhere makes truncation detectable."""
        return self._head

    @property
    def segment(self) -> Segment:
        """The segment that is written to."""
        return self._segment

    def commit(self, entries: Iterable[Entry]) -> Committed:
        """Append records, given as `lines.encode` makes them, with one sync per `MAX_WRITE_BYTES`.

        What is counted as durable stays; the rest of the batch left nothing behind.
        """
        durable = 0
        try:
            self._make_ready()
            for chunk in self._seal(entries):
                self._write(chunk)
                durable += chunk.records
        except OSError as failure:
            return Committed(durable, failure)
        return Committed(durable)

    def close(self) -> None:
        """Close the segment; the chain stays as it is."""
        if self._dirty:
            with suppress(OSError):
                self._roll_back()
        os.close(self._descriptor)

    def _seal(self, entries: Iterable[Entry]) -> Iterator[_Chunk]:
        # What a chunk changes lies beside the heads until it is durable, as it may come to nothing.
        tenants, changed = self._tenants, dict[str, Head]()
        head = self._head
        lines: list[bytes] = []
        size = 0
        for entry in entries:
            if not lines:
                self._make_room()
                head = self._head
            tenant = entry.tenant
            before = changed.get(tenant) or tenants.get(tenant, GENESIS)
            line, head, changed[tenant] = seal(entry, head, before)
            lines.append(line)
            size += len(line)
            if size >= MAX_WRITE_BYTES:
                yield _Chunk(b"".join(lines), len(lines), head, changed)
                lines, size, changed = [], 0, {}
        if lines:
            yield _Chunk(b"".join(lines), len(lines), head, changed)

    def _make_room(self) -> None:
        """Begin a segment where the last one is full, and give the heads where they are due."""
        if self._durable_bytes >= self._max_segment_bytes:
            self._start_segment()
        if self._until_heads_bytes > 0:
            return
        length = 0
        for line, head in heads_lines(self._tenants, self._head):
            self._write(_Chunk(line, 0, head, {}))
            length += len(line)
        # Only now: a group that was interrupted is written anew, as half of one is of no use.
        self._until_heads_bytes = heads_budget(length)

    def _write(self, chunk: _Chunk) -> None:
        self._dirty = True
        try:
            self._disk.write_all(self._descriptor, chunk.content, self._durable_bytes)
            self._sync()
        except OSError:
            with suppress(OSError):  # tried again before the next write
                self._roll_back()
            raise
        self._durable_bytes += len(chunk.content)
        self._head = chunk.head
        self._tenants.update(chunk.tenants)
        self._until_heads_bytes -= len(chunk.content)
        self._dirty = False

    def _sync(self) -> None:
        try:
            self._disk.sync(self._descriptor)
        except OSError:
            # After a failed sync the kernel may drop the pages it could not write, or mark them
            # clean; a second sync then succeeds although nothing reached the disk (known as
            # "fsyncgate"). So this sync is never repeated: the bytes are cut off and written
            # anew. The page that holds the end of the durable part would still be one of those
            # pages, so what follows goes to a fresh segment. A segment without a durable byte
            # needs none: cutting it to nothing drops all of its pages.
            self._distrusted = self._durable_bytes > 0
            raise

    def _make_ready(self) -> None:
        if self._dirty:
            self._roll_back()
        if self._distrusted:
            self._start_segment()

    def _roll_back(self) -> None:
        # The cut itself must be durable before anything follows it: otherwise a crash could
        # bring back lines that were given up, beside their successors of the same number.
        os.ftruncate(self._descriptor, self._durable_bytes)
        self._disk.sync(self._descriptor)
        self._dirty = False

    def _start_segment(self) -> None:
        following = self._segment.next()
        descriptor = _open(following, 0)
        with suppress(OSError):  # its bytes are durable already
            os.close(self._descriptor)
        self._segment, self._descriptor = following, descriptor
        self._durable_bytes = 0
        self._until_heads_bytes = 0
        self._distrusted = False


def _open(segment: Segment, durable_bytes: int) -> int:
    """A descriptor of the segment, created where missing, under a name that is durable."""
    descriptor = os.open(segment.path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        if os.fstat(descriptor).st_size != durable_bytes:
            raise FileExistsError(f"{segment.path} holds bytes that this journal did not write")
        sync_directory(segment.directory)
    except OSError:
        os.close(descriptor)  # an empty file may stay; the next attempt adopts it
        raise
    return descriptor
