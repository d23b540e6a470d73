"""JSON pointers (RFC 6901), as tuples of unescaped tokens, in any file of a description."""

import posixpath
from typing import Final, TypeAlias
from urllib.parse import quote, unquote

Pointer: TypeAlias = tuple[str, ...]
"""The way from the root of a file to a place in it; () is the root of the main document.

A place in another file begins with the `FileToken` of that file: what extends a pointer need
not know of files, and two places are the same only where their files are.
"""

_SAFE: Final = "~!$&'()*+,;=:@{}"


class FileToken(str):
    """The name of a file, as the first token of a pointer; equal to no member name."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, FileToken) and str.__eq__(self, other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash((FileToken, str.__hash__(self)))


def root_of(file: str) -> Pointer:
    """The pointer to the root of `file`; "" is the main document."""
    return (FileToken(file),) if file else ()


def file_of(pointer: Pointer) -> str:
    """The file that `pointer` is in; "" is the main document."""
    return str(pointer[0]) if pointer and isinstance(pointer[0], FileToken) else ""


def within_file(pointer: Pointer) -> Pointer:
    """`pointer` without its file."""
    return pointer[1:] if file_of(pointer) else pointer


def last_name(pointer: Pointer) -> str:
    """What a place is called: its last token, or the name of its file less folder and ending."""
    if not pointer:
        return ""
    if isinstance(pointer[-1], FileToken):
        return posixpath.basename(pointer[-1]).split(".", maxsplit=1)[0]
    return pointer[-1]


def to_fragment(pointer: Pointer) -> str:
    """The pointer as `#/a/b` or `other.yaml#/a/b`; readable, so only what must be is escaped."""
    file = quote(file_of(pointer), safe=_SAFE + "/?")
    return file + "#" + "".join("/" + _escape(token) for token in within_file(pointer))


def _escape(token: str) -> str:
    token = token.replace("~", "~0").replace("/", "~1")
    return quote(token, safe=_SAFE) if not token.isalnum() else token


def parse_place(place: str) -> Pointer:
    """Read what `to_fragment` wrote.

    Raises:
        ValueError: not a pointer.
    """
    file, mark, fragment = place.partition("#")
    return (*root_of(unquote(file)), *parse_fragment(mark + fragment))


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
