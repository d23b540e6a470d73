"""The calls that put bytes on a disk, and what each of them promises."""

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


def _flush(descriptor: int) -> None:
    if sys.platform == "darwin":
        # fsync(2) of macOS leaves the data in the cache of the drive; only this does not.
        import fcntl  # noqa: PLC0415 - F_FULLFSYNC exists on macOS alone

        fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)
    else:
        os.fdatasync(descriptor)


@dataclass(frozen=True, slots=True)
class Disk:
    """Writing and syncing, replaceable where a test needs a disk that fails.

    `write(descriptor, bytes, offset)` gives the count written, which may fall short;
    `sync(descriptor)` returns once data and length of the file are durable. Both raise OSError.
    """

    write: Callable[[int, bytes, int], int] = os.pwrite
    sync: Callable[[int], None] = _flush

    def write_all(self, descriptor: int, content: bytes, offset: int) -> None:
        """Write all of `content` at `offset`, in as many calls as it takes."""
        written = self.write(descriptor, content, offset)
        while written < len(content):
            count = self.write(descriptor, content[written:], offset + written)
            if count <= 0:
                raise OSError("the file system took no more bytes and gave no reason")
            written += count


def sync_directory(directory: Path) -> None:
    """Make the names in `directory` durable; without it a new file may be gone after a crash."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_directory(directory: Path) -> None:
    """Make `directory` and its missing parents, for this user alone, under durable names."""
    if directory.is_dir():
        return
    make_directory(directory.parent)
    directory.mkdir(mode=0o700, exist_ok=True)
    sync_directory(directory.parent)
