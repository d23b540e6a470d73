"""A provider of language models on loopback: speaks its wire format from a script."""

import asyncio
import json
import struct
from binascii import crc32
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from fakes.served import served

Json = dict[str, Any]


@dataclass
class Reply:
    """One answer. `breaks_off`: the connection ends after the chunks. `waits`: it never ends.

    `repeats`: nor do the chunks. `after`: so many requests must have come.
    """

    chunks: Sequence[bytes] = ()
    status: int = 200
    error: Json | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = "text/event-stream"
    breaks_off: bool = False
    waits: bool = False
    repeats: bool = False
    after: int = 0


@dataclass
class Seen:
    """What was asked."""

    path: str
    headers: Mapping[str, str]
    body: Json
    query: Mapping[str, str]


class Provider:
    """Gives `replies` one after the other; `seen` are the requests, `left` counts readers gone."""

    def __init__(self, *replies: Reply) -> None:
        self.replies = list(replies)
        self.seen: list[Seen] = []
        self.url = ""
        self.left = asyncio.Event()
        self._came = asyncio.Condition()

    async def reply(self, request: Request) -> Response:
        headers = dict(request.headers)
        body = json.loads(await request.body())
        self.seen.append(Seen(request.url.path, headers, body, dict(request.query_params)))
        reply = self.replies.pop(0)
        async with self._came:
            self._came.notify_all()
            await self._came.wait_for(lambda: len(self.seen) >= reply.after)
        if reply.error is not None:
            return JSONResponse(reply.error, reply.status, reply.headers)
        return StreamingResponse(
            self._chunks(reply), reply.status, reply.headers, reply.content_type
        )

    async def _chunks(self, reply: Reply) -> AsyncGenerator[bytes, None]:
        try:
            for chunk in reply.chunks:
                yield chunk
                while reply.repeats:
                    await asyncio.sleep(0)
                    yield chunk
            if reply.waits:
                await asyncio.Event().wait()
        except (asyncio.CancelledError, GeneratorExit):
            self.left.set()
            raise
        if reply.breaks_off:
            raise ConnectionAbortedError


@asynccontextmanager
async def provider(*replies: Reply) -> AsyncGenerator[Provider]:
    """Serve the script on loopback."""
    script = Provider(*replies)
    app = Starlette(routes=[Route("/{path:path}", script.reply, methods=["POST"])])

    async def route(scope: Any, receive: Any, send: Any) -> None:
        try:
            await app(scope, receive, send)
        except ConnectionAbortedError:
            return  # the server sees an answer without an end, and closes the connection

    async with served(route) as authority:
        script.url = f"http://{authority}"
        yield script


def sse(*events: Json | str, named: bool = False) -> list[bytes]:
    """Server-sent events; `named` after the `type` of each, as Anthropic has them."""
    lines: list[bytes] = []
    for event in events:
        text = event if isinstance(event, str) else json.dumps(event)
        name = f"event: {event['type']}\n" if named and isinstance(event, dict) else ""
        lines.append(f"{name}data: {text}\n\n".encode())
    return lines


def split(chunks: Iterable[bytes], size: int) -> list[bytes]:
    """The same bytes, in pieces that end anywhere."""
    whole = b"".join(chunks)
    return [whole[at : at + size] for at in range(0, len(whole), size)]


def aws_event(kind: str, payload: Json, *, is_exception: bool = False) -> bytes:
    """One message of `application/vnd.amazon.eventstream`."""
    names = (
        {":message-type": "exception", ":exception-type": kind}
        if is_exception
        else {":message-type": "event", ":event-type": kind}
    )
    headers = b"".join(
        bytes([len(name)])
        + name.encode()
        + b"\x07"
        + struct.pack(">H", len(value))
        + value.encode()
        for name, value in {**names, ":content-type": "application/json"}.items()
    )
    body = json.dumps(payload).encode()
    prelude = struct.pack(">II", 16 + len(headers) + len(body), len(headers))
    head = prelude + struct.pack(">I", crc32(prelude))
    message = head + headers + body
    return message + struct.pack(">I", crc32(message))
