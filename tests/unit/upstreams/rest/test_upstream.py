"""A call becomes one request, on a real connection where that matters."""

import asyncio
import gzip
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace

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
    Home,
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
from bascule.upstreams.rest import AnswerLimits, RestUpstream

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


@pytest.mark.parametrize(
    ("headers", "words"),
    [((), "none is set"), ((("X-API-Key", "k" * 10),), "credential that the gateway uses")],
)
async def test_a_refusal_blames_a_credential_only_where_there_is_one(
    headers: tuple[tuple[str, str], ...], words: str
) -> None:
    sender = FakeSender(HttpResponse(401, [], b""))
    upstream = make_upstream(headers=headers)

    result = await RestUpstream(upstream, sender).execute(make_call(make_tool()))

    assert words in result.body["content"][0]["text"]  # type: ignore[index]


async def test_a_sender_with_secrets_of_its_own_shows_a_credential() -> None:
    sender = FakeSender(HttpResponse(401, [], b""))
    sender.secrets = ()  # type: ignore[attr-defined] - none is fresh

    result = await RestUpstream(make_upstream(), sender).execute(make_call(make_tool()))

    assert "credential that the gateway uses" in result.body["content"][0]["text"]  # type: ignore[index]


async def test_a_credential_that_another_host_does_not_get_is_not_blamed() -> None:
    sender = FakeSender(HttpResponse(401, [], b""))
    source = RestSource("u", "GET", "/", server="http://127.0.0.2:1")
    upstream = make_upstream(headers=(("X-API-Key", "k" * 10),))

    result = await RestUpstream(upstream, sender).execute(make_call(make_tool(source)))

    assert "another host" in result.body["content"][0]["text"]  # type: ignore[index]


@pytest.mark.parametrize(
    ("method", "risk", "acted"),
    [
        ("GET", RiskLevel.READ, False), ("GET", RiskLevel.WRITE, True),
        ("POST", RiskLevel.READ, True), ("DELETE", RiskLevel.WRITE, True),
    ],
)  # fmt: skip
async def test_only_what_does_more_than_read_may_have_acted(
    method: str, risk: RiskLevel, acted: bool
) -> None:
    sender = FakeSender(HttpResponse(500, [], b""))
    tool = replace(make_tool(RestSource("u", method, "/")), risk=risk)

    result = await RestUpstream(make_upstream(), sender).execute(make_call(tool))

    assert ("may have acted" in str(result.body["content"])) is acted


@pytest.mark.parametrize(("body", "is_empty"), [(b"", True), (b"{}", False)])
async def test_a_success_without_content_is_marked(body: bytes, is_empty: bool) -> None:
    sender = FakeSender(HttpResponse(200, JSON, body))

    result = await RestUpstream(make_upstream(), sender).execute(make_call(make_tool()))

    assert result.is_empty is is_empty


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


async def test_what_is_on_another_host_is_sent_there_as_nobody() -> None:
    home, bare = FakeSender(), FakeSender()
    upstream = Upstream(
        "u", UpstreamKind.REST, "https://a.test/v1", headers=(("Authorization", "secret"),)
    )
    rest = RestUpstream(upstream, home, bare=bare)

    for server in ("https://b.test/up", "https://a.test/v2", ""):
        source = RestSource("u", "GET", "/find", server=server)
        await rest.execute(Call(Method.TOOLS_CALL, "find", {}, tool=make_tool(source)))

    assert [str(one.origin) for one in bare.requests] == ["https://b.test"]
    assert "authorization" not in bare.headers()
    assert [one.target for one in home.requests] == ["/v2/find", "/v1/find"]
    assert home.headers()["authorization"] == "secret"


async def test_what_the_operation_offers_is_asked_for_unless_the_operator_says_otherwise() -> None:
    source = RestSource("u", "GET", "/", accept="text/csv, */*;q=0.1")
    sender = FakeSender()

    await RestUpstream(make_upstream(), sender).execute(make_call(make_tool(source)))
    assert sender.headers()["accept"] == "text/csv, */*;q=0.1"

    upstream = make_upstream(headers=(("Accept", "text/xml"),))
    await RestUpstream(upstream, sender).execute(make_call(make_tool(source)))
    assert sender.headers()["accept"] == "text/xml"


