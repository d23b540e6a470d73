"""Make a conversation fit a model: older things are left out, and never half of a pair."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import msgspec

from bascule.chat.models import Answered, Entry, Returned, Said

LEFT_OUT: Final = "(this result is left out: it is too long ago)"


def size_of(entry: Entry) -> int:
    """The characters of an entry, as far as they count for a model."""
    match entry:
        case Said():
            return len(entry.text)
        case Answered():
            wanted = [(one.name, one.arguments) for one in entry.wanted]
            return len(entry.text) + (len(msgspec.json.encode(wanted)) if wanted else 0)
        case Returned():
            return len(entry.text)


def fit(entries: Sequence[Entry], most_characters: int) -> list[Entry] | None:
    """As much of `entries` as fits; None where not even the last exchange does.

    First the texts of the oldest results go, then the oldest messages with all that answered
    them, then the oldest steps of the answer under way. What the person said last stays, and so
    does the last step.
    """
    kept = list(entries)
    excess = sum(map(size_of, kept)) - most_characters
    if excess <= 0:
        return kept
    excess = _forget_results(kept, excess)
    for cut in (_oldest_exchange, _oldest_step):
        while excess > 0:
            span = cut(kept)
            if span is None:
                break
            excess -= sum(map(size_of, kept[span]))
            del kept[span]
    return kept if excess <= 0 else None


def _forget_results(entries: list[Entry], excess: int) -> int:
    """Blank the oldest results, but those not answered yet; give the excess that is left."""
    asked, said = _last(entries, Answered), _last(entries, Said)
    for index, entry in enumerate(entries[: asked if asked > said else len(entries)]):
        if excess <= 0:
            break
        if isinstance(entry, Returned) and len(entry.text) > len(LEFT_OUT):
            excess -= len(entry.text) - len(LEFT_OUT)
            entries[index] = replace(entry, text=LEFT_OUT, structured=None)
    return excess


def _oldest_exchange(entries: Sequence[Entry]) -> slice | None:
    """From the first message of the person up to the next one, unless it is the last."""
    for index, entry in enumerate(entries):
        if index and isinstance(entry, Said):
            return slice(0, index)
    return None


def _oldest_step(entries: Sequence[Entry]) -> slice | None:
    """The first step after what the person said, with its results, unless it is the last."""
    begins = [index for index, entry in enumerate(entries) if isinstance(entry, Answered)]
    return slice(begins[0], begins[1]) if len(begins) > 1 else None


def _last(entries: Sequence[Entry], kind: type[Entry]) -> int:
    found = [index for index, entry in enumerate(entries) if isinstance(entry, kind)]
    return found[-1] if found else -1
