"""Argument values as text.

Every function raises `Unwritable` (a ValueError), or another ValueError, RecursionError or
OverflowError, for what has no form; `blame` says which argument it was.
"""

import json
import math
import re
from collections.abc import Iterator
from typing import Final, cast

_EXACT_BELOW: Final = 1e15
_DEEPEST: Final = 32
_BRACKETS: Final = re.compile(r"[\[\]]")
_SURROGATE: Final = re.compile(r"\\ud[89a-f]")

UNWRITABLE: Final = (ValueError, OverflowError, RecursionError)
"""What may be raised for a value that has no form."""


class Unwritable(ValueError):
    """A value with no form in its place; the message completes "`argument` …"."""

    def __init__(self, reason: str, argument: str = "") -> None:
        super().__init__(reason)
        self.argument = argument


def blame(error: Exception, argument: str) -> Unwritable:
    """`error` in words for who gave `argument`, unless one within it was named already."""
    if isinstance(error, Unwritable):
        return error if error.argument else Unwritable(str(error), argument)
    if isinstance(error, UnicodeError):
        return Unwritable("holds half of a surrogate pair, which is not a character", argument)
    if isinstance(error, RecursionError):
        return Unwritable("is nested too deeply", argument)
    return Unwritable("holds a number that cannot be sent", argument)


def to_text(value: object) -> str:
    """A scalar as its characters; an array or object within another as JSON."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return _float_text(value)
    return str(value) if isinstance(value, int) else to_json(value)


def to_json(value: object) -> str:
    """Compact JSON in ASCII."""
    text = json.dumps(value, separators=(",", ":"), allow_nan=False)
    if _SURROGATE.search(text):
        json.dumps(value, ensure_ascii=False).encode()  # raises for half of a pair
    return text


def _float_text(number: float) -> str:
    if not math.isfinite(number):
        raise Unwritable("must be a finite number")
    # A client that knows only one kind of number sends 5.0 for 5.
    return str(int(number)) if number.is_integer() and abs(number) < _EXACT_BELOW else repr(number)


def items_of(value: object) -> list[str] | None:
    """The items of an array as text, null left out (RFC 6570: undefined); None for others."""
    if not isinstance(value, list):
        return None
    return [to_text(item) for item in cast("list[object]", value) if item is not None]


def pairs_of(value: object) -> list[tuple[str, str]] | None:
    """The members of an object as text, null left out; None for anything but an object."""
    if not isinstance(value, dict):
        return None
    members = cast("dict[str, object]", value)
    return [(name, to_text(member)) for name, member in members.items() if member is not None]


def leaves_of(value: object, name: str, depth: int = 0) -> Iterator[tuple[str, str]]:
    """Each scalar in nested objects, under `name` with the keys that lead to it in brackets.

    An array of scalars repeats its name, one that holds more than scalars numbers its items, and
    one that stands in no object adds empty brackets.
    """
    if depth > _DEEPEST:
        raise Unwritable(f"is nested more than {_DEEPEST} levels deep")
    if isinstance(value, dict):
        for key, member in cast("dict[str, object]", value).items():
            if _BRACKETS.search(key):
                raise Unwritable("must not have brackets in the names of its members")
            yield from leaves_of(member, f"{name}[{key}]", depth + 1)
    elif isinstance(value, list):
        items = [item for item in cast("list[object]", value) if item is not None]
        if any(isinstance(item, dict | list) for item in items):
            for index, item in enumerate(items):
                yield from leaves_of(item, f"{name}[{index}]", depth + 1)
        else:
            shared = name if depth else f"{name}[]"
            yield from ((shared, to_text(item)) for item in items)
    elif value is not None:
        yield name, to_text(value)
