"""Amazon Bedrock, against a server that speaks the event stream of Converse."""

from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from bascule.chat.connectors.bedrock import BedrockConfig, BedrockModel, shared_session
from bascule.chat.models import FailureKind, Finished, ModelFailure, Said, StopReason, Text, Wanted
from fakes.model_requests import asked, question
from fakes.model_servers import Provider, Reply, aws_event, provider, split

EVENT_STREAM = "application/vnd.amazon.eventstream"


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of an account that is nowhere."""
    for name, value in {
        "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "secret-of-nobody",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
    }.items():
        monkeypatch.setenv(name, value)


def text(*pieces: str) -> list[bytes]:
    return [
        aws_event("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": piece}})
        for piece in pieces
    ]


def use(index: int, call_id: str, name: str, *pieces: str) -> list[bytes]:
    start = {"toolUse": {"toolUseId": call_id, "name": name}}
    return [
        aws_event("contentBlockStart", {"contentBlockIndex": index, "start": start}),
        *(
            aws_event(
                "contentBlockDelta",
                {"contentBlockIndex": index, "delta": {"toolUse": {"input": piece}}},
            )
            for piece in pieces
        ),
        aws_event("contentBlockStop", {"contentBlockIndex": index}),
    ]


def end(reason: str) -> list[bytes]:
    usage = {"inputTokens": 21, "outputTokens": 9, "totalTokens": 30}
    return [
        aws_event("messageStop", {"stopReason": reason}),
        aws_event("metadata", {"usage": usage, "metrics": {"latencyMs": 5}}),
    ]


BEGIN = [aws_event("messageStart", {"role": "assistant"})]
TEXT = [*BEGIN, *text("It is ", "31 °C."), *end("end_turn")]


def streamed(chunks: list[bytes], **more: Any) -> Reply:
    return Reply(chunks, content_type=EVENT_STREAM, **more)


@asynccontextmanager
async def model(*replies: Reply, **config: Any) -> AsyncIterator[tuple[BedrockModel, Provider]]:
    async with provider(*replies) as script:
        made = BedrockModel(BedrockConfig("some.model-v1:0", "ap-south-1", script.url, **config))
        try:
            yield made, script
        finally:
            await made.aclose()


@pytest.mark.parametrize("size", [1, 7, 10_000])
async def test_text_is_streamed_however_it_arrives(size: int) -> None:
    async with model(streamed(split(TEXT, size))) as (asks, _):
        assert await asked(asks) == ("It is 31 °C.", [], Finished(StopReason.END, 21, 9))


async def test_calls_are_put_together_from_their_pieces() -> None:
    calls = [*use(0, "a", "get_weather", '{"ci', 'ty":"Pune"}'), *use(1, "b", "list_all", "")]
    async with model(streamed([*BEGIN, *calls, *end("tool_use")])) as (asks, _):
        _, wanted, finished = await asked(asks)
    assert wanted == [Wanted("a", "get_weather", {"city": "Pune"}), Wanted("b", "list_all", {})]
    assert finished.reason is StopReason.TOOLS


async def test_the_whole_history_is_sent_as_the_provider_documents() -> None:
    async with model(streamed(TEXT)) as (asks, script):
        await asked(asks)
    (seen,) = script.seen
    assert seen.path == "/model/some.model-v1:0/converse-stream"
    assert seen.headers["authorization"].startswith("AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7")
    assert "/ap-south-1/bedrock/aws4_request" in seen.headers["authorization"]
    sent = seen.body
    assert sent["system"] == [{"text": "Be brief."}]
    assert sent["inferenceConfig"] == {"maxTokens": 500, "temperature": 0.7}
    assert [one["role"] for one in sent["messages"]] == [
        "user", "assistant", "user", "assistant", "user",
    ]  # fmt: skip
    assert sent["messages"][1]["content"][1]["toolUse"]["input"] == {"city": "Pune"}
    returned, said = sent["messages"][4]["content"]
    assert returned["toolResult"] == {
        "toolUseId": "c2", "content": [{"text": "no such city"}], "status": "error",
    }  # fmt: skip
    assert said == {"text": "And now?"}
    assert sent["toolConfig"]["tools"][0]["toolSpec"]["inputSchema"]["json"]["type"] == "object"


async def test_without_tools_none_are_named() -> None:
    async with model(streamed(TEXT)) as (asks, script):
        await asked(asks, question(Said("Hello"), tools=()))
    assert "toolConfig" not in script.seen[0].body


def refusal(status: int, code: str, message: str = "no") -> Reply:
    headers = {"x-amzn-errortype": code}
    return Reply(status=status, error={"message": message}, headers=headers)


def broken_by(code: str) -> Reply:
    return streamed([*TEXT[:2], aws_event(code, {"message": "x"}, is_exception=True)])


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (refusal(403, "AccessDeniedException"), FailureKind.UNAUTHORISED),
        (refusal(403, "ExpiredTokenException"), FailureKind.UNAUTHORISED),
        (refusal(404, "ResourceNotFoundException"), FailureKind.NO_SUCH_MODEL),
        (refusal(400, "ValidationException", "The provided model identifier is invalid."),
         FailureKind.NO_SUCH_MODEL),
        (refusal(400, "ValidationException", "Input is too long for the model."),
         FailureKind.TOO_LONG),
        (refusal(400, "ValidationException"), FailureKind.REJECTED),
        (refusal(429, "ThrottlingException"), FailureKind.RATE_LIMITED),
        (refusal(408, "ModelTimeoutException"), FailureKind.TIMED_OUT),
        (refusal(429, "ModelNotReadyException"), FailureKind.OVERLOADED),
        (refusal(500, "InternalServerException"), FailureKind.OVERLOADED),
        (refusal(503, "ServiceUnavailableException"), FailureKind.OVERLOADED),
        (broken_by("throttlingException"), FailureKind.RATE_LIMITED),
        (broken_by("modelStreamErrorException"), FailureKind.OVERLOADED),
        (streamed([*BEGIN, *end("model_context_window_exceeded")]), FailureKind.TOO_LONG),
        (streamed([*BEGIN, *end("malformed_tool_use")]), FailureKind.REJECTED),
        (streamed(TEXT[:3], breaks_off=True), FailureKind.UNREACHABLE),
        (streamed(TEXT[:3]), FailureKind.UNREACHABLE),
        (streamed([*TEXT[:2], b"\x00" * 16]), FailureKind.REJECTED),
        (streamed([*BEGIN, *use(0, "a", "t", "[1]"), *end("tool_use")]), FailureKind.REJECTED),
    ],
)  # fmt: skip
async def test_what_went_wrong_is_told_apart(reply: Reply, kind: FailureKind) -> None:
    async with model(replace(reply)) as (asks, script):
        with pytest.raises(ModelFailure) as failed:
            await asked(asks)
    assert failed.value.kind is kind, failed.value.private
    assert "secret-of-nobody" not in failed.value.private + failed.value.public
    assert len(script.seen) == 1


async def test_without_credentials_the_operator_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    shared_session.cache_clear()
    async with model() as (asks, script):
        with pytest.raises(ModelFailure) as failed:
            await asked(asks)
    assert failed.value.kind is FailureKind.UNAUTHORISED
    assert script.seen == []


async def test_silence_is_a_time_out() -> None:
    async with model(streamed(TEXT[:2], waits=True), timeout_seconds=0.05) as (asks, _):
        with pytest.raises(ModelFailure) as failed:
            await asked(asks)
    assert failed.value.kind is FailureKind.TIMED_OUT


async def test_nobody_there_is_unreachable() -> None:
    asks = BedrockModel(BedrockConfig("m", "ap-south-1", "http://127.0.0.1:1"))
    with pytest.raises(ModelFailure) as failed:
        await asked(asks)
    await asks.aclose()
    assert failed.value.kind is FailureKind.UNREACHABLE


async def test_who_stops_reading_ends_the_request() -> None:
    async with model(streamed(TEXT[:3], waits=True)) as (asks, script):
        async with aclosing(asks.answer(question())) as told:  # type: ignore[type-var]
            assert await anext(told) == Text("It is ")
        await script.left.wait()


@pytest.mark.parametrize(
    ("given", "reason"),
    [("max_tokens", StopReason.LENGTH), ("guardrail_intervened", StopReason.FILTERED)],
)
async def test_an_answer_that_was_cut_has_no_calls(given: str, reason: StopReason) -> None:
    cut = [*BEGIN, *use(0, "a", "t", '{"half'), *end(given)]
    async with model(streamed(cut)) as (asks, _):
        assert await asked(asks) == ("", [], Finished(reason, 21, 9))


async def test_a_model_that_takes_no_temperature_is_asked_without_from_then_on() -> None:
    no = refusal(400, "ValidationException", "`temperature` is deprecated for this model.")
    async with model(no, streamed(TEXT), streamed(TEXT)) as (asks, script):
        await asked(asks)
        await asked(asks)
    assert [list(one.body["inferenceConfig"]) for one in script.seen] == [
        ["maxTokens", "temperature"], ["maxTokens"], ["maxTokens"],
    ]  # fmt: skip


async def test_a_history_with_calls_has_a_tool_where_none_is_left() -> None:
    async with model(streamed(TEXT)) as (asks, script):
        await asked(asks, question(tools=()))
    (tool,) = script.seen[0].body["toolConfig"]["tools"]
    assert tool["toolSpec"]["name"] == "no_tool"
