"""OpenAI, Azure and compatible servers, against a server that speaks their wire format."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from bascule.chat.connectors.openai import Flavour, OpenAIConfig, OpenAIModel
from bascule.chat.models import FailureKind, Finished, ModelFailure, Said, StopReason, Text, Wanted
from fakes.model_requests import asked, question
from fakes.model_servers import Provider, Reply, provider, split, sse

pytestmark = pytest.mark.asyncio


def chunk(delta: Any = None, finish: str | None = None, **more: Any) -> dict[str, Any]:
    choices = [{"index": 0, "delta": delta or {}, "finish_reason": finish}]
    common = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    return {**common, "choices": choices, **more}


USAGE = {"prompt_tokens": 21, "completion_tokens": 9, "total_tokens": 30}
END = chunk(choices=[], usage=USAGE)
TEXT = sse(
    chunk({"role": "assistant", "content": ""}),
    chunk({"content": "It is "}),
    chunk({"content": "31 °C."}),
    chunk(finish="stop"),
    END,
    "[DONE]",
)


def call(index: int, call_id: str | None, name: str | None, arguments: str) -> dict[str, Any]:
    function = {"arguments": arguments, **({"name": name} if name else {})}
    return {
        "index": index,
        **({"id": call_id, "type": "function"} if call_id else {}),
        "function": function,
    }


CALLS = sse(
    chunk({"role": "assistant", "content": None, "tool_calls": [call(0, "a", "get_weather", "")]}),
    chunk({"tool_calls": [call(0, None, None, '{"ci')]}),
    chunk({"tool_calls": [call(0, None, None, 'ty":"Pune"}')]}),
    chunk({"tool_calls": [call(1, "b", "get_weather", '{"city":"Goa"}')]}),
    chunk(finish="tool_calls"),
    END,
    "[DONE]",
)


@asynccontextmanager
async def model(
    *replies: Reply, flavour: Flavour = Flavour.OPENAI, **config: Any
) -> AsyncIterator[tuple[OpenAIModel, Provider]]:
    async with provider(*replies) as script:
        url = script.url if flavour is Flavour.AZURE else f"{script.url}/v1"
        made = OpenAIModel(OpenAIConfig("m", "sk-12345678", url, flavour=flavour, **config))
        try:
            yield made, script
        finally:
            await made.aclose()


@pytest.mark.parametrize("size", [1, 7, 10_000])
async def test_text_is_streamed_however_it_arrives(size: int) -> None:
    async with model(Reply(split(TEXT, size))) as (asks, _):
        assert await asked(asks) == ("It is 31 °C.", [], Finished(StopReason.END, 21, 9))


async def test_calls_are_put_together_from_their_pieces() -> None:
    async with model(Reply(CALLS)) as (asks, _):
        _, calls, end = await asked(asks)
    assert calls == [
        Wanted("a", "get_weather", {"city": "Pune"}),
        Wanted("b", "get_weather", {"city": "Goa"}),
    ]
    assert end.reason is StopReason.TOOLS


async def test_the_whole_history_is_sent_as_the_provider_documents() -> None:
    async with model(Reply(TEXT)) as (asks, script):
        await asked(asks)
    (seen,) = script.seen
    assert (seen.path, seen.headers["authorization"]) == (
        "/v1/chat/completions",
        "Bearer sk-12345678",
    )
    sent = seen.body
    assert [one["role"] for one in sent["messages"]] == [
        "system", "user", "assistant", "tool", "assistant", "tool", "user",
    ]  # fmt: skip
    assert sent["messages"][2]["tool_calls"][0]["function"] == {
        "name": "get_weather",
        "arguments": '{"city":"Pune"}',
    }
    assert sent["messages"][3] == {"role": "tool", "tool_call_id": "c1", "content": "31 degrees"}
    assert sent["messages"][4]["content"] is None
    assert sent["tools"][0]["function"]["parameters"]["required"] == ["city"]
    assert sent["max_completion_tokens"] == 500
    assert (sent["temperature"], sent["safety_identifier"]) == (0.7, "p-1")
    assert sent["stream"] is True


async def test_without_tools_none_are_named() -> None:
    async with model(Reply(TEXT)) as (asks, script):
        await asked(asks, question(Said("Hello"), tools=()))
    assert "tools" not in script.seen[0].body


async def test_azure_is_asked_at_its_deployment() -> None:
    filtered = chunk(choices=[], prompt_filter_results=[{"prompt_index": 0}])
    reply = Reply([*sse(filtered), *TEXT])
    async with model(reply, flavour=Flavour.AZURE) as (asks, script):
        assert (await asked(asks))[0] == "It is 31 °C."
    (seen,) = script.seen
    assert seen.path == "/openai/deployments/m/chat/completions"
    assert seen.query == {"api-version": "2024-10-21"}
    assert seen.headers["api-key"] == "sk-12345678"


async def test_a_compatible_server_may_be_sloppy() -> None:
    sloppy = [
        chunk({"tool_calls": [{"function": {"name": "get_weather", "arguments": '{"city":"X"}'}}]}),
        {"choices": [{"index": 0, "delta": None, "finish_reason": None}]},
        chunk(finish="stop"),
        "[DONE]",
    ]
    reply = Reply(sse(*sloppy))
    async with model(reply, flavour=Flavour.COMPATIBLE) as (asks, script):
        _, calls, end = await asked(asks)
    assert calls == [Wanted("call_0", "get_weather", {"city": "X"})]
    assert end == Finished(StopReason.TOOLS)
    assert "safety_identifier" not in script.seen[0].body
    assert script.seen[0].body["max_tokens"] == 500


def refusal(status: int, code: str | None, message: str = "no", **more: Any) -> Reply:
    error = {"message": message, "type": "invalid_request_error", "param": None, "code": code}
    headers = more.pop("headers", {})
    return Reply(status=status, error={"error": {**error, **more}}, headers=headers)


async def test_a_parameter_that_a_model_does_not_take_is_left_out_from_then_on() -> None:
    no_temperature = refusal(400, "unsupported_value", param="temperature")
    no_longest = refusal(400, None, "Unrecognized argument: max_completion_tokens")
    async with model(no_temperature, no_longest, Reply(TEXT), Reply(TEXT)) as (asks, script):
        await asked(asks)
        await asked(asks)
    assert len(script.seen) == 4
    for seen in script.seen[2:]:
        assert "temperature" not in seen.body
        assert seen.body["max_tokens"] == 500


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (refusal(401, "invalid_api_key"), FailureKind.UNAUTHORISED),
        (refusal(403, None), FailureKind.UNAUTHORISED),
        (refusal(404, "model_not_found"), FailureKind.NO_SUCH_MODEL),
        (refusal(404, "DeploymentNotFound"), FailureKind.NO_SUCH_MODEL),
        (refusal(400, "context_length_exceeded"), FailureKind.TOO_LONG),
        (refusal(400, "content_filter"), FailureKind.FILTERED),
        (refusal(400, "something_else"), FailureKind.REJECTED),
        (refusal(429, "insufficient_quota"), FailureKind.UNAUTHORISED),
        (refusal(402, None), FailureKind.UNAUTHORISED),
        (refusal(405, None), FailureKind.NO_SUCH_MODEL),
        (refusal(307, None, headers={"location": "/elsewhere"}), FailureKind.NO_SUCH_MODEL),
        (refusal(401, None, message="You sent sk-12345678"), FailureKind.UNAUTHORISED),
        (refusal(500, None), FailureKind.OVERLOADED),
        (refusal(503, None), FailureKind.OVERLOADED),
        (Reply(TEXT[:2], breaks_off=True), FailureKind.UNREACHABLE),
        (Reply(TEXT[:2]), FailureKind.UNREACHABLE),
        (Reply([b"data: {broken\n\n"]), FailureKind.REJECTED),
        (Reply(sse({"error": {"message": "x", "type": "server_error"}})), FailureKind.OVERLOADED),
        (Reply(sse({"error": {"message": "x", "code": 429}})), FailureKind.RATE_LIMITED),
        (Reply(sse({"error": "out of memory"})), FailureKind.OVERLOADED),
        (Reply([b"<html>"], content_type="text/html"), FailureKind.NO_SUCH_MODEL),
        (Reply([b'{"error": {}}'], content_type="application/json"), FailureKind.REJECTED),
        (Reply(sse(chunk({"tool_calls": [call(0, "a", "t", "{oh")]}), chunk(finish="tool_calls"))),
         FailureKind.REJECTED),
    ],
)  # fmt: skip
async def test_what_went_wrong_is_told_apart(reply: Reply, kind: FailureKind) -> None:
    async with model(replace(reply)) as (asks, script):
        with pytest.raises(ModelFailure) as failed:
            await asked(asks)
    assert failed.value.kind is kind
    assert "sk-12345678" not in failed.value.private + failed.value.public
    assert len(script.seen) == 1, "nothing is asked twice behind anybody's back"


async def test_how_long_to_wait_is_passed_on() -> None:
    wait = refusal(429, "rate_limit_exceeded", headers={"retry-after": "7"})
    async with model(wait) as (asks, _):
        with pytest.raises(ModelFailure) as failed:
            await asked(asks)
    assert (failed.value.kind, failed.value.retry_after_seconds) == (FailureKind.RATE_LIMITED, 7.0)


async def test_silence_is_a_time_out() -> None:
    async with model(Reply(TEXT[:2], waits=True), timeout_seconds=0.05) as (asks, _):
        with pytest.raises(ModelFailure) as failed:
            await asked(asks)
    assert failed.value.kind is FailureKind.TIMED_OUT


async def test_nobody_there_is_unreachable() -> None:
    asks = OpenAIModel(OpenAIConfig("m", "k", "http://127.0.0.1:1/v1"))
    with pytest.raises(ModelFailure) as failed:
        await asked(asks)
    await asks.aclose()
    assert failed.value.kind is FailureKind.UNREACHABLE


async def test_who_stops_reading_ends_the_request() -> None:
    async with model(Reply(TEXT[:2], waits=True)) as (asks, script):
        async with aclosing(asks.answer(question())) as events:  # type: ignore[type-var]
            assert await anext(events) == Text("It is ")
        await script.left.wait()


@pytest.mark.parametrize(
    ("finish", "reason"), [("length", StopReason.LENGTH), ("content_filter", StopReason.FILTERED)]
)
async def test_an_answer_that_was_cut_has_no_calls(finish: str, reason: StopReason) -> None:
    cut = sse(chunk({"tool_calls": [call(0, "a", "t", '{"half')]}), chunk(finish=finish), "[DONE]")
    async with model(Reply(cut)) as (asks, _):
        assert await asked(asks) == ("", [], Finished(reason))


async def test_one_model_may_be_told_at_once_by_several_what_it_does_not_take() -> None:
    no = replace(refusal(400, "unsupported_value", param="temperature"), after=2)
    async with model(no, no, Reply(TEXT), Reply(TEXT)) as (asks, _):
        first, second = await asyncio.gather(asked(asks), asked(asks))
    assert first == second


async def test_a_compatible_server_may_take_the_newer_bound_only() -> None:
    no = refusal(400, None, "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens'.")
    async with model(no, Reply(TEXT), flavour=Flavour.COMPATIBLE) as (asks, script):
        await asked(asks)
    assert script.seen[1].body["max_completion_tokens"] == 500
    assert "max_tokens" not in script.seen[1].body


async def test_an_unknown_parameter_may_be_refused_as_unprocessable() -> None:
    no = Reply(status=422, error={"detail": [{"loc": ["body", "stream_options"], "msg": "extra"}]})
    async with model(no, Reply(TEXT), flavour=Flavour.COMPATIBLE) as (asks, script):
        await asked(asks)
    assert "stream_options" not in script.seen[1].body


async def test_a_tool_that_is_named_like_a_parameter_is_not_taken_for_one() -> None:
    async with model(refusal(400, None, "schema of get_temperature is wrong")) as (asks, script):
        with pytest.raises(ModelFailure):
            await asked(asks)
    assert len(script.seen) == 1


async def test_calls_that_interleave_or_share_a_position_are_told_apart() -> None:
    interleaved = sse(
        chunk({"tool_calls": [call(0, "a", "t", '{"x"'), call(1, "b", "t", '{"y"')]}),
        chunk({"tool_calls": [call(1, None, None, ":1}"), call(0, None, None, ":2}")]}),
        chunk(finish="tool_calls"),
    )
    shared = sse(
        chunk({"tool_calls": [call(0, "a", "t", '{"x":2}')]}),
        chunk({"tool_calls": [call(0, "b", "t", '{"y":1}')]}),
        chunk(finish="tool_calls"),
    )
    for chunks in (interleaved, shared):
        async with model(Reply(chunks), flavour=Flavour.COMPATIBLE) as (asks, _):
            _, calls, _ = await asked(asks)
        assert calls == [Wanted("a", "t", {"x": 2}), Wanted("b", "t", {"y": 1})]


async def test_a_text_may_come_in_blocks_among_thoughts() -> None:
    thought = {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}
    blocks = sse(
        chunk({"content": [thought]}),
        chunk({"content": [{"type": "text", "text": "Yes."}]}),
        chunk(finish="stop"),
    )
    async with model(Reply(blocks), flavour=Flavour.COMPATIBLE) as (asks, _):
        assert (await asked(asks))[0] == "Yes."


async def test_comments_that_keep_the_connection_alive_are_silence() -> None:
    pings = Reply([b": ping\n\n"], repeats=True)
    async with model(pings, timeout_seconds=0.05) as (asks, script):
        with pytest.raises(ModelFailure) as failed:
            await asked(asks)
        await script.left.wait()
    assert failed.value.kind is FailureKind.TIMED_OUT


async def test_the_environment_leads_nowhere_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "https://elsewhere.example")
    asks = OpenAIModel(OpenAIConfig("m", "k"))
    assert asks._client.base_url.host == "api.openai.com"
    await asks.aclose()


async def test_a_server_that_takes_the_question_and_says_nothing_is_a_time_out() -> None:
    gone = asyncio.Event()

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(65_536):
            pass
        gone.set()
        writer.close()

    server = await asyncio.start_server(take, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        asks = OpenAIModel(OpenAIConfig("m", "k", f"http://127.0.0.1:{port}", timeout_seconds=0.1))
        with pytest.raises(ModelFailure) as failed:
            await asked(asks)
        await gone.wait()
        await asks.aclose()
    assert failed.value.kind is FailureKind.TIMED_OUT
