"""The bare proxy copies both ways and reports what it cannot reach."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

from bench.bare import Client, Pool
from bench.operations import Address, Kind, Operation, exchange
from bench.upstream import Service, Tally


@asynccontextmanager
async def listening(make: Callable[[], asyncio.Protocol]) -> AsyncGenerator[int]:
    """The port on which `make` serves."""
    server = await asyncio.get_running_loop().create_server(make, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


async def read_answer(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
    return head.split(b"\r\n")[0], await reader.readexactly(length)


async def test_requests_and_answers_pass_unchanged_over_one_pooled_connection() -> None:
    opened: list[Service] = []

    def service() -> Service:
        opened.append(Service(Tally()))
        return opened[-1]

    async with asyncio.timeout(5), asyncio.TaskGroup() as group, listening(service) as upstream:
        pool = Pool("127.0.0.1", upstream, group)
        async with listening(lambda: Client(pool)) as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            for number, operation in enumerate([*Operation, *Operation]):
                one = exchange(operation, number, Address(Kind.REST, "127.0.0.1", port))
                half = len(one.request) // 2
                writer.write(one.request[:half])
                await writer.drain()
                writer.write(one.request[half:])
                status, body = await read_answer(reader)
                assert status == b"HTTP/1.1 200 OK"
                assert one.full_fault(body) is None
            writer.close()
        assert len(opened) == 1
        assert len(pool.idle) == 1
        pool.idle[0].discard()


async def test_a_dead_upstream_is_a_502() -> None:
    async with listening(lambda: Service(Tally())) as closed_port:
        pass
    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        pool = Pool("127.0.0.1", closed_port, group)
        async with listening(lambda: Client(pool)) as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            for _ in range(2):
                writer.write(b"GET /v1/customers HTTP/1.1\r\nhost: x\r\n\r\n")
                assert (await read_answer(reader))[0] == b"HTTP/1.1 502 Bad Gateway"
            writer.close()


async def test_what_it_cannot_carry_ends_the_connection() -> None:
    twice = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n" * 2
    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        pool = Pool("127.0.0.1", 1, group)
        async with listening(lambda: Client(pool)) as port:
            for request in (b"HEAD / HTTP/1.1\r\nhost: x\r\n\r\n", b"nonsense\r\n\r\n", twice):
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.write(request)
                assert await reader.read() == b""
                writer.close()
