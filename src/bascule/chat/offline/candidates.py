"""Lists that a tool gave, and which of their rows a person means."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import time
from typing import Final

from bascule.chat.offline.dates import Clock, count_of
from bascule.chat.offline.history import Outcome
from bascule.chat.offline.messages import Message
from bascule.chat.offline.schemas import Field
from bascule.chat.offline.shapes import EACH, as_list, at_path
from bascule.chat.offline.words import is_common, name_stems, stem, words_of

SHOWN: Final = 8
"""Rows of a list that are shown, with numbers."""

LONGEST_VALUE: Final = 500
"""Characters of a value that a call is made with; no identifier is longer."""

_MOST_ROWS: Final = 500
_LONGEST_TEXT: Final = 120
ORDINALS: Final = words_of("first second third fourth fifth sixth seventh eighth")
_NUMBERED: Final = re.compile(
    r"(?:\b(?P<lead>number|no\.?|option|choice|#)\s*|^\W*)(?P<number>\d{1,2}|[a-z]{3,5})"
    r"(?:st|nd|rd|th)?\b",
    re.IGNORECASE,
)
_ORDINAL_DIGITS: Final = re.compile(r"\b(\d)(?:st|nd|rd|th)\b", re.IGNORECASE)
_CLOCK: Final = re.compile(r"(?:^|T)(\d{2}):(\d{2})")
_DAY: Final = re.compile(r"^(\d{4}-\d{2}-\d{2})")
_FEW_WORDS: Final = 5
_PART_OF_NAME: Final = re.compile(r"(?<![^\W_])[^\W\d_]{3,}(?![^\W_])")
_PART: Final = 0.3
"""The least part of a row's words that must be said."""

_NAMES: Final = frozenset({"nam", "titl", "id", "label", "cod", "numb"})

_Chooser = Callable[[Sequence[float]], float]
_SUPERLATIVES: Final[Sequence[tuple[re.Pattern[str], frozenset[str], _Chooser]]] = (
    (re.compile(r"\b(?:nearest|closest)\b", re.IGNORECASE), frozenset({"distanc"}), min),
    (re.compile(r"\bcheapest\b", re.IGNORECASE), frozenset({"pric", "cost", "far", "fee"}), min),
    (re.compile(r"\b(?:best|(?:top|best"
        r"|highest)[ -]rated)\b", re.IGNORECASE), frozenset({"rat", "scor", "star"}), max),
)  # fmt: skip

_IN_TIME: Final[Sequence[tuple[re.Pattern[str], Callable[..., int]]]] = (
    (re.compile(r"\b(?:earliest|soonest|oldest)\b", re.IGNORECASE), min),
    (re.compile(r"\b(?:latest|newest|most recent)\b", re.IGNORECASE), max),
)


@dataclass(frozen=True, slots=True)
class Rows:
    """The items of a list in `outcome`, and in each the value that is looked for."""

    outcome: Outcome
    items: Sequence[object]
    values: Sequence[object]
    texts: Sequence[Sequence[tuple[str, str]]]
    """Of each row its plain values, by the names they have in the output schema."""


def rows_of(outcome: Outcome, wanted: Field, fields: Sequence[Field]) -> Rows | None:
    """The list in which `wanted` is; None where there is none."""
    at = wanted.path.index(EACH)
    within = wanted.path[at + 1 :]
    if EACH in within:
        return None
    items = as_list(at_path(outcome.structured, wanted.path[:at]))[:_MOST_ROWS]
    told = [one for one in fields if one.path[: at + 1] == wanted.path[: at + 1]]
    kept = [(item, at_path(item, within)) for item in items]
    kept = [(item, value) for item, value in kept if is_usable(value)]
    texts = [_texts(item, told, at + 1) for item, _ in kept]
    return Rows(outcome, [item for item, _ in kept], [value for _, value in kept], texts)


def is_usable(value: object) -> bool:
    """Whether a value of a result may become an argument."""
    if isinstance(value, str):
        return 0 < len(value) <= LONGEST_VALUE
    return isinstance(value, int | float) and not isinstance(value, bool)


def _texts(item: object, fields: Sequence[Field], depth: int) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for one in fields:
        within = one.path[depth:]
        value = None if EACH in within else at_path(item, within)
        if is_usable(value):
            name = within[-1] if within else one.path[depth - 2]
            found.append((name, str(value)[:_LONGEST_TEXT]))
    return found


def numbered(rows: Rows, message: Message, among: Sequence[int] = ()) -> int | None:
    """The row that `message` means by its place: "the second", "number 3", "last", "2".

    Where only those `among` the rows were shown, they keep their numbers, and the first of them is
    "the first".
    """
    shown = list(among) or list(range(len(rows.items)))
    if not shown:
        return None
    masked = _without_dates(message)
    for match in _NUMBERED.finditer(masked):
        number = count_of(match["number"])
        is_meant = match["lead"] or _is_alone(message, match["number"])
        if number and is_meant and number - 1 in (shown if match["lead"] else shown[:SHOWN]):
            return number - 1
    words = [one.text.lower() for one in message.words if masked[one.start] != " "]
    places = [int(one) - 1 for one in _ORDINAL_DIGITS.findall(masked)]
    places += [ORDINALS.index(word) for word in words if word in ORDINALS]
    if places and 0 <= places[0] < len(shown):
        return shown[places[0]]
    return shown[-1] if "last" in words else _superlative(rows, message, shown)


