"""Connections are bounded: in the size of a request's head, and in how long one may take."""

import asyncio
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest
import uvicorn

from bascule.app.connections import BoundedProtocol
from bascule.transports.asgi import Receive, Scope, Send, respond


class Impatient(BoundedProtocol):
    """Waits a tenth of a second for a request."""

    patience_seconds = 0.1


async def echo(_scope: Scope, receive: Receive, send: Send) -> None:
    body, more = b"", True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        body += message.get("body", b"")
        more = message.get("more_body", False)
    await respond(send, 200, body, [(b"content-type", b"text/plain")])


@asynccontextmanager
async def serving(protocol: type[BoundedProtocol]) -> AsyncGenerator[int]:
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    config = uvicorn.Config(echo, http=protocol, ws="none", lifespan="off", log_config=None)
    server = uvicorn.Server(config)
    async with asyncio.TaskGroup() as group:
        group.create_task(server._serve([listener]))
        listener.listen()
        try:
            yield listener.getsockname()[1]
        finally:
            server.should_exit = True
    listener.close()


async def exchange(port: int, *pieces: bytes) -> bytes:
    """What comes back until the other side closes."""
    async with asyncio.timeout(5):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
            return await reader.read()
        except ConnectionError:
            return b""
        finally:
            writer.close()


async def test_a_request_is_answered_in_one_piece() -> None:
    async with serving(BoundedProtocol) as port:
        request = b"POST / HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 2\r\n\r\nhi"
        answer = await exchange(port, request)
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert answer.endswith(b"\r\n\r\nhi")


async def test_headers_without_end_are_cut_off() -> None:
    flood = [b"x-%d: %s\r\n" % (number, b"y" * 1000) for number in range(2000)]
    async with serving(BoundedProtocol) as port:
        answer = await exchange(port, b"GET / HTTP/1.1\r\nhost: x\r\n", *flood)
    assert answer == b"" or answer.startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize(
    "begun",
    [
        b"",
        b"GET / HT",
        b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\nonly this",
    ],
    ids=["nothing", "half a head", "half a body"],
)
async def test_who_does_not_finish_a_request_is_hung_up_on(begun: bytes) -> None:
    async with serving(Impatient) as port:
        assert await exchange(port, begun) == b""


async def test_a_kept_connection_may_rest_between_requests() -> None:
    request = b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\nhi"
    async with serving(Impatient) as port, asyncio.timeout(5):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(request)
        assert (await reader.readuntil(b"\r\n\r\nhi")).startswith(b"HTTP/1.1 200 OK")
        with pytest.raises(TimeoutError):  # far longer than it may take over a request
            async with asyncio.timeout(0.4):
                await reader.read(1)
        writer.write(request)
        assert (await reader.readuntil(b"\r\n\r\nhi")).startswith(b"HTTP/1.1 200 OK")
        writer.close()
