"""JSON pointers (RFC 6901), as tuples of unescaped tokens."""

from typing import TypeAlias
from urllib.parse import quote, unquote

Pointer: TypeAlias = tuple[str, ...]
"""The way from the root of a document to a place in it; () is the root."""


def to_fragment(pointer: Pointer) -> str:
    """The pointer as a URI fragment, `#/a/b`; readable, so only what must be is escaped."""
    return "#" + "".join("/" + _escape(token) for token in pointer)


def _escape(token: str) -> str:
    token = token.replace("~", "~0").replace("/", "~1")
    return quote(token, safe="~!$&'()*+,;=:@{}") if not token.isalnum() else token


def parse_fragment(fragment: str) -> Pointer:
    """Read `#` or `#/a/b`.

    Raises:
        ValueError: not a pointer into the same document.
    """
    if fragment == "#":
        return ()
    if not fragment.startswith("#/"):
        raise ValueError("not a JSON pointer into this document")
    tokens = unquote(fragment[2:]).split("/")
    return tuple(token.replace("~1", "/").replace("~0", "~") for token in tokens)
