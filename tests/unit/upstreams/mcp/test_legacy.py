import asyncio
import time

import pytest

from bascule.gateway.errors import UpstreamFailed, UpstreamTimeout
from bascule.gateway.identifiers import Identifiers
from bascule.upstreams.mcp.failures import EraMismatch, NotStreamable, UpstreamRpcError
from bascule.upstreams.mcp.hooks import Hooks
from bascule.upstreams.mcp.legacy import LegacyHttp, Session, SessionLost
from bascule.upstreams.mcp.messages import Incoming, Outgoing, member

CALL = Outgoing("tools/call", member("name", "x"), mirrored=(("Mcp-Param-A", "1"),))
SESSION = Session("2025-06-18", "s1")


def soon() -> float:
    return time.monotonic() + 5


@pytest.fixture
def speak(serve, endpoint):
    async def speak(handler):
        server = await serve(handler)
        return LegacyHttp(endpoint(server), Identifiers()), server

    return speak


def initialized(wire, seen, session_id: str | None = "s1"):
    if seen.method != "initialize":
        return wire.Reply(202)
    reply = wire.result(seen, protocolVersion="2025-06-18", capabilities={}, serverInfo={})
    if session_id is not None:
        reply.headers["Mcp-Session-Id"] = session_id
    return reply


async def test_handshake_ends_with_a_notification_in_its_session(speak, wire) -> None:
    legacy, server = await speak(lambda seen: initialized(wire, seen))
    assert await legacy.initialize(soon()) == SESSION
    assert server.methods == ["initialize", "notifications/initialized"]
    assert "mcp-session-id" not in server.seen[0].headers
    assert server.seen[1].headers["mcp-session-id"] == "s1"
    assert server.seen[1].headers["mcp-protocol-version"] == "2025-06-18"


async def test_server_need_not_keep_sessions(speak, wire) -> None:
    legacy, server = await speak(lambda seen: initialized(wire, seen, None))
    session = await legacy.initialize(soon())
    assert session.id is None
    await legacy.end(session)
    assert "DELETE" not in server.methods


async def test_server_that_refuses_the_handshake_is_a_mismatch(speak, wire) -> None:
    for reply in (lambda _: wire.Reply(404), lambda seen: wire.error(seen, -32601)):
        legacy, _ = await speak(reply)
        with pytest.raises(EraMismatch, match="initialize"):
            await legacy.initialize(soon())


async def test_server_without_a_common_version_fails(speak, wire) -> None:
    for result in ({"protocolVersion": "2099-01-01"}, {}):
        legacy, _ = await speak(lambda seen, result=result: wire.result(seen, **result))
        with pytest.raises(UpstreamFailed):
            await legacy.initialize(soon())


async def test_server_that_breaks_during_the_handshake_fails(speak, wire) -> None:
    legacy, _ = await speak(lambda _: wire.Reply(500))
    with pytest.raises(UpstreamFailed, match="500"):
        await legacy.initialize(soon())


async def test_request_carries_session_and_version_but_nothing_modern(speak, wire) -> None:
    legacy, server = await speak(lambda seen: wire.result(seen, content=[]))
    assert bytes(await legacy.exchange(SESSION, CALL, soon())) == b'{"content": []}'
    seen = server.seen[0]
    assert seen.headers["mcp-session-id"] == "s1"
    assert seen.headers["mcp-protocol-version"] == "2025-06-18"
    assert not {"mcp-method", "mcp-name", "mcp-param-a"} & set(seen.headers)
    assert "_meta" not in seen.params


