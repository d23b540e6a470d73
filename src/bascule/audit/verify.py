"""Checks a journal from its files alone, and names the first record that is not as written."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from bascule.audit.lines import (
    GENESIS,
    MAX_LINE_BYTES,
    Flaw,
    Head,
    Problem,
    check,
    is_torn,
    predecessor,
)
from bascule.audit.segments import Segment, lines_forwards, list_segments, open_segment
from bascule.audit.tenants import TenantChains
from bascule.audit.writer import MAX_UNFINISHED_BYTES
from bascule.gateway.errors import NotFound

_BLOCK_BYTES: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class BadRecord:
    """The first record that does not follow; `line` counts from 1 within `file`.

    `seq` and `event_id` are what the line says of itself, where that can be read.
    """

    file: Path
    line: int
    seq: int | None
    event_id: str | None
    problem: Problem
    detail: str


@dataclass(frozen=True, slots=True)
class Verification:
    """What was read, and what of it is wrong. `records` counts the good ones.

    `heads` holds the last good record of each writer. A chain that was cut at its end verifies:
    only comparing the head with one noted elsewhere shows the cut.
    """

    records: int
    segments: int
    read_bytes: int
    seconds: float
    first_bad: BadRecord | None
    heads: dict[str, Head]
    warnings: tuple[str, ...] = ()

    @property
    def records_per_second(self) -> float:
        """How fast it went."""
        return self.records / self.seconds if self.seconds else 0.0

    @property
    def megabytes_per_second(self) -> float:
        """How fast it went, in units of 10^6 bytes."""
        return self.read_bytes / self.seconds / 1e6 if self.seconds else 0.0


def verify(directory: Path, writer: str | None = None) -> Verification:
    """Check every line of `writer`, or of every writer there is, and the chains of all tenants.

    Holds a number and a hash for each tenant in memory, and no more however long the journal is.
    Stops at the first bad record of each writer and reports the first of them. An unfinished
    write at the very end, as a crash leaves it, is a warning.

    Raises:
        NotFound: there is no such directory, or no journal of `writer` in it.
        Forbidden: a file cannot be read by this user.
    """
    started = time.perf_counter()
    found = list_segments(directory, writer)
    if not found:
        raise NotFound(
            f"There is no journal of {writer or 'any writer'} in {directory}. Where there was "
            "one, its files were removed."
        )
    chains = [_Chain(segments) for segments in found.values()]
    for chain in chains:
        chain.verify()
    return Verification(
        records=sum(chain.records for chain in chains),
        segments=sum(chain.segments for chain in chains),
        read_bytes=sum(chain.read_bytes for chain in chains),
        seconds=time.perf_counter() - started,
        first_bad=next((chain.bad for chain in chains if chain.bad), None),
        heads={chain.writer: chain.head for chain in chains},
        warnings=tuple(warning for chain in chains for warning in chain.warnings),
    )


class _Chain:
    def __init__(self, segments: list[Segment]) -> None:
        self._segments = segments
        self.writer = segments[0].writer
        self.head = GENESIS
        self.records = 0
        self.segments = 0
        self.read_bytes = 0
        self.bad: BadRecord | None = None
        self.warnings: list[str] = []
        self._tenants = TenantChains(from_the_start=segments[0].number == 1)

    def verify(self) -> None:
        self._start()
        self._verify_segments()
        if self._tenants.unchained:
            self.warnings.append(
                f"{self.writer}: {self._tenants.unchained} records are from before tenants had "
                "chains of their own; the chain of the journal proves them"
            )

    def _verify_segments(self) -> None:
        expected = self._segments[0]
        for segment in self._segments:
            if segment != expected:
                self._condemn(segment, 1, Flaw(Problem.MISSING_SEGMENT, f"no {expected.path.name}"))
            if self.bad:
                return
            self._verify_segment(segment)
            self.segments += 1
            expected = segment.next()

    def _start(self) -> None:
        first = self._segments[0]
        if first.number == 1:
            return
        with open_segment(first) as file:
            self.head = predecessor(file.readline(MAX_LINE_BYTES)) or GENESIS
        self.warnings.append(
            f"{self.writer}: the segments before {first.path.name} are not here, so the chain is "
            f"verified from record {self.head.seq + 1}"
        )

    def _verify_segment(self, segment: Segment) -> None:
        with open_segment(segment) as file:
            head, offset = self.head, 0
            for number, line in enumerate(lines_forwards(file), 1):
                checked = check(line, head)
                if isinstance(checked, Flaw):
                    if not self._is_unfinished(segment, file, offset):
                        self._condemn(segment, number, checked)
                    break
                if flaw := self._tenants.follow(line):
                    self._condemn(segment, number, flaw)
                    break
                head = checked
                offset += len(line)
        self.records += head.seq - self.head.seq
        self.read_bytes += offset
        self.head = head

    def _is_unfinished(self, segment: Segment, file: BinaryIO, offset: int) -> bool:
        if segment != self._segments[-1]:
            return False
        file.seek(offset)
        remainder = file.read(MAX_UNFINISHED_BYTES)
        size = len(remainder)
        while block := file.read(_BLOCK_BYTES):
            size += len(block)
            if block.strip(b"\0"):
                return False
        if not is_torn(remainder):
            return False
        self.warnings.append(
            f"{segment.path.name} ends in {size} bytes of an unfinished write, as a crash leaves "
            "them; the gateway moves them aside when it next starts"
        )
        return True

    def _condemn(self, segment: Segment, line: int, flaw: Flaw) -> None:
        self.bad = BadRecord(segment.path, line, flaw.seq, flaw.event_id, flaw.problem, flaw.detail)
