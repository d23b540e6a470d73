import asyncio
import time

import pytest

from bascule.gateway.errors import UpstreamFailed, UpstreamRateLimited, UpstreamTimeout
from bascule.gateway.feed import ListenFilter
from bascule.gateway.identifiers import Identifiers
from bascule.protocol.versions import Era
from bascule.upstreams.mcp.chores import Chores
from bascule.upstreams.mcp.failures import EraMismatch, UpstreamRpcError
from bascule.upstreams.mcp.hooks import Hooks
from bascule.upstreams.mcp.messages import Incoming, Outgoing, member
from bascule.upstreams.mcp.modern import ModernHttp

CALL = Outgoing(
    "tools/call",
    member("name", "zählen") + b',"arguments":{"a":1}',
    name="zählen",
    headers=(("x-correlation-id", "c1"),),
    mirrored=(("Mcp-Param-A", "1"),),
)


def soon() -> float:
    return time.monotonic() + 5


@pytest.fixture
def speak(serve, endpoint):
    async def speak(handler):
        server = await serve(handler)
        return ModernHttp(endpoint(server), Identifiers(), Chores()), server

    return speak


async def test_request_carries_metadata_in_body_and_headers(speak, wire) -> None:
    modern, server = await speak(lambda seen: wire.result(seen, content=[]))
    assert bytes(await modern.exchange(CALL, soon())) == b'{"content": []}'
    seen = server.seen[0]
    meta = seen.params["_meta"]
    assert seen.headers["mcp-protocol-version"] == "2026-07-28"
    assert meta["io.modelcontextprotocol/protocolVersion"] == "2026-07-28"
    assert seen.headers["mcp-method"] == seen.method == "tools/call"
    assert seen.headers["mcp-name"] == "=?base64?esOkaGxlbg==?="
    assert seen.params["name"] == "zählen"
    assert seen.headers["mcp-param-a"] == "1"
    assert seen.headers["x-correlation-id"] == "c1"


async def test_ids_are_never_used_twice(speak, wire) -> None:
    modern, server = await speak(wire.result)
    for _ in range(3):
        await modern.exchange(CALL, soon())
    assert len({one.message["id"] for one in server.seen}) == 3


async def test_answer_may_come_as_a_stream(speak, wire) -> None:
    modern, _ = await speak(
        lambda seen: wire.stream(
            wire.event({"jsonrpc": "2.0", "method": "notifications/progress"}),
            wire.event({"jsonrpc": "2.0", "id": seen.message["id"], "result": {"x": 1}}),
            stays_open=True,
        )
    )
    assert bytes(await modern.exchange(CALL, soon())) == b'{"x": 1}'


async def test_abandoned_request_closes_its_stream(speak, wire) -> None:
    modern, server = await speak(lambda _: wire.stream(stays_open=True))
    running = asyncio.ensure_future(modern.exchange(CALL, soon()))
    await server.until(lambda server: len(server.seen) == 1)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    await server.until(lambda server: server.open_connections == 0)
    assert server.methods == ["tools/call"]


async def test_late_request_closes_its_stream(speak, wire) -> None:
    modern, server = await speak(lambda _: wire.stream(stays_open=True))
    with pytest.raises(UpstreamTimeout):
        await modern.exchange(CALL, time.monotonic() + 0.1)
    await server.until(lambda server: server.open_connections == 0)


@pytest.mark.parametrize(
    ("code", "status"), [(-32602, 200), (-32603, 200), (-32020, 400), (-32021, 400), (-32601, 404)]
)
async def test_error_of_the_server_is_carried_with_its_data(
    speak, wire, code: int, status: int
) -> None:
    modern, _ = await speak(
        lambda seen: wire.error(seen, code, "why", status=status, data={"k": 1})
    )
    with pytest.raises(UpstreamRpcError) as caught:
        await modern.exchange(CALL, soon())
    error = caught.value
    assert (error.rpc_code, error.rpc_message, error.rpc_data) == (code, "why", {"k": 1})


