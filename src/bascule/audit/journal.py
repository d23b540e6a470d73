"""The journal: every record durable before its answer leaves, at one sync for many records."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, Literal

import structlog

from bascule.audit.backlog import Backlog
from bascule.audit.committer import Committer
from bascule.audit.disk import Disk, sync_directory
from bascule.audit.lines import Head
from bascule.audit.lock import JournalLock
from bascule.audit.recovery import Repair, recover
from bascule.audit.segments import is_writer_name
from bascule.audit.writer import ChainWriter, Committed
from bascule.gateway.errors import InvalidValue, RecordingFailed
from bascule.gateway.identifiers import Identifiers
from bascule.gateway.record import AuditRecord, EventType, Status

_log = structlog.get_logger(__name__)

MAX_WAITING_BYTES: Final = 64 * 1024 * 1024
"""What may wait for a slow disk before further records are turned away."""

_TYPICAL_RECORD_BYTES: Final = 1024


@dataclass(frozen=True, slots=True)
class JournalConfig:
    """Where and how records are kept.

    `mode` "strict": a record is durable before its future is done. "batched": the future is done
    at once and a crash loses up to `flush_after` of records. A disk that has not answered for
    `stall_after` makes the journal unhealthy; a failed one is tried again after `probe_after`,
    then ever more rarely down to once in `probe_at_most`.
    """

    directory: Path
    writer: str = "gateway"
    max_segment_bytes: int = 64 * 1024 * 1024
    mode: Literal["strict", "batched"] = "strict"
    flush_after: timedelta = timedelta(milliseconds=50)
    stall_after: timedelta = timedelta(seconds=10)
    probe_after: timedelta = timedelta(milliseconds=200)
    probe_at_most: timedelta = timedelta(seconds=5)

    def __post_init__(self) -> None:
        if not is_writer_name(self.writer):
            raise InvalidValue(
                f"{self.writer!r} cannot name a journal's writer. Use lower-case letters, digits, "
                "dots, dashes and underscores.",
                details={"field": "writer"},
            )
        if self.max_segment_bytes <= 0:
            raise InvalidValue(
                "max_segment_bytes must be more than 0.", details={"field": "max_segment_bytes"}
            )
