"""Content blocks of a tool result, from the bytes of an answer.

Source: specification 2026-07-28, server/tools "Tool Result".
"""

import base64
from email.message import Message
from typing import Any, Final
from urllib.parse import quote

from bascule.protocol.tools import text_content
from bascule.upstreams.rest.limits import AnswerLimits

_LONGEST_NAME: Final = 100
_LONGEST_TYPE: Final = 100
_UNTITLED: Final = "content"


def text_block(text: str, limits: AnswerLimits, *, is_structured: bool = False) -> dict[str, Any]:
    """`text`, cut where it is longer than a model should read.

    `is_structured`: the whole stands in the structured content as well.
    """
    most = limits.text_characters
    if len(text) <= most:
        return text_content(text)
    rest = (
        "The whole is in the structured content."
        if is_structured
        else "Ask for less, by a filter or page by page, to see the rest."
    )
    return text_content(
        f"{text[:most]}\n[Cut off here: these are the first {most:,} of {len(text):,} characters. "
        f"{rest}]"
    )


def file_block(
    body: bytes, kind: str, limits: AnswerLimits, disposition: str | None = None
) -> dict[str, Any]:
    """An image, sound or any other file as it is; one that is too large is only described.

    `kind` is an essence, `disposition` a Content-Disposition header, where the name may be.
    """
    kind = kind[:_LONGEST_TYPE]
    if len(body) > limits.embedded_bytes:
        return text_content(
            f"The answer is {len(body):,} bytes of {kind}, which is more than the "
            f"{limits.embedded_bytes:,} that are passed on."
        )
    encoded = base64.b64encode(body).decode()
    family = kind.partition("/")[0]
    if family in ("image", "audio"):
        return {"type": family, "data": encoded, "mimeType": kind}
    uri = f"bascule://answer/{quote(_filename(disposition), safe='')}"
    return {"type": "resource", "resource": {"uri": uri, "mimeType": kind, "blob": encoded}}


def _filename(disposition: str | None) -> str:
    if not disposition:
        return _UNTITLED
    message = Message()
    message["Content-Disposition"] = disposition.replace("\r", " ").replace("\n", " ")
    name = (message.get_filename() or "").replace("\\", "/").rpartition("/")[2]
    name = name.encode(errors="replace").decode()[:_LONGEST_NAME]
    return name if name.strip(". ") else _UNTITLED
