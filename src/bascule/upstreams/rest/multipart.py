"""Multipart bodies (RFC 2046 section 5.1, RFC 7578): parts, each with headers of its own."""

import re
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, NamedTuple

_ESCAPED: Final = re.compile(r'["\x00-\x1f\x7f\\]')
_BOUNDARY_BYTES: Final = 16

Token = Callable[[], str]


class Part(NamedTuple):
    """One part. Header values are printable ASCII, or what `disposition` gives."""

    headers: Sequence[tuple[str, str]]
    content: bytes


def disposition(kind: str, parameters: Mapping[str, str]) -> tuple[str, str]:
    """The header that names a part.

    Quotes, backslashes and control characters are percent-encoded, all else is UTF-8: what
    browsers send (HTML, "multipart/form-data encoding algorithm").
    """
    quoted = [f'; {name}="{_escape(value)}"' for name, value in parameters.items()]
    return "Content-Disposition", kind + "".join(quoted)


def _escape(text: str) -> str:
    return _ESCAPED.sub(lambda found: f"%{ord(found[0]):02X}", text)


def assemble(parts: Iterable[Part], token: Token | None = None) -> tuple[str, bytes]:
    """The boundary, and the parts between boundaries; `token` makes up boundaries."""
    blocks = [_block(part) for part in parts]
    boundary = _unused(blocks, token or _random)
    mark = boundary.encode()
    body = b"".join(b"--" + mark + b"\r\n" + block + b"\r\n" for block in blocks)
    return boundary, body + b"--" + mark + b"--\r\n"


def _random() -> str:
    return secrets.token_hex(_BOUNDARY_BYTES)


def _unused(blocks: Sequence[bytes], token: Token) -> str:
    while True:
        boundary = token()
        mark = boundary.encode()
        if not any(mark in block for block in blocks):
            return boundary


def _block(part: Part) -> bytes:
    head = "".join([f"{name}: {value}\r\n" for name, value in part.headers])
    if head.count("\r") != len(part.headers) or head.count("\n") != len(part.headers):
        raise ValueError("a header of a part holds a line break")
    return head.encode() + b"\r\n" + part.content
