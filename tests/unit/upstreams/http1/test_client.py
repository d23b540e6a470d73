import asyncio
import ssl
import time

import pytest
import uvicorn

from bascule.gateway.errors import UpstreamCut, UpstreamFailed, UpstreamTimeout, UpstreamUnreachable
from bascule.upstreams.http1.client import HttpClient
from bascule.upstreams.http1.messages import HttpRequest, Origin
from bascule.upstreams.http1.settings import PoolConfig

OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nhi"
ENDLESS = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


def soon() -> float:
    return time.monotonic() + 5


def get(origin: Origin, target: str = "/") -> HttpRequest:
    return HttpRequest(origin, "GET", target)


def post(origin: Origin, body: bytes = b"{}") -> HttpRequest:
    return HttpRequest(origin, "POST", "/", [("content-type", "application/json")], body)


async def test_response_carries_status_headers_and_body(serve) -> None:
    server = await serve(OK)
    async with HttpClient() as client:
        response = await client.request(post(server.origin, b"ping"), soon())
    assert (response.status, response.body) == (200, b"hi")
    assert response.header("content-type") == "text/plain"
    assert server.requests[0].endswith(b"\r\n\r\nping")


async def test_connection_is_kept_for_the_next_request(serve) -> None:
    server = await serve(*[OK] * 3)
    async with HttpClient() as client:
        for _ in range(3):
            await client.request(post(server.origin), soon())
    assert server.connections == 1


async def test_requests_at_once_do_not_mix(serve) -> None:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            target = head.split(b" ")[1]
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(target))
            await asyncio.sleep(0)
            writer.write(target)

    server = await serve(script=echo)
    async with HttpClient(PoolConfig(max_connections=4)) as client:

        async def check(number: int) -> None:
            response = await client.request(get(server.origin, f"/{number}"), soon())
            assert response.body == f"/{number}".encode()

        async with asyncio.timeout(10), asyncio.TaskGroup() as group:
            for number in range(200):
                group.create_task(check(number))
    assert server.connections == 4


async def test_redirect_is_an_answer_like_any_other(serve) -> None:
    server = await serve(
        b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"
    )
    async with HttpClient() as client:
        response = await client.request(get(server.origin), soon())
    assert response.status == 302


async def test_no_redirect_is_followed_where_that_is_said(serve) -> None:
    moved = b"HTTP/1.1 302 Found\r\nLocation: /there\r\nContent-Length: 0\r\n\r\n"
    server = await serve(moved, moved)
    async with HttpClient(PoolConfig(follows_redirects=False)) as client:
        assert (await client.request(get(server.origin), soon())).status == 302
        async with client.stream(get(server.origin), soon()) as response:
            assert response.status == 302
    assert len(server.requests) == 2


