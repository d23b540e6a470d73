"""`DIR/ready.json`: how commands find the instance that runs on a data directory."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

_NAME: Final = "ready.json"


@dataclass(frozen=True, slots=True)
class Ready:
    """A running instance. The keys are there only where `bascule up` made them."""

    mcp_url: str
    api_url: str
    pid: int
    admin_key: str | None = None
    demo_key: str | None = None


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
    """Remove the file, if it is this process that wrote it."""
    ready = _read(data)
    if ready is not None and ready.pid == os.getpid():
        (data / _NAME).unlink(missing_ok=True)


def read_ready(data: Path) -> Ready | None:
    """The instance running on `data`; None where none is, whatever a dead one left behind."""
    ready = _read(data)
    return ready if ready is not None and _alive(ready.pid) else None


def _read(data: Path) -> Ready | None:
    try:
        members = json.loads((data / _NAME).read_text())
        return Ready(**members)
    except (OSError, ValueError, TypeError):
        return None


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
