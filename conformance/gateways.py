"""The gateway of a cell, in front of the reference server."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from conformance.cells import Cell, Door
from conformance.processes import free_port, listening

REFERENCE: Final = (sys.executable, "-m", "conformance.reference")
BASCULE: Final = (sys.executable, "-m", "bascule")
KEYED: Final = (sys.executable, "-m", "conformance.keyed")
_NAME: Final = "reference"
_RULE: Final = (
    *("allow", "all of the reference server", "--role", "user", "--bundle", _NAME),
    *("--tool", "*", "--prompt", "*", "--resource", "*"),
)


@contextmanager
def reference(era: str) -> Iterator[str]:
    """The reference server over HTTP; gives its address without a path."""
    port = free_port()
    with listening([*REFERENCE, "--port", str(port), "--era", era], port):
        yield f"http://127.0.0.1:{port}"


@contextmanager
def gateway(cell: Cell, data: Path) -> Iterator[str]:
    """The gateway in front of the cell's upstream; gives the address of its MCP."""
    open_door = _instance if cell.door is Door.SERVER else _proxy
    with _upstream(cell) as target, open_door(target, data / cell.name) as address:
        yield address


@contextmanager
def _upstream(cell: Cell) -> Iterator[list[str]]:
    """What the gateway's commands need to reach the cell's reference server."""
    if cell.transport == "stdio":
        yield ["--", *REFERENCE, "--stdio", "--era", cell.era]
        return
    with reference(cell.era) as base:
        yield [base + ("/sse" if cell.transport == "sse" else "/mcp")]


@contextmanager
def _proxy(target: Sequence[str], data: Path) -> Iterator[str]:
    port = free_port()
    with listening([*BASCULE, "proxy", "--port", str(port), "--data", str(data), *target], port):
        yield f"http://localhost:{port}/mcp"


@contextmanager
def _instance(target: Sequence[str], data: Path) -> Iterator[str]:
    """A new instance, which lets users of its one server do everything, and a user's key."""
    shutil.rmtree(data, ignore_errors=True)
    own, keyed = free_port(), free_port()
    options = ["--no-browser", "--port", str(own), "--data", str(data)]
    with listening([*BASCULE, "up", *options], own):
        _command(data, "servers", "add", _NAME, *target)
        _command(data, "policy", *_RULE)
        made = _command(data, "keys", "create", "--name", "suite", "--role", "user")
        key_file = data / "suite.key"
        key_file.write_text(made["key"])
        with listening([*KEYED, str(keyed), str(own), str(key_file)], keyed):
            yield f"http://localhost:{keyed}/mcp/servers/{_NAME}"


def _command(data: Path, group: str, action: str, *rest: str) -> Any:
    """Run a command on the instance; gives what it printed."""
    options = ["--data", str(data), "--output", "json"]
    command = [*BASCULE, group, action, *options, *rest]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout)