async def test_answer_to_head_leaves_the_connection_in_step(serve) -> None:
    server = await serve(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n", OK)
    async with HttpClient() as client:
        response = await client.request(HttpRequest(server.origin, "HEAD", "/"), soon())
        assert response.body == b""
        assert (await client.request(get(server.origin), soon())).body == b"hi"
    assert server.connections == 1


async def test_compression_is_not_asked_for(serve) -> None:
    server = await serve(OK)
    async with HttpClient() as client:
        await client.request(get(server.origin), soon())
    assert b"accept-encoding" not in server.requests[0].lower()


# A kept connection that turns out dead.


async def dead_connection(client: HttpClient, server) -> None:
    """Leave an idle connection behind which the server closes when it is used again."""
    await client.request(get(server.origin), soon())


async def test_request_that_reads_is_repeated_once_where_a_kept_connection_was_dead(serve) -> None:
    answers = iter([[OK, None], [OK]])

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for answer in next(answers):
            await reader.readuntil(b"\r\n\r\n")
            if answer is None:
                return
            writer.write(answer)
        await reader.read()

    server = await serve(script=script)
    async with HttpClient() as client:
        await dead_connection(client, server)
        response = await client.request(get(server.origin), soon())
        assert response.body == b"hi"
    assert server.connections == 2


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
async def test_request_that_may_have_acted_is_never_repeated(serve, method: str) -> None:
    server = await serve(OK, None)
    async with HttpClient() as client:
        await dead_connection(client, server)
        with pytest.raises(UpstreamCut, match="may have acted"):
            await client.request(post(server.origin)._replace(method=method), soon())
    assert (server.connections, len(server.requests)) == (1, 2)


async def test_request_is_repeated_only_once(serve) -> None:
    answers = iter([[OK, None], [None], [OK]])

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for answer in next(answers):
            await reader.readuntil(b"\r\n\r\n")
            if answer is None:
                return
            writer.write(answer)
        await reader.read()

    server = await serve(script=script)
    async with HttpClient() as client:
        await dead_connection(client, server)
        with pytest.raises(UpstreamFailed):
            await client.request(get(server.origin), soon())
    assert server.connections == 2


async def test_request_on_a_new_connection_is_not_repeated(serve) -> None:
    server = await serve(None)
    async with HttpClient() as client:
        with pytest.raises(UpstreamFailed, match="without an answer"):
            await client.request(get(server.origin), soon())
    assert server.connections == 1


async def test_request_is_not_repeated_once_the_answer_had_begun(serve) -> None:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(OK)
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 20")

    server = await serve(script=script)
    async with HttpClient() as client:
        await dead_connection(client, server)
        with pytest.raises(UpstreamFailed, match="in the middle"):
            await client.request(get(server.origin), soon())
    assert server.connections == 1


async def test_connection_the_server_closed_while_idle_is_not_used(serve) -> None:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(OK)

    server = await serve(script=script)
    async with HttpClient() as client:
        for _ in range(2):
            await client.request(get(server.origin), soon())
            await server.until(lambda server: server.open_connections == 0)
            async with asyncio.timeout(5):
                pool = client._pools[server.origin]
                while pool.size:
                    await asyncio.sleep(0)
        response = await client.request(post(server.origin), soon())
    assert response.body == b"hi"
    assert server.connections == 3


# Hostile and broken services.


async def test_service_that_never_answers_runs_into_the_deadline(serve) -> None:
    server = await serve()
    async with HttpClient() as client:
        with pytest.raises(UpstreamTimeout):
            await client.request(post(server.origin), time.monotonic() + 0.05)
        await server.until(lambda server: server.open_connections == 0)


async def test_service_that_drips_runs_into_the_deadline(serve) -> None:
    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        for byte in b"HTTP/1.1 200 OK\r\nX: " + b"a" * 10000:
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(0.005)

    server = await serve(script=drip)
    async with HttpClient() as client:
        with pytest.raises(UpstreamTimeout):
            await client.request(get(server.origin), time.monotonic() + 0.1)


async def test_deadline_in_the_past_sends_nothing(serve) -> None:
    server = await serve(OK)
    async with HttpClient() as client:
        with pytest.raises(UpstreamTimeout, match="Nothing was sent"):
            await client.request(get(server.origin), time.monotonic() - 1)
    assert server.connections == 0


async def test_service_that_is_down_is_unreachable(serve) -> None:
    async with HttpClient() as client:
        with pytest.raises(UpstreamUnreachable):
            await client.request(get(Origin("http", "127.0.0.1", 1)), soon())


@pytest.mark.parametrize(
    ("answer", "complaint"),
    [
        (b"\x16\x03\x01\x00\x02", "not HTTP/1.1"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"a" * 70000 + b"\r\n\r\n", "headers are larger"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n", "larger than 1000 bytes"),
        (ENDLESS + b"fff\r\n" + b"a" * 0xFFF, "larger than 1000 bytes"),
        (b"HTTP/1.1 200 OK\r\n\r\n" + b"a" * 2000, "larger than 1000 bytes"),
    ],
    ids=["garbage", "huge header", "huge announced", "huge chunked", "huge until close"],
)
async def test_unusable_answer_fails_and_its_connection_is_not_kept(
    serve, answer: bytes, complaint: str
) -> None:
    server = await serve(answer)
    async with HttpClient(PoolConfig(max_body_bytes=1000)) as client:
        with pytest.raises(UpstreamFailed, match=complaint):
            await client.request(get(server.origin), soon())
        await server.until(lambda server: server.open_connections == 0)


async def test_close_in_the_middle_of_a_body_fails(serve) -> None:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(OK[:-1])

    server = await serve(script=script)
    async with HttpClient() as client:
        with pytest.raises(UpstreamFailed, match="in the middle"):
            await client.request(get(server.origin), soon())


async def test_answer_smuggled_behind_another_never_reaches_the_next_caller(serve) -> None:
    evil = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"
    server = await serve(OK + evil)
    async with HttpClient() as client:
        assert (await client.request(get(server.origin), soon())).body == b"hi"
        await server.until(lambda server: server.open_connections == 0)
        response = await client.request(get(server.origin), soon())
    assert response.body == b"hi"
    assert server.connections == 2


async def test_cancelled_request_closes_its_connection(serve) -> None:
    server = await serve()
    async with HttpClient() as client:
        running = asyncio.ensure_future(client.request(get(server.origin), soon()))
        await server.until(lambda server: len(server.requests) == 1)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        await server.until(lambda server: server.open_connections == 0)


async def test_large_request_and_response_pass_whole(serve) -> None:
    body = bytes(range(256)) * 8192

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        received = await reader.readexactly(len(body))
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(received))
        writer.write(received)
        await writer.drain()
        await reader.read()

    server = await serve(script=echo)
    async with HttpClient() as client:
        response = await client.request(post(server.origin, body), soon())
    assert response.body == body


async def test_answer_before_the_request_was_taken_in_does_not_spoil_the_connection(serve) -> None:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        reader._transport.pause_reading()  # type: ignore[attr-defined]
        writer.write(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n")
        await asyncio.get_running_loop().create_future()

    server = await serve(script=script)
    async with HttpClient() as client:
        response = await client.request(post(server.origin, b"a" * 16_000_000), soon())
        assert response.status == 413
        assert client._pools[server.origin].idle_count == 0


# TLS.


async def test_certificate_of_a_trusted_authority_is_accepted(serve, certificates) -> None:
    server = await serve(OK, OK, tls=certificates.server, name="localhost")
    async with HttpClient(PoolConfig(ca_file=str(certificates.ca_file))) as client:
        for _ in range(2):
            assert (await client.request(get(server.origin), soon())).body == b"hi"
        connection = client._pools[server.origin].take_idle()
        assert connection is not None
        assert connection._transport is not None
        tls = connection._transport.get_extra_info("ssl_object")
        assert tls.selected_alpn_protocol() == "http/1.1"
    assert server.connections == 1


async def test_unknown_authority_is_refused_before_anything_is_sent(serve, certificates) -> None:
    server = await serve(OK, tls=certificates.server, name="localhost")
    async with HttpClient() as client:
        with pytest.raises(UpstreamUnreachable) as caught:
            await client.request(get(server.origin), soon())
    assert "CERTIFICATE_VERIFY_FAILED" in caught.value.private
    assert server.requests == []


async def test_certificate_for_another_name_is_refused(serve, certificates) -> None:
    server = await serve(OK, tls=certificates.server, name="127.0.0.2")
    context = ssl.create_default_context(cafile=str(certificates.ca_file))
    async with HttpClient(tls=context) as client:
        with pytest.raises(UpstreamUnreachable) as caught:
            await client.request(get(server.origin), soon())
    assert "127.0.0.2" in caught.value.private


async def test_service_that_does_not_finish_its_handshake_is_unreachable(serve) -> None:
    server = await serve()
    origin = Origin("https", "127.0.0.1", server.origin.port)
    async with HttpClient(PoolConfig(connect_timeout_seconds=0.05)) as client:
        with pytest.raises(UpstreamUnreachable):
            await client.request(get(origin), soon())


# Closing.


async def test_closed_client_refuses_requests(serve) -> None:
    client = HttpClient()
    await client.close()
    with pytest.raises(UpstreamUnreachable):
        await client.request(get(Origin("http", "127.0.0.1", 1)), soon())


async def test_closing_fails_what_is_under_way(serve) -> None:
    server = await serve()
    client = HttpClient()
    running = asyncio.ensure_future(client.request(get(server.origin), soon()))
    await server.until(lambda server: len(server.requests) == 1)
    async with asyncio.timeout(5):
        await client.close()
        with pytest.raises(UpstreamFailed):
            await running


# A real server.


async def test_real_server_is_understood() -> None:
    async def app(scope, receive, send) -> None:
        body = (await receive())["body"]
        headers = [(b"content-type", b"text/plain")]
        await send({"type": "http.response.start", "status": 201, "headers": headers})
        for piece in (scope["path"].encode(), b" ", body):
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body"})

    config = uvicorn.Config(app, host="127.0.0.1", port=0, log_config=None, lifespan="off")
    server = uvicorn.Server(config)
    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        serving = group.create_task(server._serve())
        while not server.started:
            await asyncio.sleep(0.001)
        port = server.servers[0].sockets[0].getsockname()[1]
        origin = Origin("http", "127.0.0.1", port)
        async with HttpClient() as client:
            for _ in range(3):
                response = await client.request(
                    HttpRequest(origin, "POST", "/x", (), b"ping"), soon()
                )
                assert (response.status, response.body) == (201, b"/x ping")
        server.should_exit = True
        await serving