def _is_alone(message: Message, number: str) -> bool:
    """Whether a number is most of what is said; where it is a word, all of it."""
    return len(message.words) <= (_FEW_WORDS if number.isdecimal() else 1)


def _without_dates(message: Message) -> str:
    text = message.text
    spans = [(one.start, one.end) for one in message.days]
    spans += [(one.start, one.end) for one in message.clocks if not one.is_bare]
    for start, end in spans:
        text = text[:start] + " " * (end - start) + text[end:]
    return text


def _superlative(rows: Rows, message: Message, shown: Sequence[int]) -> int | None:
    timed = {at: found for at in shown if (found := _moment(rows.texts[at]))}
    for pattern, pick in _IN_TIME:
        if timed and pattern.search(message.text):
            return pick(timed, key=lambda at: (timed[at], at))
    for pattern, names, choose in _SUPERLATIVES:
        if not pattern.search(message.text):
            continue
        for name in dict.fromkeys(name for texts in rows.texts for name, _ in texts):
            if names & set(name_stems(name)):
                numbers = {at: _number(dict(rows.texts[at]).get(name, "")) for at in shown}
                known = {at: one for at, one in numbers.items() if one is not None}
                return next(
                    (at for at, one in known.items() if one == choose([*known.values()])), None
                )
    return None


def _moment(texts: Sequence[tuple[str, str]]) -> str:
    """The first date or time of a row, as ISO 8601 orders them."""
    return next((text for _, text in texts if _CLOCK.search(text) or _DAY.match(text)), "")


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def by_name(rows: Rows, message: Message) -> int | None:
    """The one row that `message` names, by its names first, then by any of its short texts."""
    said = {one.stem for one in message.words if not is_common(one.stem)}
    chunks = {chunk.strip(".,;:!?\"'()").casefold() for chunk in message.text.split()}
    for at, value in enumerate(rows.values):
        if isinstance(value, str) and value.casefold() in chunks:
            return at
    whole = _named_whole(rows, message.text.casefold())
    if whole is not None:
        return whole
    for is_name in (True, False):
        known = [frozenset(_known(texts, is_name=is_name)) for texts in rows.texts]
        found = _unique(known, said)
        if found is not None:
            return found
    return None


def _named_whole(rows: Rows, said: str) -> int | None:
    """The row whose whole name is said; the longest, where one contains another."""
    found: list[tuple[int, int]] = []
    for at, texts in enumerate(rows.texts):
        names = [text.casefold() for name, text in texts if _NAMES & set(name_stems(name))]
        lengths = [len(one) for one in names if len(one) > 3 and one in said]
        if lengths:
            found.append((max(lengths), at))
    longest = max(found, default=None)
    if longest is None or [length for length, _ in found].count(longest[0]) > 1:
        return None
    return longest[1]


def _known(texts: Sequence[tuple[str, str]], *, is_name: bool) -> Iterator[str]:
    for name, text in texts:
        if _CLOCK.search(text) or _DAY.match(text) or _number(text) is not None:
            continue
        if bool(_NAMES & set(name_stems(name))) is is_name:
            yield from (stem(part) for part in _PART_OF_NAME.findall(text))


def _unique(known: Sequence[frozenset[str]], said: set[str]) -> int | None:
    """The row with the most words said, if at least one of them is not in every row."""
    empty: frozenset[str] = frozenset()
    shared = known[0].intersection(*known[1:]) if len(known) > 1 else empty
    # A name full of other words is not the one that a few of them mean.
    own = [one - shared for one in known]
    counts = [len(one & said) if len(one & said) >= _PART * len(one) else 0 for one in own]
    most = max(counts, default=0)
    return counts.index(most) if most > 0 and counts.count(most) == 1 else None


def by_time(rows: Rows, message: Message) -> list[int]:
    """The rows at the dates and times that `message` names; none where it names none they have."""
    found: list[int] = []
    days = {one.value.isoformat() for one in message.days}
    clocks = [one for one in message.clocks if not one.is_bare or len(message.words) <= _FEW_WORDS]
    if not days and not clocks:
        return []
    for at, texts in enumerate(rows.texts):
        times = [
            time(int(one[1]), int(one[2]))
            for _, text in texts
            if (one := _CLOCK.search(text)) and _is_time(one)
        ]
        dates = {one[1] for _, text in texts if (one := _DAY.match(text))}
        if days and dates and not days & dates:
            continue
        if clocks and not any(_within(one, clock) for one in times for clock in clocks):
            continue
        if (days and dates) or (clocks and times):
            found.append(at)
    return found


def _is_time(match: re.Match[str]) -> bool:
    return int(match[1]) < 24 and int(match[2]) < 60


def _within(value: time, clock: Clock) -> bool:
    if clock.earliest == clock.latest:
        # "at 4" in a list of the afternoon: 16:00.
        later = clock.earliest.replace(hour=(clock.earliest.hour + 12) % 24)
        return value == clock.earliest or (clock.earliest.hour < 8 and value == later)
    return clock.earliest <= value < clock.latest
