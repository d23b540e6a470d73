"""Records, journals and failing disks for the tests of this room."""

import errno
import hashlib
import os
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bascule.audit.disk import Disk
from bascule.audit.lines import GENESIS, encode
from bascule.audit.recovery import recover
from bascule.audit.writer import ChainWriter
from bascule.gateway.record import AuditRecord, EventType, Status

NOON = datetime(2026, 8, 1, 12, tzinfo=UTC)

MakeRecord = Callable[..., AuditRecord]
WriteJournal = Callable[..., list[Path]]


@pytest.fixture(scope="session")
def make_record() -> MakeRecord:
    """Record number `n`, one second after the one before it, with any field replaced."""

    def make(n: int, **fields: object) -> AuditRecord:
        given: dict[str, object] = {
            "event_id": f"event-{n}",
            "timestamp": NOON + timedelta(seconds=n),
            "event_type": EventType.TOOL_CALL,
            "action": "tools/call",
            "status": Status.SUCCESS,
            "correlation_id": f"correlation-{n}",
            "user": "alice",
            "tool_name": "book_service",
        }
        return AuditRecord(**(given | fields))

    return make


@pytest.fixture(scope="session")
def write_journal(make_record: MakeRecord) -> WriteJournal:
    """Writes `count` records, `per_segment` to a file, and gives the files."""

    def write(
        directory: Path, count: int, *, per_segment: int = 1000, writer: str = "gateway"
    ) -> list[Path]:
        directory.mkdir(exist_ok=True)
        records = [make_record(n) for n in range(1, count + 1)]
        for first in range(0, count, per_segment):
            position, _ = recover(directory, writer)
            chain = ChainWriter(position, 1, Disk())
            done = chain.commit([encode(record) for record in records[first:][:per_segment]])
            chain.close()
            assert done.failure is None
        return sorted(directory.glob(f"{writer}-*.jsonl"))

    return write


@pytest.fixture(scope="session")
def old_lines(make_record: MakeRecord) -> Callable[[int], list[bytes]]:
    """The first `count` lines of a journal from before tenants had chains of their own."""

    def make(count: int) -> list[bytes]:
        lines: list[bytes] = []
        digest = GENESIS.digest
        for seq in range(1, count + 1):
            fields = encode(make_record(seq, tenant="acme")).fields
            body = b'{"seq":%d,"prev":"%b",%b' % (seq, digest, fields)
            digest = hashlib.sha256(body).hexdigest().encode()
            lines.append(b'%b,"hash":"%b"}\n' % (body, digest))
        return lines

    return make


class SmallDisk:
    """Takes `capacity` bytes per file, then as much as fits, then none: ENOSPC."""

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity

    def write(self, descriptor: int, content: bytes, offset: int) -> int:
        room = self.capacity - offset
        if room <= 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return os.pwrite(descriptor, content[:room], offset)


class ForgetfulDisk:
    """Fails syncs as Linux does: reports EIO once, loses the bytes, then reports success."""

    def __init__(self) -> None:
        self.failures = 0
        self._durable: dict[tuple[int, int], int] = {}

    def sync(self, descriptor: int) -> None:
        status = os.fstat(descriptor)
        file = (status.st_dev, status.st_ino)
        if self.failures:
            self.failures -= 1
            kept = min(self._durable.get(file, 0), status.st_size)
            os.pwrite(descriptor, bytes(status.st_size - kept), kept)
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        self._durable[file] = status.st_size


class SlowDisk:
    """Holds every sync until `release` is set; counts them."""

    def __init__(self) -> None:
        self.syncs = 0
        self.entered = threading.Event()
        self.release = threading.Event()

    def sync(self, descriptor: int) -> None:
        self.syncs += 1
        self.entered.set()
        assert self.release.wait(5)


@pytest.fixture
def small_disk() -> SmallDisk:
    return SmallDisk(1000)


@pytest.fixture
def forgetful_disk() -> ForgetfulDisk:
    return ForgetfulDisk()


@pytest.fixture(scope="session")
def new_forgetful_disk() -> type[ForgetfulDisk]:
    """One for each example of a property."""
    return ForgetfulDisk


@pytest.fixture
def slow_disk() -> SlowDisk:
    return SlowDisk()
