"""Values for a parameter in what a person wrote, found by its schema; never made up."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from enum import IntEnum
from typing import Final, cast

from bascule.chat.offline.codes import (
    codes_like,
    digits_told,
    fits_pattern,
    is_code,
    is_selective,
    patterned,
)
from bascule.chat.offline.dates import Day, count_of
from bascule.chat.offline.matching import is_opaque
from bascule.chat.offline.messages import Message
from bascule.chat.offline.phrases import named_text, place_names, quoted, sought, titled_text
from bascule.chat.offline.schemas import Leaf, kind_of
from bascule.chat.offline.shapes import as_list, as_text
from bascule.chat.offline.words import VERBS, name_stems, words_of
from bascule.chat.parts import JsonObject

_EMAIL: Final = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_URI: Final = re.compile(r"https?://[^\s<>\"']+[^\s<>\"'.,;:!?)]")
_UUID: Final = re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", re.IGNORECASE)
_FORMATS: Final = {"email": _EMAIL, "uri": _URI, "url": _URI, "uuid": _UUID}
_NUMBER: Final = re.compile(
    r"(?<![\w.,:/-])[-+]?\d{1,3}(?:,\d{3})+(?:\.\d+)?(?![\w:/-])"
    r"|(?<![\w.,:/-])[-+]?\d+(?:\.\d+)?(?![\w:/-])"
)
_ENDS: Final = frozenset(words_of("end until till to before checkout return finish arriv last due"))
_STARTS: Final = frozenset(words_of("start from after sinc begin checkin depart first"))
_WEAK_NAMES: Final = frozenset(
    words_of("numb count id num no of in max min total typ siz amount valu quantity")
)
_FREE_NAMES: Final = frozenset(words_of("nam titl subject headlin summary label"))
_LONGEST_NUMBER: Final = 18
_REACH: Final = 2
"""Words between a number and the name that it belongs to."""


class Strength(IntEnum):
    """How sure it is that a value is meant for a parameter."""

    GUESSED = 1
    """It could be; enough where the parameter is needed."""
    FITS = 2
    TOLD = 3
    """The person said what it is, or only this has such a form."""


@dataclass(frozen=True, slots=True)
class Found:
    """A value, how sure it is, and where in the message it stands."""

    value: object
    strength: Strength
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Wish:
    """A parameter as it is looked for: with examples of its like, and the nouns of its tool."""

    leaf: Leaf
    examples: Sequence[str] = ()
    nouns: frozenset[str] = frozenset()


def find_values(wish: Wish, message: Message) -> list[Found]:
    """What `message` may say of the parameter, the surest first; each fits its schema."""
    leaf = wish.leaf
    if leaf.kind == "array":
        return _array(wish, message)
    found = [one for one in _raw(wish, leaf.schema, message) if is_allowed(one.value, leaf.schema)]
    return sorted(found, key=lambda one: (-one.strength, one.start))


def _raw(wish: Wish, schema: JsonObject, message: Message) -> Iterator[Found]:
    kind, form = kind_of(schema), as_text(schema.get("format"))
    if "enum" in schema:
        yield from _enum(wish, as_list(schema["enum"]), message)
    elif kind in {"integer", "number"}:
        yield from _numbers(wish, message, whole=kind == "integer")
    elif kind == "boolean":
        yield from _boolean(wish, message)
    elif kind != "string":
        return
    elif form in _DATED:
        yield from _DATED[form](wish, message)
    elif form in _FORMATS:
        for match in _FORMATS[form].finditer(message.text):
            yield Found(match[0], Strength.TOLD, *match.span())
    else:
        yield from _strings(wish, schema, message)


def _array(wish: Wish, message: Message) -> list[Found]:
    """All that fit an item, as one value."""
    items = wish.leaf.items
    if kind_of(items) in {"array", "object"} or not items:
        return []
    found = [one for one in _raw(wish, items, message) if is_allowed(one.value, items)]
    found = list({(one.start, one.end): one for one in reversed(found)}.values())
    found.sort(key=lambda one: one.start)
    if not found:
        return []
    values = list({repr(one.value): one.value for one in found}.values())
    strength = min(one.strength for one in found)
    whole = Found(values, strength, found[0].start, found[-1].end)
    return [whole] if is_allowed(values, wish.leaf.schema) else []


def _enum(wish: Wish, values: Sequence[object], message: Message) -> Iterator[Found]:
    """Values by their words, the longest first; short capitals only as they are written."""
    named = {one for one in wish.leaf.stems if one not in _WEAK_NAMES}
    stems = [one.stem for one in message.words]
    lead = next((at for at, one in enumerate(stems) if one in VERBS), -1)
    for value in sorted((one for one in values if isinstance(one, str)), key=len, reverse=True):
        parts = name_stems(value)
        for at in range(len(stems) - len(parts) + 1 if parts else 0):
            words = message.words[at : at + len(parts)]
            if tuple(one.stem for one in words) != parts or at == lead:
                continue
            if len(value) <= 3 and "".join(one.text for one in words) != value:
                continue
            is_told = bool(named & set(stems[max(at - _REACH, 0) : at + len(parts) + _REACH]))
            strength = Strength.TOLD if is_told else Strength.FITS
            yield Found(value, strength, words[0].start, words[-1].end)


def _numbers(wish: Wish, message: Message, *, whole: bool) -> Iterator[Found]:
    """Numbers beside a word of the parameter's name, or of its tool where it is an identifier."""
    names = {one for one in wish.leaf.stems if one not in _WEAK_NAMES}
    if not names or wish.leaf.stems[-1] in {"id", "numb"}:
        names |= wish.nouns
    for value, start, end in _said_numbers(message):
        if whole and not float(value).is_integer():
            continue
        near = _near(message, start, end)
        if _word_before(message, start) == "to":
            near |= _before(message, start)
        if names & near:
            yield Found(int(value) if whole else value, Strength.TOLD, start, end)
        elif "#" in near and wish.leaf.stems[-1] in {"id", "numb"}:
            yield Found(int(value), Strength.FITS, start, end)


