"""Media types of requests and answers."""

import re
from enum import Enum
from typing import Final

# Anything else is read as UTF-8: codecs chosen by a stranger can be slow, or not text at all.
_CHARSETS: Final = {
    "us-ascii": "ascii",
    "iso-8859-1": "latin-1",
    "latin1": "latin-1",
    "windows-1252": "cp1252",
    "utf-16": "utf-16",
}
_LINES: Final = frozenset(
    {
        "application/jsonl", "application/x-jsonl", "application/jsonlines",
        "application/x-jsonlines", "application/json-lines", "application/ndjson",
        "application/x-ndjson", "application/stream+json", "application/x-json-stream",
    }
)  # fmt: skip
_BYTE_ORDER_MARKS: Final = (b"\xff\xfe", b"\xfe\xff")
_XML_DECLARATION: Final = re.compile(
    rb"""(?:\xef\xbb\xbf)?<\?xml[^>]{0,100}encoding=["']([A-Za-z0-9._-]{1,40})["']"""
)
_TEXTUAL: Final = frozenset(
    {
        "application/yaml", "application/x-yaml", "application/javascript",
        "application/graphql", "application/sql",
        "application/ecmascript", "application/toml", "application/x-sh",
    }
)  # fmt: skip


def essence(media_type: str) -> str:
    """Type and subtype in lower case, without parameters (RFC 9110 section 8.3.1)."""
    return media_type.partition(";")[0].strip().lower()


def is_json(kind: str) -> bool:
    """Is the essence `kind` JSON, or built on it?"""
    return kind.endswith(("/json", "+json"))


class Sequence(Enum):
    """How an answer that is a sequence separates its items."""

    EVENTS = "text/event-stream"
    LINES = "application/jsonl"
    RECORDS = "application/json-seq"


def sequence_of(kind: str) -> Sequence | None:
    """What sort of sequence the essence `kind` is (OpenAPI 3.2, "Sequential Media Types")."""
    if kind.endswith("json-seq"):
        return Sequence.RECORDS
    if kind in _LINES:
        return Sequence.LINES
    return Sequence.EVENTS if kind == Sequence.EVENTS.value else None


def is_xml(kind: str) -> bool:
    """Is the essence `kind` XML, or built on it?"""
    return kind.endswith(("/xml", "+xml"))


def is_text(kind: str) -> bool:
    """Does the essence `kind` read as text?"""
    return kind.startswith("text/") or kind in _TEXTUAL or kind.endswith(("/xml", "+xml", "+yaml"))


def decode_text(body: bytes, media_type: str) -> str:
    """`body` as text in the charset that `media_type` names; what does not fit is replaced.

    XML may name its own instead (XML 1.0, section 4.3.3).
    """
    charset = charset_of(media_type)
    if not charset and is_xml(essence(media_type)):
        charset = _declared_by_xml(body)
    if not charset and body.startswith(_BYTE_ORDER_MARKS):
        charset = "utf-16"
    return body.decode(charset or "utf-8-sig", errors="replace")


def charset_of(media_type: str) -> str:
    """The codec of the charset that `media_type` names; "" for UTF-8, none and unknown ones."""
    _, _, rest = media_type.lower().partition("charset=")
    charset = rest.partition(";")[0].strip(" \t\"'")
    return _CHARSETS.get(charset, "")


def _declared_by_xml(body: bytes) -> str:
    declared = _XML_DECLARATION.match(body)
    return _CHARSETS.get(declared[1].decode("ascii").lower(), "") if declared else ""


def with_parameter(media_type: str, name: str, value: str) -> str:
    """`media_type` with a parameter more, unless it has one of that name."""
    if f"{name}=" in media_type.partition(";")[2].lower().replace(" ", ""):
        return media_type
    return f"{media_type.rstrip('; ')}; {name}={value}"