async def test_requests_of_the_server_are_answered_so_that_it_does_not_wait(speak, wire) -> None:
    answered: list[dict] = []
    waiting = asyncio.Event()

    async def handler(seen):
        if seen.method == "tools/call":
            return wire.stream(
                wire.event({"jsonrpc": "2.0", "id": 5, "method": "elicitation/create"}),
                wire.event({"jsonrpc": "2.0", "id": 6, "method": "ping"}),
                wire.event({"jsonrpc": "2.0", "id": seen.message["id"], "result": {}}),
            )
        answered.append(seen.message)
        assert seen.headers["mcp-session-id"] == "s1"
        waiting.set()
        return wire.Reply(202)

    legacy, _ = await speak(handler)
    await legacy.exchange(SESSION, CALL, soon())
    assert [one["id"] for one in answered] == [5, 6]
    assert answered[0]["error"]["code"] == -32601
    assert answered[1]["result"] == {}


async def test_interrupted_stream_is_taken_up_again(speak, wire) -> None:
    began = 0.0
    call_id = ""

    def handler(seen):
        nonlocal began, call_id
        if seen.verb == "POST":
            began, call_id = time.monotonic(), seen.message["id"]
            return wire.stream(b"id: e1\nretry: 30\ndata:\n\n")
        assert time.monotonic() - began >= 0.03
        if seen.headers["last-event-id"] == "e1":
            return wire.stream(b"id: e2\nretry: 1\ndata:\n\n")
        return wire.stream(wire.event({"jsonrpc": "2.0", "id": call_id, "result": {"r": 1}}))

    legacy, server = await speak(handler)
    assert bytes(await legacy.exchange(SESSION, CALL, soon())) == b'{"r": 1}'
    assert [one.headers.get("last-event-id") for one in server.seen] == [None, "e1", "e2"]
    assert server.seen[1].headers["mcp-session-id"] == "s1"


async def test_pause_beyond_the_deadline_is_not_waited(speak, wire) -> None:
    legacy, server = await speak(
        lambda seen: (
            wire.stream(b"id: e1\nretry: 60000\ndata:\n\n")
            if seen.method == "tools/call"
            else wire.Reply(202)
        )
    )
    with pytest.raises(UpstreamTimeout):
        await legacy.exchange(SESSION, CALL, soon())
    assert server.methods == ["tools/call", "notifications/cancelled"]


async def test_abandoned_request_is_cancelled_in_words(speak, wire) -> None:
    legacy, server = await speak(
        lambda seen: (
            wire.stream(stays_open=True) if seen.method == "tools/call" else wire.Reply(202)
        )
    )
    running = asyncio.ensure_future(legacy.exchange(SESSION, CALL, soon()))
    await server.until(lambda server: len(server.seen) == 1)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    cancelled = server.seen[1]
    assert cancelled.method == "notifications/cancelled"
    assert cancelled.params["requestId"] == server.seen[0].message["id"]


async def test_lost_session_is_told_apart_from_an_error(speak, wire) -> None:
    for status in (404, 400):
        legacy, _ = await speak(lambda _, status=status: wire.Reply(status))
        with pytest.raises(SessionLost):
            await legacy.exchange(SESSION, CALL, soon())
    legacy, _ = await speak(lambda seen: wire.error(seen, -32602, "bad", status=400))
    with pytest.raises(UpstreamRpcError, match="bad"):
        await legacy.exchange(SESSION, CALL, soon())


async def test_refusal_without_a_session_is_a_mismatch(speak, wire) -> None:
    legacy, _ = await speak(lambda _: wire.Reply(404))
    with pytest.raises(EraMismatch):
        await legacy.exchange(Session("2025-06-18", None), CALL, soon())


async def test_failing_status_is_a_failure(speak, wire) -> None:
    for status in (401, 500, 202):
        legacy, _ = await speak(lambda _, status=status: wire.Reply(status))
        with pytest.raises(UpstreamFailed, match=str(status)):
            await legacy.exchange(SESSION, CALL, soon())


async def test_session_is_ended_in_words_whether_or_not_the_server_listens(speak, wire) -> None:
    for status in (200, 405):
        legacy, server = await speak(lambda _, status=status: wire.Reply(status))
        await legacy.end(SESSION)
        assert server.methods == ["DELETE"]
        assert server.seen[0].headers["mcp-session-id"] == "s1"


