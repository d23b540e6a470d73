"""Request metadata in HTTP headers: how values are encoded, and when they contradict the body.

Source: specification 2026-07-28, basic/transports/streamable-http "Request Metadata".
"""

import base64
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

_PREFIX: Final = "=?base64?"
_SUFFIX: Final = "?="
_LONGEST_REMEMBERED: Final = 128

PROTOCOL_VERSION: Final = b"mcp-protocol-version"
METHOD: Final = b"mcp-method"
NAME: Final = b"mcp-name"


class HeaderMismatch(Exception):
    """A header is missing, undecodable, or says something else than the body (-32020)."""


def encode_value(value: str) -> str:
    """Encode `value` for a header: as it is where safe, else base64 between sentinels."""
    safe = value.isascii() and value.isprintable() and value == value.strip()
    sentinel = value.startswith(_PREFIX) and value.endswith(_SUFFIX)
    if safe and not sentinel:
        return value
    return f"{_PREFIX}{base64.b64encode(value.encode()).decode()}{_SUFFIX}"


def decode_value(header: str) -> str:
    """Undo `encode_value`; without both sentinels the value is literal.

    Raises:
        HeaderMismatch: wrong alphabet or padding, or not UTF-8 inside.
    """
    header = header.strip(" \t")
    if not (header.startswith(_PREFIX) and header.endswith(_SUFFIX)):
        return header
    encoded = header[len(_PREFIX) : -len(_SUFFIX)]
    try:
        return base64.b64decode(encoded, validate=True).decode()
    except ValueError:  # binascii.Error and UnicodeDecodeError are ValueErrors
        raise HeaderMismatch("the base64 value of a header cannot be decoded") from None


def check_standard(
    headers: Mapping[bytes, bytes], *, version: str, method: str, name: str | None
) -> None:
    """Hold the standard headers against the body; `name` is None where none is required.

    Raises:
        HeaderMismatch: names the header, and what it and the body say.
    """
    _check(headers, PROTOCOL_VERSION, version, "MCP-Protocol-Version")
    _check(headers, METHOD, method, "Mcp-Method")
    if name is not None:
        _check(headers, NAME, name, "Mcp-Name", encoded=True)


def _check(
    headers: Mapping[bytes, bytes], key: bytes, expected: str, title: str, *, encoded: bool = False
) -> None:
    raw = headers.get(key)
    if raw is None:
        raise HeaderMismatch(f"the required header {title} is missing")
    # Both are bounded: this runs before the caller is known, and a body names what it likes.
    remembered = len(raw) <= _LONGEST_REMEMBERED and len(expected) <= _LONGEST_REMEMBERED
    if not remembered or not _agrees(raw, expected, encoded):
        _compare(raw, expected, title, encoded=encoded)


@lru_cache(maxsize=4096)
def _agrees(raw: bytes, expected: str, encoded: bool) -> bool:  # noqa: FBT001 - a cache key
    """Remember good pairs: callers send the same few over and over."""
    try:
        _compare(raw, expected, "", encoded=encoded)
    except HeaderMismatch:
        return False
    return True


def _compare(raw: bytes, expected: str, title: str, *, encoded: bool) -> None:
    value = raw.decode("latin-1").strip(" \t")
    if not (value.isascii() and value.replace("\t", " ").isprintable()):
        raise HeaderMismatch(f"header {title} has characters that must be base64 encoded")
    if encoded:
        # Always decoded, even where it equals the body as it stands: an intermediary decodes it.
        value = decode_value(value)
    if value != expected:
        raise HeaderMismatch(
            f"header {title} is {value[:128]!r} but the body says {expected[:128]!r}"
        )
