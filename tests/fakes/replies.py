"""An HTTP service on loopback, within the test's own event loop, that answers by a function."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from bascule.upstreams.http1 import Origin


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as it came; header names in lower case."""

    method: str
    target: str
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str | None:
        """The first value of `name`."""
        return next((value for key, value in self.headers if key == name), None)


Answer = Callable[[Asked], tuple[int, bytes]]


@dataclass(slots=True)
class Replies:
    """The service: where it is, and what it was asked."""

    answer: Answer
    origin: Origin = field(default_factory=lambda: Origin("http", "127.0.0.1", 1))
    asked: list[Asked] = field(default_factory=list[Asked])

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of one connection."""
        try:
            while True:
                asked = await _read(reader)
                self.asked.append(asked)
                status, body = self.answer(asked)
                writer.write(b"HTTP/1.1 %d X\r\nContent-Length: %d\r\n\r\n" % (status, len(body)))
                writer.write(body)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()


@asynccontextmanager
async def replying(answer: Answer) -> AsyncGenerator[Replies]:
    """Answer by `answer` for as long as the block."""
    replies = Replies(answer)
    server = await asyncio.start_server(replies.serve, "127.0.0.1", 0)
    replies.origin = Origin("http", "127.0.0.1", server.sockets[0].getsockname()[1])
    try:
        yield replies
    finally:
        server.close()


async def _read(reader: asyncio.StreamReader) -> Asked:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    method, target, _ = head[0].split(" ")
    pairs = (line.partition(":") for line in head[1:] if line)
    headers = [(name.lower(), value.strip()) for name, _, value in pairs]
    length = next((int(value) for name, value in headers if name == "content-length"), 0)
    return Asked(method, target, headers, await reader.readexactly(length))