async def test_an_answer_to_head_tells_its_headers() -> None:
    sender = FakeSender(HttpResponse(200, [("content-length", "5")], b""))

    result = await RestUpstream(make_upstream(), sender).execute(
        make_call(make_tool(RestSource("u", "HEAD", "/")))
    )

    assert result.body == {"content": [{"type": "text", "text": "HTTP 200\ncontent-length: 5"}]}


async def test_how_much_is_passed_on_is_for_the_operator_to_say() -> None:
    sender = FakeSender(HttpResponse(200, [("content-type", "text/plain")], b"x" * 100))
    rest = RestUpstream(make_upstream(), sender, limits=AnswerLimits(text_characters=10))

    result = await rest.execute(make_call(make_tool()))

    assert "Cut off here" in result.body["content"][0]["text"]


def sequence(*pieces: bytes, media_type: str = "text/event-stream") -> bytes:
    """A response in chunks that is not over."""
    head = f"HTTP/1.1 200 OK\r\ncontent-type: {media_type}\r\ntransfer-encoding: chunked\r\n\r\n"
    chunks = [f"{len(one):x}\r\n".encode() + one + b"\r\n" for one in pieces]
    return head.encode() + b"".join(chunks)


STREAMS = RestSource("u", "GET", "/", streams=True)
OVER = b"0\r\n\r\n"


async def test_a_sequence_is_the_result_once_it_is_whole() -> None:
    answer = sequence(b"data: a\n\n", b"data: b\n\n") + OVER

    async with asyncio.timeout(5), serve(answer) as (url, _), HttpClient() as client:
        rest = RestUpstream(make_upstream(url), client, client)
        result = await rest.execute(make_call(make_tool(STREAMS)))

    assert result.body["content"][0]["text"] == "a\nb"
    assert not result.storable


async def test_any_other_answer_of_such_an_operation_is_read_whole() -> None:
    whole = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n[]"
    refused = whole.replace(b"200 OK", b"404 No").replace(b"application/json", b"text/event-stream")
    for answer in (whole, refused):
        async with asyncio.timeout(5), serve(answer) as (url, _), HttpClient() as client:
            rest = RestUpstream(make_upstream(url), client, client)
            result = await rest.execute(make_call(make_tool(STREAMS)))
        assert result.is_error is (answer is refused)
        assert result.upstream_status == (404 if answer is refused else 0)


async def test_without_a_client_for_what_lasts_a_sequence_is_read_whole() -> None:
    answer = sequence(b"data: a\n\n") + OVER

    async with asyncio.timeout(5), serve(answer) as (url, _), HttpClient() as client:
        result = await RestUpstream(make_upstream(url), client).execute(
            make_call(make_tool(STREAMS))
        )

    assert result.body["content"][0]["text"] == "a"


async def test_cancelling_closes_the_connection_that_the_sequence_comes_on() -> None:
    begun, hung_up = asyncio.Event(), asyncio.Event()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(sequence(b"data: a\n\n"))
        begun.set()
        if not await reader.read():
            hung_up.set()
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    async with asyncio.timeout(5), server, HttpClient() as client:
        host, port = server.sockets[0].getsockname()
        rest = RestUpstream(make_upstream(f"http://{host}:{port}"), client, client)
        calling = asyncio.ensure_future(rest.execute(make_call(make_tool(STREAMS))))
        await begun.wait()
        calling.cancel()
        with suppress(asyncio.CancelledError):
            await calling
        await hung_up.wait()


async def test_versions_called_in_turn_are_made_ready_once_each_and_not_mixed() -> None:
    first = make_tool(RestSource("u", "GET", "/v1/find"))
    second = replace(make_tool(RestSource("u", "GET", "/v2/find")), version="2.0.0")
    sender = FakeSender()
    upstream = RestUpstream(make_upstream(), sender)
    for tool in (first, second) * 2:
        await upstream.execute(make_call(tool))
    assert [one.target for one in sender.requests] == ["/v1/find", "/v2/find"] * 2
    prepared = [one.prepared for one in sender.requests]
    assert prepared[0] is prepared[2]
    assert prepared[1] is prepared[3]


