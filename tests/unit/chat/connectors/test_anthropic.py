"""Anthropic, against a server that speaks its wire format."""

from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from bascule.chat.connectors.anthropic import AnthropicConfig, AnthropicModel
from bascule.chat.models import FailureKind, Finished, ModelFailure, Said, StopReason, Text, Wanted
from fakes.model_requests import asked, question
from fakes.model_servers import Provider, Reply, provider, split, sse


def start(tokens: int = 21) -> dict[str, Any]:
    usage = {"input_tokens": tokens, "output_tokens": 1, "cache_read_input_tokens": 4}
    message = {"id": "msg_1", "type": "message", "role": "assistant", "model": "m", "content": []}
    message |= {"stop_reason": None, "stop_sequence": None, "usage": usage}
    return {"type": "message_start", "message": message}


def block(index: int, content: dict[str, Any], *deltas: dict[str, Any]) -> list[dict[str, Any]]:
    begin = {"type": "content_block_start", "index": index, "content_block": content}
    pieces = [{"type": "content_block_delta", "index": index, "delta": one} for one in deltas]
    return [begin, *pieces, {"type": "content_block_stop", "index": index}]


def text(index: int, *pieces: str) -> list[dict[str, Any]]:
    deltas = [{"type": "text_delta", "text": piece} for piece in pieces]
    return block(index, {"type": "text", "text": ""}, *deltas)


def use(index: int, call_id: str, name: str, *pieces: str) -> list[dict[str, Any]]:
    deltas = [{"type": "input_json_delta", "partial_json": piece} for piece in pieces]
    content = {"type": "tool_use", "id": call_id, "name": name, "input": {}}
    return block(index, content, *deltas)


def end(reason: str) -> list[dict[str, Any]]:
    delta = {"stop_reason": reason, "stop_sequence": None}
    return [
        {"type": "message_delta", "delta": delta, "usage": {"output_tokens": 9}},
        {"type": "message_stop"},
    ]


def events(*parts: Any) -> list[bytes]:
    flat = [one for part in parts for one in (part if isinstance(part, list) else [part])]
    return sse(*flat, named=True)


TEXT = events(start(), {"type": "ping"}, text(0, "It is ", "31 °C."), end("end_turn"))
THOUGHT = block(
    0,
    {"type": "thinking", "thinking": "", "signature": ""},
    {"type": "thinking_delta", "thinking": "hm"},
    {"type": "signature_delta", "signature": "s"},
)


@asynccontextmanager
async def model(*replies: Reply, **config: Any) -> AsyncIterator[tuple[AnthropicModel, Provider]]:
    async with provider(*replies) as script:
        made = AnthropicModel(AnthropicConfig("m", "sk-ant-12345678", script.url, **config))
        try:
            yield made, script
        finally:
            await made.aclose()


@pytest.mark.parametrize("size", [1, 7, 10_000])
async def test_text_is_streamed_however_it_arrives(size: int) -> None:
    async with model(Reply(split(TEXT, size))) as (asks, _):
        assert await asked(asks) == ("It is 31 °C.", [], Finished(StopReason.END, 25, 9))


async def test_calls_are_put_together_from_their_pieces() -> None:
    calls = [*use(1, "a", "get_weather", "", '{"ci', 'ty":"Pune"}'), *use(2, "b", "list_all")]
    async with model(Reply(events(start(), THOUGHT, calls, end("tool_use")))) as (asks, _):
        told, wanted, finished = await asked(asks)
    assert told == ""
    assert wanted == [Wanted("a", "get_weather", {"city": "Pune"}), Wanted("b", "list_all", {})]
    assert finished.reason is StopReason.TOOLS


async def test_the_whole_history_is_sent_as_the_provider_documents() -> None:
    async with model(Reply(TEXT)) as (asks, script):
        await asked(asks)
    (seen,) = script.seen
    assert (seen.path, seen.headers["authorization"]) == ("/v1/messages", "Bearer sk-ant-12345678")
    sent = seen.body
    assert sent["system"] == "Be brief."
    assert [one["role"] for one in sent["messages"]] == [
        "user", "assistant", "user", "assistant", "user",
    ]  # fmt: skip
    assert sent["messages"][1]["content"] == [
        {"type": "text", "text": "I look."},
        {"type": "tool_use", "id": "c1", "name": "get_weather", "input": {"city": "Pune"}},
    ]
    returned, said = sent["messages"][4]["content"]
    assert returned == {
        "type": "tool_result", "tool_use_id": "c2", "content": "no such city", "is_error": True,
    }  # fmt: skip
    assert said == {"type": "text", "text": "And now?"}
    assert sent["tools"][0]["input_schema"]["type"] == "object"
    assert sent["max_tokens"] == 500
    assert sent["metadata"] == {"user_id": "p-1"}


async def test_without_tools_none_are_named() -> None:
    async with model(Reply(TEXT)) as (asks, script):
        await asked(asks, question(Said("Hello"), tools=()))
    assert "tools" not in script.seen[0].body


def refusal(status: int, sort: str, message: str = "no", **headers: str) -> Reply:
    error = {"type": "error", "error": {"type": sort, "message": message}}
    return Reply(status=status, error=error, headers=headers)