def _said_numbers(message: Message) -> Iterator[tuple[int | float, int, int]]:
    taken = [*message.days, *(one for one in message.clocks if not one.is_bare)]
    for match in _NUMBER.finditer(message.text):
        if not any(match.start() < one.end and one.start < match.end() for one in taken):
            text = match[0].replace(",", "")
            if len(text) <= _LONGEST_NUMBER:
                yield (float(text) if "." in text else int(text)), *match.span()
    for word in message.words:
        count = count_of(word.text)
        if count is not None and word.text.isalpha() and len(word.text) > 2:
            yield count, word.start, word.end


def _near(message: Message, start: int, end: int) -> set[str]:
    """The stems around a span, within the sentence."""
    before = [one for one in message.words if one.end <= start][-_REACH:]
    after = [one for one in message.words if one.start >= end][:_REACH]
    stop = re.compile(r"[.!?;,]\s")
    return {one.stem for one in before if not stop.search(message.text[one.end : start] + " ")} | {
        one.stem for one in after if not stop.search(message.text[end : one.start] + " ")
    }


def _before(message: Message, start: int) -> set[str]:
    """The stems before a place, within the sentence: "the price of the second to 30"."""
    stop = re.compile(r"[.!?;]\s")
    words = [one for one in message.words if one.end <= start]
    return {one.stem for one in words if not stop.search(message.text[one.end : start])}


def _boolean(wish: Wish, message: Message) -> Iterator[Found]:
    """True where its name is said; false where it is said with "no" or "without"."""
    named = [one for one in wish.leaf.stems if one not in {"is", "has", "allow", "includ", "with"}]
    stems = [one.stem for one in message.words]
    for at in range(len(stems) - len(named) + 1 if named else 0):
        if stems[at : at + len(named)] == named:
            before = {one.text.lower() for one in message.words[max(at - 2, 0) : at]}
            denied = bool(before & {"no", "not", "without", "non", "don't"})
            yield Found(not denied, Strength.FITS, message.words[at].start, message.words[at].end)


def _dates(wish: Wish, message: Message) -> Iterator[Found]:
    chosen = message.days if wish.leaf.kind == "array" else _of_range(wish, message)
    for one in chosen:
        yield Found(one.value.isoformat(), Strength.FITS, one.start, one.end)


def _of_range(wish: Wish, message: Message) -> Sequence[Day]:
    """Of a range its start or its end, as the parameter is named."""
    stems = set(wish.leaf.stems)
    days = message.days
    if stems & _ENDS:
        lead = {one: _word_before(message, one.start) for one in days}
        ending = [
            one
            for one in days
            if lead[one] in {"to", "until", "till", "by", "before", "and", "through"}
        ]
        return ending[-1:] or days[1:2]
    if (
        stems & _STARTS
        and len(days) == 1
        and _word_before(message, days[0].start) in {"until", "till", "before"}
    ):
        return []
    return days[:1]


def _word_before(message: Message, start: int) -> str:
    before = [one for one in message.words if one.end <= start]
    return before[-1].text.lower() if before else ""


