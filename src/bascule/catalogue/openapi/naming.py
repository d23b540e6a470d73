"""Names that MCP clients accept, each given once."""

import re
from typing import Final

LONGEST_TOOL_NAME: Final = 64
"""Characters. The protocol allows 128, but model APIs stop at 64."""

_UNWELCOME: Final = re.compile(r"[^A-Za-z0-9_.-]+")
_TEMPLATE_MARKS: Final = re.compile(r"[/{}]+")


def clean(wish: str, longest: int = LONGEST_TOOL_NAME) -> str:
    """`wish` in the letters A-Z, a-z, 0-9, `_`, `.` and `-`; empty where none of it is."""
    return _UNWELCOME.sub("_", wish).strip("_")[:longest].rstrip("_")


def name_by_path(method: str, path: str) -> str:
    """A name for an operation that has none: `get_v1_dealers_id_enquiries`."""
    return clean(f"{method.lower()}_{_TEMPLATE_MARKS.sub('_', path).strip('_')}")


class Names:
    """Gives out names of at most `longest` characters, none of them twice."""

    def __init__(self, longest: int = LONGEST_TOOL_NAME) -> None:
        self._longest = longest
        self._given: set[str] = set()
        self._counts: dict[str, int] = {}

    def take(self, name: str) -> str:
        """`name`, or where it is taken `name_2`, `name_3` and so on, shortened to fit."""
        number = self._counts.get(name, 1)
        candidate = name[: self._longest]
        while candidate in self._given:
            number += 1
            ending = f"_{number}"
            candidate = name[: self._longest - len(ending)] + ending
        self._counts[name] = number
        self._given.add(candidate)
        return candidate
