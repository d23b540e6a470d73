import asyncio
import socket
import time
from typing import cast

import pytest

from bascule.gateway.errors import UpstreamFailed, UpstreamTimeout
from bascule.upstreams.http1.connection import Connection
from bascule.upstreams.http1.failures import Disconnected
from bascule.upstreams.http1.messages import Origin

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
ENDLESS = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


def chunk(body: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(body), body)


class Transport:
    """What a connection does to its transport, without a network."""

    def __init__(self) -> None:
        self.written = b""
        self.aborted = asyncio.Event()
        self.is_closed = False
        self.is_paused = False
        self.unsent_bytes = 0

    def write(self, payload: bytes) -> None:
        self.written += payload

    def is_closing(self) -> bool:
        return self.is_closed or self.aborted.is_set()

    def abort(self) -> None:
        self.aborted.set()

    def close(self) -> None:
        self.is_closed = True

    def pause_reading(self) -> None:
        self.is_paused = True

    def resume_reading(self) -> None:
        self.is_paused = False

    def get_write_buffer_size(self) -> int:
        return self.unsent_bytes


class Owner:
    """Remembers what the connection reported."""

    def __init__(self) -> None:
        self.closed = 0
        self.released = asyncio.Event()

    def connection_closed(self, connection: Connection) -> None:
        self.closed += 1

    def release(self, connection: Connection) -> None:
        self.released.set()


def connect() -> tuple[Connection, Transport, Owner]:
    owner, transport = Owner(), Transport()
    loop = asyncio.get_running_loop()
    connection = Connection(owner, Origin("http", "h", 80), loop, 1000)
    connection.connection_made(cast("asyncio.BaseTransport", transport))
    return connection, transport, owner


def start(connection: Connection, *, seconds: float = 30.0) -> asyncio.Future[None]:
    deadline = time.monotonic() + seconds
    return connection.start(b"request", deadline, bodyless=False, body_limit=1000)


def start_stream(connection: Connection, *, seconds: float = 30.0) -> asyncio.Future[None]:
    deadline = time.monotonic() + seconds
    return connection.start(b"request", deadline, bodyless=False, body_limit=None)


async def test_exchange_is_over_when_the_response_is_whole() -> None:
    connection, transport, _ = connect()
    answer = start(connection)
    assert transport.written == b"request"
    connection.data_received(OK[:-1])
    assert not answer.done()
    connection.data_received(OK[-1:])
    await answer
    assert connection.reusable
    connection.connection_lost(None)


async def test_nothing_is_sent_on_a_connection_that_is_closing() -> None:
    connection, transport, _ = connect()
    transport.close()
    with pytest.raises(Disconnected) as caught:
        await start(connection)
    assert not caught.value.sent
    assert transport.written == b""


async def test_close_before_the_answer_tells_that_the_request_was_sent() -> None:
    connection, _, owner = connect()
    answer = start(connection)
    connection.connection_lost(ConnectionResetError())
    with pytest.raises(Disconnected) as caught:
        await answer
    assert (caught.value.sent, caught.value.answered) == (True, False)
    assert owner.closed == 1


async def test_close_within_the_answer_tells_that_it_had_begun() -> None:
    connection, _, _ = connect()
    answer = start(connection)
    connection.data_received(OK[:5])
    connection.connection_lost(None)
    with pytest.raises(Disconnected) as caught:
        await answer
    assert caught.value.answered


async def test_deadline_aborts_the_exchange() -> None:
    connection, transport, _ = connect()
    async with asyncio.timeout(5):
        with pytest.raises(UpstreamTimeout):
            await start(connection, seconds=0.01)
    assert transport.aborted.is_set()
    connection.connection_lost(None)


async def test_earlier_deadline_of_a_later_exchange_holds() -> None:
    connection, transport, _ = connect()
    answer = start(connection, seconds=60)
    connection.data_received(OK)
    await answer
    connection.rest(time.monotonic())
    async with asyncio.timeout(5):
        with pytest.raises(UpstreamTimeout):
            await start(connection, seconds=0.01)
    assert transport.aborted.is_set()
    connection.connection_lost(None)


async def test_deadline_of_an_earlier_exchange_does_not_cut_a_later_one() -> None:
    connection, transport, _ = connect()
    answer = start(connection, seconds=0.02)
    connection.data_received(OK)
    await answer
    connection.rest(time.monotonic())
    answer = start(connection, seconds=30)
    loop = asyncio.get_running_loop()
    passed = loop.create_future()
    loop.call_later(0.05, passed.set_result, None)
    await passed
    assert not answer.done()
    connection.data_received(OK)
    await answer
    assert not transport.aborted.is_set()
    connection.connection_lost(None)


async def test_garbage_fails_the_exchange_and_aborts() -> None:
    connection, transport, _ = connect()
    answer = start(connection)
    connection.data_received(b"\x00\x01")
    with pytest.raises(UpstreamFailed):
        await answer
    assert transport.aborted.is_set()
    connection.connection_lost(None)


