"""JSON objects kept as text, because there are many of them and few are ever looked into."""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, Final

import msgspec

_MOST_DECODED: Final = 64

_decode = msgspec.json.Decoder(dict[str, Any]).decode
_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


class JsonDocument(Mapping[str, object]):
    """A JSON object, or one that is a member of another: decoded whenever it is looked into.

    Several documents may share one text. What comes out of a document must not be changed.
    """

    __slots__ = ("_member", "_text")

    def __init__(self, text: bytes, member: str = "") -> None:
        """`text` must be a JSON object; with `member`, one whose member of that name is."""
        self._text = text
        self._member = member

    @property
    def encoded(self) -> bytes:
        """The JSON text of this document alone."""
        return bytes(_members(self._text)[self._member]) if self._member else self._text

    def __eq__(self, other: object) -> bool:
        if isinstance(other, JsonDocument):
            same = self._text == other._text and self._member == other._member
            return same or self._decoded() == other._decoded()
        return isinstance(other, Mapping) and self._decoded() == other

    __hash__ = None  # as any mapping that can be compared

    def __getitem__(self, key: str) -> object:
        return self._decoded()[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._decoded())

    def __len__(self) -> int:
        return len(self._decoded())

    def __repr__(self) -> str:
        return f"JsonDocument({self._decoded()!r})"

    def _decoded(self) -> dict[str, Any]:
        return _decoded(self._text, self._member)


@lru_cache(_MOST_DECODED)
def _decoded(text: bytes, member: str) -> dict[str, Any]:
    return _decode(_members(text)[member] if member else text)


def encode_document(document: Mapping[str, object]) -> bytes:
    """The JSON text of `document`, which is not decoded for that where it is kept as text."""
    if isinstance(document, JsonDocument):
        return document.encoded
    return msgspec.json.encode(document)
