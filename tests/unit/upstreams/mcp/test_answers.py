import asyncio
import json
import time

import pytest

from bascule.gateway.errors import UpstreamFailed, UpstreamTimeout
from bascule.upstreams.http1 import HttpRequest, Origin
from bascule.upstreams.mcp.answers import Answer, AnswerReader, Listener, Resumption
from bascule.upstreams.mcp.messages import Incoming

JSON = {"content-type": "application/json"}
RESPONSE = {"jsonrpc": "2.0", "id": "1", "result": {"ok": True}}
NOTE = {"jsonrpc": "2.0", "method": "notifications/progress", "params": {}}


@pytest.fixture
def ask(serve, client):
    async def ask(reply, listener=None, *, seconds=5.0) -> Answer:
        server = await serve(lambda _: reply)
        origin, target = Origin.locate(server.url)
        request = HttpRequest(origin, "POST", target, (), b"{}")
        async with client.stream(request, time.monotonic() + seconds) as response:
            return await AnswerReader("peer", 1000).read(response, "1", listener)

    return ask


async def test_json_response_is_read(ask, wire) -> None:
    headers = {"content-type": "Application/JSON; charset=utf-8", "Mcp-Session-Id": "abc"}
    answer = await ask(wire.Reply(200, json.dumps(RESPONSE).encode(), headers))
    assert answer.answers("1")
    assert not answer.answers("2")
    assert bytes(answer.message.result_bytes) == b'{"ok": true}'
    assert answer.session_id == "abc"


async def test_response_is_found_among_the_events_of_a_stream(ask, wire) -> None:
    other = {"jsonrpc": "2.0", "id": "other", "result": {}}
    events = [b": hello\n\n", b"id: 1\ndata:\n\n", b"event: ping\ndata: x\n\n"]
    events += [wire.event(message) for message in (NOTE, other, RESPONSE)]
    answer = await ask(wire.stream(*events, stays_open=True))
    assert answer.answers("1")


async def test_requests_within_a_stream_are_handed_on(ask, wire) -> None:
    asked: list[Incoming] = []

    async def note(request: Incoming) -> None:
        asked.append(request)

    ping = {"jsonrpc": "2.0", "id": 9, "method": "ping"}
    await ask(wire.stream(wire.event(ping), wire.event(RESPONSE)), Listener(None, note))
    assert [one.method for one in asked] == ["ping"]


async def test_notifications_are_handed_on_and_slow_down_who_sends_them(ask, wire) -> None:
    heard: list[object] = []

    async def drained() -> None:
        heard.append("drained")

    listener = Listener(lambda note: heard.append(note.method), None, drained)
    ping = {"jsonrpc": "2.0", "id": 9, "method": "ping"}
    await ask(wire.stream(wire.event(NOTE), wire.event(ping), wire.event(RESPONSE)), listener)
    assert [one for one in heard if one != "drained"] == [NOTE["method"]]
    assert "drained" in heard or len(heard) == 1


async def test_stream_that_ends_early_can_be_resumed_where_events_have_ids(ask, wire) -> None:
    answer = await ask(wire.stream(b"id: e7\nretry: 20\ndata:\n\n"))
    assert answer.message is None
    assert answer.resumption == Resumption("e7", 20)
    answer = await ask(wire.stream(b"id: e7\ndata:\n\n"))
    assert answer.resumption == Resumption("e7", 1000)


async def test_stream_that_ends_without_the_response_fails(ask, wire) -> None:
    with pytest.raises(UpstreamFailed, match="without the response"):
        await ask(wire.stream(wire.event(NOTE)))


async def test_stream_that_never_ends_runs_into_the_deadline(ask, wire) -> None:
    with pytest.raises(UpstreamTimeout):
        await ask(wire.stream(wire.event(NOTE), stays_open=True), seconds=0.1)


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        (b"", "not a JSON-RPC response"),
        (b"{", "not a JSON-RPC response"),
        (b"[]", "not a JSON-RPC response"),
        (b"\xff", "not a JSON-RPC response"),
        (b'{"jsonrpc":"2.0","id":"1"}', "not a JSON-RPC response"),
        (b'{"jsonrpc":"2.0","method":"x"}', "not a JSON-RPC response"),
        (b'{"jsonrpc":"2.0","id":"2","result":{}}', "another request"),
        (b'{"jsonrpc":"2.0","id":1,"result":{}}', "another request"),
        (b'"' + b"a" * 200_000 + b'"', "larger than"),
    ],
)
async def test_unusable_json_fails(ask, wire, body: bytes, complaint: str) -> None:
    with pytest.raises(UpstreamFailed, match=complaint):
        await ask(wire.Reply(200, body, JSON))


@pytest.mark.parametrize(
    ("event", "complaint"),
    [(b"data: {\n\n", "not a JSON-RPC message"), (b"data: " + b"a" * 2000, "larger than 1000")],
)
async def test_unusable_event_fails(ask, wire, event: bytes, complaint: str) -> None:
    with pytest.raises(UpstreamFailed, match=complaint):
        await ask(wire.stream(event, stays_open=True))


@pytest.mark.parametrize("kind", ["text/html", ""])
async def test_success_of_another_kind_fails(ask, wire, kind: str) -> None:
    with pytest.raises(UpstreamFailed, match="content type"):
        await ask(wire.Reply(200, b"<html>", {"content-type": kind}))


async def test_refusal_keeps_its_status_whatever_its_body(ask, wire) -> None:
    assert await ask(wire.Reply(404, b"<html>", {"content-type": "text/html"})) == Answer(404)
    assert await ask(wire.Reply(400, b"nonsense", JSON)) == Answer(400)
    answer = await ask(wire.Reply(429, b"", {"retry-after": "7"}))
    assert (answer.status, answer.retry_after) == (429, "7")


@pytest.mark.parametrize("session_id", ["a b", "ä", "a" * 2000, ""])
async def test_session_id_that_cannot_be_sent_back_is_ignored(ask, wire, session_id: str) -> None:
    headers = {**JSON, "Mcp-Session-Id": session_id}
    answer = await ask(wire.Reply(200, json.dumps(RESPONSE).encode(), headers))
    assert answer.session_id is None


async def test_caller_that_does_not_read_on_is_waited_for_until_the_deadline(ask, wire) -> None:
    async def drained() -> None:
        await asyncio.Event().wait()

    listener = Listener(lambda _: None, None, drained)
    with pytest.raises(UpstreamTimeout):
        await ask(wire.stream(wire.event(NOTE), stays_open=True), listener, seconds=0.1)
