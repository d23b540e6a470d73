"""Reading a request body from ASGI within a bound."""

from typing import Any

from bascule.transports.asgi import Receive


class ClientGone(Exception):
    """The client closed the connection before its body was complete."""


class BodyTooLarge(Exception):
    """The body is, or claims to be, larger than allowed."""


async def read_body(receive: Receive, claimed: bytes | None, max_bytes: int) -> bytes:
    """Read the whole body, at most `max_bytes`; `claimed` is the Content-Length.

    Raises:
        BodyTooLarge: before more than `max_bytes` are held.
        ClientGone: nobody is left to answer.
    """
    if claimed is not None and claimed.isdigit() and int(claimed[:20]) > max_bytes:
        raise BodyTooLarge
    message: dict[str, Any] = await receive()
    if message["type"] == "http.disconnect":
        raise ClientGone
    body: bytes = message.get("body", b"")
    if len(body) > max_bytes:
        raise BodyTooLarge
    if not message.get("more_body"):
        return body
    return await _read_rest(receive, body, max_bytes)


async def _read_rest(receive: Receive, first: bytes, max_bytes: int) -> bytes:
    parts, size = [first], len(first)
    while True:
        message: dict[str, Any] = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        part: bytes = message.get("body", b"")
        parts.append(part)
        size += len(part)
        if size > max_bytes:
            raise BodyTooLarge
        if not message.get("more_body"):
            return b"".join(parts)