def _moments(wish: Wish, message: Message) -> Iterator[Found]:
    """A date and a time of the same message."""
    clocks = [one for one in message.clocks if one.earliest == one.latest and not one.is_bare]
    for day in _of_range(wish, message):
        for clock in clocks[:1]:
            moment = datetime.combine(day.value, clock.earliest, message.now.tzinfo)
            yield Found(moment.isoformat(), Strength.FITS, day.start, day.end)


def _times(wish: Wish, message: Message) -> Iterator[Found]:
    del wish
    for one in message.clocks:
        if one.earliest == one.latest and not one.is_bare:
            yield Found(
                one.earliest.isoformat(timespec="seconds"), Strength.FITS, one.start, one.end
            )


_DATED: Final[dict[str, Callable[[Wish, Message], Iterator[Found]]]] = {
    "date": _dates,
    "date-time": _moments,
    "time": _times,
}


def _strings(wish: Wish, schema: JsonObject, message: Message) -> Iterator[Found]:
    leaf, pattern = wish.leaf, schema.get("pattern")
    is_coded = is_opaque(leaf) or digits_told(leaf.description) or any(map(is_code, wish.examples))
    for text, start, end in named_text(leaf.stems, message):
        if not is_coded or (" " not in text and any(one.isdigit() for one in text)):
            yield Found(text, Strength.TOLD, start, end)
    if leaf.required and leaf.is_free:
        for text, start, end in titled_text(leaf.stems, wish.nouns, message):
            yield Found(text, Strength.FITS, start, end)
    if isinstance(pattern, str) and is_selective(pattern):
        yield from _patterned(pattern, message)
        return
    yield from _codes(wish, message)
    for text, start, end, is_sure in place_names(leaf, wish.examples, message):
        yield Found(text, Strength.FITS if is_sure else Strength.GUESSED, start, end)
    for text, start, end in sought(leaf.stems, message):
        yield Found(text, Strength.GUESSED, start, end)
    if leaf.required and leaf.is_free and set(leaf.stems) & _FREE_NAMES:
        for text, start, end in quoted(message.text):
            yield Found(text, Strength.FITS, start, end)


def _codes(wish: Wish, message: Message) -> Iterator[Found]:
    """What looks like an example; for what is optional, only where its name is said."""
    leaf = wish.leaf
    is_named = bool(set(leaf.stems) & {one.stem for one in message.words})
    if not leaf.required and not is_named:
        return
    moments = [*message.days, *(one for one in message.clocks if not one.is_bare)]
    for code in codes_like(wish.examples, digits_told(leaf.description), message.text):
        if any(code.start < one.end and one.start < code.end for one in moments):
            continue
        is_sure = code.is_exact or is_named
        if is_sure or not is_opaque(leaf):
            yield Found(
                code.text, Strength.TOLD if is_sure else Strength.FITS, code.start, code.end
            )


def _patterned(pattern: str, message: Message) -> Iterator[Found]:
    for code in patterned(pattern, message.text):
        yield Found(code.text, Strength.TOLD, code.start, code.end)
    for one in message.clocks:
        text = one.earliest.isoformat(timespec="minutes")
        if (
            one.earliest == one.latest != time.min
            and not one.is_bare
            and fits_pattern(pattern, text)
        ):
            yield Found(text, Strength.FITS, one.start, one.end)


def is_allowed(value: object, schema: JsonObject) -> bool:
    """Whether `value` fits what `schema` says of plain values: their set, bounds and pattern."""
    if "enum" in schema and value not in as_list(schema["enum"]):
        return False
    if isinstance(value, str):
        pattern = schema.get("pattern")
        return _within(len(value), schema, "minLength", "maxLength") and (
            not isinstance(pattern, str) or fits_pattern(pattern, value)
        )
    if isinstance(value, list):
        return _within(len(cast("list[object]", value)), schema, "minItems", "maxItems")
    if isinstance(value, bool) or not isinstance(value, int | float):
        return True
    above, below = schema.get("exclusiveMinimum"), schema.get("exclusiveMaximum")
    is_low = isinstance(above, int | float) and value <= above
    is_high = isinstance(below, int | float) and value >= below
    return not (is_low or is_high) and _within(value, schema, "minimum", "maximum")


def _within(size: float, schema: JsonObject, least: str, most: str) -> bool:
    low, high = schema.get(least), schema.get(most)
    return not (isinstance(low, int | float) and size < low) and not (
        isinstance(high, int | float) and size > high
    )
