"""What a terminal makes of text: colour where it is wanted, and never a command to itself."""

import os
import re
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

from rich.console import Console

_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


def console_on(stream: IO[str]) -> Console:
    """A console that colours only on a terminal, and not where `NO_COLOR` is set.

    See https://no-color.org. Its text is taken as it is: no emoji codes, no highlighting.
    """
    return Console(
        file=stream,
        color_system=None if os.environ.get("NO_COLOR") else "auto",
        soft_wrap=True,
        highlight=False,
        emoji=False,
    )


def harmless(text: str) -> str:
    """`text` with its control characters and lone surrogates written out, but not line feed or tab.

    Names and results come from documents, callers and upstreams; printed raw, they could move
    the cursor, retitle the window or hide lines.
    """
    return _CONTROL.sub(_written_out, text)


def warn_of_file(path: Path, advice: str) -> None:
    """Say on standard error what is wrong with the mode of a file."""
    print(harmless(f"warning: {path}: {advice}"), file=sys.stderr)


def _written_out(found: re.Match[str]) -> str:
    number = ord(found[0])
    return f"\\x{number:02x}" if number < 256 else f"\\u{number:04x}"


@contextmanager
def progress(label: str, total_bytes: int | None) -> Generator[Callable[[int], None]]:
    """A bar on standard error while the block runs, where that is a terminal; nothing elsewhere.

    Gives a function to call with the number of bytes that came. Without `total_bytes` the bar
    only shows that something is going on.
    """
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    # Only here: no other command needs it.
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn

    columns = (TextColumn("{task.description}", markup=False), BarColumn(), DownloadColumn())
    with Progress(*columns, console=console_on(sys.stderr), transient=True) as bar:
        task = bar.add_task(harmless(label), total=total_bytes)
        yield lambda count: bar.advance(task, count)
