"""`DIR/ready.json`: how commands find the instance that runs on a data directory."""

import fcntl
import json
import os
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Final

from bascule.app.private import ADMIN_KEY, read_secret

_NAME: Final = "ready.json"
_LOCK: Final = "instance.lock"


@dataclass(frozen=True, slots=True)
class Ready:
    """A running instance. It holds no secret.

    `admin_key_file` and `demo_key_file` name files of the data directory that hold keys it knows;
    None where it made none: `bascule up` does. `certificate` is the file with the certificate that
    it answers with, where it speaks TLS.
    """

    mcp_url: str
    api_url: str
    pid: int
    admin_key_file: str | None = None
    demo_key_file: str | None = None
    certificate: str | None = None


_MEMBERS: Final = frozenset(one.name for one in fields(Ready))


def write_ready(data: Path, ready: Ready) -> Path:
    """Write the file, readable by its owner only, in one step."""
    path = data / _NAME
    draft = data / f".{_NAME}.{os.getpid()}"
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(asdict(ready), file, indent=2)
        file.write("\n")
    draft.replace(path)
    return path


def remove_ready(data: Path) -> None:
    """Remove the file. Only for who holds the directory (see `hold`)."""
    (data / _NAME).unlink(missing_ok=True)


@contextmanager
def hold(data: Path) -> Generator[None]:
    """Mark the directory as in use while the block runs, even through `kill -9`.

    What a dead instance left in the file is removed at once: nobody is sent to its address.
    A process id would prove nothing, since ids are given out again.
    """
    with (data / _LOCK).open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        remove_ready(data)
        try:
            yield
        finally:
            remove_ready(data)


def read_ready(data: Path) -> Ready | None:
    """The instance running on `data`; None where none is, whatever a dead one left behind."""
    found = _read(data)
    return found[0] if found is not None and _is_held(data) else None


def admin_key_of(
    data: Path, ready: Ready, warn: Callable[[Path, str], None] | None = None
) -> str | None:
    """The key of who owns `data`, for the instance running there; None where it made none.

    It is always `admin.key` of the directory, of whoever owns `ready.json`, and no link: who can
    write there must not have a file of somebody else's sent to an address of their choice. `warn`
    as in `read_secret`.
    """
    found = _read(data)
    if ready.admin_key_file != ADMIN_KEY or found is None or found[0] != ready:
        return None
    path = data / ADMIN_KEY
    if warn is None:
        return read_secret(path, owner=found[1])
    return read_secret(path, warn, owner=found[1])


def _read(data: Path) -> tuple[Ready, int] | None:
    """What the file says, and the id of the user who owns it."""
    try:
        with (data / _NAME).open("rb") as file:
            members = json.load(file)
            owner = os.fstat(file.fileno()).st_uid
        # An instance of another version may say more, or less.
        ready = Ready(**{name: one for name, one in members.items() if name in _MEMBERS})
    except (OSError, ValueError, TypeError, AttributeError):
        return None
    return ready, owner


def _is_held(data: Path) -> bool:
    try:
        with (data / _LOCK).open() as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False
