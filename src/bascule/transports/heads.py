"""Heads of plain POSTs to MCP, read from bytes. No I/O.

Stricter than RFC 9112 allows, so that nobody in front can read a message differently: what is
not accepted here is for a complete HTTP implementation to judge.

Sources: RFC 9112 sections 2 to 6 (message syntax, framing).
"""

import re
from typing import Final, NamedTuple

from bascule.transports.reply import HeaderList

MOST_HEAD_BYTES: Final = 64 * 1024
END: Final = b"\r\n\r\n"

_START: Final = b"POST /mcp"
_HEAD: Final = re.compile(
    rb"POST (/mcp[A-Za-z0-9._~/-]*) HTTP/1\.1\r\n"
    rb"((?:[!#$%&'*+.^_`|~0-9A-Za-z-]+:[\t -~\x80-\xff]*\r\n)+)\r\n"
)
_LENGTH: Final = re.compile(rb"[0-9]{1,9}")
_UNUSUAL: Final = frozenset({b"transfer-encoding", b"upgrade", b"expect", b"te", b"trailer"})


class PlainHead(NamedTuple):
    """A head with nothing unusual about it; `length` is that of the body, in bytes."""

    path: str
    headers: HeaderList
    length: int


def may_become_plain(data: bytes, seen: int) -> bool:
    """Whether the beginning of a head can still become a plain one.

    `seen` bytes of it were found fit before.
    """
    start = data[: len(_START)]
    news = data[max(0, seen - 1) :]
    return (
        len(data) <= MOST_HEAD_BYTES
        and start == _START[: len(start)]
        and b"\0" not in news
        and news.count(b"\n") == news.count(b"\r\n") + news.startswith(b"\n")
    )


def read_head(raw: bytes) -> PlainHead | None:
    """Read a head, its empty line included; None for one that is not plain."""
    found = _HEAD.fullmatch(raw) if len(raw) <= MOST_HEAD_BYTES else None
    if found is None:
        return None
    headers: HeaderList = []
    for line in found[2][:-2].split(b"\r\n"):
        name, _, value = line.partition(b":")
        headers.append((name.lower(), value.strip(b" \t")))
    length = _plain_length(headers)
    return None if length is None else PlainHead(found[1].decode("ascii"), headers, length)


def _plain_length(headers: HeaderList) -> int | None:
    lengths = [value for name, value in headers if name == b"content-length"]
    if len(lengths) != 1 or not _LENGTH.fullmatch(lengths[0]):
        return None
    for name, value in headers:
        if name in _UNUSUAL or (name == b"connection" and value.lower() != b"keep-alive"):
            return None
    return int(lengths[0])
