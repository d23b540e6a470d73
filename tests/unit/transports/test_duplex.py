import asyncio
import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bascule.gateway.backchannel import (
    CallerGone,
    CallerRefused,
    CallerSilent,
    NoAnswer,
    Notification,
    Question,
)
from bascule.gateway.call import Call, Endpoint, EndpointKind, Method, Result
from bascule.protocol.messages import CAPABILITIES_KEY, SUBSCRIPTION_KEY, VERSION_KEY
from bascule.transports.channel import DuplexConfig
from fakes.channel import FakeFeed, FakeGateway, answer_to, initialize
from fakes.mcp import META, legacy, modern

ELICIT = Question("elicitation/create", b'{"message":"Sure?"}')


def cancelled(request_id: object) -> dict[str, object]:
    params = {"requestId": request_id}
    return {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": params}


async def asking(call: Call) -> Result:
    """Puts one question and gives its answer, or why there is none, as text."""
    assert call.back is not None
    try:
        answer = (await call.back.ask(ELICIT, time.monotonic() + 5)).decode()
    except NoAnswer as failure:
        answer = f"{type(failure).__name__}: {failure}"
    return Result({"content": [{"type": "text", "text": answer}]})


async def test_both_eras_are_answered_on_one_channel_each_in_its_own_terms() -> None:
    async with FakeGateway().converse() as channel:
        stateless = await channel.ask(modern("tools/list", id=1))
        await channel.initialize()
        stateful = await channel.ask(legacy("tools/list", id=2))

    assert stateless["result"]["resultType"] == "complete"
    assert stateful == {"jsonrpc": "2.0", "id": 2, "result": {}}


async def test_a_stateless_request_needs_no_handshake_and_no_headers() -> None:
    gateway = FakeGateway()
    async with gateway.converse() as channel:
        answer = await channel.ask(modern("tools/call", {"name": "naïve tool", "arguments": {}}))

    assert "result" in answer
    (call,) = gateway.called(Method.TOOLS_CALL)
    assert (call.tool_name, call.headers) == ("naïve tool", None)


async def test_a_request_of_the_handshake_era_waits_for_the_handshake() -> None:
    gateway = FakeGateway()
    async with gateway.converse() as channel:
        refused = await channel.ask(legacy("tools/list"))
        ping = await channel.ask(legacy("ping", id=2))

    assert refused["error"]["code"] == -32600
    assert "Send initialize first" in refused["error"]["message"]
    assert ping["result"] == {}
    assert gateway.called(Method.TOOLS_LIST) == []


async def test_a_second_handshake_is_refused() -> None:
    async with FakeGateway().converse() as channel:
        await channel.initialize()
        again = await channel.ask(initialize())

    assert again["error"]["message"] == "This channel is initialized already."


@pytest.mark.parametrize("version", ["2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"])
async def test_calls_of_a_session_have_what_was_agreed_on(version: str) -> None:
    gateway = FakeGateway()
    bundle = Endpoint(EndpointKind.BUNDLE, "booking")
    async with gateway.converse(endpoint=bundle) as channel:
        await channel.ask(initialize(version, elicitation={}))
        await channel.ask(legacy("tools/list", id=2))

    (call,) = gateway.called(Method.TOOLS_LIST)
    session = call.more.session
    assert session is not None
    assert (call.version, session.version, session.endpoint) == (version, version, "bundle:booking")
    assert call.capabilities.elicitation
    assert (session.owner.tenant, session.owner.subject) == ("acme", "key|ann")


async def test_a_stateless_request_is_no_part_of_the_session() -> None:
    gateway = FakeGateway()
    async with gateway.converse() as channel:
        await channel.initialize(sampling={})
        await channel.ask(modern("tools/list", id=2))

    (call,) = gateway.called(Method.TOOLS_LIST)
    assert call.more.session is None
    assert not call.capabilities.sampling
    assert call.back is not None
    assert not call.back.interactive


async def test_answers_come_as_they_are_ready_not_in_the_order_of_the_requests() -> None:
    release = asyncio.Event()

    async def slow(_: Call) -> Result:
        await release.wait()
        return Result({"content": []})

    async with FakeGateway({Method.TOOLS_CALL: slow}).converse() as channel:
        await channel.send(modern("tools/call", id=1))
        quick = await channel.ask(modern("tools/list", id=2))
        release.set()
        late = await channel.receive()

    assert (quick["id"], late["id"]) == (2, 1)


@pytest.mark.parametrize("build", [modern, legacy])
async def test_a_cancelled_call_is_cancelled_and_never_answered(build) -> None:
    started = asyncio.Event()

    async def endless(_: Call) -> Result:
        started.set()
        await asyncio.Event().wait()
        raise AssertionError

    gateway = FakeGateway({Method.TOOLS_CALL: endless})
    async with gateway.converse() as channel:
        await channel.initialize()
        await channel.send(build("tools/call", id="slow"))
        async with asyncio.timeout(5):
            await started.wait()
        await channel.send(cancelled("slow"))
        await channel.send(cancelled("unknown"))
        answer = await channel.ask(build("tools/list", id=9))

    assert answer["id"] == 9
    assert "cancelled" in [record.status for record in gateway.recorder.records]


async def test_the_id_of_a_call_under_way_cannot_be_used_again_until_it_is_over() -> None:
    release = asyncio.Event()

    async def slow(_: Call) -> Result:
        await release.wait()
        return Result({})

    async with FakeGateway({Method.TOOLS_CALL: slow}).converse() as channel:
        await channel.send(modern("tools/call", id=1))
        refused = await channel.ask(modern("tools/list", id=1))
        release.set()
        first = await channel.receive()
        again = await channel.ask(modern("tools/list", id=1))

    assert "still under way" in refused["error"]["message"]
    assert "result" in first
    assert "result" in again


async def test_a_question_reaches_the_client_and_its_answer_the_call() -> None:
    async with FakeGateway({Method.TOOLS_CALL: asking}).converse() as channel:
        await channel.initialize(elicitation={})
        question = await channel.ask(legacy("tools/call", id=5))
        await channel.send(answer_to(question, result={"action": "accept"}))
        answer = await channel.receive()

    assert question["method"] == "elicitation/create"
    assert question["params"] == {"message": "Sure?"}
    assert answer["id"] == 5
    assert answer["result"]["content"][0]["text"] == '{"action": "accept"}'


async def test_an_error_for_an_answer_is_told_as_the_callers_refusal() -> None:
    async with FakeGateway({Method.TOOLS_CALL: asking}).converse() as channel:
        await channel.initialize(elicitation={})
        question = await channel.ask(legacy("tools/call"))
        await channel.send(answer_to(question, error={"code": -1, "message": "not now"}))
        answer = await channel.receive()

    assert answer["result"]["content"][0]["text"] == "CallerRefused: not now"


async def test_a_stateless_caller_cannot_be_asked() -> None:
    async with FakeGateway({Method.TOOLS_CALL: asking}).converse() as channel:
        answer = await channel.ask(modern())

    assert answer["result"]["content"][0]["text"].startswith("CallerGone")


async def test_calls_that_wait_for_answers_do_not_keep_the_answers_from_being_read() -> None:
    config = DuplexConfig(most_calls=2)
    async with FakeGateway({Method.TOOLS_CALL: asking}).converse(config) as channel:
        await channel.initialize(elicitation={})
        questions = [await channel.ask(legacy("tools/call", id=number)) for number in range(5)]
        for question in questions:
            await channel.send(answer_to(question, result={}))
        answers = [await channel.receive() for _ in range(5)]

    assert {answer["id"] for answer in answers} == set(range(5))


async def test_no_more_is_read_while_as_many_calls_as_may_be_are_at_work() -> None:
    release = asyncio.Event()

    async def slow(_: Call) -> Result:
        await release.wait()
        return Result({})

    gateway = FakeGateway({Method.TOOLS_CALL: slow})
    async with gateway.converse(DuplexConfig(most_calls=2)) as channel:
        await channel.send(modern(id=1))
        await channel.send(modern(id=2))
        third = asyncio.ensure_future(channel.send(modern(id=3)))
        await asyncio.wait([third], timeout=0.05)
        waited = not third.done()
        await channel.send(cancelled(3))
        release.set()
        await third
        answers = [await channel.receive() for _ in range(2)]
        other = await channel.ask(modern("tools/list", id=4))

    assert waited
    assert {answer["id"] for answer in answers} == {1, 2}
    assert other["id"] == 4, "the third was cancelled while it waited"


async def test_a_withdrawn_key_ends_the_conversation_with_the_next_message() -> None:
    gateway = FakeGateway()
    async with gateway.converse() as channel:
        await channel.ask(initialize())
        gateway.revoked.revoke("key-1")
        refused = await channel.ask(legacy("tools/list", id=2))

        assert refused["error"]["data"]["code"] == "E1002"
        assert await channel.is_over()
        assert channel.duplex.refused is not None


async def test_a_withdrawn_key_cannot_answer_a_question() -> None:
    gateway = FakeGateway({Method.TOOLS_CALL: asking})
    async with gateway.converse() as channel:
        await channel.initialize(elicitation={})
        question = await channel.ask(legacy("tools/call"))
        gateway.revoked.revoke("key-1")
        await channel.send(answer_to(question, result={}))

        assert await channel.is_over()


async def test_a_subscription_is_acknowledged_tagged_and_ended_by_its_client() -> None:
    feed = FakeFeed()

    async def listen(_: Call) -> Result:
        return Result({}, feed=feed)

    async with FakeGateway({Method.LISTEN: listen}).converse() as channel:
        wanted = {"notifications": {"toolsListChanged": True}}
        first = await channel.ask(modern("subscriptions/listen", wanted, id="sub"))
        feed.tell("notifications/tools/list_changed")
        second = await channel.receive()
        await channel.send(cancelled("sub"))
        after = await channel.ask(modern("tools/list", id=2))

    assert first["method"] == "notifications/subscriptions/acknowledged"
    assert first["params"]["notifications"] == {"toolsListChanged": True}
    for message in (first, second):
        assert message["params"]["_meta"][SUBSCRIPTION_KEY] == "sub"
    assert after["id"] == 2
    assert feed.closed


async def test_draining_ends_subscriptions_with_a_result_and_begins_nothing_more() -> None:
    feed = FakeFeed()

    async def listen(_: Call) -> Result:
        return Result({}, feed=feed)

    async with FakeGateway({Method.LISTEN: listen}).converse() as channel:
        await channel.ask(modern("subscriptions/listen", {"notifications": {}}, id=7))
        channel.duplex.drain()
        result, notice = await channel.receive(), await channel.receive()

        assert await channel.is_over()
    assert result["id"] == 7
    assert result["result"]["resultType"] == "complete"
    assert result["result"]["_meta"][SUBSCRIPTION_KEY] == 7
    assert (notice["method"], notice["params"]["requestId"]) == ("notifications/cancelled", 7)
    assert feed.closed


async def test_draining_lets_calls_under_way_finish_and_refuses_new_ones() -> None:
    release = asyncio.Event()

    async def slow(_: Call) -> Result:
        await release.wait()
        return Result({"content": []})

    async with FakeGateway({Method.TOOLS_CALL: slow}).converse() as channel:
        await channel.send(modern(id=1))
        channel.duplex.drain()
        refused = await channel.ask(modern("tools/list", id=2))
        release.set()
        answer = await channel.receive()

        assert await channel.is_over()
    assert refused["error"]["data"]["code"] == "E5004"
    assert answer["id"] == 1


async def test_subscriptions_are_bounded_and_take_no_room_from_calls() -> None:
    async def listen(_: Call) -> Result:
        return Result({}, feed=FakeFeed())

    config = DuplexConfig(most_calls=1, most_feeds=2)
    async with FakeGateway({Method.LISTEN: listen}).converse(config) as channel:
        message = {"notifications": {}}
        for number in (1, 2):
            await channel.ask(modern("subscriptions/listen", message, id=number))
        third = await channel.ask(modern("subscriptions/listen", message, id=3))
        call = await channel.ask(modern("tools/list", id=4))

    assert "Too many subscriptions" in third["error"]["message"]
    assert "result" in call


async def test_a_session_is_told_changes_untagged_once_it_is_initialized() -> None:
    feed = FakeFeed()

    async def stream(_: Call) -> Result:
        return Result({}, feed=feed)

    gateway = FakeGateway({Method.STREAM: stream})
    async with gateway.converse() as channel:
        await channel.initialize()
        feed.tell("notifications/resources/updated", b'{"uri":"a:b"}')
        note = await channel.receive()

    assert note["params"] == {"uri": "a:b"}
    assert feed.closed
    assert gateway.called(Method.END)[0].more.session is not None


async def test_a_session_gets_log_messages_of_its_level_and_above() -> None:
    async def chatty(call: Call) -> Result:
        assert call.back is not None
        for level in ("debug", "warning"):
            call.back.notify(
                Notification("notifications/message", b'{"level":"%b"}' % level.encode())
            )
        return Result({"content": []})

    gateway = FakeGateway({Method.TOOLS_CALL: chatty})
    async with gateway.converse() as channel:
        await channel.initialize()
        usual = [await channel.ask(legacy(id=1)), await channel.receive()]
        await channel.ask(legacy("logging/setLevel", {"level": "debug"}, id=2))
        every = [await channel.ask(legacy(id=3)), await channel.receive()]
        last = await channel.receive()

    assert [one.get("params", {}).get("level") for one in usual] == ["warning", None]
    assert [one["params"]["level"] for one in every] == ["debug", "warning"]
    assert last["id"] == 3
    levels = [one.more.log_level for one in gateway.called(Method.TOOLS_CALL)]
    assert levels == ["info", "debug"], "what a server of the other era is asked for"


@pytest.mark.parametrize(
    ("raw", "code", "message_id"),
    [
        (b"{", -32700, None),
        (b'"text"', -32600, None),
        (b'{"jsonrpc":"2.0","id":3,"method":5}', -32600, 3),
        (b'[{"jsonrpc":"2.0","id":1,"method":"ping"}]', -32600, None),
    ],
)
async def test_what_is_no_message_is_refused_with_the_id_it_had(raw, code, message_id) -> None:
    async with FakeGateway().converse() as channel:
        await channel.send(raw)
        refused = await channel.receive()

    assert refused["error"]["code"] == code
    assert refused.get("id") == message_id
    assert ("id" in refused) is (message_id is not None)


async def test_a_message_over_the_bound_is_refused_unread() -> None:
    async with FakeGateway().converse(DuplexConfig(max_message_bytes=100)) as channel:
        await channel.send(b" " * 101)
        refused = await channel.receive()

    assert refused["error"]["data"]["code"] == "E2006"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({VERSION_KEY: "2099-01-01"}, -32022),
        ({VERSION_KEY: "naïve"}, -32602),
        ({CAPABILITIES_KEY: 5}, -32602),
    ],
)
async def test_a_version_that_is_not_spoken_is_told_apart_from_one_that_is_none(
    change, code
) -> None:
    async with FakeGateway().converse() as channel:
        refused = await channel.ask(modern("tools/list", {"_meta": META | change}))

    assert refused["error"]["code"] == code


