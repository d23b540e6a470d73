"""One process per writer: two would fork the chain."""

import fcntl
import os
from pathlib import Path
from typing import Final

from bascule.gateway.errors import ErrorCode, GatewayError

_LONGEST_OWNER_BYTES: Final = 300


class JournalLocked(GatewayError):
    """Another process writes this journal; nothing was changed."""

    error = ErrorCode.UNAVAILABLE


class JournalLock:
    """An exclusive flock on `<writer>.lock`; the kernel drops it when its process dies.

    The file stays, as removing it would let two processes hold locks on two files of one name.
    """

    def __init__(self, directory: Path, writer: str) -> None:
        """Take the lock.

        Raises:
            JournalLocked: another process has it; the message says which.
        """
        path = directory / f"{writer}.lock"
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = os.pread(self._descriptor, _LONGEST_OWNER_BYTES, 0).decode(errors="replace")
            os.close(self._descriptor)
            raise _locked(path, owner.strip()) from None
        os.ftruncate(self._descriptor, 0)
        # The host is named because processes in two containers can share a number.
        os.pwrite(self._descriptor, f"{os.getpid()} on {os.uname().nodename}\n".encode(), 0)

    def release(self) -> None:
        """Let the next process in."""
        os.close(self._descriptor)


def _locked(path: Path, owner: str) -> JournalLocked:
    return JournalLocked(
        f"The audit journal in {path.parent} is in use by process {owner or 'unknown'}. "
        "Stop that process, or give this one another audit directory or writer name.",
        private=f"{path} is locked by {owner or 'an unknown process'}",
        details={"lock_file": str(path), "owner": owner},
    )
