"""Bytes to values, whether they are JSON or YAML."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Final

from bascule.catalogue.openapi.findings import DocumentRejected, Finding
from bascule.catalogue.openapi.json_syntax import json_events, read_json
from bascule.catalogue.openapi.pointers import Pointer
from bascule.catalogue.openapi.positions import Event, find_lines
from bascule.catalogue.openapi.yaml_syntax import read_yaml, yaml_events

MAX_DOCUMENT_BYTES: Final = 20 * 1024 * 1024
_GZIP: Final = b"\x1f\x8b"
_ZIP: Final = b"PK\x03\x04"


@dataclass(frozen=True, slots=True)
class Text:
    """A document as it was read: its value, and the way back to the lines it came from."""

    root: object
    _text: str
    _events: Callable[[str], Iterator[Event]]

    def lines(self, pointers: Collection[Pointer]) -> dict[Pointer, int]:
        """The line of each place that is in the text. Reads the text again: ask once."""
        return find_lines(self._events(self._text), pointers) if pointers else {}


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
        return Text(read_json(text), text, json_events)
    return Text(read_yaml(text), text, yaml_events)


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
