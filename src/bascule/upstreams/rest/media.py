"""Media types of requests and answers."""

from typing import Final

# Anything else is read as UTF-8: codecs chosen by a stranger can be slow, or not text at all.
_CHARSETS: Final = {
    "us-ascii": "ascii",
    "iso-8859-1": "latin-1",
    "latin1": "latin-1",
    "windows-1252": "cp1252",
    "utf-16": "utf-16",
}
_TEXTUAL: Final = frozenset(
    {
        "application/xml", "application/yaml", "application/x-yaml", "application/javascript",
        "application/x-ndjson", "application/jsonl", "application/graphql", "application/sql",
    }
)  # fmt: skip


def essence(media_type: str) -> str:
    """Type and subtype in lower case, without parameters (RFC 9110 section 8.3.1)."""
    return media_type.partition(";")[0].strip().lower()


def is_json(kind: str) -> bool:
    """Is the essence `kind` JSON, or built on it?"""
    return kind.endswith(("/json", "+json"))


def is_text(kind: str) -> bool:
    """Does the essence `kind` read as text?"""
    return kind.startswith("text/") or kind in _TEXTUAL or kind.endswith(("+xml", "+yaml"))


def decode_text(body: bytes, media_type: str) -> str:
    """`body` as text in the charset that `media_type` names; what does not fit is replaced."""
    _, _, rest = media_type.lower().partition("charset=")
    charset = rest.partition(";")[0].strip(" \t\"'")
    return body.decode(_CHARSETS.get(charset, "utf-8-sig"), errors="replace")
