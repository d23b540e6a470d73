"""The lines of places in a JSON text, without reading what lies beside the way to them."""

import re
from collections.abc import Collection, Iterator
from typing import Final

import msgspec

from bascule.catalogue.openapi.pointers import Pointer
from bascule.catalogue.openapi.positions import Wanted, tree_of

# What stands between a member or item and the one before it, and a member's key.
_BEFORE_ITEM: Final = re.compile(rb"[\s,]*")
_BEFORE_VALUE: Final = re.compile(rb'[\s,]*("[^"\\]*(?:\\.[^"\\]*)*")\s*:\s*', re.DOTALL)

_OBJECT: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ARRAY: Final = msgspec.json.Decoder(list[msgspec.Raw])


def find_json_lines(text: str, pointers: Collection[Pointer]) -> dict[Pointer, int]:
    """The line of each of `pointers` that `text` has: that of its key, or of its item.

    `text` is one that was accepted: well-formed, without duplicate keys.
    """
    content = text.encode()
    offsets: dict[Pointer, int] = {}
    start = len(content) - len(content.lstrip())
    _descend(content[start:].rstrip(), start, tree_of(pointers), offsets)
    if () in pointers:
        offsets[()] = 0
    return dict(_lines(content, offsets))


def _descend(value: bytes, start: int, wanted: Wanted, offsets: dict[Pointer, int]) -> None:
    """Note the offset of what is wanted within `value`, which begins at `start`."""
    for token, at, offset, part in _parts(value):
        below = wanted.children.get(token)
        if below is None:
            continue
        if below.pointer is not None:
            offsets[below.pointer] = start + at
        if below.children:
            _descend(bytes(part), start + offset, below, offsets)


def _parts(value: bytes) -> Iterator[tuple[str, int, int, msgspec.Raw]]:
    """Each member or item: its token, where it begins, where its value begins, its value."""
    at = 1
    if value.startswith(b"{"):
        for name, part in _OBJECT.decode(value).items():
            match = _BEFORE_VALUE.match(value, at)
            if match is None:
                raise RuntimeError("a member was decoded that is not in the text")
            yield name, match.start(1), match.end(), part
            at = match.end() + len(memoryview(part))
    elif value.startswith(b"["):
        for index, part in enumerate(_ARRAY.decode(value)):
            match = _BEFORE_ITEM.match(value, at)
            begin = match.end() if match else at
            yield str(index), begin, begin, part
            at = begin + len(memoryview(part))


def _lines(content: bytes, offsets: dict[Pointer, int]) -> Iterator[tuple[Pointer, int]]:
    line, last = 1, 0
    for pointer, offset in sorted(offsets.items(), key=lambda one: one[1]):
        line += content.count(b"\n", last, offset)
        last = offset
        yield pointer, line
