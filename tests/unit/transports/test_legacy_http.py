"""The handshake era over HTTP, as its clients meet it: sessions, questions, batches."""

import asyncio
import json
from typing import Any

import pytest

from bascule.gateway.backchannel import CallerGone, CallerRefused, Notification
from bascule.gateway.call import Call, Endpoint, EndpointKind, Result
from bascule.gateway.record import Status
from bascule.gateway.state import StateUnavailable
from bascule.state.memory import MemoryState
from fakes.catalogue import make_principal
from fakes.executor import FakeExecutor
from fakes.mcp import FakeSite, legacy
from fakes.streams import (
    StreamSite,
    asks,
    deleting,
    events,
    getting,
    messages,
    posting,
    until,
)


def reply(question: dict[str, Any], **members: object) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": question["id"], **members}


def cancelled(request_id: object) -> dict[str, Any]:
    params = {"requestId": request_id}
    return {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": params}


async def test_initialize_gives_a_session_id_of_visible_ascii() -> None:
    headers = await StreamSite().begin()
    assert all(0x21 <= ord(letter) <= 0x7E for letter in headers["Mcp-Session-Id"])


async def test_each_initialize_begins_a_session_of_its_own() -> None:
    site = StreamSite()
    first = await site.begin()
    params = {"protocolVersion": "2025-11-25"}
    second = await site.post(legacy("initialize", params), first)
    assert second.headers["mcp-session-id"] != first["Mcp-Session-Id"]


async def test_a_session_knows_what_was_agreed_on() -> None:
    seen: list[Call] = []

    async def play(call: Call) -> Result:
        seen.append(call)
        return Result({})

    site = StreamSite(play)
    headers = await site.begin("2025-06-18", sampling={}, elicitation={})
    headers.pop("MCP-Protocol-Version")
    exchange = await site.post(legacy(), headers)
    assert (exchange.status, exchange.headers["content-type"]) == (200, "application/json")
    [call] = seen
    assert (call.version, call.capabilities.sampling, call.more.log_level) == (
        "2025-06-18", True, "info",
    )  # fmt: skip


@pytest.mark.parametrize("what", ["nonsense", "changed", "elsewhere", "ended", "expired"])
async def test_a_session_that_is_not_valid_has_one_answer(what: str) -> None:
    site = StreamSite()
    headers = await site.begin()
    token, endpoint = headers["Mcp-Session-Id"], Endpoint()
    if what == "nonsense":
        token = "é" * 10
    elif what == "changed":
        token = token[:-2] + ("AA" if token[-2:] != "AA" else "BB")
    elif what == "elsewhere":
        endpoint = Endpoint(EndpointKind.BUNDLE, "booking")
    elif what == "expired":
        site.sessions._clock = lambda: 1e12
    else:
        assert (await site.play(deleting(headers))).status == 204
    exchange = await site.post(legacy(), {**headers, "Mcp-Session-Id": token}, endpoint)
    assert exchange.status == 404
    error = exchange.answer["error"]
    del error["data"]["correlation_id"]
    assert error == {
        "code": -32600,
        "message": "This session is not known here. Begin a new one with initialize.",
        "data": {"code": "E1006"},
    }


async def test_a_stolen_session_is_not_known() -> None:
    site = StreamSite()
    call = Call(method="initialize", correlation_id="c", version="2025-11-25")  # pyright: ignore[reportArgumentType]
    theirs = site.sessions.begin(call, make_principal("bob"))
    exchange = await site.post(legacy(), {"Mcp-Session-Id": theirs})
    assert (exchange.status, exchange.answer["error"]["data"]["code"]) == (404, "E1006")
    assert site.recorder.last.status is Status.DENIED


async def test_a_session_is_of_no_use_without_a_key() -> None:
    site = StreamSite()
    headers = await site.begin()
    for exchange in (
        posting(legacy(), {**headers, "Authorization": None}),
        getting(headers, Authorization="Bearer wrong"),
    ):
        assert (await site.play(exchange)).status == 401


async def test_another_version_than_the_sessions_is_refused() -> None:
    site = StreamSite()
    headers = await site.begin("2025-06-18")
    exchange = await site.post(legacy(), {**headers, "MCP-Protocol-Version": "2025-11-25"})
    assert exchange.status == 400


async def test_a_client_without_session_id_is_served_by_itself() -> None:
    site = StreamSite(FakeExecutor().execute)
    await site.begin()
    assert (await site.post(legacy())).status == 200
    for message in (
        legacy("logging/setLevel", {"level": "info"}),
        legacy("resources/subscribe", {"uri": "a:b"}),
        {"jsonrpc": "2.0", "id": "q-1", "result": {}},
    ):
        exchange = await site.post(message)
        assert (exchange.status, exchange.answer["error"]["code"]) == (400, -32600)


async def test_without_sessions_there_are_none() -> None:
    site = FakeSite()
    exchange = await site.post(legacy("initialize", {"protocolVersion": "2025-11-25"}))
    assert "mcp-session-id" not in exchange.headers
    assert (await site.post(legacy(), {"Mcp-Session-Id": "anything"})).status == 200


async def test_delete_ends_a_session_once() -> None:
    site = StreamSite()
    headers = await site.begin()
    assert (await site.play(deleting(headers))).status == 204
    assert (await site.play(deleting(headers))).status == 404
    assert (await site.post(legacy("ping"), headers)).status == 404
    assert (await site.play(deleting({}))).status == 400


async def test_what_precedes_the_result_makes_a_stream_of_it() -> None:
    site = StreamSite()
    headers = await site.begin()
    params = {"name": "get_slots", "_meta": {"progressToken": "p"}}
    exchange = await site.post(legacy(params=params), headers)
    assert exchange.headers["content-type"] == "text/event-stream"
    assert exchange.headers["cache-control"] == "no-store"
    first, *rest = events(exchange)
    assert (first["data"], first["retry"]) == ("", "1000")
    stream = first["id"].removesuffix(".0")
    assert [one["id"] for one in rest] == [f"{stream}.{n}" for n in range(1, len(rest) + 1)]
    assert [one.get("method", "result") for one in messages(exchange)] == [
        "notifications/progress",
        "notifications/progress",
        "notifications/message",
        "notifications/message",
        "result",
    ]


async def test_an_older_client_gets_no_event_without_data() -> None:
    site = StreamSite()
    exchange = await site.post(legacy(), await site.begin("2025-06-18"))
    assert exchange.body.startswith(b": \n\n")
    assert all(one["data"] for one in events(exchange))


async def test_a_session_keeps_its_level() -> None:
    site = StreamSite()
    headers = await site.begin()
    answer = await site.post(legacy("logging/setLevel", {"level": "error"}), headers)
    assert answer.answer["result"] == {}
    exchange = await site.post(legacy(), headers)
    levels = [one["params"]["level"] for one in messages(exchange) if "method" in one]
    assert levels == ["error"]
    wrong = await site.post(legacy("logging/setLevel", {"level": "loud"}), headers)
    assert wrong.answer["error"]["code"] == -32602


async def test_a_client_that_takes_no_events_gets_json() -> None:
    site = StreamSite(FakeExecutor().execute)
    headers = {**await site.begin(), "Accept": "application/json"}
    assert (await site.post(legacy(), headers)).headers["content-type"] == "application/json"


async def test_a_question_is_put_on_the_calls_stream_and_its_answer_taken_from_a_post() -> None:
    site = StreamSite(asks)
    headers = await site.begin(elicitation={})
    async with site.serving(posting(legacy(id="call-1"), headers)) as exchange:
        await until(lambda: messages(exchange) if exchange.sent else None)
        [question] = messages(exchange)
        assert (question["method"], question["params"]) == (
            "elicitation/create",
            {"message": "Name?"},
        )
        given = {"action": "accept", "content": {"name": "Ann"}}
        answered = await site.post(reply(question, result=given), headers)
        assert (answered.status, answered.body) == (202, b"")
        await until(lambda: len(messages(exchange)) == 2)
    assert messages(exchange)[1]["id"] == "call-1"
    assert messages(exchange)[1]["result"]["answer"] == given
    actions = [record.action for record in site.recorder.records]
    assert actions == ["elicitation/create", "tools/call"]
    assert site.recorder.last.metadata == {"questions": 1}


async def test_an_answer_of_another_session_is_dropped() -> None:
    site = StreamSite(asks)
    mine, other = await site.begin(elicitation={}), await site.begin(elicitation={})
    async with site.serving(posting(legacy(), mine)) as exchange:
        await until(lambda: messages(exchange) if exchange.sent else None)
        [question] = messages(exchange)
        wrong = await site.post(reply(question, result={"action": "accept"}), other)
        assert wrong.status == 202
        assert site.sessions.questions.strangers == 1
        await site.post(reply(question, result={"action": "decline"}), mine)
        await until(lambda: len(messages(exchange)) == 2)
    assert messages(exchange)[1]["result"]["answer"] == {"action": "decline"}


async def test_an_error_as_answer_reaches_who_asked() -> None:
    errors: list[CallerRefused] = []

    async def play(call: Call) -> Result:
        try:
            return await asks(call)
        except CallerRefused as refused:
            errors.append(refused)
            return Result({})

    site = StreamSite(play)
    headers = await site.begin(elicitation={})
    async with site.serving(posting(legacy(), headers)) as exchange:
        await until(lambda: messages(exchange) if exchange.sent else None)
        error = {"code": -1, "message": "No.", "data": [1]}
        await site.post(reply(messages(exchange)[0], error=error), headers)
        await until(lambda: errors)
    [refused] = errors
    assert (refused.code, refused.message, refused.data) == (-1, "No.", b"[1]")


async def test_who_declared_nothing_cannot_be_asked() -> None:
    seen: list[bool] = []

    async def play(call: Call) -> Result:
        assert call.back is not None
        seen.append(call.back.interactive)
        with pytest.raises(CallerGone):
            await asks(call)
        return Result({})

    site = StreamSite(play)
    assert (await site.post(legacy(), await site.begin())).status == 200
    assert seen == [False]


async def test_a_cancelled_call_ends_without_a_response() -> None:
    gate = asyncio.Event()
    upstream = FakeExecutor(release=gate)
    site = StreamSite(upstream.execute)
    mine, other = await site.begin(), await site.begin()
    async with site.serving(posting(legacy(id=7), mine)) as exchange:
        await upstream.started.wait()
        assert (await site.post(cancelled(7), other)).status == 202
        assert (await site.post(cancelled("7"), mine)).status == 202
        assert not exchange.sent
        assert (await site.post(cancelled(7), mine)).status == 202
        await until(lambda: len(exchange.sent) > 1)
    assert (exchange.status, exchange.body) == (200, b"")
    assert site.recorder.last.status is Status.CANCELLED


async def test_the_end_of_a_session_cancels_its_calls() -> None:
    site = StreamSite(asks)
    headers = await site.begin(elicitation={})
    async with site.serving(posting(legacy(), headers)) as exchange:
        await until(lambda: messages(exchange) if exchange.sent else None)
        assert (await site.play(deleting(headers))).status == 204
        await until(lambda: exchange.sent[-1] == {"type": "http.response.body", "body": b""})
    assert len(messages(exchange)) in {1, 2}, "a withdrawn question at most, and no response"
    assert all("result" not in one for one in messages(exchange))


async def test_a_disconnect_does_not_cancel_and_the_rest_can_be_fetched() -> None:
    gate, told = asyncio.Event(), asyncio.Event()

    async def play(call: Call) -> Result:
        assert call.back is not None
        call.back.notify(Notification("notifications/message", b'{"level":"error","data":1}'))
        told.set()
        await gate.wait()
        return Result({"content": []})

    site = StreamSite(play)
    headers = await site.begin()
    async with site.serving(posting(legacy(id=3), headers)) as broken:
        await until(lambda: len(events(broken)) == 2 if broken.sent else False)
        last = events(broken)[0]["id"]
        async with site.serving(getting(headers, **{"Last-Event-ID": last})) as resumed:
            await until(lambda: len(events(resumed)) == 1 if resumed.sent else False)
            gate.set()
            await until(lambda: len(events(resumed)) == 2)
    assert events(resumed) == events(broken)[1:]
    assert messages(resumed)[-1]["id"] == 3
    again = await site.play(getting(headers, **{"Last-Event-ID": events(resumed)[0]["id"]}))
    assert [one["id"] for one in messages(again)] == [3], "complete, so the stream ends"


@pytest.mark.parametrize("last", ["", "x", "c" + "0" * 24 + ".0", "é", "c1.1"])
async def test_an_event_nobody_sent_cannot_be_resumed_after(last: str) -> None:
    site = StreamSite()
    headers = await site.begin()
    exchange = await site.play(getting(headers, **{"Last-Event-ID": last}))
    assert exchange.status == 400


async def test_another_sessions_stream_cannot_be_resumed() -> None:
    site = StreamSite()
    mine, other = await site.begin(), await site.begin()
    exchange = await site.post(legacy(), mine)
    last = {"Last-Event-ID": events(exchange)[0]["id"]}
    assert (await site.play(getting(other, **last))).status == 400
    assert (await site.play(getting(mine, **last))).status == 200


# Batches.


def batch(*members: object) -> bytes:
    return json.dumps(members).encode()


@pytest.mark.parametrize("header", [{}, {"MCP-Protocol-Version": "2025-03-26"}])
async def test_the_members_of_a_batch_are_answered_in_an_array(header: dict[str, str]) -> None:
    site = StreamSite(FakeExecutor(Result({"content": []})).execute)
    note = {"jsonrpc": "2.0", "method": "notifications/x"}
    exchange = await site.post(
        batch(legacy(id=1), note, legacy("ping", id=2), legacy("nothing", id=3)), header
    )
    assert exchange.status == 200
    answers = {one["id"]: one for one in json.loads(exchange.body)}
    assert answers[1]["result"] == {"content": []}
    assert answers[2]["result"] == {}
    assert answers[3]["error"]["code"] == -32601


async def test_a_batch_of_notifications_is_accepted_without_a_word() -> None:
    note = {"jsonrpc": "2.0", "method": "notifications/x"}
    exchange = await StreamSite().post(batch(note, note))
    assert (exchange.status, exchange.body) == (202, b"")


async def test_initialize_is_not_for_batches() -> None:
    params = {"protocolVersion": "2025-03-26"}
    exchange = await StreamSite().post(batch(legacy("initialize", params)))
    [answer] = json.loads(exchange.body)
    assert answer["error"]["code"] == -32600
    assert "mcp-session-id" not in exchange.headers


@pytest.mark.parametrize("members", [[], [1] * 51])
async def test_a_batch_of_none_or_too_many_is_refused_as_one(members: list[object]) -> None:
    exchange = await StreamSite().post(batch(*members))
    assert (exchange.status, exchange.answer["error"]["code"]) == (400, -32600)


async def test_a_batch_of_a_stranger_is_refused() -> None:
    exchange = await StreamSite().post(batch(legacy(), legacy()), {"Authorization": None})
    assert exchange.status == 401
    assert exchange.headers["www-authenticate"]


async def test_other_revisions_have_no_batches() -> None:
    site = StreamSite()
    headers = await site.begin("2025-06-18")
    headers.pop("MCP-Protocol-Version")
    assert (await site.post(batch(legacy()), headers)).status == 400
    old = await site.begin("2025-03-26")
    assert (await site.post(batch(legacy("ping")), old)).status == 200


async def test_a_member_of_a_batch_can_be_cancelled() -> None:
    upstream = FakeExecutor(release=asyncio.Event())
    site = StreamSite(upstream.execute)
    headers = await site.begin("2025-03-26")
    async with site.serving(posting(batch(legacy(id=1), legacy("ping", id=2)), headers)) as one:
        await upstream.started.wait()
        await site.post(cancelled(1), headers)
        await until(lambda: one.sent)
    assert [answer["id"] for answer in json.loads(one.body)] == [2]


# A store that fails.


class Failing(MemoryState):
    """Works until it is told not to."""

    fails = False

    def _check(self) -> None:
        if self.fails:
            raise StateUnavailable("The store cannot be reached; try again.", private="down")

    async def get(self, key: str) -> bytes | None:
        self._check()
        return await super().get(key)

    async def put(self, key: str, value: bytes, ttl_seconds: float) -> None:
        self.fails = True
        self._check()

    async def read(self, log: str, after: int) -> list[tuple[int, bytes]]:
        self.fails = True
        self._check()
        return []


async def test_without_its_store_a_session_cannot_be_served() -> None:
    store = Failing()
    site = StreamSite(store=store)
    headers = await site.begin()
    ends = await site.play(deleting(headers))
    assert (ends.status, ends.answer["error"]["data"]["code"]) == (503, "E5004")
    assert (await site.post(legacy("ping"), headers)).status == 503
    store.fails = False
    last = {"Last-Event-ID": "c" + "0" * 24 + ".0"}
    assert (await site.play(getting(headers, **last))).status == 503


async def test_a_drain_ends_calls_that_wait_for_their_caller() -> None:
    site = StreamSite(asks)
    headers = await site.begin(elicitation={})
    async with site.serving(posting(legacy(), headers)) as exchange:
        await until(lambda: messages(exchange) if exchange.sent else None)
        site.http.drain()
        await until(lambda: len(messages(exchange)) == 2)
    assert "error" in messages(exchange)[1]
