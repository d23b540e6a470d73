"""`DIR/ready.json`: how commands find the instance that runs on a data directory."""

import fcntl
import json
import os
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

_NAME: Final = "ready.json"
_LOCK: Final = "instance.lock"


@dataclass(frozen=True, slots=True)
class Ready:
    """A running instance. The keys are there only where `bascule up` made them.

    `certificate` is the file with the certificate that it answers with, where it speaks TLS.
    """

    mcp_url: str
    api_url: str
    pid: int
    admin_key: str | None = None
    demo_key: str | None = None
    certificate: str | None = None


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
    try:
        members = json.loads((data / _NAME).read_text())
        ready = Ready(**members)
    except (OSError, ValueError, TypeError):
        return None
    return ready if _is_held(data) else None


def _is_held(data: Path) -> bool:
    try:
        with (data / _LOCK).open() as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False