def broken_by(sort: str) -> Reply:
    error = {"type": "error", "error": {"type": sort, "message": "x"}}
    return Reply([*TEXT[:3], *events(error)])


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (refusal(401, "authentication_error"), FailureKind.UNAUTHORISED),
        (refusal(402, "billing_error"), FailureKind.UNAUTHORISED),
        (refusal(403, "permission_error"), FailureKind.UNAUTHORISED),
        (refusal(404, "not_found_error"), FailureKind.NO_SUCH_MODEL),
        (refusal(413, "request_too_large"), FailureKind.TOO_LONG),
        (refusal(400, "invalid_request_error"), FailureKind.REJECTED),
        (refusal(400, "invalid_request_error", "prompt is too long: 9 > 8"), FailureKind.TOO_LONG),
        (refusal(429, "rate_limit_error"), FailureKind.RATE_LIMITED),
        (refusal(500, "api_error"), FailureKind.OVERLOADED),
        (refusal(529, "overloaded_error"), FailureKind.OVERLOADED),
        (refusal(418, "unheard_of"), FailureKind.REJECTED),
        (broken_by("overloaded_error"), FailureKind.OVERLOADED),
        (broken_by("unheard_of"), FailureKind.OVERLOADED),
        (Reply(events(start(), end("model_context_window_exceeded"))), FailureKind.TOO_LONG),
        (Reply(TEXT[:3], breaks_off=True), FailureKind.UNREACHABLE),
        (Reply(TEXT[:3]), FailureKind.UNREACHABLE),
        (Reply([b"event: message_start\ndata: {broken\n\n"]), FailureKind.REJECTED),
        (Reply(events(start(), use(0, "a", "t", "[1]"), end("tool_use"))), FailureKind.REJECTED),
    ],
)
async def test_what_went_wrong_is_told_apart(reply: Reply, kind: FailureKind) -> None:
    async with model(replace(reply)) as (asks, script):
        with pytest.raises(ModelFailure) as failed:
            await asked(asks)
    assert failed.value.kind is kind, failed.value.private
    assert "sk-ant-12345678" not in failed.value.private + failed.value.public
    assert len(script.seen) == 1


async def test_how_long_to_wait_is_passed_on() -> None:
    wait = replace(refusal(429, "rate_limit_error"), headers={"retry-after": "7"})
    async with model(wait) as (asks, _):
        with pytest.raises(ModelFailure) as failed:
            await asked(asks)
    assert failed.value.retry_after_seconds == 7.0


async def test_silence_is_a_time_out() -> None:
    async with model(Reply(TEXT[:2], waits=True), timeout_seconds=0.05) as (asks, _):
        with pytest.raises(ModelFailure) as failed:
            await asked(asks)
    assert failed.value.kind is FailureKind.TIMED_OUT


async def test_nobody_there_is_unreachable() -> None:
    asks = AnthropicModel(AnthropicConfig("m", "k", "http://127.0.0.1:1"))
    with pytest.raises(ModelFailure) as failed:
        await asked(asks)
    await asks.aclose()
    assert failed.value.kind is FailureKind.UNREACHABLE


async def test_who_stops_reading_ends_the_request() -> None:
    async with model(Reply(TEXT[:4], waits=True)) as (asks, script):
        async with aclosing(asks.answer(question())) as told:  # type: ignore[type-var]
            assert await anext(told) == Text("It is ")
        await script.left.wait()


@pytest.mark.parametrize(
    ("given", "reason"), [("max_tokens", StopReason.LENGTH), ("refusal", StopReason.FILTERED)]
)
async def test_an_answer_that_was_cut_has_no_calls(given: str, reason: StopReason) -> None:
    cut = events(start(), use(0, "a", "t", '{"half'), end(given))
    async with model(Reply(cut)) as (asks, _):
        assert await asked(asks) == ("", [], Finished(reason, 25, 9))


async def test_comments_and_pings_are_silence() -> None:
    for beat in (b": ping\n\n", b'event: ping\ndata: {"type": "ping"}\n\n'):
        async with model(Reply([beat], repeats=True), timeout_seconds=0.05) as (asks, script):
            with pytest.raises(ModelFailure) as failed:
                await asked(asks)
            await script.left.wait()
        assert failed.value.kind is FailureKind.TIMED_OUT


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (Reply(status=307, error={}, headers={"location": "/x"}), FailureKind.NO_SUCH_MODEL),
        (Reply(status=405, error={}), FailureKind.NO_SUCH_MODEL),
        (Reply([b"<html>"], content_type="text/html"), FailureKind.NO_SUCH_MODEL),
        (Reply(status=401, error={"error": {"message": "not sk-ant-12345678"}}),
         FailureKind.UNAUTHORISED),
    ],
)  # fmt: skip
async def test_another_server_than_the_provider_is_found_out(
    reply: Reply, kind: FailureKind
) -> None:
    async with model(replace(reply)) as (asks, script):
        with pytest.raises(ModelFailure) as failed:
            await asked(asks)
    assert failed.value.kind is kind, failed.value.private
    assert "12345678" not in failed.value.private
    assert len(script.seen) == 1


async def test_the_environment_leads_nowhere_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_BASE_URL", "https://elsewhere.example")
    asks = AnthropicModel(AnthropicConfig("m", "k"))
    assert asks._client.base_url.host == "api.anthropic.com"
    await asks.aclose()
