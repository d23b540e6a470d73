"""Where a journal is kept and what it promises."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Literal

from bascule.audit.segments import is_writer_name
from bascule.gateway.errors import InvalidValue


@dataclass(frozen=True, slots=True)
class JournalConfig:
    """Where and how records are kept.

    `mode` "strict": a record is durable before its future is done. "batched": the future is done
    at once and a crash loses up to `flush_after`, or a megabyte, of records and what was being
    written. Under load a strict commit starts no sooner than `gather_for` after the one before,
    so that many records share it; a lone caller never waits for that. A disk that has not
    answered for `stall_after` makes the journal unhealthy; a failed one is tried again after
    `probe_after`, then ever more rarely down to once in `probe_at_most`.
    """

    directory: Path
    writer: str = "gateway"
    max_segment_bytes: int = 64 * 1024 * 1024
    mode: Literal["strict", "batched"] = "strict"
    flush_after: timedelta = timedelta(milliseconds=50)
    gather_for: timedelta = timedelta(milliseconds=1)
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