async def test_bytes_nobody_asked_for_close_an_idle_connection() -> None:
    connection, transport, _ = connect()
    answer = start(connection)
    connection.data_received(OK)
    await answer
    connection.rest(time.monotonic())
    connection.data_received(OK)
    assert transport.aborted.is_set()
    connection.connection_lost(None)


async def test_connection_with_an_unsent_rest_is_not_reused() -> None:
    connection, transport, _ = connect()
    answer = start(connection)
    connection.data_received(OK)
    await answer
    transport.unsent_bytes = 1
    assert not connection.reusable
    connection.connection_lost(None)


async def test_connection_doomed_while_it_was_opened_is_aborted() -> None:
    owner, transport = Owner(), Transport()
    connection = Connection(owner, Origin("http", "h", 80), asyncio.get_running_loop(), 1000)
    connection.abort()
    connection.connection_made(cast("asyncio.BaseTransport", transport))
    assert transport.aborted.is_set()


async def test_stream_hands_over_pieces_and_ends() -> None:
    connection, _, _ = connect()
    head = start_stream(connection)
    connection.data_received(ENDLESS)
    await head
    connection.data_received(chunk(b"a") + chunk(b"b"))
    assert await connection.next_piece() == b"ab"
    waiting = asyncio.ensure_future(connection.next_piece())
    await asyncio.sleep(0)
    connection.data_received(b"1\r\n")
    connection.data_received(b"c\r\n0\r\n\r\n")
    assert await waiting == b"c"
    assert await connection.next_piece() == b""
    connection.connection_lost(None)


async def test_sender_is_slowed_down_while_nobody_reads() -> None:
    connection, transport, _ = connect()
    head = start_stream(connection)
    connection.data_received(ENDLESS + chunk(b"a" * 65537))
    await head
    assert transport.is_paused
    assert len(await connection.next_piece()) == 65537
    assert not transport.is_paused
    connection.connection_lost(None)


async def test_stream_that_breaks_gives_what_came_and_then_fails() -> None:
    connection, _, _ = connect()
    head = start_stream(connection)
    connection.data_received(ENDLESS + chunk(b"a"))
    await head
    connection.connection_lost(None)
    assert await connection.next_piece() == b"a"
    with pytest.raises(Disconnected):
        await connection.next_piece()


async def test_deadline_holds_between_the_pieces_of_a_stream() -> None:
    connection, transport, _ = connect()
    head = start_stream(connection, seconds=0.01)
    connection.data_received(ENDLESS)
    await head
    async with asyncio.timeout(5):
        with pytest.raises(UpstreamTimeout):
            await connection.next_piece()
    assert transport.aborted.is_set()
    connection.connection_lost(None)


async def test_body_without_framing_ends_with_the_connection() -> None:
    connection, _, _ = connect()
    answer = start(connection)
    connection.data_received(b"HTTP/1.1 200 OK\r\n\r\nhi")
    connection.eof_received()
    await answer
    assert connection.reader.take() == b"hi"
    assert not connection.reusable
    connection.connection_lost(None)


async def test_lingering_connection_is_released_at_the_end_of_its_response() -> None:
    connection, transport, owner = connect()
    head = start_stream(connection)
    connection.data_received(ENDLESS + chunk(b"a" * 70000))
    await head
    connection.linger()
    assert not transport.is_paused
    assert not owner.released.is_set()
    connection.data_received(b"0\r\n\r\n")
    assert owner.released.is_set()
    connection.connection_lost(None)


async def test_lingering_does_not_outlast_its_moment() -> None:
    connection, transport, owner = connect()
    head = start_stream(connection)
    connection.data_received(ENDLESS)
    await head
    connection.linger()
    async with asyncio.timeout(5):
        await transport.aborted.wait()
    assert not owner.released.is_set()
    connection.connection_lost(None)


async def test_lingering_does_not_take_in_a_flood() -> None:
    connection, transport, _ = connect()
    head = start_stream(connection)
    connection.data_received(ENDLESS)
    await head
    connection.linger()
    connection.data_received(chunk(b"a" * 65537))
    assert transport.aborted.is_set()
    connection.connection_lost(None)


async def test_close_by_the_peer_is_seen_on_the_socket_before_the_loop_reports_it() -> None:
    ours, theirs = socket.socketpair()
    connection, transport, _ = connect()
    transport.get_extra_info = {"socket": ours}.get  # type: ignore[attr-defined]
    answer = start(connection)
    connection.data_received(OK)
    await answer
    connection.rest(time.monotonic() - 1)
    now = time.monotonic()
    assert connection.is_usable(now, 4, 300)
    theirs.close()
    assert not connection.is_usable(now, 4, 300)
    ours.close()
    assert not connection.is_usable(now, 4, 300)
    connection.connection_lost(None)


async def test_connection_idle_or_alive_too_long_is_not_usable() -> None:
    connection, _, _ = connect()
    now = connection.born
    assert connection.is_usable(now, 4, 300)
    assert not connection.is_usable(now + 5, 4, 300)
    connection.born = now - 301
    assert not connection.is_usable(now, 4, 300)
    connection.connection_lost(None)