async def test_a_service_is_told_the_tools_own_name_whatever_a_bundle_calls_it() -> None:
    sender = FakeSender()
    shown = replace(make_tool(), name="search", home=Home("find", "b", {}))
    await RestUpstream(make_upstream(), sender).execute(make_call(shown))
    assert sender.headers()["x-mcp-tool-name"] == "find"


async def test_a_compressed_answer_is_read_as_what_it_was() -> None:
    headers = [("content-type", "application/json"), ("content-encoding", "gzip")]
    sender = FakeSender(HttpResponse(200, headers, gzip.compress(b'{"a":1}')))

    result = await RestUpstream(make_upstream(), sender).execute(make_call(make_tool()))

    assert bytes(result.body["structuredContent"]) == b'{"a":1}'


async def test_a_compressed_sequence_is_read_whole() -> None:
    body = gzip.compress(b"data: a\n\n")
    head = (
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-encoding: gzip\r\n"
        f"content-length: {len(body)}\r\n\r\n"
    )

    async with asyncio.timeout(5), serve(head.encode() + body) as (url, _), HttpClient() as client:
        rest = RestUpstream(make_upstream(url), client, client)
        result = await rest.execute(make_call(make_tool(STREAMS)))

    assert result.body["content"][0]["text"] == "a"


class FakeKeeper(FakeSender):
    """Adds a secret to what it sends, as a client with credentials does."""

    secrets = ("s3cr3t/TOKEN",)


@pytest.mark.parametrize("status", [200, 400])
@pytest.mark.parametrize("told", [b"s3cr3t/TOKEN", rb"s3cr3t\/TOKEN", rb"s3cr3t\u002FTOKEN"])
@pytest.mark.parametrize("coding", ["", "gzip"])
async def test_no_answer_repeats_what_the_client_added(
    status: int, told: bytes, coding: str
) -> None:
    body = b'{"error": "bad key ' + told + b'"}'
    headers = [*JSON, ("content-encoding", coding)] if coding else JSON
    sender = FakeKeeper(HttpResponse(status, headers, gzip.compress(body) if coding else body))

    result = await RestUpstream(make_upstream(), sender).execute(make_call(make_tool()))

    said = str(result.body)
    assert "TOKEN" not in said
    assert "bad key [removed]" in said


async def test_a_header_with_a_key_is_not_repeated_in_success_and_any_other_is() -> None:
    headers = (("x-api-key", "literal-key"), ("x-region", "eu-central-1"))
    sender = FakeSender(HttpResponse(200, JSON, b'["literal-key", "eu-central-1"]'))

    result = await RestUpstream(make_upstream(headers=headers), sender).execute(
        make_call(make_tool())
    )

    assert bytes(result.body["structuredContent"]) == b'{"result":["[removed]", "eu-central-1"]}'


async def test_without_credentials_an_answer_is_passed_on_as_it_is() -> None:
    body = rb'{"a": "s3cr3t\/TOKEN"}'
    sender = FakeSender(HttpResponse(200, JSON, body))

    result = await RestUpstream(make_upstream(), sender).execute(make_call(make_tool()))

    assert bytes(result.body["structuredContent"]) == body


async def test_each_call_is_sent_by_the_sender_of_its_caller_and_no_other() -> None:
    tool = make_tool()
    common, own = FakeSender(), {"ann": FakeSender(), "bob": FakeSender()}

    class Senders:
        def __init__(self, sender: FakeSender) -> None:
            self.client = self.lasting = sender

    class Callers:
        def of(self, call: Call) -> Senders:
            return Senders(own[call.agent or ""])

    upstream = RestUpstream(make_upstream(), common, callers=Callers())
    for agent in ("ann", "bob", "ann"):
        await upstream.execute(make_call(tool, agent=agent))
    assert [len(one.requests) for one in (own["ann"], own["bob"], common)] == [2, 1, 0]
