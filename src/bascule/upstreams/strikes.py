"""Secrets struck out of what a service says, in every form that JSON gives them."""

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Final, TypeAlias

HIDDEN: Final = "[removed]"

_MOST_BACKSLASHES: Final = 8
"""In front of a character of JSON within JSON within JSON."""
_BACKSLASH: Final = "\\"

_BytesPair: TypeAlias = tuple[bytes, re.Pattern[bytes]]


def strike_text(text: str, secrets: Iterable[str]) -> str:
    """`text` without `secrets`, plain or escaped."""
    is_escaped = _BACKSLASH in text
    for secret in secrets:
        # First: of an escaped character the backslash must not be left.
        if is_escaped:
            text = _pattern(secret).sub(HIDDEN, text)
        if secret in text:
            text = text.replace(secret, HIDDEN)
    return text


def strike_body(body: bytes, secrets: Iterable[str]) -> bytes:
    """`body` without `secrets`, plain or escaped, in UTF-8 or Latin-1; itself if it has none.

    UTF-16, which hides them, is looked through where its byte order mark shows it.
    """
    if body.startswith((b"\xff\xfe", b"\xfe\xff")):
        return _strike_wide(body, secrets)
    is_escaped = b"\\" in body
    for secret in secrets:
        for plain, pattern in _byte_pairs(secret):
            if is_escaped:
                body = pattern.sub(HIDDEN.encode(), body)
            if plain in body:
                body = body.replace(plain, HIDDEN.encode())
    return body


def _strike_wide(body: bytes, secrets: Iterable[str]) -> bytes:
    text = body.decode("utf-16", errors="replace")
    struck = strike_text(text, secrets)
    return body if struck == text else struck.encode("utf-16")


@lru_cache(maxsize=1024)
def _pattern(secret: str) -> re.Pattern[str]:
    return re.compile(_escapable(secret))


@lru_cache(maxsize=1024)
def _byte_pairs(secret: str) -> tuple[_BytesPair, ...]:
    """What to look for, and how it may be escaped, for each way to write it as bytes."""
    codecs = ("utf-8",) if secret.isascii() else ("utf-8", "latin-1")
    found: list[_BytesPair] = []
    for codec in codecs:
        plain = secret.encode(codec, errors="replace")
        found.append((plain, re.compile(_escapable(secret).encode(codec, errors="replace"))))
    return tuple(found)


def _escapable(secret: str) -> str:
    """An expression for `secret` with any of its characters escaped (RFC 8259 section 7).

    It begins with what narrows a search at once, and its repeats give nothing back: however a
    body is made, looking through it takes time that grows with its length.
    """
    first, *rest = re.findall(r"\\+|[^\\]", secret)
    return _beginning(first) + "".join(_following(one) for one in rest)


def _beginning(part: str) -> str:
    if part.startswith(_BACKSLASH):
        return _backslashes(part)
    return rf"(?:{re.escape(part)}|\\{{1,{_MOST_BACKSLASHES}}}+(?:{_plain_or_number(part)}))"


def _following(part: str) -> str:
    if part.startswith(_BACKSLASH):
        return _backslashes(part)
    number = rf"(?<=\\){_number(part)}"
    return rf"\\{{0,{_MOST_BACKSLASHES}}}+(?:{re.escape(part)}|{number})"


def _backslashes(part: str) -> str:
    return rf"(?:\\{{1,{len(part) * _MOST_BACKSLASHES}}}+(?:u005[cC])?+){{1,{len(part)}}}+"


def _plain_or_number(part: str) -> str:
    return f"{re.escape(part)}|{_number(part)}"


def _number(character: str) -> str:
    """What follows the backslash; a tab, alone of what headers may hold, has a letter too."""
    if character == "\t":
        return "(?:t|u0009)"
    digits = f"{ord(character):04x}"
    return "u" + "".join(f"[{one}{one.upper()}]" if one.isalpha() else one for one in digits)
