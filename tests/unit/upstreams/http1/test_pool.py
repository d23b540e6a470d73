import asyncio
import math
import time

import pytest

from bascule.gateway.errors import UpstreamTimeout, UpstreamUnreachable
from bascule.upstreams.http1.connection import Connection
from bascule.upstreams.http1.messages import Origin
from bascule.upstreams.http1.pool import OriginPool
from bascule.upstreams.http1.settings import PoolConfig

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"


def soon() -> float:
    return time.monotonic() + 5


def open_pool(origin: Origin, **limits: float) -> OriginPool:
    config = PoolConfig(**limits)  # type: ignore[arg-type]
    return OriginPool(origin, config, None, asyncio.get_running_loop())


async def use(connection: Connection) -> None:
    """Complete one exchange on `connection`."""
    payload = b"GET / HTTP/1.1\r\nhost: h\r\n\r\n"
    await connection.start(payload, soon(), bodyless=False, body_limit=1000)


async def pending(waiting: "asyncio.Task[Connection]") -> None:
    """Let `waiting` run until it waits."""
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert not waiting.done()


async def test_connection_used_last_is_lent_first(serve) -> None:
    server = await serve(OK, OK)
    pool = open_pool(server.origin)
    first, second = await pool.acquire(soon(), None), await pool.acquire(soon(), None)
    await use(first)
    await use(second)
    pool.release(first)
    pool.release(second)
    assert pool.take_idle() is second
    assert pool.take_idle() is first
    assert pool.take_idle() is None
    await pool.close()


async def test_waiters_are_served_in_order(serve) -> None:
    server = await serve(*[OK] * 3)
    pool = open_pool(server.origin, max_connections=1)
    connection = await pool.acquire(soon(), None)
    first = asyncio.ensure_future(pool.acquire(soon(), None))
    await pending(first)
    second = asyncio.ensure_future(pool.acquire(soon(), None))
    await pending(second)
    await use(connection)
    pool.release(connection)
    assert await first is connection
    assert not second.done()
    await use(connection)
    pool.release(connection)
    assert await second is connection
    assert (pool.size, server.connections) == (1, 1)
    await pool.close()


async def test_waiter_opens_a_connection_in_the_place_of_a_lost_one(serve) -> None:
    server = await serve(OK)
    pool = open_pool(server.origin, max_connections=1)
    connection = await pool.acquire(soon(), None)
    waiting = asyncio.ensure_future(pool.acquire(soon(), None))
    await pending(waiting)
    connection.abort()
    async with asyncio.timeout(5):
        successor = await waiting
    assert successor is not connection
    assert pool.size == 1
    await use(successor)
    await pool.close()


async def test_waiting_ends_at_the_deadline(serve) -> None:
    server = await serve(OK)
    pool = open_pool(server.origin, max_connections=1)
    await pool.acquire(soon(), None)
    with pytest.raises(UpstreamTimeout, match="Nothing was sent"):
        await pool.acquire(time.monotonic() + 0.01, None)
    await pool.close()


async def test_place_granted_to_a_waiter_that_gave_up_goes_to_the_next(serve) -> None:
    server = await serve(OK, OK)
    pool = open_pool(server.origin, max_connections=1)
    connection = await pool.acquire(soon(), None)
    first = asyncio.ensure_future(pool.acquire(soon(), None))
    await pending(first)
    second = asyncio.ensure_future(pool.acquire(soon(), None))
    await pending(second)
    await use(connection)
    pool.release(connection)
    first.cancel()
    async with asyncio.timeout(5):
        assert await second is connection
    await pool.close()


async def test_connection_given_up_while_waiting_for_its_place_frees_the_place(serve) -> None:
    server = await serve(OK)
    pool = open_pool(server.origin, max_connections=1)
    connection = await pool.acquire(soon(), None)
    waiting = asyncio.ensure_future(pool.acquire(soon(), None))
    await pending(waiting)
    pool.connection_closed(connection)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert pool.size == 0
    connection.abort()
    await pool.close()


async def test_refused_connection_is_unreachable_and_frees_its_place(serve) -> None:
    server = await serve()
    listener = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    port = listener.sockets[0].getsockname()[1]
    listener.close()
    await listener.wait_closed()
    pool = open_pool(Origin("http", "127.0.0.1", port), max_connections=1)
    for _ in range(3):
        with pytest.raises(UpstreamUnreachable) as caught:
            await pool.acquire(soon(), None)
    assert str(port) in caught.value.private
    assert pool.size == 0
    assert server.connections == 0


