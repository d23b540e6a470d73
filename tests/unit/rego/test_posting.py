import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from bascule.rego.posting import MOST_BODY_BYTES, Answer, Poster, Unanswered

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


class _Server:
    """Answers each request with the next of `replies`; None closes the connection instead."""

    def __init__(self, *replies: bytes | None) -> None:
        self.requests: list[bytes] = []
        self.connections = 0
        self.port = 0
        self._replies = list(replies)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                size = int(head.lower().partition(b"content-length: ")[2].partition(b"\r")[0])
                self.requests.append(head + await reader.readexactly(size))
                reply = self._replies.pop(0)
                if reply is None:
                    return
                writer.write(reply)
                if not self._replies:
                    return
        except (asyncio.IncompleteReadError, ConnectionError, IndexError):
            return
        finally:
            writer.close()


@asynccontextmanager
async def _serving(*replies: bytes | None) -> AsyncIterator[tuple[_Server, Poster]]:
    server = _Server(*replies)
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    server.port = listening.sockets[0].getsockname()[1]
    poster = Poster(
        f"http://127.0.0.1:{server.port}/v1/data", {"Authorization": "Bearer t"}, most_idle=2,
        tls=None,
    )  # fmt: skip
    async with listening, asyncio.timeout(20):
        yield server, poster
        await poster.close()


async def test_a_connection_serves_one_request_after_the_other() -> None:
    async with _serving(OK, OK, OK) as (server, poster):
        for _ in range(3):
            assert await poster.post(b'{"a":1}') == Answer(200, b"{}")
    assert server.connections == 1
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    assert body == b'{"a":1}'
    assert head.split(b"\r\n") == [
        b"POST /v1/data HTTP/1.1", f"Host: 127.0.0.1:{server.port}".encode(),
        b"Authorization: Bearer t", b"Content-Length: 7",
    ]  # fmt: skip


async def test_a_body_in_chunks_and_after_informing_is_read() -> None:
    chunked = (
        b"HTTP/1.1 100 Continue\r\n\r\n"
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n1\r\n}\r\n0\r\n\r\n"
    )
    async with _serving(chunked) as (_, poster):
        assert await poster.post(b"{}") == Answer(200, b"{}")


async def test_a_kept_connection_that_was_closed_is_replaced_once() -> None:
    async with _serving(OK, None, OK) as (server, poster):
        await poster.post(b"1")
        assert (await poster.post(b"2")).status == 200
    assert server.connections == 2


async def test_an_answer_that_nobody_asked_for_is_not_taken_for_the_next() -> None:
    other = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ntrue"
    async with _serving(OK + other, OK) as (server, poster):
        with pytest.raises(Unanswered, match="more than was asked"):
            await poster.post(b"1")
        assert await poster.post(b"2") == Answer(200, b"{}")
    assert server.connections == 2


async def test_a_new_connection_that_is_closed_is_no_answer() -> None:
    async with _serving(None, OK) as (server, poster):
        with pytest.raises(Unanswered, match="closed the connection"):
            await poster.post(b"1")
        assert len(server.requests) == 1


async def test_a_server_that_ends_the_connection_is_asked_over_another() -> None:
    closing = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}"
    async with _serving(closing, OK) as (server, poster):
        await poster.post(b"1")
        await poster.post(b"2")
    assert server.connections == 2


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        (b"SSH-2.0-OpenSSH\r\n", "is not HTTP"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000, "the head of its answer|is not HTTP"),
        (b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * (MOST_BODY_BYTES + 70_000), "larger than"),
        (OK[:-1], "closed the connection"),
    ],
)
async def test_an_answer_that_cannot_be_used_is_none(reply: bytes, why: str) -> None:
    async with _serving(reply) as (_, poster):
        with pytest.raises(Unanswered, match=why):
            await poster.post(b"1")


async def test_where_nobody_listens_there_is_no_answer() -> None:
    async with _serving() as (server, _):
        pass
    poster = Poster(f"http://127.0.0.1:{server.port}/", {}, most_idle=1, tls=None)
    with pytest.raises(Unanswered, match="cannot be reached"):
        await poster.post(b"1")


@pytest.mark.parametrize("url", ["", "ftp://h", "http://", "localhost:8181", "http://h:99999"])
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(ValueError):
        Poster(url, {}, most_idle=1, tls=None)


@pytest.mark.parametrize("token", ["a\r\nX: y", "é", "a\x00"])
def test_a_token_that_would_be_two_headers_is_refused(token: str) -> None:
    make: Callable[[], Poster] = lambda: Poster(  # noqa: E731
        "http://h", {"Authorization": token}, most_idle=1, tls=None
    )
    with pytest.raises(ValueError, match="cannot be sent"):
        make()
