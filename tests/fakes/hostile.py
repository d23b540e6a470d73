"""A service that misbehaves in every way a tool's path asks for; and one that can be made to wait.

It runs on loopback in a thread of its own, so that whoever calls it needs no event loop.
"""

import asyncio
import json
import threading
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from typing import Final

Answer = Callable[["Hostile", asyncio.StreamWriter], Awaitable[None]]

_TEXT: Final = {"type": "object", "properties": {"said": {"type": "string"}}, "required": ["said"]}
_STATUSES: Final = (302, 400, 401, 404, 409, 422, 429, 500, 503)


class Hostile:
    """`url` is where it is; `requests` the first line of each request it saw, in order."""

    def __init__(self) -> None:
        self.url = ""
        self.requests: list[str] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._released = asyncio.Event()
        self._ended = asyncio.Event()
        self._arrivals = threading.Semaphore(0)

    def await_arrival(self, seconds: float = 10.0) -> None:
        """Wait until a call of `wait` is here and awaits `release`."""
        assert self._arrivals.acquire(timeout=seconds), "no call of `wait` arrived"

    def release(self) -> None:
        """Answer every call of `wait`, those to come too."""
        self._set(self._released)

    def end(self) -> None:
        """Have `run` return; whoever still waits is hung up on."""
        self._set(self._ended)

    async def run(self, started: "Future[str]") -> None:
        """Serve until the end; the address goes to `started`."""
        self._loop = asyncio.get_running_loop()
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        started.set_result(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
        await self._ended.wait()
        server.close()

    def _set(self, event: asyncio.Event) -> None:
        assert self._loop is not None
        self._loop.call_soon_threadsafe(event.set)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            self.requests.append(head.splitlines()[0])
            await _ANSWERS[head.split(" ")[1].split("?")[0].strip("/")](self, writer)
        writer.close()
        with suppress(OSError, asyncio.CancelledError):
            await writer.wait_closed()

    async def wait(self, writer: asyncio.StreamWriter) -> None:
        """Answer once released."""
        self._arrivals.release()
        await self._released.wait()
        writer.write(_response(200, b'{"said":"at last"}'))

    async def never(self, writer: asyncio.StreamWriter) -> None:
        """Begin an answer, and leave it at that."""
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n")
        await self._ended.wait()


@contextmanager
def hostile_upstream() -> Iterator[Hostile]:
    """Run one for as long as the block."""
    hostile, started = Hostile(), Future[str]()
    thread = threading.Thread(target=lambda: asyncio.run(hostile.run(started)))
    thread.start()
    hostile.url = started.result(10)
    try:
        yield hostile
    finally:
        hostile.end()
        thread.join(10)
        assert not thread.is_alive()


def document() -> bytes:
    """The OpenAPI document of all that it does: one operation per misbehaviour, named like it."""
    answer = {"description": "Fine.", "content": {"application/json": {"schema": _TEXT}}}
    operations = {
        f"/{name}": {"get": {"operationId": name, "responses": {"200": answer}}}
        for name in _ANSWERS
    }
    head = {"openapi": "3.1.0", "info": {"title": "Hostile", "version": "1"}}
    return json.dumps({**head, "paths": operations}).encode()


def _response(
    status: int, body: bytes, kind: str = "application/json", more: tuple[str, ...] = ()
) -> bytes:
    lines = (f"HTTP/1.1 {status} X", f"Content-Type: {kind}", f"Content-Length: {len(body)}")
    return "\r\n".join((*lines, *more, "Connection: close", "", "")).encode() + body


def _says(whole: bytes) -> Answer:
    async def answer(_: Hostile, writer: asyncio.StreamWriter) -> None:
        writer.write(whole)
        await writer.drain()

    return answer


async def _endless(_: Hostile, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n")
    while not writer.is_closing():
        writer.write(bytes(65_536))
        await writer.drain()


def _status(status: int) -> Answer:
    body = json.dumps({"detail": f"refused with {status}"}).encode()
    extra = {302: ("Location: http://169.254.169.254/latest/secret",), 429: ("Retry-After: 7",)}
    return _says(_response(status, body, more=extra.get(status, ())))


_ANSWERS: Final[dict[str, Answer]] = {
    "fine": _says(_response(200, b'{"said":"fine"}')),
    "wait": Hostile.wait,
    "never": Hostile.never,
    "endless": _endless,
    "broken_json": _says(_response(200, b'{"said": ')),
    "no_http": _says(b"220 mail.example.com ESMTP ready\r\n\r\n"),
    "hang_up": _says(b""),
    "half": _says(_response(200, b'{"said":"half"}').replace(b"Length: 15", b"Length: 4000")),
    "page": _says(_response(200, b"<h1>Sign in</h1>", "text/html")),
    **{f"status_{status}": _status(status) for status in _STATUSES},
}
