"""What the engine complains about, without what only its makers can read."""

import re
from typing import Final

from bascule.rego.messages import MOST_REASON

_BACKTRACE: Final = re.compile(r"\s*stack backtrace:", re.IGNORECASE)
_PLACE: Final = re.compile(r"^--> (?P<file>.+):(?P<line>\d+):(?P<column>\d+)$", re.MULTILINE)
_ERROR: Final = re.compile(r"^error: (?P<why>.+)", re.MULTILINE | re.DOTALL)


def why_of(error: BaseException) -> str:
    """What `error` says, in one line: `a.rego:3:5: divide by zero`."""
    file, line, column, why = place_of(error)
    return f"{file}:{line}:{column}: {why}" if line else why


def place_of(error: BaseException) -> tuple[str, int, int, str]:
    """File, line, column and reason. The file is "" and the numbers are 0 where none is named."""
    text = _BACKTRACE.split(str(error), maxsplit=1)[0].strip()
    if isinstance(error, MemoryError):
        text = "it needs more memory than it may use"
    place, reason = _PLACE.search(text), _ERROR.search(text)
    why = _line(reason["why"] if reason else text) or type(error).__name__
    if place is None:
        return "", 0, 0, why
    return place["file"], int(place["line"]), int(place["column"]), why


def _line(text: str) -> str:
    kept = (part for part in text.splitlines() if not re.match(r"\s*(\d+ )?\|", part))
    return " ".join(" ".join(kept).split())[:MOST_REASON]
