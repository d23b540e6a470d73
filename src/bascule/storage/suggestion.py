"""What somebody probably meant by a name that nothing has."""

from collections.abc import Iterable
from typing import Final

from rapidfuzz import fuzz, process

_CLOSE_ENOUGH: Final = 60.0
_LONGEST_COMPARED: Final = 128


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A sentence to follow another, with a space before it; "" where nothing is alike enough."""
    found = process.extractOne(
        name[:_LONGEST_COMPARED].lower(),
        list(known),
        scorer=fuzz.ratio,
        processor=str.lower,
        score_cutoff=_CLOSE_ENOUGH,
    )
    return f" Did you mean {found[0]}?" if found else ""
