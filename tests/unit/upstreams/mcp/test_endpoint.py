import time

import pytest

from bascule.gateway.errors import UpstreamFailed, UpstreamRateLimited, UpstreamTimeout
from bascule.gateway.tool import Upstream, UpstreamKind
from bascule.upstreams.http1 import HttpClient, HttpRequest, Origin, PoolConfig
from bascule.upstreams.mcp.answers import Answer
from bascule.upstreams.mcp.endpoint import Endpoint


def soon() -> float:
    return time.monotonic() + 5


def body(message_id: str = "1") -> bytes:
    return b'{"jsonrpc":"2.0","id":"%b","method":"ping"}' % message_id.encode()


async def test_message_is_posted_with_the_operators_headers(serve, endpoint, wire) -> None:
    server = await serve(wire.result)
    peer = endpoint(server, headers=(("Authorization", "Bearer s3cret"), ("X-Team", "a")))
    answer = await peer.post(body(), (("mcp-method", "ping"),), "1", soon())
    assert answer.answers("1")
    headers = server.seen[0].headers
    assert headers["authorization"] == "Bearer s3cret"
    assert headers["x-team"] == "a"
    assert headers["mcp-method"] == "ping"
    assert headers["accept"] == "application/json, text/event-stream"
    assert headers["content-type"] == "application/json"
    assert headers["user-agent"].startswith("bascule/")


async def test_operators_headers_do_not_contradict_the_message(serve, endpoint, wire) -> None:
    server = await serve(wire.result)
    given = (("Mcp-Method", "evil"), ("Content-Type", "text/plain"), ("User-Agent", "mine"))
    await endpoint(server, headers=given).post(body(), (("mcp-method", "ping"),), "1", soon())
    headers = server.seen[0].headers
    assert (headers["mcp-method"], headers["content-type"]) == ("ping", "application/json")
    assert headers["user-agent"] == "mine"


async def test_query_of_the_url_is_kept(serve, client, wire) -> None:
    targets = []
    server = await serve(lambda seen: targets.append(seen) or wire.result(seen))
    record = Upstream("peer", UpstreamKind.MCP_HTTP, url=server.url + "?key=1")
    await Endpoint(record, client, 1000).post(body(), (), "1", soon())
    assert len(targets) == 1


async def test_notification_session_end_and_resumption_use_their_verbs(
    serve, endpoint, wire
) -> None:
    server = await serve(
        lambda seen: (
            wire.stream(wire.event({"jsonrpc": "2.0", "id": "1", "result": {}}))
            if seen.verb == "GET"
            else wire.Reply(202)
        )
    )
    peer = endpoint(server)
    session = (("mcp-session-id", "s"),)
    assert await peer.notify(body(), session, soon()) == 202
    assert await peer.delete(session, soon()) == 202
    resumed = await peer.resume((*session, ("last-event-id", "e")), "1", soon(), None)
    assert resumed.answers("1")
    assert [one.verb for one in server.seen] == ["POST", "DELETE", "GET"]
    assert server.seen[2].headers["last-event-id"] == "e"
    assert server.seen[2].headers["accept"] == "text/event-stream"


@pytest.mark.parametrize(
    ("status", "hint"),
    [
        (401, "operator must check"),
        (403, "operator must check"),
        (302, "final URL"),
        (500, "status 500"),
        (503, "status 503"),
    ],
)
def test_status_that_means_failure_says_what_to_do(client, status: int, hint: str) -> None:
    record = Upstream("peer", UpstreamKind.MCP_HTTP, url="http://127.0.0.1:1/mcp")
    failure = Endpoint(record, client, 1000).failure_of(Answer(status))
    assert isinstance(failure, UpstreamFailed)
    assert hint in failure.public


@pytest.mark.parametrize(
    ("after", "details"),
    [("7", {"retry_after_seconds": 7}), (None, {}), ("Wed, 21 Oct 2026", {}), ("9" * 20, {})],
)
def test_rate_limit_is_told_with_the_time_to_wait(client, after: str | None, details: dict) -> None:
    record = Upstream("peer", UpstreamKind.MCP_HTTP, url="http://127.0.0.1:1/mcp")
    failure = Endpoint(record, client, 1000).failure_of(Answer(429, retry_after=after))
    assert isinstance(failure, UpstreamRateLimited)
    assert failure.details == details


@pytest.mark.parametrize("status", [200, 202, 400, 404, 405, 415])
def test_other_statuses_are_for_the_era_to_judge(client, status: int) -> None:
    record = Upstream("peer", UpstreamKind.MCP_HTTP, url="http://127.0.0.1:1/mcp")
    assert Endpoint(record, client, 1000).failure_of(Answer(status)) is None


def test_unusable_url_is_refused_with_what_to_change(client) -> None:
    with pytest.raises(ValueError, match="http"):
        Endpoint(Upstream("peer", UpstreamKind.MCP_HTTP, url="peer:80"), client, 1000)


@pytest.mark.parametrize(
    ("reference", "target"),
    [
        ("/messages?sid=1", "/messages?sid=1"),
        ("messages", "/messages"),
        ("?sid=1", "/mcp?sid=1"),
        ("http://h:80/x", "/x"),
    ],
)
def test_reference_is_resolved_against_the_url(client, reference: str, target: str) -> None:
    record = Upstream("peer", UpstreamKind.MCP_HTTP, url="http://h/mcp")
    assert Endpoint(record, client, 1000).locate(reference) == target


@pytest.mark.parametrize(
    "reference", ["https://h/x", "http://evil/x", "//evil/x", "http://h:81/x", "http://u:p@h/x"]
)
def test_reference_that_leads_elsewhere_is_refused(client, reference: str) -> None:
    record = Upstream("peer", UpstreamKind.MCP_HTTP, url="http://h/mcp")
    with pytest.raises(ValueError):
        Endpoint(record, client, 1000).locate(reference)


async def test_streams_use_connections_of_their_own(serve, client, wire) -> None:
    server = await serve(lambda _: wire.stream(b": \n\n", stays_open=True))
    record = Upstream("peer", UpstreamKind.MCP_HTTP, url=server.url)
    async with HttpClient(PoolConfig(max_connections=1)) as lasting:
        peer = Endpoint(record, client, 1000, lasting)
        async with peer.open(b"", (("mcp-session-id", "s1"),)) as response:
            assert response.status == 200
            assert server.seen[0].headers["accept"] == "text/event-stream"
            # The one connection of `lasting` is taken; the others are all still there.
            with pytest.raises(UpstreamTimeout):
                await client.request(
                    HttpRequest(Origin.locate(server.url)[0], "GET", "/"), time.monotonic() + 0.05
                )
            assert server.open_connections >= 1


@pytest.mark.parametrize("name", ["Content-Length", "transfer-encoding", "Host"])
def test_an_operator_chooses_no_header_that_shapes_the_message(name: str) -> None:
    upstream = Upstream(
        "up", UpstreamKind.MCP_HTTP, url="http://127.0.0.1:1/mcp", headers=((name, "5"),)
    )
    with pytest.raises(ValueError, match=name):
        Endpoint(upstream, HttpClient(PoolConfig()), 1000)
