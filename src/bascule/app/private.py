"""Files that hold a secret: for their owner alone, when they are made and when they are read."""

import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Final

import structlog

ADMIN_KEY: Final = "admin.key"
"""In the data directory, the credential of its owner, for commands. Only `bascule up` makes it."""

DEMO_KEY: Final = "demo.key"
"""The same for the demonstration: a key that may call tools."""

_FOR_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO
_READ: Final = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC
_LINKED: Final = "It is a link, and others may read what it leads to. Close that to them."

_log = structlog.get_logger(__name__)


def _into_log(path: Path, advice: str) -> None:
    _log.warning("file.open_to_others", path=str(path), advice=advice)


def read_secret(
    path: Path, warn: Callable[[Path, str], None] = _into_log, *, owner: int | None = None
) -> str | None:
    """The text in `path`; None where there is none, or this user may not read it.

    A file that others may read is closed to them, and `warn` is told, with what to do: they may
    have read it before. Where its mode cannot be changed, as on a read-only mount, it is used all
    the same, and so is what a link leads to, whose mode is left. With `owner`, a user id, a file
    of somebody else is none, and a link is none.
    """
    try:
        descriptor, is_link = _open(path, follows=owner is None)
    except OSError:
        return None
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode) or owner not in {None, found.st_uid}:
            return None
        if found.st_mode & _FOR_OTHERS:
            warn(path, _LINKED if is_link else _close_to_others(descriptor, found))
        with os.fdopen(os.dup(descriptor), errors="replace") as file:
            return file.read().strip() or None
    except OSError:
        return None
    finally:
        os.close(descriptor)


def write_secret(path: Path, secret: str) -> None:
    """Make `path` anew, readable by its owner only."""
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(secret + "\n")


def warn_of_open_directory(data: Path) -> None:
    """Log that others than its owner have rights in `data`. The directory is left as it is.

    Its mode may be the operator's will, or that of a volume: files with secrets are closed each.
    """
    mode = data.stat().st_mode
    if mode & _FOR_OTHERS:
        advice = f"Others than its owner may use it. Unless that is meant: chmod 700 {data}"
        _log.warning(
            "directory.open_to_others", path=str(data), mode=oct(mode & 0o777), advice=advice
        )


def _open(path: Path, *, follows: bool) -> tuple[int, bool]:
    """A descriptor for reading, and whether `path` is a link. A pipe is not waited for."""
    try:
        return os.open(path, _READ | os.O_NOFOLLOW), False
    except OSError:
        # Not looked at beforehand: whoever may write to the directory could change it since.
        if not follows or not path.is_symlink():
            raise
    return os.open(path, _READ), True


def _close_to_others(descriptor: int, found: os.stat_result) -> str:
    """Take their rights away from others; what to advise about the file."""
    try:
        os.fchmod(descriptor, stat.S_IMODE(found.st_mode) & ~_FOR_OTHERS)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        return f"Others may read it, and its mode cannot be changed: {reason}."
    return "Others could read it until now. If they may have, replace what it holds."