async def test_an_unknown_method_is_refused_by_name() -> None:
    async with FakeGateway().converse() as channel:
        refused = await channel.ask(modern("tools/destroy"))

    assert refused["error"]["code"] == -32601


async def test_closing_cancels_what_is_under_way_and_every_question() -> None:
    seen: list[type[BaseException]] = []

    async def stubborn(call: Call) -> Result:
        assert call.back is not None
        try:
            await call.back.ask(ELICIT, time.monotonic() + 5)
        except (CallerGone, CallerRefused, CallerSilent, asyncio.CancelledError) as end:
            seen.append(type(end))
            raise
        return Result({})

    gateway = FakeGateway({Method.TOOLS_CALL: stubborn})
    async with gateway.converse() as channel:
        await channel.initialize(elicitation={})
        await channel.ask(legacy("tools/call"))

    assert len(seen) == 1
    assert [task for task in asyncio.all_tasks() if task is not asyncio.current_task()] == []


async def test_who_does_not_read_is_not_read_from_but_for_answers_and_cancellations() -> None:
    gateway = FakeGateway()
    async with gateway.converse() as channel:
        await channel.initialize()
        channel.duplex.outbox.put(b'{"large":"%b"}' % (b"x" * 100_000))
        waiting = asyncio.ensure_future(channel.send(legacy("tools/list", id=2)))
        await channel.send(cancelled("nothing"))
        await channel.send(answer_to({"id": "q-9"}, result={}))
        waited = not waiting.done()
        await channel.receive()
        reading = asyncio.ensure_future(channel.receive())
        await waiting
        answer = await reading

    assert waited
    assert answer["id"] == 2


