"""Argument values as text, and text as it may stand in a URL, a header or a cookie.

Every function raises `Unwritable` (a ValueError), or another ValueError, RecursionError or
OverflowError, for what has no form there; the plan turns them into InvalidValue.
"""

import json
import math
import re
from collections.abc import Iterator
from typing import Final, cast
from urllib.parse import quote

Scalar = str | int | float | bool

_UNRESERVED: Final = re.compile(r"[A-Za-z0-9_.~-]*")  # RFC 3986 section 2.3
_SEPARATORS: Final = re.compile(r"[/\\]")
_DOTS: Final = frozenset({".", ".."})
_NOT_IN_HEADERS: Final = re.compile(r"[^\t\x20-\x7e]")
# RFC 6265 section 4.1.1, cookie-octet, less the percent sign that marks what is encoded.
_COOKIE_SAFE: Final = "!#$&'()*+-./:<=>?@[]^_`{|}~"
_EXACT_BELOW: Final = 1e15
_DEEPEST: Final = 32


class Unwritable(ValueError):
    """A value with no form in its place; the message completes "`argument` …"."""


def _is_unreserved(text: str) -> bool:
    # Most values are a word or a number, which this tells much faster than a pattern.
    return (text.isalnum() and text.isascii()) or _UNRESERVED.fullmatch(text) is not None


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
    return json.dumps(value, separators=(",", ":"), allow_nan=False)


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


def leaves_of(value: object, depth: int = 0) -> Iterator[tuple[tuple[str, ...], str]]:
    """Each scalar in nested objects with the keys that lead to it; arrays repeat their keys."""
    if depth > _DEEPEST:
        raise Unwritable(f"is nested more than {_DEEPEST} levels deep")
    if isinstance(value, dict):
        for name, member in cast("dict[str, object]", value).items():
            for keys, text in leaves_of(member, depth + 1):
                yield (name, *keys), text
    elif isinstance(value, list):
        for text in items_of(cast("object", value)) or ():
            yield (), text
    elif value is not None:
        yield (), to_text(value)


def encode(text: str) -> str:
    """Percent-encode everything but unreserved characters (RFC 3986)."""
    return text if _is_unreserved(text) else quote(text, safe="")


def encode_in_path(text: str) -> str:
    """Like `encode`, for text that must stay one segment of a path.

    A slash is encoded, yet proxies exist that decode it and then resolve dot segments, so text
    that would climb there is refused.
    """
    if _is_unreserved(text):
        return text
    if any(is_dots(part) for part in _SEPARATORS.split(text)):
        raise Unwritable("must not hold the path segments '.' or '..'")
    return quote(text, safe="")


def is_dots(segment: str) -> bool:
    """Is this a dot segment (RFC 3986 section 3.3), also with path parameters behind it?"""
    return segment.partition(";")[0] in _DOTS


def encode_in_cookie(text: str) -> str:
    """Percent-encode what a cookie value cannot hold."""
    return text if _is_unreserved(text) else quote(text, safe=_COOKIE_SAFE)


def check_header(text: str) -> str:
    """`text` where it can be sent in a header: printable ASCII, so no line break and no NUL."""
    if _NOT_IN_HEADERS.search(text):
        raise Unwritable("may hold only printable ASCII characters, as it is sent in a header")
    return text.strip(" \t")
