"""Finds where a chain ends after a crash, and moves what a torn write left out of its way."""

import os
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import BinaryIO, Final

import msgspec

from bascule.audit.disk import sync_directory
from bascule.audit.heads import Found, find_heads
from bascule.audit.lines import GENESIS, MAX_LINE_BYTES, Flaw, Head, check, is_torn, predecessor
from bascule.audit.segments import Segment, list_segments
from bascule.audit.writer import MAX_UNFINISHED_BYTES, Position
from bascule.gateway.errors import ErrorCode, GatewayError

_WINDOW_BYTES: Final = MAX_UNFINISHED_BYTES + 2 * MAX_LINE_BYTES
"""All that a write can leave unfinished, and at least one whole line before it."""

_BLOCK_BYTES: Final = 256 * 1024


class JournalDamaged(GatewayError):
    """The end of the journal was changed after it was written; nothing was touched."""

    error = ErrorCode.UNAVAILABLE


@dataclass(frozen=True, slots=True)
class Repair:
    """What a torn write left: `moved_bytes`, taken from `segment` and kept in `side_file`."""

    segment: Path
    side_file: Path
    moved_bytes: int


@dataclass(frozen=True, slots=True)
class _Tail:
    good_bytes: int
    head: Head
    size: int


def recover(directory: Path, writer: str) -> tuple[Position, Repair | None]:
    """Find the end of the chain of `writer`, repairing a torn one. Call it under the lock.

    Only the last few megabytes are checked here, and read up to where the heads of the tenants'
    chains were written down last; `verify` checks everything.

    Raises:
        JournalDamaged: the end does not verify, and not because a write was cut off.
        OSError: the directory cannot be read, or the repair not written.
    """
    segments = list_segments(directory, writer).get(writer, [])
    if not segments:
        return Position(Segment(directory, writer, 1), 0, GENESIS), None
    last = segments[-1]
    tail = _examine(segments)
    tenants = _tenants(segments, tail.good_bytes)
    repair = _repair(last, tail) if tail.good_bytes < tail.size else None
    return Position(last, tail.good_bytes, tail.head, *tenants), repair


def _examine(segments: list[Segment]) -> _Tail:
    """The tail of the last segment; where it is empty the head is that of the one before."""
    path = segments[-1].path
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        start, window = _read_window(file, size)
    known = None if start else _head_before(segments)
    head = known or predecessor(window[: window.find(b"\n") + 1])
    if head is None:
        raise _damaged(path, start, "no line of a journal begins here")
    good_bytes, head, flaw = _walk(window, head)
    # Cutting where nothing before was verified would continue a chain nobody vouches for.
    vouched = known is not None or good_bytes > 0
    remainder = window[good_bytes:]
    torn = vouched and len(remainder) <= MAX_UNFINISHED_BYTES and is_torn(remainder)
    if flaw and not torn:
        raise _damaged(path, start + good_bytes, f"{flaw.problem}: {flaw.detail}")
    return _Tail(start + good_bytes, head, size)


def _tenants(segments: list[Segment], end: int) -> Found:
    path = segments[-1].path
    try:
        found = find_heads(segments, end)
    except (msgspec.MsgspecError, UnicodeDecodeError) as unreadable:
        raise _damaged(path, end, "a record before it cannot be read") from unreadable
    if found is None:
        raise _damaged(path, 0, "the heads of the tenants' chains are in a segment not here")
    return found


def _head_before(segments: list[Segment]) -> Head | None:
    """The head the first line of the last segment must follow; None where only it can say."""
    last = segments[-1]
    if len(segments) == 1:
        # Older segments may have been moved to an archive; the link to them is verified there.
        return GENESIS if last.number == 1 else None
    if segments[-2].number != last.number - 1:
        raise _damaged(last.path, 0, f"segment {last.number - 1} is missing")
    before = _examine(segments[:-1])
    if before.good_bytes < before.size:
        raise _damaged(segments[-2].path, before.good_bytes, "it ends in an unfinished line")
    return before.head


def _read_window(file: BinaryIO, size: int) -> tuple[int, bytes]:
    """Offset and bytes of the last lines, without the zeros at the very end.

    The offset is 0, or where a line begins.
    """
    end = _end_of_content(file, size)
    start = max(0, end - _WINDOW_BYTES)
    file.seek(start)
    window = file.read(end - start)
    skipped = window.find(b"\n") + 1 if start else 0
    return start + skipped, window[skipped:]


def _end_of_content(file: BinaryIO, size: int) -> int:
    end = size
    while end:
        begin = max(0, end - _BLOCK_BYTES)
        file.seek(begin)
        content = file.read(end - begin).rstrip(b"\0")
        if content:
            return begin + len(content)
        end = begin
    return 0


def _walk(window: bytes, head: Head) -> tuple[int, Head, Flaw | None]:
    """How many bytes of `window` continue the chain after `head`, and what stopped it."""
    position = 0
    while position < len(window):
        end = window.find(b"\n", position) + 1 or len(window)
        checked = check(window[position:end], head)
        if isinstance(checked, Flaw):
            return position, head, checked
        position, head = end, checked
    return position, head, None


def _repair(segment: Segment, tail: _Tail) -> Repair:
    # The copy is durable before the cut: a crash in between costs a second copy, not a byte.
    side_file = _free_name(segment.path)
    with segment.path.open("r+b") as file:
        _copy(file, tail.good_bytes, side_file)
        sync_directory(segment.directory)
        file.truncate(tail.good_bytes)
        os.fsync(file.fileno())
    return Repair(segment.path, side_file, tail.size - tail.good_bytes)


def _copy(file: BinaryIO, offset: int, target: Path) -> None:
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    file.seek(offset)
    with open(descriptor, "wb") as copy:  # noqa: PTH123 - a descriptor, for its mode
        while block := file.read(_BLOCK_BYTES):
            copy.write(block)
        copy.flush()
        os.fsync(copy.fileno())


def _free_name(path: Path) -> Path:
    candidates = (path.with_name(f"{path.name}.torn-{number}") for number in count(1))
    return next(name for name in candidates if not name.exists())


def _damaged(path: Path, offset: int, reason: str) -> JournalDamaged:
    return JournalDamaged(
        f"The audit journal {path} is damaged at byte {offset} ({reason}), so it is not "
        f"continued; nothing was changed. Run `bascule audit verify {path.parent}` for the "
        "first bad record, move the directory aside, and start again with an empty one.",
        private=f"{path} at byte {offset}: {reason}",
        details={"file": str(path), "offset_bytes": offset},
    )
