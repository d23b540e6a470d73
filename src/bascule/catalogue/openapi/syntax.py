"""Bytes to values, whether they are JSON or YAML."""

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Final, TypeAlias

from bascule.catalogue.openapi.findings import DocumentRejected, Finding
from bascule.catalogue.openapi.json_positions import find_json_lines
from bascule.catalogue.openapi.json_syntax import read_json
from bascule.catalogue.openapi.pointers import Pointer
from bascule.catalogue.openapi.positions import find_lines
from bascule.catalogue.openapi.yaml_syntax import read_yaml, yaml_events

MAX_DOCUMENT_BYTES: Final = 50 * 1024 * 1024
_GZIP: Final = b"\x1f\x8b"
_ZIP: Final = b"PK\x03\x04"
_ANNOUNCEMENT: Final = re.compile(
    rb"""(?:^|[{,])\s*["']?(?:openapi|swagger)["']?\s*:\s*["']?[0-9]""", re.MULTILINE
)
_HEAD_BYTES: Final = 64 * 1024

_FindLines: TypeAlias = Callable[[str, Collection[Pointer]], dict[Pointer, int]]


@dataclass(frozen=True, slots=True)
class Text:
    """A document as it was read: its value, and the way back to the lines it came from."""

    root: object
    _text: str
    _find_lines: _FindLines

    def lines(self, pointers: Collection[Pointer]) -> dict[Pointer, int]:
        """The line of each place that is in the text. Reads the text again: ask once."""
        return self._find_lines(self._text, pointers) if pointers else {}


def read(document: bytes) -> Text:
    """Read a document; what begins with a brace is JSON, anything else YAML.

    Raises:
        DocumentRejected: too large, not text, or not well-formed; says where and what to do.
    """
    text = _decode(document)
    opening = text.lstrip()[:1]
    if not opening:
        raise DocumentRejected("The document is empty.")
    if opening == "<":
        raise DocumentRejected(
            "This is an HTML or XML page, not an OpenAPI document. Look for a link to "
            "openapi.json or openapi.yaml on it."
        )
    if opening in "{[":
        return Text(read_json(text), text, find_json_lines)
    return Text(read_yaml(text), text, _find_yaml_lines)


def announces_openapi(document: bytes) -> bool:
    """Does it look like the main document of a description? Reads no more than its ends."""
    if _ANNOUNCEMENT.search(document, 0, _HEAD_BYTES):
        return True
    return bool(_ANNOUNCEMENT.search(document, max(0, len(document) - _HEAD_BYTES)))


def _find_yaml_lines(text: str, pointers: Collection[Pointer]) -> dict[Pointer, int]:
    return find_lines(yaml_events(text), pointers)


def _decode(document: bytes) -> str:
    if document.startswith((_GZIP, _ZIP)):
        raise DocumentRejected("The document is compressed. Unpack it and import what is inside.")
    if len(document) > MAX_DOCUMENT_BYTES:
        raise DocumentRejected(
            f"The document has {len(document):,} bytes; at most {MAX_DOCUMENT_BYTES:,} are read. "
            "Split it by tag or by path."
        )
    try:
        return document.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = document.count(b"\n", 0, error.start) + 1
        raise DocumentRejected(
            f"The document is not UTF-8 text (line {line}). Save it as UTF-8.",
            [Finding("#", "bytes that are not UTF-8", line)],
        ) from None
