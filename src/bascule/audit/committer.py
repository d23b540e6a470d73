"""The one thread that waits for the disk, so that the event loop does not."""

import asyncio
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from queue import SimpleQueue

import structlog

from bascule.audit.lines import encode
from bascule.audit.writer import ChainWriter, Committed
from bascule.gateway.record import AuditRecord

_log = structlog.get_logger(__name__)

Settle = Callable[[Committed], None]
"""Told on the event loop what became of a batch."""

_Job = tuple[Iterable[AuditRecord], Settle]


class Committer:
    """Commits batches in the order they were submitted. Owns its writer and closes it."""

    def __init__(self, writer: ChainWriter, release: Callable[[], None]) -> None:
        """Start the thread; `release` is called once the writer is closed."""
        self._writer = writer
        self._release = release
        self._loop = asyncio.get_running_loop()
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._stopped = asyncio.Event()
        # A daemon, because a disk that hangs must not keep the process from ending.
        threading.Thread(target=self._work, name="audit-committer", daemon=True).start()

    def submit(self, records: Iterable[AuditRecord], settle: Settle) -> None:
        """Commit `records` after what was submitted before; never blocks."""
        self._jobs.put((records, settle))

    async def stop(self) -> None:
        """Finish what was submitted, close the writer, end the thread."""
        self._jobs.put(None)
        await self._stopped.wait()

    def _work(self) -> None:
        try:
            while job := self._jobs.get():
                records, settle = job
                self._call(settle, self._commit(records))
        finally:
            try:
                self._writer.close()
            except OSError as failure:  # all that was durable before is so still
                _log.warning("journal.not_closed", error=str(failure))
            finally:
                # Whatever comes of that: somebody waits for the end of this thread.
                self._release()
                self._call(self._stopped.set)

    def _commit(self, records: Iterable[AuditRecord]) -> Committed:
        try:
            return self._writer.commit([encode(record) for record in records])
        except Exception as bug:  # noqa: BLE001 - the edge of the thread: its callers would hang
            return Committed(0, bug)

    def _call(self, callback: Callable[..., None], *arguments: object) -> None:
        # The loop is closed where a process ends without closing its journal.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(callback, *arguments)
