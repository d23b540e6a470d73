"""Values by their form: like an example, of so many digits, or of a pattern that is selective."""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

import jsonschema_rs

from bascule.chat.offline.dates import count_of
from bascule.chat.offline.words import is_common

_ORDINARY: Final = ("hello", "I", "need", "Tomorrow", "12", "x", "to-do", "it's", "Pay")
"""What a pattern must refuse to tell a value from ordinary words."""

_LONGEST_PATTERN: Final = 500
_LINEAR: Final = jsonschema_rs.RegexOptions()
_DIGITS: Final = re.compile(r"\b(\d{1,2}|[a-z]+)[ -]digits?\b", re.IGNORECASE)
_NUMBER_RUN: Final = re.compile(r"(?<![\w+])\+?\d[\d -]*\d(?!\w)")
_CHUNK: Final = re.compile(r"[^\s,;:!?\"'()]+")
_MOST_JOINED: Final = 5
_LONGEST_PART: Final = 5
_SHORTEST_CODE: Final = 4
_LEEWAY: Final = 2


class Code(NamedTuple):
    """A text of the wanted form, without the blanks in it; `is_exact`: quite like the example."""

    text: str
    start: int
    end: int
    is_exact: bool


@lru_cache(maxsize=2_000)
def _validator(pattern: str) -> jsonschema_rs.Draft202012Validator | None:
    """Matches in linear time, as patterns come from anywhere; None where it cannot."""
    if len(pattern) > _LONGEST_PATTERN:
        return None
    try:
        return jsonschema_rs.Draft202012Validator({"pattern": pattern}, pattern_options=_LINEAR)
    except ValueError:
        return None


def fits_pattern(pattern: str, text: str) -> bool:
    """Whether `text` has the pattern; not where the pattern cannot be matched in linear time."""
    validator = _validator(pattern)
    return validator is not None and validator.is_valid(text)


@lru_cache(maxsize=2_000)
def is_selective(pattern: str) -> bool:
    """Whether a pattern tells its values from ordinary words."""
    return not any(fits_pattern(pattern, one) for one in _ORDINARY)


def digits_told(description: str) -> int | None:
    """How many digits a description asks for: "ten digits", "10-digit number"."""
    for found in _DIGITS.finditer(description):
        count = count_of(found[1])
        if count is not None and count >= _SHORTEST_CODE:
            return count
    return None


def shape_of(text: str) -> str:
    """Its form: `A` for a letter, `9` for a digit, all else as it is."""
    return "".join("9" if one.isdigit() else "A" if one.isalpha() else one for one in text)


def is_code(example: str) -> bool:
    """Whether an example has a form that tells it from words and small numbers."""
    return (
        _SHORTEST_CODE <= len(example) <= 40
        and any(one.isdigit() for one in example)
        and not any(one.isspace() for one in example)
        and re.fullmatch(r"\d{4}-\d\d-\d\d.*|\d\d:\d\d.*|[\d.]{1,5}", example) is None
    )


def codes_like(examples: Sequence[str], digits: int | None, text: str) -> Iterator[Code]:
    """What in `text` has the form of an example, or so many digits."""
    codes = [one for one in dict.fromkeys(examples) if is_code(one)]
    counts = {len(one) for one in codes if one.isdecimal()}
    if digits:
        counts.add(digits)
    for count in sorted(counts):
        yield from _digit_runs(text, count)
    lettered = [one for one in codes if not one.isdecimal()]
    seen: set[tuple[int, int]] = set()
    for example in lettered:
        for code in (*_exactly(text, example), *_roughly(text, example)):
            if (code.start, code.end) not in seen:
                seen.add((code.start, code.end))
                yield code


def _digit_runs(text: str, count: int) -> Iterator[Code]:
    for match in _NUMBER_RUN.finditer(text):
        digits = re.sub(r"\D", "", match[0])
        is_international = match[0].startswith("+") and count < len(digits) <= count + 3
        if is_international:
            yield Code(f"+{digits}", *match.span(), is_exact=True)
        # Without the code of the country, or the 0 that is dialled before a national number.
        is_national = len(digits) == count + 1 and digits.startswith("0")
        if len(digits) == count or is_international or is_national:
            yield Code(digits[-count:], *match.span(), is_exact=True)


def _exactly(text: str, example: str) -> Iterator[Code]:
    """Also where it is written in parts, or in another case."""
    shape, chunks = shape_of(example), [*_CHUNK.finditer(text)]
    for first in range(len(chunks)):
        for last in range(first, min(first + _MOST_JOINED, len(chunks))):
            parts = [one[0].rstrip(".") for one in chunks[first : last + 1]]
            if last > first and not all(map(_is_part, parts)):
                break
            for joined in ("".join(parts), "".join(parts).replace("-", "")):
                if shape_of(joined) == shape:
                    end = chunks[last].start() + len(parts[-1])
                    code = joined.upper() if example.upper() == example else joined
                    yield Code(code, chunks[first].start(), end, is_exact=True)
                    break


def _is_part(text: str) -> bool:
    """Whether it may be a part of a code that is written with blanks, and no word before one."""
    is_word = text.isalpha() and (is_common(text.lower()) or (text.islower() and len(text) > 2))
    return len(text) <= _LONGEST_PART and not is_word


def patterned(pattern: str, text: str) -> Iterator[Code]:
    """What in `text` has the pattern, also where it is written in two parts."""
    chunks = [*_CHUNK.finditer(text)]
    for at, chunk in enumerate(chunks):
        alone = chunk[0].rstrip(".")
        if fits_pattern(pattern, alone):
            yield Code(alone, chunk.start(), chunk.start() + len(alone), is_exact=True)
            continue
        parts = [one[0].rstrip(".") for one in chunks[at : at + 2]]
        joined = "".join(parts)
        if len(parts) == 2 and all(map(_is_part, parts)) and fits_pattern(pattern, joined):
            yield Code(joined, chunk.start(), chunks[at + 1].start() + len(parts[1]), is_exact=True)


def _roughly(text: str, example: str) -> Iterator[Code]:
    """Letters and digits as many as the example has, or nearly."""
    for chunk in _CHUNK.finditer(text):
        part = chunk[0].rstrip(".")
        is_mixed = any(one.isdigit() for one in part) and any(one.isalpha() for one in part)
        kinds = set(shape_of(part)) <= set(shape_of(example))
        if (
            is_mixed
            and kinds
            and abs(len(part) - len(example)) <= _LEEWAY
            and len(part) >= _SHORTEST_CODE
        ):
            is_upper = example.upper() == example
            yield Code(
                part.upper() if is_upper else part,
                chunk.start(),
                chunk.start() + len(part),
                is_exact=False,
            )
