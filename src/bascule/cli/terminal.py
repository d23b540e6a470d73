"""What a terminal makes of text: colour where it is wanted, and never a command to itself."""

import os
import re
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


def _written_out(found: re.Match[str]) -> str:
    number = ord(found[0])
    return f"\\x{number:02x}" if number < 256 else f"\\u{number:04x}"
