"""The journal: every record durable before its answer leaves, at one sync for many records."""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Final

import structlog

from bascule.audit.backlog import Backlog
from bascule.audit.committer import Committer
from bascule.audit.config import JournalConfig
from bascule.audit.disk import Disk, make_directory
from bascule.audit.lifecycle import Outage, recovered_record, repair_facts, repaired_record
from bascule.audit.lines import Head
from bascule.audit.lock import JournalLock
from bascule.audit.recovery import Repair, recover
from bascule.audit.writer import MAX_WRITE_BYTES, ChainWriter, Committed
from bascule.gateway.errors import RecordingFailed
from bascule.gateway.identifiers import Identifiers
from bascule.gateway.record import AuditRecord

_log = structlog.get_logger(__name__)

MAX_WAITING_BYTES: Final = 64 * 1024 * 1024
"""What may wait for a slow disk before further records are turned away."""

_TYPICAL_RECORD_BYTES: Final = 1024
_CROWD: Final = 3
"""Records in the last commit from which on the next one waits for more."""


class Journal:
    """A `Recorder` on files. Made by `open_journal`; used on one event loop.

    One commit is in flight at a time. What is appended meanwhile gathers and is the next one, so
    a sync is shared by as many records as arrive during the one before it.
    """

    def __init__(self, config: JournalConfig, writer: ChainWriter, committer: Committer) -> None:
        self._config = config
        self._writer = writer
        self._committer = committer
        self._loop = asyncio.get_running_loop()
        self._event_ids = Identifiers()
        self._batched = config.mode == "batched"
        self._gather_seconds = config.gather_for.total_seconds()
        self._shared_by = 0
        self._handed_over_at = 0.0
        self._stall_seconds = config.stall_after.total_seconds()
        self._records: list[AuditRecord] = []
        self._futures: list[asyncio.Future[None]] = []
        self._waiting_bytes = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self._committing_since: float | None = None
        self._backlog = Backlog()
        self._failure: Exception | None = None
        self._failed_at = 0.0
        self._probe_seconds = 0.0
        self._works = asyncio.Event()
        self._works.set()
        self._timer: asyncio.TimerHandle | None = None
        self._closing = False

    @property
    def healthy(self) -> bool:
        """Whether the last commit succeeded and the one in flight, if any, is not stuck."""
        if self._failure is not None or self._closing:
            return False
        since = self._committing_since
        return since is None or time.monotonic() - since < self._stall_seconds

    @property
    def head(self) -> Head:
        """The last durable record; kept elsewhere, it makes a later truncation detectable."""
        return self._writer.head

    async def until_recovered(self) -> None:
        """Wait until a journal that failed writes again."""
        await self._works.wait()

    def append(self, record: AuditRecord) -> asyncio.Future[None]:
        """Queue `record`; see `Recorder.append`. Cancelling the future cancels nothing else."""
        future = self._loop.create_future()
        if not self._has_room:
            self._turn_away(record, future)
            return future
        self._records.append(record)
        self._futures.append(future)
        self._waiting_bytes += _TYPICAL_RECORD_BYTES + record.request_size
        if self._batched:
            future.set_result(None)
        if self._idle.is_set():
            self._idle.clear()
            self._schedule()
        elif self._timer is not None and self._waiting_bytes >= MAX_WRITE_BYTES:
            self._timer.cancel()
            self._hand_over()
        return future

    async def aclose(self) -> None:
        """Refuse new records and wait until every queued one is durable.

        A failed disk gets one more attempt; what then remains unwritten is counted in the log.
        """
        self._closing = True
        if self._timer is not None:
            self._timer.cancel()
            if not self._idle.is_set():
                self._hand_over()
        try:
            await self._idle.wait()
            if self._failure is not None:
                self._write_late()
                await self._idle.wait()
            if self._failure is not None:
                unwritten = len(self._backlog) + self._backlog.lost
                _log.critical("journal.closed_incomplete", unwritten_records=unwritten)
        finally:
            await self._committer.stop()

    @property
    def _has_room(self) -> bool:
        refusing = self._failure is not None or self._closing
        return not refusing and self._waiting_bytes < MAX_WAITING_BYTES

    def _schedule(self) -> None:
        seconds = self._config.flush_after.total_seconds() if self._batched else self._pause()
        if seconds > 0:
            self._timer = self._loop.call_later(seconds, self._hand_over)
        else:
            # Not at once: what else this turn of the loop appends shares the sync.
            self._loop.call_soon(self._hand_over)

    def _pause(self) -> float:
        """Seconds to gather before the next commit: none, unless callers come in crowds.

        A commit costs about 100 us of CPU however few records share it.
        """
        if self._shared_by < _CROWD:
            return 0.0
        return self._handed_over_at + self._gather_seconds - time.monotonic()

    def _hand_over(self) -> None:
        records, futures = self._records, self._futures
        self._records, self._futures = [], []
        self._waiting_bytes = 0
        self._timer = None
        self._shared_by = len(records)
        self._handed_over_at = self._committing_since = time.monotonic()
        self._committer.submit(records, lambda done: self._settle(records, futures, done))

    def _settle(
        self, records: list[AuditRecord], futures: list[asyncio.Future[None]], done: Committed
    ) -> None:
        for future in futures[: done.durable]:
            if not future.done():
                future.set_result(None)
        if done.failure is not None:
            self._fail(done.failure, records[done.durable :], futures[done.durable :])
        self._go_on(late_first=True)

    def _go_on(self, *, late_first: bool) -> None:
        """Start the next commit. Late and new records take turns, so neither starves."""
        self._committing_since = None
        late = len(self._backlog) + self._backlog.lost > 0
        if self._failure is not None:
            self._idle.set()
            self._probe_later()
        elif late and (late_first or not self._records):
            self._write_late()
        elif self._records and not self._closing:
            self._schedule()
        elif self._records:
            self._hand_over()
        else:
            self._idle.set()

    def _turn_away(self, record: AuditRecord, future: asyncio.Future[None]) -> None:
        if self._closing:
            _log.error("journal.record_after_close", event_id=record.event_id)
            _refuse(future, "the journal is closed")
        else:
            self._give_up([record], [future])

    def _give_up(self, records: list[AuditRecord], futures: list[asyncio.Future[None]]) -> None:
        """Tell those who wait, and keep the records to be written late."""
        cause = str(self._failure or "records arrive faster than the disk takes them")
        for record in records:
            self._backlog.add(record)
        for future in futures:
            _refuse(future, cause)

    def _fail(
        self, cause: Exception, records: list[AuditRecord], futures: list[asyncio.Future[None]]
    ) -> None:
        if self._failure is None:
            self._failed_at = time.monotonic()
            self._probe_seconds = self._config.probe_after.total_seconds()
            self._works.clear()
            bug = None if isinstance(cause, OSError) else cause
            segment = str(self._writer.segment.path)
            _log.critical("journal.failed", segment=segment, error=str(cause), exc_info=bug)
        self._failure = cause
        self._give_up(records + self._records, futures + self._futures)
        self._records, self._futures = [], []
        self._waiting_bytes = 0

    def _probe_later(self) -> None:
        if not self._closing:
            self._timer = self._loop.call_later(self._probe_seconds, self._write_late)
            longest = self._config.probe_at_most.total_seconds()
            self._probe_seconds = min(2 * self._probe_seconds, longest)

    def _write_late(self) -> None:
        """Write the backlog and a record of what happened; on a failed disk, the probe."""
        late, lost = self._backlog.peek(), self._backlog.lost
        outage = Outage(self._failure, self._failed_at, len(late), lost)
        recovered = recovered_record(self._event_ids.next(), outage)
        self._idle.clear()
        self._timer = None
        self._committing_since = time.monotonic()
        self._committer.submit(
            [*late, recovered], lambda done: self._settle_late(len(late), lost, done)
        )

    def _settle_late(self, late: int, lost: int, done: Committed) -> None:
        self._backlog.drop(min(done.durable, late))
        if done.failure is not None:
            self._fail(done.failure, [], [])
        else:
            self._backlog.forget_lost(lost)
            self._failure = None
            self._works.set()
            _log.warning("journal.recovered", late_records=late, lost_records=lost)
        self._go_on(late_first=False)