async def test_refused_version_is_a_mismatch(speak, wire) -> None:
    modern, _ = await speak(lambda seen: wire.error(seen, -32022, status=400))
    with pytest.raises(EraMismatch):
        await modern.exchange(CALL, soon())


@pytest.mark.parametrize("status", [400, 404, 405, 415])
async def test_refusal_without_a_modern_error_is_a_mismatch(speak, wire, status: int) -> None:
    modern, _ = await speak(lambda _: wire.Reply(status, b"no session"))
    with pytest.raises(EraMismatch, match=str(status)):
        await modern.exchange(CALL, soon())


async def test_error_to_nobody_is_a_mismatch(speak, wire) -> None:
    body = b'{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"Missing session ID"}}'
    modern, _ = await speak(lambda _: wire.Reply(400, body, {"content-type": "application/json"}))
    with pytest.raises(EraMismatch):
        await modern.exchange(CALL, soon())


async def test_failing_status_is_a_failure(speak, wire) -> None:
    for status, kind in ((401, UpstreamFailed), (429, UpstreamRateLimited), (500, UpstreamFailed)):
        modern, _ = await speak(lambda _, status=status: wire.Reply(status))
        with pytest.raises(kind):
            await modern.exchange(CALL, soon())
        with pytest.raises(kind):
            await modern.probe(soon())


async def test_acceptance_without_a_response_is_a_failure(speak, wire) -> None:
    modern, _ = await speak(lambda _: wire.Reply(202))
    with pytest.raises(UpstreamFailed, match="202"):
        await modern.exchange(CALL, soon())


async def test_probe_finds_a_modern_server(speak, wire) -> None:
    modern, server = await speak(lambda seen: wire.result(seen, supportedVersions=["2026-07-28"]))
    assert await modern.probe(soon()) is Era.MODERN
    assert server.methods == ["server/discover"]


async def test_probe_takes_a_modern_error_for_a_modern_server(speak, wire) -> None:
    for code, status in ((-32020, 400), (-32021, 400), (-32601, 404)):
        modern, _ = await speak(
            lambda seen, code=code, status=status: wire.error(seen, code, status=status)
        )
        assert await modern.probe(soon()) is Era.MODERN


async def test_probe_takes_anything_else_for_a_legacy_server(speak, wire) -> None:
    for reply in (
        lambda _: wire.Reply(400),
        lambda _: wire.Reply(404, b"<html>", {"content-type": "text/html"}),
        lambda _: wire.Reply(405),
        lambda seen: wire.error(seen, -32000, status=400),
        lambda seen: wire.error(seen, -32601),
        lambda seen: wire.error(seen, -32602),
        lambda seen: wire.result(seen, tools=[]),
    ):
        modern, _ = await speak(reply)
        assert await modern.probe(soon()) is Era.LEGACY


async def test_probe_refuses_a_server_without_a_common_version(speak, wire) -> None:
    modern, _ = await speak(lambda seen: wire.result(seen, supportedVersions=["2099-01-01"]))
    with pytest.raises(UpstreamFailed, match="2099-01-01"):
        await modern.probe(soon())


def acknowledged(seen, **granted):
    meta = {"io.modelcontextprotocol/subscriptionId": seen.message["id"]}
    params = {"notifications": granted, "_meta": meta}
    method = "notifications/subscriptions/acknowledged"
    return {"jsonrpc": "2.0", "method": method, "params": params}


CHANGED = {"jsonrpc": "2.0", "method": "notifications/tools/list_changed"}