async def test_what_waits_for_room_when_the_channel_closes_never_begins() -> None:
    started = asyncio.Event()

    async def endless(_: Call) -> Result:
        started.set()
        await asyncio.Event().wait()
        raise AssertionError

    gateway = FakeGateway({Method.TOOLS_CALL: endless})
    async with gateway.converse(DuplexConfig(most_calls=1)) as channel:
        await channel.send(modern(id=1))
        waiting = asyncio.ensure_future(channel.send(modern("tools/list", id=2)))
        async with asyncio.timeout(5):
            await started.wait()
    async with asyncio.timeout(5):
        await waiting

    assert gateway.called(Method.TOOLS_LIST) == []


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["jsonrpc", "id", "method", "params", "_meta", "name", "result", "error"]
            )
            | st.text(max_size=5),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@settings(deadline=None)
@given(st.lists(st.binary(max_size=60) | json_values, max_size=5))
def test_whatever_comes_in_the_conversation_goes_on(messages: list[object]) -> None:
    async def play() -> None:
        async with FakeGateway().converse() as channel:
            for message in messages:
                raw = message if isinstance(message, bytes) else json.dumps(message).encode()
                await channel.send(raw)
            answer = await channel.ask(modern("tools/list", id="last"))
            while answer.get("id") != "last":
                assert answer["jsonrpc"] == "2.0"
                answer = await channel.receive()

    asyncio.run(play())
