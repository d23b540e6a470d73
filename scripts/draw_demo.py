"""Draw docs/images/demo.svg from what the commands really print, against a running demo.

    make demo                                   # in another shell
    .venv/bin/python scripts/draw_demo.py

Everything shown is the output of a command run now.
"""

import os
import pty
import re
import subprocess
import sys
from pathlib import Path

from rich.console import Console
from rich.text import Text

COMMANDS = (
    "bascule call resolve_customer mobile=9876543210",
    "bascule call resolve_custmer mobile=9876543210",
    "bascule audit tail -n 4",
    "bascule audit verify",
)
PICTURE = Path("docs/images/demo.svg")
_COLUMNS = 118
_FOREIGN = re.compile(r"@font-face \{.*?\}\s*|<!--.*?-->\s*", re.DOTALL)
_CONTROL = re.compile(r"\r|\x1b\][^\x07]*\x07")


def output_of(command: str) -> str:
    """What `command` prints on a terminal, colours included."""
    main, terminal = pty.openpty()
    environment = {**os.environ, "COLUMNS": str(_COLUMNS), "TERM": "xterm-256color"}
    words = [sys.executable, "-m", *command.split()]
    with subprocess.Popen(words, stdout=terminal, stderr=terminal, env=environment) as process:
        os.close(terminal)
        parts: list[bytes] = []
        while part := _read(main):
            parts.append(part)
        process.wait()
    os.close(main)
    return _CONTROL.sub("", b"".join(parts).decode())


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 65536)
    except OSError:  # the terminal's other end is closed
        return b""


def main() -> None:
    """Run the commands and write the picture."""
    console = Console(record=True, width=_COLUMNS, file=Path(os.devnull).open("w"))  # noqa: SIM115 - open until the end
    for command in COMMANDS:
        console.print(Text(f"$ {command}", style="bold"))
        console.print(Text.from_ansi(output_of(command)))
    PICTURE.parent.mkdir(exist_ok=True)
    picture = console.export_svg(title="bascule")
    # The picture must not fetch fonts from elsewhere; the reader's own monospace font will do.
    PICTURE.write_text(_FOREIGN.sub("", picture))


if __name__ == "__main__":
    main()
