"""A call becomes one request, on a real connection where that matters."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from bascule import __version__
from bascule.gateway.call import Call, Method
from bascule.gateway.errors import (
    InvalidValue,
    UpstreamFailed,
    UpstreamRateLimited,
    UpstreamTimeout,
)
from bascule.gateway.tool import (
    McpSource,
    ParameterLocation,
    RestBody,
    RestParameter,
    RestSource,
    RiskLevel,
    Tool,
    Upstream,
    UpstreamKind,
)
from bascule.upstreams.http1 import HttpClient, HttpRequest, HttpResponse
from bascule.upstreams.http1.messages import encode_request
from bascule.upstreams.rest import RestUpstream

JSON = [("content-type", "application/json")]


class FakeSender:
    """Answers every request with `response`, and remembers it."""

    def __init__(self, response: HttpResponse | None = None) -> None:
        self.response = response or HttpResponse(200, JSON, b"{}")
        self.requests: list[HttpRequest] = []
        self.deadlines: list[float] = []

    async def request(self, request: HttpRequest, deadline: float) -> HttpResponse:
        self.requests.append(request)
        self.deadlines.append(deadline)
        return self.response

    def headers(self) -> dict[str, str]:
        """The headers of the last request as sent, by lower-cased name, less how it is framed.

        None may appear twice.
        """
        head = encode_request(self.requests[-1]).partition(b"\r\n\r\n")[0].decode("latin-1")
        lines = [line.partition(": ") for line in head.split("\r\n")[1:]]
        headers = {name.lower(): value for name, _, value in lines}
        assert len(headers) == len(lines)
        return {name: headers[name] for name in headers.keys() - {"host", "content-length"}}


def make_tool(
    source: RestSource | McpSource | None = None, *, idempotent: bool = False,
    timeout_seconds: float | None = None,
) -> Tool:  # fmt: skip
    return Tool(
        "find", "", "b", source or RestSource("u", "GET", "/v1/find"), {}, risk=RiskLevel.WRITE,
        idempotent=idempotent, timeout_seconds=timeout_seconds,
    )  # fmt: skip


def make_call(tool: Tool, **fields: object) -> Call:
    return Call(Method.TOOLS_CALL, "corr-1", tool=tool, **fields)


def make_upstream(url: str = "http://127.0.0.1:1", **fields: object) -> Upstream:
    return Upstream("u", UpstreamKind.REST, url, **fields)


def header_parameter(name: str, *, required: bool = False) -> RestParameter:
    return RestParameter(name, name, ParameterLocation.HEADER, "simple", False, required)


async def test_the_gateway_says_who_it_is_and_what_it_is_doing() -> None:
    sender = FakeSender()
    upstream = make_upstream(headers=(("X-API-Key", "k" * 10),))

    await RestUpstream(upstream, sender).execute(make_call(make_tool(), traceparent="00-a-b-01"))

    assert sender.headers() == {
        "accept": "application/json",
        "user-agent": f"bascule/{__version__}",
        "x-api-key": "k" * 10,
        "x-correlation-id": "corr-1",
        "x-mcp-tool-name": "find",
        "x-mcp-risk-level": "write",
        "traceparent": "00-a-b-01",
    }


async def test_nothing_of_the_client_is_passed_on() -> None:
    sender = FakeSender()
    call = make_call(make_tool(), credential="bsk_secret", agent="evil/1.0", peer="10.0.0.9")

    await RestUpstream(make_upstream(), sender).execute(call)

    sent = " ".join(sender.headers().values())
    assert not any(word in sent for word in ("bsk_secret", "evil", "10.0.0.9"))


async def test_a_static_header_replaces_a_default_and_beats_an_argument() -> None:
    sender = FakeSender()
    source = RestSource(
        "u", "GET", "/",
        (header_parameter("x-api-key"), header_parameter("X-Correlation-Id", required=True)),
    )  # fmt: skip
    upstream = make_upstream(headers=(("Accept", "text/csv"), ("X-API-Key", "k" * 10)))
    call = make_call(make_tool(source), arguments={"x-api-key": "stolen", "X-Correlation-Id": "x"})

    await RestUpstream(upstream, sender).execute(call)

    headers = sender.headers()
    assert (headers["accept"], headers["x-api-key"]) == ("text/csv", "k" * 10)
    assert headers["x-correlation-id"] == "corr-1"


async def test_a_traceparent_that_cannot_be_sent_is_left_out() -> None:
    sender = FakeSender()

    await RestUpstream(make_upstream(), sender).execute(
        make_call(make_tool(), traceparent="00-a\r\nx: y")
    )

    assert "traceparent" not in sender.headers()


async def test_an_idempotency_key_goes_only_to_idempotent_tools() -> None:
    sender = FakeSender()
    rest = RestUpstream(make_upstream(), sender)

    await rest.execute(make_call(make_tool(), idempotency_key="k1"))
    assert "idempotency-key" not in sender.headers()
    await rest.execute(make_call(make_tool(idempotent=True), idempotency_key="k1"))
    assert sender.headers()["idempotency-key"] == "k1"


async def test_an_idempotency_key_given_as_argument_wins() -> None:
    sender = FakeSender()
    source = RestSource("u", "POST", "/", (header_parameter("Idempotency-Key"),))
    tool = make_tool(source, idempotent=True)
    rest = RestUpstream(make_upstream(), sender)

    await rest.execute(make_call(tool, idempotency_key="k1", arguments={"Idempotency-Key": "mine"}))
    assert sender.headers()["idempotency-key"] == "mine"
    await rest.execute(make_call(tool, idempotency_key="k1"))
    assert sender.headers()["idempotency-key"] == "k1"


@pytest.mark.parametrize("key", ["a\r\nb", "x" * 256, "  ", "é"])
async def test_an_idempotency_key_that_cannot_be_sent_is_refused(key: str) -> None:
    sender = FakeSender()
    call = make_call(make_tool(idempotent=True), idempotency_key=key)

    with pytest.raises(InvalidValue):
        await RestUpstream(make_upstream(), sender).execute(call)
    assert sender.requests == []


async def test_the_nearer_of_both_deadlines_holds() -> None:
    sender = FakeSender()
    rest = RestUpstream(make_upstream(timeout_seconds=30.0, connect_timeout_seconds=2.5), sender)
    now = time.monotonic()

    await rest.execute(make_call(make_tool(), deadline=now + 5))
    await rest.execute(make_call(make_tool(), deadline=now + 500))
    await rest.execute(make_call(make_tool(timeout_seconds=1.0), deadline=now + 500))
    await rest.execute(make_call(make_tool()))

    waits = [deadline - now for deadline in sender.deadlines]
    assert waits == pytest.approx([5, 30, 1, 30], abs=0.9)
    assert sender.requests[0].connect_timeout_seconds == 2.5


async def test_an_argument_that_cannot_be_sent_never_reaches_the_upstream() -> None:
    sender = FakeSender()
    source = RestSource(
        "u", "GET", "/{x}", (RestParameter("x", "x", ParameterLocation.PATH, "simple", False),)
    )

    with pytest.raises(InvalidValue):
        await RestUpstream(make_upstream(), sender).execute(
            make_call(make_tool(source), arguments={"x": ".."})
        )
    assert sender.requests == []


async def test_a_tool_that_changed_is_compiled_again() -> None:
    sender = FakeSender()
    rest = RestUpstream(make_upstream("http://127.0.0.1:1/api"), sender)

    for path in ("/v1/find", "/v2/find", "/v2/find"):
        await rest.execute(make_call(make_tool(RestSource("u", "GET", path))))

    assert [one.target for one in sender.requests] == [
        "/api/v1/find",
        "/api/v2/find",
        "/api/v2/find",
    ]


async def test_too_many_requests_are_a_named_failure_with_the_wait() -> None:
    sender = FakeSender(HttpResponse(429, [("retry-after", "7")], b"slow down"))

    with pytest.raises(UpstreamRateLimited, match="in 7 seconds") as caught:
        await RestUpstream(make_upstream(), sender).execute(make_call(make_tool()))

    assert caught.value.details == {"retry_after_seconds": 7}


async def test_too_many_requests_without_a_wait_name_none() -> None:
    sender = FakeSender(HttpResponse(429, [], b""))

    with pytest.raises(UpstreamRateLimited, match="later") as caught:
        await RestUpstream(make_upstream(), sender).execute(make_call(make_tool()))

    assert caught.value.details == {}


async def test_a_refusal_is_a_result_and_success_follows_the_schema() -> None:
    refused = FakeSender(HttpResponse(404, JSON, b'{"error":"none"}'))
    result = await RestUpstream(make_upstream(), refused).execute(make_call(make_tool()))
    assert (result.is_error, result.failure) == (True, "upstream u answered HTTP 404")

    source = RestSource("u", "GET", "/", wraps_result=True)
    result = await RestUpstream(make_upstream(), FakeSender()).execute(make_call(make_tool(source)))
    assert not result.is_error
    assert bytes(result.body["structuredContent"]) == b'{"result":{}}'


async def test_only_rest_tools_are_executed() -> None:
    with pytest.raises(RuntimeError):
        await RestUpstream(make_upstream(), FakeSender()).execute(
            make_call(make_tool(McpSource("u", "x")))
        )


@asynccontextmanager
async def serve(answer: bytes | None) -> AsyncIterator[tuple[str, list[bytes]]]:
    """A server on loopback that gives every request the same bytes; None: never an answer."""
    received: list[bytes] = []
    stop = asyncio.Event()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = [
            line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")
        ]
        body = await reader.readexactly(int(length[0].split(b":")[1])) if length else b""
        received.append(head + body)
        if answer is None:
            await stop.wait()
        else:
            writer.write(answer)
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    async with server:
        host, port = server.sockets[0].getsockname()
        yield f"http://{host}:{port}", received
        stop.set()


async def test_a_call_travels_over_a_real_connection() -> None:
    source = RestSource(
        "u", "POST", "/v1/{id}",
        (RestParameter("id", "id", ParameterLocation.PATH, "simple", False),),
        RestBody("application/json", {"n": "n"}, required=True),
    )  # fmt: skip
    answer = (
        b"HTTP/1.1 201 Created\r\ncontent-type: application/json\r\ncontent-length: 8\r\n\r\n"
        b'{"ok":1}'
    )

    async with asyncio.timeout(5), serve(answer) as (url, received), HttpClient() as client:
        result = await RestUpstream(make_upstream(url + "/api"), client).execute(
            make_call(make_tool(source), arguments={"id": "a/b ü", "n": 5})
        )

    assert bytes(result.body["structuredContent"]) == b'{"ok":1}'
    assert received[0].startswith(b"POST /api/v1/a%2Fb%20%C3%BC HTTP/1.1\r\n")
    assert received[0].endswith(b'\r\n\r\n{"n":5}')
    assert b"\r\nX-Correlation-ID: corr-1\r\n" in received[0]


async def test_a_redirect_is_not_followed() -> None:
    answer = (
        b"HTTP/1.1 302 Found\r\nlocation: http://169.254.169.254/x\r\ncontent-length: 0\r\n\r\n"
    )

    async with asyncio.timeout(5), serve(answer) as (url, received), HttpClient() as client:
        result = await RestUpstream(make_upstream(url), client).execute(make_call(make_tool()))

    assert result.is_error
    assert len(received) == 1


async def test_an_upstream_that_never_answers_times_out() -> None:
    tool = make_tool(timeout_seconds=0.1)

    async with asyncio.timeout(5), serve(None) as (url, _), HttpClient() as client:
        with pytest.raises(UpstreamTimeout):
            await RestUpstream(make_upstream(url), client).execute(make_call(tool))


async def test_an_answer_that_lies_about_being_json_is_a_failure() -> None:
    answer = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 6\r\n\r\n<html>"

    async with asyncio.timeout(5), serve(answer) as (url, _), HttpClient() as client:
        with pytest.raises(UpstreamFailed):
            await RestUpstream(make_upstream(url), client).execute(make_call(make_tool()))