async def test_unknown_host_is_unreachable() -> None:
    pool = open_pool(Origin("http", "nowhere.invalid", 80))
    with pytest.raises(UpstreamUnreachable):
        await pool.acquire(soon(), None)
    assert pool.size == 0


class StuckLoop:
    """A loop whose connections never come up."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()

    def __getattr__(self, name: str) -> object:
        return getattr(self._loop, name)

    async def create_connection(self, *_: object, **__: object) -> None:
        await self._loop.create_future()


async def test_connecting_has_a_cap_of_its_own() -> None:
    pool = OriginPool(Origin("http", "127.0.0.1", 80), PoolConfig(), None, StuckLoop())  # type: ignore[arg-type]
    with pytest.raises(UpstreamUnreachable) as caught:
        await pool.acquire(soon(), 0.01)
    assert "0.01 seconds" in caught.value.private
    assert pool.size == 0


async def test_connecting_ends_at_the_deadline() -> None:
    pool = OriginPool(Origin("http", "127.0.0.1", 80), PoolConfig(), None, StuckLoop())  # type: ignore[arg-type]
    with pytest.raises(UpstreamTimeout, match="Nothing was sent"):
        await pool.acquire(time.monotonic() + 0.01, None)
    assert pool.size == 0


async def test_cancelled_connecting_frees_its_place() -> None:
    pool = OriginPool(Origin("http", "127.0.0.1", 80), PoolConfig(), None, StuckLoop())  # type: ignore[arg-type]
    connecting = asyncio.ensure_future(pool.acquire(soon(), None))
    await pending(connecting)
    connecting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await connecting
    assert pool.size == 0


async def test_idle_connections_are_closed_after_a_while(serve) -> None:
    server = await serve(OK)
    pool = open_pool(server.origin, idle_seconds=0.02)
    connection = await pool.acquire(soon(), None)
    await use(connection)
    pool.release(connection)
    await server.until(lambda server: server.open_connections == 0)
    assert pool.idle_count == 0
    await pool.close()


async def test_connection_past_its_lifetime_is_not_kept(serve) -> None:
    server = await serve(OK)
    pool = open_pool(server.origin, max_lifetime_seconds=0.0)
    connection = await pool.acquire(soon(), None)
    await use(connection)
    pool.release(connection)
    assert pool.idle_count == 0
    await pool.close()


async def test_connection_closed_by_the_server_leaves_the_idle_ones(serve) -> None:
    server = await serve(OK, None)
    pool = open_pool(server.origin)
    connection = await pool.acquire(soon(), None)
    await use(connection)
    pool.release(connection)
    assert pool.idle_count == 1
    connection.close()
    await server.until(lambda server: server.open_connections == 0)
    async with asyncio.timeout(5):
        while pool.size:
            await asyncio.sleep(0)
    assert pool.idle_count == 0


async def test_second_try_gets_a_new_connection_though_others_are_idle(serve) -> None:
    server = await serve(OK)
    pool = open_pool(server.origin, max_connections=1)
    idle = await pool.acquire(soon(), None)
    await use(idle)
    pool.release(idle)
    async with asyncio.timeout(5):
        fresh = await pool.acquire_fresh(soon(), None)
    assert fresh is not idle
    assert fresh.is_open
    assert pool.size == 1
    await pool.close()


async def test_closing_fails_the_waiters_and_ends_every_connection(serve) -> None:
    server = await serve(OK)
    pool = open_pool(server.origin, max_connections=1)
    await pool.acquire(soon(), None)
    waiting = asyncio.ensure_future(pool.acquire(soon(), None))
    await pending(waiting)
    async with asyncio.timeout(5):
        await pool.close()
    with pytest.raises(UpstreamUnreachable):
        await waiting
    assert pool.size == 0


async def test_waiting_for_a_place_may_have_no_end(serve) -> None:
    server = await serve(OK)
    pool = open_pool(server.origin, max_connections=1)
    connection = await pool.acquire(math.inf, None)
    waiting = asyncio.ensure_future(pool.acquire(math.inf, None))
    await pending(waiting)
    await use(connection)
    pool.release(connection)
    async with asyncio.timeout(5):
        assert await waiting is connection
    await pool.close()
