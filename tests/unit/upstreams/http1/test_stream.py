import asyncio
import math
import time

import pytest

from bascule.gateway.errors import UpstreamFailed, UpstreamTimeout
from bascule.upstreams.http1.client import HttpClient
from bascule.upstreams.http1.messages import HttpRequest, Origin
from bascule.upstreams.http1.settings import PoolConfig

OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nhi"
ENDLESS = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


def soon() -> float:
    return time.monotonic() + 5


def get(origin: Origin) -> HttpRequest:
    return HttpRequest(origin, "GET", "/")


async def test_stream_gives_the_pieces_as_they_come(serve) -> None:
    step = asyncio.Event()

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(ENDLESS + b"1\r\na\r\n")
        async with asyncio.timeout(5):
            await step.wait()
        writer.write(b"1\r\nb\r\n0\r\n\r\n")
        await reader.read()

    server = await serve(script=script)
    async with HttpClient() as client, client.stream(get(server.origin), soon()) as response:
        assert response.status == 200
        assert response.header("transfer-encoding") == "chunked"
        pieces = []
        async for piece in response:
            pieces.append(piece)
            step.set()
    assert pieces == [b"a", b"b"]


async def test_stream_read_to_its_end_keeps_the_connection(serve) -> None:
    server = await serve(OK, OK)
    async with HttpClient() as client:
        for _ in range(2):
            async with client.stream(get(server.origin), soon()) as response:
                assert await response.read() == b"hi"
    assert server.connections == 1


async def test_stream_left_early_keeps_the_connection_where_the_end_follows(serve) -> None:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(ENDLESS + b"1\r\na\r\n")
            await asyncio.sleep(0.01)
            writer.write(b"0\r\n\r\n")

    server = await serve(script=script)
    async with HttpClient(PoolConfig(max_connections=1)) as client:
        for _ in range(3):
            async with client.stream(get(server.origin), soon()) as response:
                assert await response.next_piece() == b"a"
    assert server.connections == 1


async def test_endless_stream_left_early_is_closed(serve) -> None:
    server = await serve(ENDLESS + b"1\r\na\r\n")
    async with HttpClient() as client:
        async with client.stream(get(server.origin), soon()) as response:
            assert await response.next_piece() == b"a"
        await server.until(lambda server: server.open_connections == 0)


async def test_stream_left_by_an_error_is_closed_at_once(serve) -> None:
    server = await serve(ENDLESS + b"1\r\na\r\n")
    async with HttpClient() as client:
        with pytest.raises(KeyError):
            async with client.stream(get(server.origin), soon()):
                raise KeyError
        await server.until(lambda server: server.open_connections == 0)


async def test_stream_that_falls_silent_runs_into_the_deadline(serve) -> None:
    server = await serve(ENDLESS)
    async with HttpClient() as client:
        with pytest.raises(UpstreamTimeout):
            async with client.stream(get(server.origin), time.monotonic() + 0.05) as response:
                await response.next_piece()


async def test_stream_that_breaks_off_fails(serve) -> None:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(ENDLESS)

    server = await serve(script=script)
    async with HttpClient() as client:
        with pytest.raises(UpstreamFailed, match="in the middle"):
            async with client.stream(get(server.origin), soon()) as response:
                await response.read()


async def test_what_is_held_of_a_flood_nobody_reads_is_bounded(serve) -> None:
    total = 65536 * 500

    async def flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        for _ in range(total // 65536):
            writer.write(b"a" * 65536)
            await writer.drain()

    server = await serve(script=flood)
    async with HttpClient() as client, client.stream(get(server.origin), soon()) as response:
        connection = response._connection
        assert connection is not None
        async with asyncio.timeout(5):
            while not connection._paused:
                await asyncio.sleep(0)
        for _ in range(100):
            await asyncio.sleep(0)
            assert connection.reader.pending_bytes < 65536 + 262144
        received = 0
        async for piece in response:
            received += len(piece)
    assert received == total


async def test_whole_body_read_from_a_stream_is_bounded(serve) -> None:
    server = await serve(OK)
    async with HttpClient(PoolConfig(max_body_bytes=1)) as client:
        with pytest.raises(UpstreamFailed, match="larger than 1 bytes"):
            async with client.stream(get(server.origin), soon()) as response:
                await response.read()


async def test_stream_outside_its_block_is_a_mistake(serve) -> None:
    async with HttpClient() as client:
        stream = client.stream(get(Origin("http", "127.0.0.1", 1)), soon())
        with pytest.raises(RuntimeError, match="async with"):
            await stream.next_piece()


async def test_stream_without_a_deadline_is_read_in_another_task_than_it_was_opened_in(
    serve,
) -> None:
    step = asyncio.Event()

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(ENDLESS)
        async with asyncio.timeout(5):
            await step.wait()
        writer.write(b"1\r\na\r\n")
        await reader.read()

    server = await serve(script=script)
    async with HttpClient() as client, client.stream(get(server.origin), math.inf) as response:
        reading = asyncio.ensure_future(response.next_piece())
        await asyncio.sleep(0.05)
        step.set()
        async with asyncio.timeout(5):
            assert await reading == b"a"
        waiting = asyncio.ensure_future(response.next_piece())
        await asyncio.sleep(0)
        waiting.cancel()


async def test_connection_that_had_no_deadline_has_one_again_with_its_next_exchange(serve) -> None:
    server = await serve(OK)
    async with HttpClient(PoolConfig(max_connections=1)) as client:
        async with client.stream(get(server.origin), math.inf) as response:
            assert await response.read() == b"hi"
        with pytest.raises(UpstreamTimeout):
            await client.request(get(server.origin), time.monotonic() + 0.05)
