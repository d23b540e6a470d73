"""Answers that come compressed, though nobody asked for that (RFC 9110 section 12.5.3)."""

import zlib
from typing import Final

from bascule.gateway.errors import UpstreamFailed
from bascule.upstreams.http1 import HttpResponse

CONTENT_ENCODING: Final = "content-encoding"
_GZIP: Final = zlib.MAX_WBITS | 16
_WINDOWS: Final = {
    "gzip": (_GZIP,),
    "x-gzip": (_GZIP,),
    "deflate": (zlib.MAX_WBITS, -zlib.MAX_WBITS),
}


def decoded(response: HttpResponse, most_bytes: int) -> HttpResponse:
    """`response` with its body as it was before it was compressed; of at most `most_bytes`.

    Raises:
        UpstreamFailed: it cannot be undone, or gives more than that.
    """
    stated = response.header(CONTENT_ENCODING) or ""
    codings = [one for word in stated.lower().split(",") if (one := word.strip()) != "identity"]
    if not response.body or not any(codings):
        return response
    body = response.body
    for coding in reversed(codings):
        body = _undo(body, coding, most_bytes)
    return response._replace(body=body)


def _undo(body: bytes, coding: str, most_bytes: int) -> bytes:
    for window in _WINDOWS.get(coding, ()):
        undoing = zlib.decompressobj(window)
        try:
            plain = undoing.decompress(body, most_bytes + 1)
        except zlib.error:
            continue
        if len(plain) > most_bytes:
            raise _unusable(f"its answer is larger than {most_bytes} bytes once decompressed")
        if undoing.eof:
            return plain
    raise _unusable(f"its answer is compressed as {coding[:40]!r}, which cannot be undone")


def _unusable(reason: str) -> UpstreamFailed:
    return UpstreamFailed(
        f"The service behind this tool gave no usable answer: {reason}. "
        "It may have acted on the request; check before repeating it.",
        private=reason,
    )
