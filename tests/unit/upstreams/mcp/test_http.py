import asyncio
import time

import pytest

from bascule.gateway.errors import UpstreamFailed, UpstreamTimeout, UpstreamUnreachable
from bascule.gateway.feed import ListenFilter
from bascule.gateway.tool import Upstream, UpstreamKind
from bascule.protocol.versions import Era
from bascule.upstreams.mcp.http import HttpChannel
from bascule.upstreams.mcp.messages import Outgoing

LIST = Outgoing("tools/list")


def soon() -> float:
    return time.monotonic() + 5


@pytest.fixture
def connect(serve, client, quick):
    async def connect(handler):
        server = await serve(handler)
        record = Upstream("peer", UpstreamKind.MCP_HTTP, url=server.url)
        return HttpChannel(record, client, quick), server

    return connect


def modern(wire, seen):
    if seen.headers.get("mcp-protocol-version") != "2026-07-28":
        return wire.Reply(400)
    if seen.method == "server/discover":
        return wire.result(seen, supportedVersions=["2026-07-28"])
    return wire.result(seen, era="modern")


def legacy(wire, seen):
    if seen.method == "initialize":
        return wire.result(seen, protocolVersion="2025-11-25")
    if "id" not in seen.message:
        return wire.Reply(202)
    if seen.headers.get("mcp-protocol-version") != "2025-11-25":
        return wire.Reply(400, b"Bad Request: unsupported protocol version")
    return wire.result(seen, era="legacy")


async def test_era_is_asked_for_once(connect, wire) -> None:
    channel, server = await connect(lambda seen: modern(wire, seen))
    for _ in range(3):
        assert bytes(await channel.exchange(LIST, soon())) == b'{"era": "modern"}'
    assert server.methods == ["server/discover", *["tools/list"] * 3]
    assert channel.era is Era.MODERN


async def test_legacy_server_is_fallen_back_to(connect, wire) -> None:
    channel, server = await connect(lambda seen: legacy(wire, seen))
    for _ in range(2):
        assert bytes(await channel.exchange(LIST, soon())) == b'{"era": "legacy"}'
    assert server.methods == [
        "server/discover", "initialize", "notifications/initialized", "tools/list", "tools/list",
    ]  # fmt: skip
    assert channel.era is Era.LEGACY


async def test_requests_at_once_ask_for_the_era_once(connect, wire) -> None:
    channel, server = await connect(lambda seen: modern(wire, seen))
    await asyncio.gather(*(channel.exchange(LIST, soon()) for _ in range(5)))
    assert server.methods.count("server/discover") == 1


@pytest.mark.parametrize(("before", "after"), [(modern, legacy), (legacy, modern)])
async def test_server_that_changed_its_era_is_asked_again(connect, wire, before, after) -> None:
    current = before
    channel, server = await connect(lambda seen: current(wire, seen))
    await channel.exchange(LIST, soon())
    current = after
    result = bytes(await channel.exchange(LIST, soon()))
    assert result == b'{"era": "%b"}' % after.__name__.encode()
    assert server.methods.count("server/discover") == 2


async def test_server_of_no_era_fails(connect, wire) -> None:
    channel, server = await connect(lambda _: wire.Reply(404, b"not here"))
    with pytest.raises(UpstreamFailed, match="initialize with status 404"):
        await channel.exchange(LIST, soon())
    assert channel.era is None
    assert "tools/list" not in server.methods


async def test_probe_that_fails_is_made_again_with_the_next_request(connect, wire) -> None:
    down = True
    channel, _ = await connect(lambda seen: wire.Reply(503) if down else modern(wire, seen))
    with pytest.raises(UpstreamFailed):
        await channel.exchange(LIST, soon())
    down = False
    assert bytes(await channel.exchange(LIST, soon())) == b'{"era": "modern"}'


async def test_waiting_for_the_probe_of_another_ends_at_the_deadline(connect, wire) -> None:
    channel, server = await connect(lambda _: wire.stream(stays_open=True))
    first = asyncio.ensure_future(channel.exchange(LIST, time.monotonic() + 0.5))
    await server.until(lambda server: len(server.seen) == 1)
    with pytest.raises(UpstreamTimeout, match="Nothing was sent"):
        await channel.exchange(LIST, time.monotonic() + 0.02)
    with pytest.raises(UpstreamTimeout):
        await first


async def test_server_that_is_down_is_unreachable(client, quick) -> None:
    record = Upstream("peer", UpstreamKind.MCP_HTTP, url="http://127.0.0.1:1/mcp")
    with pytest.raises(UpstreamUnreachable):
        await HttpChannel(record, client, quick).exchange(LIST, soon())


async def test_closing_ends_the_legacy_sessions(connect, wire) -> None:
    def handler(seen):
        reply = legacy(wire, seen)
        if seen.method == "initialize":
            reply.headers["mcp-session-id"] = "s1"
        return reply

    channel, server = await connect(handler)
    await channel.exchange(LIST, soon())
    await channel.close()
    assert server.methods[-1] == "DELETE"


async def test_server_of_the_first_revision_is_found_behind_its_refusals(connect, wire) -> None:
    later: asyncio.Queue[bytes | None] = asyncio.Queue()

    def handler(seen):
        if seen.verb == "GET":
            return wire.stream(b"event: endpoint\ndata: /messages\n\n", later=later)
        if "mcp-protocol-version" in seen.headers or "accept" not in seen.headers:
            return wire.Reply(405)
        if first and seen.method == "initialize":
            first.clear()
            return wire.Reply(404)
        if "id" in seen.message:
            version = {"protocolVersion": "2024-11-05", "era": "first"}
            answer = {"jsonrpc": "2.0", "id": seen.message["id"], "result": version}
            later.put_nowait(wire.event(answer))
        return wire.Reply(202)

    first = ["the POST that asks for Streamable HTTP"]
    channel, server = await connect(handler)
    for _ in range(2):
        assert b'"first"' in bytes(await channel.exchange(LIST, soon()))
    assert server.methods == [
        "server/discover", "initialize", "GET", "initialize", "notifications/initialized",
        "tools/list", "tools/list",
    ]  # fmt: skip
    assert channel.era is Era.LEGACY
    assert (await channel.describe(soon())).version == "2024-11-05"
    await channel.close()


async def test_url_without_any_server_says_so_after_one_try_of_each(connect, wire) -> None:
    channel, server = await connect(lambda _: wire.Reply(404))
    with pytest.raises(UpstreamFailed, match="initialize"):
        await channel.exchange(LIST, soon())
    assert server.methods == ["server/discover", "initialize", "GET"]
    assert channel.era is None
    await channel.close()


async def test_server_is_described_and_listened_to_in_its_own_era(connect, wire) -> None:
    def handler(seen):
        if seen.method == "subscriptions/listen":
            note = {"method": "notifications/subscriptions/acknowledged", "jsonrpc": "2.0"}
            return wire.stream(wire.event(note), stays_open=True)
        return modern(wire, seen)

    channel, _ = await connect(handler)
    assert (await channel.describe(soon())).era is Era.MODERN
    async with channel.listen(ListenFilter(), lambda _: None, soon()) as listening:
        assert listening.granted == ListenFilter()
    await channel.close()
