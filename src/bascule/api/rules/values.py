"""Single values in the JSON of policies: times of day, time zones, networks, places, JSON."""

import math
import re
from collections.abc import Sequence
from functools import cache
from ipaddress import ip_interface, ip_network
from typing import Annotated, Any, Final, cast
from zoneinfo import available_timezones

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from bascule.gateway.likeness import closest

MINUTES_A_DAY: Final = 1440
_TIME: Final = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")
_MIDNIGHT: Final = "24:00"
_MOST_PARTS: Final = 20
_LONGEST_PART: Final = 200
_DEEPEST: Final = 32
_SMALLEST, _LARGEST = -(2**63), 2**64 - 1
"""Whole numbers beyond these are not kept exactly by all engines."""


def minute_of(time: str) -> int:
    """Minutes from midnight to `time`, as in 17:30; 24:00 is the end of the day.

    Raises:
        ValueError: it is no time of day.
    """
    if time == _MIDNIGHT:
        return MINUTES_A_DAY
    found = _TIME.fullmatch(time)
    if found is None:
        raise ValueError(f"{time!r} is no time of day")
    return int(found[1]) * 60 + int(found[2])


def time_of(minute: int) -> str:
    """The time of day that many minutes after midnight."""
    return f"{minute // 60:02d}:{minute % 60:02d}"


def _time_of_day(time: str) -> str:
    try:
        minute_of(time)
    except ValueError:
        raise PydanticCustomError(
            "time_of_day", "A time of day is written as in 08:30, from 00:00 to 24:00"
        ) from None
    return time


def _zone(name: str) -> str:
    if name in _zones():
        return name
    guess = closest(name, _zones())
    hint = f"did you mean {guess}?" if guess else "names are as in Asia/Kolkata"
    raise PydanticCustomError(
        "zone", "There is no time zone {name}; {hint}", {"name": repr(name[:100]), "hint": hint}
    )


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones()) | {"UTC"}


def _network(text: str) -> str:
    try:
        return str(ip_network(text))
    except ValueError:
        pass
    try:
        meant = f"did you mean {ip_interface(text).network}?"
    except ValueError:
        meant = "it is written as in 10.0.0.0/8 or 2001:db8::/32"
    raise PydanticCustomError(
        "network", "{text} is no network; {hint}", {"text": repr(text[:100]), "hint": meant}
    )


def _printable(text: str) -> str:
    if not text.isprintable() or text != text.strip():
        raise PydanticCustomError(
            "name", "This holds no control characters, and no space at its ends"
        )
    return text


def _path(path: str | list[str]) -> str | list[str]:
    parts = parts_of(path)
    if not 0 < len(parts) <= _MOST_PARTS or any(
        not part or len(part) > _LONGEST_PART for part in parts
    ):
        raise PydanticCustomError(
            "path",
            "A path to an argument is written as in customer.age, items.*.price or "
            '["items", "*", "price"], with up to 20 names',
        )
    for part in parts:
        storable(part)
    return path


def parts_of(path: str | Sequence[str]) -> tuple[str, ...]:
    """The names that lead to an argument; in a text dots part them."""
    return tuple(path.split(".")) if isinstance(path, str) else tuple(path)


def path_of(parts: Sequence[str]) -> str | list[str]:
    """The shortest way to write `parts`, so that `parts_of` gives them again."""
    return list(parts) if any("." in part for part in parts) else ".".join(parts)


def storable(value: Any) -> Any:
    """`value`, where it is JSON that every engine keeps as it is.

    Raises:
        PydanticCustomError: it is not; says what is wrong.
    """
    fault = _fault(value, 0)
    if fault:
        raise PydanticCustomError("json_value", "{fault}", {"fault": fault})
    return value


def _fault(value: Any, depth: int) -> str:
    if depth > _DEEPEST:
        return f"This is nested deeper than {_DEEPEST} levels"
    if isinstance(value, dict):
        members = cast("dict[str, Any]", value)
        found = (_fault(one, depth + 1) for pair in members.items() for one in pair)
        return next(filter(None, found), "")
    if isinstance(value, list):
        found = (_fault(one, depth + 1) for one in cast("list[Any]", value))
        return next(filter(None, found), "")
    return _text_fault(value) if isinstance(value, str) else _number_fault(value)


def _number_fault(value: object) -> str:
    if isinstance(value, float):
        return "" if math.isfinite(value) else "A number is finite"
    is_kept = not isinstance(value, int) or _SMALLEST <= value <= _LARGEST
    return "" if is_kept else "A whole number has at most 64 bits"


def _text_fault(text: str) -> str:
    if "\0" in text:
        return "A text holds no NUL character"
    try:
        text.encode()
    except UnicodeEncodeError:
        return "A text is valid Unicode"
    return ""


TimeOfDay = Annotated[str, AfterValidator(_time_of_day)]
"""As in 17:30. 24:00 is the end of a day."""

Zone = Annotated[str, AfterValidator(_zone)]
"""The name of an IANA time zone."""

Network = Annotated[str, AfterValidator(_network)]
"""CIDR notation, or one address, in the usual form whatever was written."""

Pattern = Annotated[str, Field(min_length=1, max_length=300), AfterValidator(_printable)]
"""A name, or a pattern of names."""

Uri = Annotated[str, Field(min_length=1, max_length=2048), AfterValidator(_printable)]
"""A URI, or a pattern of URIs."""

Path = Annotated[str | list[str], AfterValidator(_path)]
"""A place in the arguments."""

JsonValue = Annotated[Any, AfterValidator(storable)]
"""Any JSON that can be kept."""
