"""Where a journal lies: `<directory>/<writer>-00000001.jsonl` and its successors."""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from bascule.audit.lines import MAX_LINE_BYTES
from bascule.gateway.errors import Forbidden, NotFound

_NAME: Final = re.compile(r"(?P<writer>[a-z0-9][a-z0-9._-]*)-(?P<number>\d{8,12})\.jsonl")
_READ_BYTES: Final = 1024 * 1024
_BLOCK_BYTES: Final = 256 * 1024
_WRITER: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,99}")


@dataclass(frozen=True, slots=True)
class Segment:
    """One file of a writer's chain."""

    directory: Path
    writer: str
    number: int

    @property
    def path(self) -> Path:
        """The file; numbers are padded so that names sort as the chain runs."""
        return self.directory / f"{self.writer}-{self.number:08d}.jsonl"

    def next(self) -> "Segment":
        """The segment after this one."""
        return Segment(self.directory, self.writer, self.number + 1)


def is_writer_name(name: str) -> bool:
    """Whether `name` may be part of a file name: lower case, digits, `.`, `_` and `-`."""
    return _WRITER.fullmatch(name) is not None


def open_segment(segment: Segment) -> BinaryIO:
    """The segment, for reading.

    Raises:
        Forbidden: the files are readable by the user the gateway runs as, and by nobody else.
    """
    try:
        return segment.path.open("rb", buffering=_READ_BYTES)
    except PermissionError as refused:
        raise Forbidden(
            f"{segment.path} cannot be read by this user. Run the command as the gateway's user."
        ) from refused


def lines_forwards(file: BinaryIO) -> Iterator[bytes]:
    """The lines of `file` with their newlines, cut where they are longer than a line may be."""
    # Bounded, as a file without line breaks must not end up in memory.
    while line := file.readline(MAX_LINE_BYTES):
        yield line


def lines_backwards(file: BinaryIO, end: int | None = None) -> Iterator[bytes]:
    """The whole lines of `file` before byte `end`, last first, without their newlines."""
    position = file.seek(0, os.SEEK_END) if end is None else end
    # What follows the last newline is being written or was torn: dropped like an endless line.
    carry, dropping = b"", True
    while position:
        size = min(_BLOCK_BYTES, position)
        position -= size
        file.seek(position)
        first, *lines = (file.read(size) + carry).split(b"\n")
        if lines and dropping:
            lines.pop()
            dropping = False
        yield from reversed(lines)
        carry = b"" if dropping else first
        if len(carry) > MAX_LINE_BYTES:
            carry, dropping = b"", True
    if carry:
        yield carry


def list_segments(directory: Path, writer: str | None = None) -> dict[str, list[Segment]]:
    """The segments in `directory` by writer, each list in the order of the chain.

    Raises:
        NotFound: there is no such directory.
    """
    if not directory.is_dir():
        raise NotFound(f"There is no audit directory {directory}. Give the one the journal is in.")
    found: dict[str, list[Segment]] = {}
    for entry in directory.iterdir():
        name = _NAME.fullmatch(entry.name)
        if name and writer in {None, name["writer"]}:
            segment = Segment(directory, name["writer"], int(name["number"]))
            if segment.path == entry:
                found.setdefault(segment.writer, []).append(segment)
    return {
        name: sorted(segments, key=lambda segment: segment.number)
        for name, segments in sorted(found.items())
    }
