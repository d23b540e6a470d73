"""What somebody probably meant by a name that nothing has."""

from collections.abc import Iterable
from typing import Final

from rapidfuzz import fuzz, process

_CLOSE_ENOUGH: Final = 60.0
_LONGEST_COMPARED: Final = 128


def closest(name: str, names: Iterable[str]) -> str | None:
    """The name most like `name`, if any is alike enough to be worth suggesting."""
    found = process.extractOne(
        name[:_LONGEST_COMPARED].lower(),
        list(names),
        scorer=fuzz.ratio,
        processor=str.lower,
        score_cutoff=_CLOSE_ENOUGH,
    )
    return found[0] if found else None