@asynccontextmanager
async def open_journal(
    config: JournalConfig, *, disk: Disk | None = None
) -> AsyncGenerator[Journal, None]:
    """The journal of `config`, repaired if a crash tore its end; closing it drains it.

    Blocks the event loop while it reads the end of the last segment: some 10 ms, and 50 ms where
    there are 10,000 tenants.

    Raises:
        JournalLocked: another process writes it.
        JournalDamaged: its end was changed after it was written.
        RecordingFailed: the directory cannot be written.
    """
    writer, lock, repair = _open(config, disk or Disk())
    committer = Committer(writer, lock.release)
    journal = Journal(config, writer, committer)
    try:
        if repair:
            _log.warning("journal.repaired", **repair_facts(repair))
            await journal.append(repaired_record(Identifiers().next(), repair))
        yield journal
    finally:
        await journal.aclose()


def _open(config: JournalConfig, disk: Disk) -> tuple[ChainWriter, JournalLock, Repair | None]:
    try:
        make_directory(config.directory)
        lock = JournalLock(config.directory, config.writer)
        try:
            position, repair = recover(config.directory, config.writer)
            return ChainWriter(position, config.max_segment_bytes, disk), lock, repair
        except BaseException:
            lock.release()
            raise
    except OSError as failure:
        raise RecordingFailed(
            f"The audit directory {config.directory} cannot be written ({failure}). Free space "
            "on the audit volume and give this process write access, then start again."
        ) from failure


def _refuse(future: asyncio.Future[None], cause: str) -> None:
    if future.done():
        return
    future.set_exception(
        RecordingFailed(
            "The audit record of this call could not be written, so its answer is withheld; the "
            "call may have been carried out. An operator must free space on the audit volume.",
            private=f"audit journal: {cause}",
        )
    )
    # Marks the exception as seen: who dropped the future does not want to know.
    future.exception()
