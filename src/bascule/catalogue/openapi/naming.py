"""Names that MCP clients accept, each given once."""

import hashlib
import re
import unicodedata
from typing import Final

LONGEST_TOOL_NAME: Final = 64
"""Characters. The protocol allows 128, but model APIs stop at 64."""

_UNWELCOME: Final = re.compile(r"[^A-Za-z0-9_.-]+")
_MARKS: Final = re.compile(r"[\u0300-\u036f]+")
_DIGEST: Final = 8
_TEMPLATE_MARKS: Final = re.compile(r"[/{}]+")


def clean(wish: str, longest: int = LONGEST_TOOL_NAME) -> str:
    """`wish` in the letters A-Z, a-z, 0-9, `_`, `.` and `-`; empty where none of it is.

    Accents are dropped; letters of other scripts, which may look like these, never become them.
    A longer one ends in a digest of the whole, so that it stays itself whatever others are there.
    """
    if not wish.isascii():
        wish = _MARKS.sub("", unicodedata.normalize("NFD", wish))
    name = _UNWELCOME.sub("_", wish).strip("_")
    if len(name) <= longest:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:_DIGEST]
    return f"{name[: longest - _DIGEST - 1].rstrip('_')}_{digest}"


def name_by_path(method: str, path: str) -> str:
    """A name for an operation that has none: `get_v1_dealers_id_enquiries`."""
    return clean(f"{method.lower()}_{_TEMPLATE_MARKS.sub('_', path).strip('_')}")


class Names:
    """Gives out names of at most `longest` characters, none twice, nor in other capitals."""

    def __init__(self, longest: int = LONGEST_TOOL_NAME) -> None:
        self._longest = longest
        self._given: set[str] = set()
        self._counts: dict[str, int] = {}

    def take(self, name: str) -> str:
        """`name`, or where it is taken `name_2`, `name_3` and so on, shortened to fit."""
        number = self._counts.get(name.lower(), 1)
        candidate = name[: self._longest]
        while candidate.lower() in self._given:
            number += 1
            ending = f"_{number}"
            candidate = name[: self._longest - len(ending)] + ending
        self._counts[name.lower()] = number
        self._given.add(candidate.lower())
        return candidate