async def test_question_is_answered_within_the_session_while_the_call_waits(speak, wire) -> None:
    later: asyncio.Queue[bytes | None] = asyncio.Queue()
    asked: list[str] = []

    def handler(seen):
        if seen.method == "tools/call":
            asked.append(seen.message["id"])
            question = {"jsonrpc": "2.0", "id": 7, "method": "elicitation/create", "params": {}}
            return wire.stream(wire.event(question), later=later)
        if seen.message.get("id") == 7:
            result = {"jsonrpc": "2.0", "id": asked[0], "result": seen.message["result"]}
            later.put_nowait(wire.event(result))
        return wire.Reply(202)

    async def answer(request: Incoming) -> bytes:
        await asyncio.sleep(0.1)  # longer than the call may take
        return b'{"action":"accept"}'

    legacy, server = await speak(handler)
    hooks = Hooks(lambda _: None, answer)
    result = await legacy.exchange(SESSION, CALL, time.monotonic() + 0.05, hooks)
    assert bytes(result) == b'{"action": "accept"}'
    assert server.seen[-1].headers["mcp-session-id"] == "s1"


async def test_interrupted_stream_of_a_call_with_questions_is_taken_up_again(speak, wire) -> None:
    asked: list[str] = []

    def handler(seen):
        if seen.verb == "GET":
            assert seen.headers["last-event-id"] == "e1"
            return wire.stream(wire.event({"jsonrpc": "2.0", "id": asked[0], "result": {}}))
        asked.append(seen.message["id"])
        return wire.stream(b"id: e1\nretry: 10\ndata:\n\n")

    async def answer(_: Incoming) -> bytes:
        raise AssertionError

    legacy, _ = await speak(handler)
    result = await legacy.exchange(SESSION, CALL, soon(), Hooks(lambda _: None, answer))
    assert bytes(result) == b"{}"


async def test_call_with_questions_that_comes_to_nothing_is_cancelled(speak, wire) -> None:
    async def answer(_: Incoming) -> bytes:
        raise AssertionError

    legacy, server = await speak(
        lambda seen: (
            wire.stream(b": \n\n", stays_open=True)
            if seen.method == "tools/call"
            else wire.Reply(202)
        )
    )
    hooks = Hooks(lambda _: None, answer)
    with pytest.raises(UpstreamTimeout):
        await legacy.exchange(SESSION, CALL, time.monotonic() + 0.05, hooks)
    assert server.methods == ["tools/call", "notifications/cancelled"]


async def test_notifications_before_the_result_are_heard(speak, wire) -> None:
    note = {"jsonrpc": "2.0", "method": "notifications/message", "params": {}}

    def handler(seen):
        answer = {"jsonrpc": "2.0", "id": seen.message["id"], "result": {}}
        return wire.stream(wire.event(note), wire.event(answer))

    legacy, _ = await speak(handler)
    heard: list[Incoming] = []
    await legacy.exchange(SESSION, CALL, soon(), Hooks(heard.append))
    assert [one.method for one in heard] == ["notifications/message"]


async def test_server_is_told_what_the_caller_can_be_asked_and_describes_itself(
    speak, wire
) -> None:
    legacy, server = await speak(lambda seen: initialized(wire, seen))
    session = await legacy.initialize(soon(), b'{"roots":{}}')
    assert server.seen[0].params["capabilities"] == {"roots": {}}
    assert (session.described.version, session.described.capabilities) == ("2025-06-18", b"{}")


@pytest.mark.parametrize("status", [400, 404, 405])
async def test_server_that_may_be_of_the_first_revision_is_told_apart(speak, wire, status) -> None:
    legacy, _ = await speak(lambda _: wire.Reply(status))
    with pytest.raises(NotStreamable):
        await legacy.initialize(soon())
