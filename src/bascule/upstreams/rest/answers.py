"""Answers of success, as the members of an MCP CallToolResult."""

from typing import Final

import msgspec

from bascule.gateway.call import JsonObject
from bascule.gateway.errors import UpstreamFailed
from bascule.protocol.tools import text_content
from bascule.upstreams.http1 import HttpResponse
from bascule.upstreams.rest.media import decode_text, essence, is_json, is_text

_BOM: Final = b"\xef\xbb\xbf"
_LINE_BREAKS: Final = b"\r\n"
_raw_decoder = msgspec.json.Decoder(msgspec.Raw)


def to_result_body(response: HttpResponse, *, wraps: bool) -> JsonObject:
    """Map an answer with a 2xx status.

    JSON becomes text, and structured content made of the very bytes. That must be an object,
    so anything else stands under `result`, as everything does where the output schema `wraps`.

    Raises:
        UpstreamFailed: the body claims to be JSON and is not.
    """
    body = response.body
    if not body:
        return _text_only(f"Done (HTTP {response.status}, no content).")
    media_type = response.header("content-type") or ""
    kind = essence(media_type)
    if is_json(kind):
        return _json(body, wraps=wraps)
    if not kind:
        return _guess(body, wraps=wraps)
    if is_text(kind):
        return _text_only(decode_text(body, media_type))
    return _text_only(_summary(body, kind[:100]))


def _text_only(text: str) -> JsonObject:
    return {"content": [text_content(text)]}


def _summary(body: bytes, kind: str) -> str:
    return f"The answer is {len(body):,} bytes of {kind}, which cannot be shown as text."


def _json(body: bytes, *, wraps: bool) -> JsonObject:
    body = body.removeprefix(_BOM)
    try:
        text = body.decode()  # proves what the decoder below does not: that it is UTF-8
        _raw_decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UpstreamFailed(
            "The service behind this tool gave no usable answer: it calls its body JSON, but it "
            "is not. It may have acted on the request; check before repeating it.",
            private=f"malformed JSON in {len(body)} bytes: {error}",
        ) from None
    # Between tokens only: inside strings JSON escapes line breaks. Transports that frame by
    # lines (stdio, server-sent events) pass these bytes on.
    line = body.translate(None, _LINE_BREAKS).strip()
    if wraps or not line.startswith(b"{"):
        line = b'{"result":' + line + b"}"
    return {"content": [text_content(text)], "structuredContent": msgspec.Raw(line)}


def _guess(body: bytes, *, wraps: bool) -> JsonObject:
    """What a body without a media type is: JSON if it reads as JSON, else text, else bytes."""
    try:
        return _json(body, wraps=wraps)
    except UpstreamFailed:
        pass
    try:
        return _text_only(body.decode())
    except UnicodeDecodeError:
        return _text_only(_summary(body, "unknown type"))