async def test_changes_are_heard_until_the_server_ends_the_stream(speak, wire) -> None:
    later: asyncio.Queue[bytes | None] = asyncio.Queue()

    def handler(seen):
        later.put_nowait(wire.event(acknowledged(seen, toolsListChanged=True)))
        later.put_nowait(wire.event(CHANGED))
        end = {"jsonrpc": "2.0", "id": seen.message["id"], "result": {}}
        later.put_nowait(wire.event(end))
        return wire.stream(later=later)

    modern, server = await speak(handler)
    heard: list[Incoming] = []
    wanted = ListenFilter(tools_list_changed=True, prompts_list_changed=True)
    async with asyncio.timeout(5), modern.listen(wanted, heard.append, soon()) as listening:
        assert listening.granted == ListenFilter(tools_list_changed=True)
        assert "server ended" in await listening.ended()
    assert [one.method for one in heard] == ["notifications/tools/list_changed"]
    assert server.seen[0].headers["mcp-method"] == "subscriptions/listen"
    assert server.seen[0].params["notifications"] == {
        "toolsListChanged": True,
        "promptsListChanged": True,
    }


async def test_broken_stream_of_changes_says_so(speak, wire) -> None:
    modern, _ = await speak(lambda seen: wire.stream(wire.event(acknowledged(seen))))
    async with asyncio.timeout(5), modern.listen(ListenFilter(), _drop, soon()) as listening:
        assert "ended" in await listening.ended()


async def test_leaving_closes_the_stream_of_changes(speak, wire) -> None:
    modern, server = await speak(
        lambda seen: wire.stream(wire.event(acknowledged(seen)), stays_open=True)
    )
    async with modern.listen(ListenFilter(), _drop, soon()):
        assert server.open_connections == 1
    await server.until(lambda server: server.open_connections == 0)


async def test_refused_listening_is_an_error_of_the_server(speak, wire) -> None:
    modern, _ = await speak(lambda seen: wire.error(seen, -32601, status=404))
    with pytest.raises(UpstreamRpcError):
        async with modern.listen(ListenFilter(), _drop, soon()):
            raise AssertionError
    modern, _ = await speak(lambda _: wire.Reply(500))
    with pytest.raises(UpstreamFailed, match="500"):
        async with modern.listen(ListenFilter(), _drop, soon()):
            raise AssertionError


async def test_server_that_does_not_acknowledge_is_not_waited_for(speak, wire) -> None:
    modern, _ = await speak(lambda _: wire.stream(b": \n\n", stays_open=True))
    with pytest.raises(UpstreamTimeout):
        async with modern.listen(ListenFilter(), _drop, time.monotonic() + 0.05):
            raise AssertionError


async def test_notifications_before_the_result_are_heard(speak, wire) -> None:
    note = {"jsonrpc": "2.0", "method": "notifications/progress", "params": {}}

    def handler(seen):
        answer = {"jsonrpc": "2.0", "id": seen.message["id"], "result": {}}
        return wire.stream(wire.event(note), wire.event(answer))

    modern, _ = await speak(handler)
    heard: list[Incoming] = []
    await modern.exchange(CALL, soon(), Hooks(heard.append))
    assert [one.method for one in heard] == ["notifications/progress"]


async def test_capabilities_token_and_level_are_told(speak, wire) -> None:
    modern, server = await speak(wire.result)
    request = Outgoing(
        "tools/call", capabilities=b'{"roots":{}}', progress_token="ours", log_level="info"
    )
    await modern.exchange(request, soon())
    meta = server.seen[0].params["_meta"]
    assert meta["io.modelcontextprotocol/clientCapabilities"] == {"roots": {}}
    assert meta["io.modelcontextprotocol/logLevel"] == "info"
    assert meta["progressToken"] == "ours"


async def test_server_describes_itself_in_the_probe(speak, wire) -> None:
    modern, _ = await speak(
        lambda seen: wire.result(
            seen, supportedVersions=["2026-07-28"], capabilities={"tools": {}}, instructions="Hi."
        )
    )
    assert (await modern.describe(soon())).capabilities == b"{}"
    await modern.probe(soon())
    described = await modern.describe(soon())
    assert (described.capabilities, described.instructions) == (b'{"tools": {}}', "Hi.")
    await modern.close()


def _drop(_: Incoming) -> None:
    """Nobody listens."""
