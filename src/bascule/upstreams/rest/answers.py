"""Answers of success, as the members of an MCP CallToolResult."""

from collections.abc import Iterable
from typing import Final

import msgspec

from bascule.gateway.call import JsonObject
from bascule.gateway.errors import UpstreamFailed
from bascule.protocol.tools import text_content
from bascule.upstreams.http1 import HttpResponse
from bascule.upstreams.rest.blocks import file_block, text_block
from bascule.upstreams.rest.files import OCTETS
from bascule.upstreams.rest.limits import USUAL, AnswerLimits
from bascule.upstreams.rest.media import (
    charset_of,
    decode_text,
    essence,
    is_json,
    is_text,
    sequence_of,
)
from bascule.upstreams.rest.notices import TOLD, notice, notice_of_head
from bascule.upstreams.rest.sequences import Transcript
from bascule.upstreams.strikes import strike_text

_PLAIN_JSON: Final = "application/json"
_BOM: Final = b"\xef\xbb\xbf"
_LINE_BREAKS: Final = b"\r\n"
_NOT_KEPT: Final = frozenset({"no-store", "no-cache"})
_LONGEST_SHOWN: Final = 2_000
_LONGEST_LOGGED: Final = 200
_raw_decoder = msgspec.json.Decoder(msgspec.Raw)


class _NotJson(ValueError):
    """The body is no JSON; says why."""


def to_result_body(
    response: HttpResponse, *, wraps: bool, limits: AnswerLimits = USUAL, origin: str = "",
    secrets: Iterable[str] = (),
) -> JsonObject:  # fmt: skip
    """Map an answer with a 2xx status.

    JSON becomes text, and structured content made of the very bytes. That must be an object,
    so anything else stands under `result`, as everything does where the output schema `wraps`.
    Images and sound are such content, other bytes an embedded resource. Headers that a caller can
    act on follow as text: addresses at `origin` without it, and never one of `secrets`.

    Text is the result itself where the output schema `wraps`.

    Raises:
        UpstreamFailed: the body claims to be JSON and is not; it says what came instead.
    """
    media_type = ""
    is_telling = False
    for name, value in response.headers:
        if name == "content-type":
            media_type = media_type or value
        elif name in TOLD:
            is_telling = True
    try:
        if media_type == _PLAIN_JSON and response.body:
            result = _json(response.body, media_type, limits, wraps=wraps)
        else:
            result = _content(response, media_type, limits, wraps=wraps)
    except _NotJson as reason:
        raise _malformed(response.body, media_type, str(reason), secrets) from None
    if is_telling:
        told = notice(response, origin, secrets)
        if told:
            result["content"] = [*_blocks(result), text_content(told)]
    return result


def head_result_body(response: HttpResponse) -> JsonObject:
    """What an answer to HEAD tells, which has no body."""
    return _only(text_content(f"HTTP {response.status}\n{notice_of_head(response)}".strip()))


def _blocks(result: JsonObject) -> list[object]:
    blocks = result["content"]
    return blocks if isinstance(blocks, list) else []  # pyright: ignore[reportUnknownVariableType]


def _only(block: JsonObject) -> JsonObject:
    return {"content": [block]}


def _content(
    response: HttpResponse, media_type: str, limits: AnswerLimits, *, wraps: bool
) -> JsonObject:
    body = response.body
    if not body:
        return _only(text_content(f"Done (HTTP {response.status}, no content)."))
    kind = essence(media_type)
    if is_json(kind):
        return _json(body, media_type, limits, wraps=wraps)
    if not kind:
        return _guess(body, limits, wraps=wraps)
    sequence = sequence_of(kind)
    if sequence is not None:
        transcript = Transcript(sequence, limits)
        transcript.take(body)
        transcript.finish()
        return transcript.result()
    if is_text(kind):
        return _text(decode_text(body, media_type), limits, wraps=wraps)
    return _only(file_block(body, kind, limits, response.header("content-disposition")))


def _json(body: bytes, media_type: str, limits: AnswerLimits, *, wraps: bool) -> JsonObject:
    body = body.removeprefix(_BOM)
    try:
        text = body.decode()  # proves what the decoder below does not: that it is UTF-8
    except UnicodeDecodeError:
        text = decode_text(body, media_type if charset_of(media_type) else "")
        if "\ufffd" in text:
            raise _NotJson("it is not text") from None
        body = text.encode()
    try:
        _raw_decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _NotJson(str(error)) from None
    # Between tokens only: inside strings JSON escapes line breaks. Transports that frame by
    # lines (stdio, server-sent events) pass these bytes on.
    line = body.translate(None, _LINE_BREAKS).strip()
    if wraps or not line.startswith(b"{"):
        line = b'{"result":' + line + b"}"
    is_short = len(text) <= limits.text_characters  # as nearly always
    block = text_content(text) if is_short else text_block(text, limits, is_structured=True)
    return {"content": [block], "structuredContent": msgspec.Raw(line)}


def _text(text: str, limits: AnswerLimits, *, wraps: bool) -> JsonObject:
    """Text; it is the result as well where one is promised: a string needs no quotes to be one."""
    if not wraps:
        return _only(text_block(text, limits))
    block = text_block(text, limits, is_structured=True)
    return {"content": [block], "structuredContent": {"result": text}}


def _malformed(body: bytes, media_type: str, reason: str, secrets: Iterable[str]) -> UpstreamFailed:
    text = strike_text(decode_text(body, media_type), secrets).strip()
    shown = _cut(text, _LONGEST_SHOWN) if text.count("\ufffd") * 4 < len(text) else ""
    came = f"What came:\n{shown}" if shown else f"{len(body):,} bytes came that are no text."
    return UpstreamFailed(
        "The service behind this tool gave no usable answer: it calls its body JSON, but it "
        f"is not. It may have acted on the request; check before repeating it. {came}",
        private=f"malformed JSON in {len(body)} bytes: {reason}: {_cut(shown, _LONGEST_LOGGED)}",
    )


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[:most]}… [{len(text):,} characters in all]"


def _guess(body: bytes, limits: AnswerLimits, *, wraps: bool) -> JsonObject:
    """What a body without a media type is: JSON if it reads as JSON, else text, else bytes."""
    try:
        return _json(body, "", limits, wraps=wraps)
    except _NotJson:
        pass
    try:
        return _text(body.decode(), limits, wraps=wraps)
    except UnicodeDecodeError:
        return _only(file_block(body, OCTETS, limits))


def may_be_kept(response: HttpResponse) -> bool:
    """Whether the upstream lets its answer be given again unasked (RFC 9111 section 5.2.2)."""
    directives = (response.header("cache-control") or "").lower().split(",")
    return not any(one.strip().partition("=")[0] in _NOT_KEPT for one in directives)
