"""A recorder in memory, which can be told to fail or to hold, and an observer that remembers."""

import asyncio

from bascule.gateway.errors import RecordingFailed
from bascule.gateway.record import AuditRecord


class FakeRecorder:
    """Keeps records in a list. `fails` refuses to write; `holds` waits for `release`."""

    def __init__(self, *, healthy: bool = True, fails: bool = False, holds: bool = False) -> None:
        self.healthy = healthy
        self.fails = fails
        self.holds = holds
        self.records: list[AuditRecord] = []
        self.appended = asyncio.Event()
        self.held: list[asyncio.Future[None]] = []

    @property
    def last(self) -> AuditRecord:
        """The newest record."""
        return self.records[-1]

    def append(self, record: AuditRecord) -> asyncio.Future[None]:
        """Keep `record`; durable at once unless held."""
        self.records.append(record)
        self.appended.set()
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if self.holds:
            self.held.append(done)
        else:
            self._finish(done)
        return done

    def release(self) -> None:
        """Let everything held become durable, or fail."""
        held, self.held = self.held, []
        for done in held:
            if not done.done():
                self._finish(done)

    def _finish(self, done: asyncio.Future[None]) -> None:
        if self.fails:
            done.set_exception(RecordingFailed("The journal is full.", private="ENOSPC"))
        else:
            done.set_result(None)


class FakeObserver:
    """Remembers what it was told."""

    def __init__(self) -> None:
        self.seen: list[AuditRecord] = []

    def observe(self, record: AuditRecord) -> None:
        """Remember `record`."""
        self.seen.append(record)
