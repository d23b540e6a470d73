"""Amazon Bedrock's Converse API, by aiobotocore: credentials come from wherever AWS has them."""

import asyncio
from collections.abc import AsyncIterator, Generator, Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, cast

import aiohttp
from aiobotocore.config import AioConfig  # pyright: ignore[reportMissingTypeStubs]
from aiobotocore.session import AioSession  # pyright: ignore[reportMissingTypeStubs]
from botocore.eventstream import ParserError  # pyright: ignore[reportMissingTypeStubs]
from botocore.exceptions import (  # pyright: ignore[reportMissingTypeStubs]
    BotoCoreError,
    ClientError,
    ConnectionError,  # noqa: A004 - botocore's
    ConnectTimeoutError,
    EventStreamError,
    HTTPClientError,
    NoCredentialsError,
    PartialCredentialsError,
    ReadTimeoutError,
)

from bascule.chat.connectors.assembling import Assembly
from bascule.chat.connectors.exchanges import exchanges
from bascule.chat.connectors.patience import patient
from bascule.chat.connectors.schemas import plain
from bascule.chat.connectors.wording import failure
from bascule.chat.models import (
    Answered,
    Entry,
    FailureKind,
    Finished,
    ModelCard,
    ModelEvent,
    ModelFailure,
    ModelRequest,
    ModelTool,
    Returned,
    Said,
    StopReason,
    Text,
)
from bascule.chat.parts import JsonObject

_CONNECT_SECONDS: Final = 10


@dataclass(frozen=True, slots=True)
class BedrockConfig:
    """Which model, and where. `endpoint`: "" for the region's own.

    `timeout_seconds` is the longest silence, not the longest answer.
    """

    model: str
    region: str
    endpoint: str = ""
    timeout_seconds: float = 60.0


class BedrockModel:
    """As `Model`; connects with the first question."""

    def __init__(self, config: BedrockConfig) -> None:
        self._config = config
        self._stack = AsyncExitStack()
        self._client: Any = None
        self._opening = asyncio.Lock()
        self._has_temperature = True

    @property
    def card(self) -> ModelCard:
        """What it is."""
        return ModelCard(self._config.model, "bedrock", self._config.model)

    async def answer(self, request: ModelRequest) -> AsyncIterator[ModelEvent]:
        """As `Model.answer`."""
        seconds = self._config.timeout_seconds
        with _failures():
            async with asyncio.timeout(_CONNECT_SECONDS + seconds):
                stream = await self._open(request)
            reading = _Reading()
            try:
                async for event in patient(aiter(stream), seconds):
                    for told in reading.take(event):
                        yield told
            finally:
                stream.close()
            for told in reading.end():
                yield told

    async def aclose(self) -> None:
        """Close its connections."""
        await self._stack.aclose()

    async def _open(self, request: ModelRequest) -> Any:
        client = await self._connected()
        while True:
            has_temperature = self._has_temperature
            question = _question(self._config.model, request, has_temperature=has_temperature)
            try:
                return (await client.converse_stream(**question))["stream"]
            except ClientError as refused:
                # Newer models take none, and say so in words only.
                if not has_temperature or not _is_about_temperature(refused):
                    raise
                self._has_temperature = False

    async def _connected(self) -> Any:
        async with self._opening:
            if self._client is None:
                config = AioConfig(
                    connect_timeout=_CONNECT_SECONDS,
                    read_timeout=self._config.timeout_seconds,
                    # It would try again by itself without anybody being told.
                    retries={"total_max_attempts": 1},
                )
                client = shared_session().create_client(
                    "bedrock-runtime",
                    region_name=self._config.region,
                    endpoint_url=self._config.endpoint or None,
                    config=config,
                )
                self._client = await self._stack.enter_async_context(client)
            return self._client


@cache
def shared_session() -> Any:
    """One for the process: the descriptions of services that it reads take a second."""
    return AioSession()


class _Reading:
    """The events of one answer, read into ours."""

    def __init__(self) -> None:
        self._calls = Assembly()
        self._reason = ""
        self._tokens_in = 0
        self._tokens_out = 0

    def take(self, event: JsonObject) -> Iterator[ModelEvent]:
        """What is new in `event`, which has one member. Other kinds are passed over."""
        for kind, value in event.items():
            told = cast("dict[str, Any]", value)
            if kind == "contentBlockStart" and "toolUse" in told["start"]:
                call = told["start"]["toolUse"]
                self._calls.begin(told["contentBlockIndex"], call["toolUseId"], call["name"])
            elif kind == "contentBlockDelta":
                delta = told["delta"]
                if delta.get("text"):
                    yield Text(delta["text"])
                elif "toolUse" in delta:
                    self._calls.add(told["contentBlockIndex"], delta["toolUse"]["input"])
            elif kind == "messageStop":
                self._reason = told["stopReason"]
            elif kind == "metadata":
                usage = told.get("usage", {})
                self._tokens_in = usage.get("inputTokens", 0)
                self._tokens_out = usage.get("outputTokens", 0)

    def end(self) -> Iterator[ModelEvent]:
        """The calls, and the end.

        Raises:
            ModelFailure: the answer broke off, or cannot be used.
        """
        if not self._reason:
            raise failure(FailureKind.UNREACHABLE, "the answer broke off before its end")
        if self._reason in _BAD:
            raise failure(_BAD[self._reason], self._reason)
        stop = _STOPS.get(self._reason, StopReason.END)
        if stop in {StopReason.END, StopReason.TOOLS}:
            yield from self._calls.calls()
            stop = StopReason.TOOLS if len(self._calls) else StopReason.END
        yield Finished(stop, self._tokens_in, self._tokens_out)


_STOPS: Final = {
    "max_tokens": StopReason.LENGTH,
    "guardrail_intervened": StopReason.FILTERED,
    "content_filtered": StopReason.FILTERED,
    "tool_use": StopReason.TOOLS,
}
_BAD: Final = {
    "model_context_window_exceeded": FailureKind.TOO_LONG,
    "malformed_model_output": FailureKind.REJECTED,
    "malformed_tool_use": FailureKind.REJECTED,
}


def _question(model: str, request: ModelRequest, *, has_temperature: bool) -> JsonObject:
    inference: JsonObject = {"maxTokens": request.max_tokens}
    if has_temperature:
        inference["temperature"] = request.temperature
    question: JsonObject = {
        "modelId": model,
        "system": [{"text": request.instructions}],
        "messages": [
            {"role": role, "content": [block for one in group for block in _blocks(one)]}
            for role, group in exchanges(request.entries)
        ],
        "inferenceConfig": inference,
    }
    has_calls = any(isinstance(one, Answered) and one.wanted for one in request.entries)
    # A history with calls is refused where no tool is left.
    tools = request.tools or ((_NO_TOOL,) if has_calls else ())
    if tools:
        question["toolConfig"] = {"tools": _tools(tools)}
    return question


_NO_TOOL: Final = ModelTool("no_tool", "There is no tool any more. Do not call this.", {})


def _blocks(entry: Entry) -> Iterator[JsonObject]:
    if isinstance(entry, Returned):
        status = "error" if entry.is_error else "success"
        content = [{"text": entry.text or "(nothing)"}]
        yield {"toolResult": {"toolUseId": entry.id, "content": content, "status": status}}
    elif isinstance(entry, Said):
        yield {"text": entry.text}
    else:
        yield from _answered(entry)


def _answered(entry: Answered) -> Iterator[JsonObject]:
    if entry.text.strip():  # an empty block is refused
        yield {"text": entry.text}
    for call in entry.wanted:
        yield {"toolUse": {"toolUseId": call.id, "name": call.name, "input": call.arguments}}


def _tools(tools: Sequence[ModelTool]) -> list[JsonObject]:
    return [
        {
            "toolSpec": {
                "name": tool.name,
                "description": tool.description or tool.name,  # an empty one is refused
                "inputSchema": {"json": plain(tool.input_schema)},
            }
        }
        for tool in tools
    ]


@contextmanager
def _failures() -> Generator[None]:
    try:
        yield
    except ModelFailure:
        raise
    except (TimeoutError, ConnectTimeoutError, ReadTimeoutError) as slow:
        raise failure(FailureKind.TIMED_OUT, repr(slow)) from slow
    except (NoCredentialsError, PartialCredentialsError) as missing:
        raise failure(FailureKind.UNAUTHORISED, str(missing)) from missing
    except (ConnectionError, HTTPClientError, aiohttp.ClientError, OSError) as gone:
        raise failure(FailureKind.UNREACHABLE, repr(gone)) from gone
    except (ClientError, EventStreamError) as refused:
        raise _refusal(refused) from refused
    except (BotoCoreError, ParserError, KeyError, TypeError, ValueError) as odd:
        raise failure(FailureKind.REJECTED, f"not understood: {odd!r}") from odd


def _refusal(refused: ClientError) -> ModelFailure:
    response = cast("dict[str, Any]", refused.response)
    error = response.get("Error", {})
    # In the middle of a stream the code begins with a small letter.
    code, message = str(error.get("Code", "")), str(error.get("Message", ""))
    kind = _KINDS.get(code[:1].upper() + code[1:], FailureKind.REJECTED)
    if kind is FailureKind.REJECTED and _is_about_length(message):
        kind = FailureKind.TOO_LONG
    elif kind is FailureKind.REJECTED and "model identifier is invalid" in message:
        kind = FailureKind.NO_SUCH_MODEL
    return failure(kind, f"{code}: {message}")


def _is_about_temperature(refused: ClientError) -> bool:
    error = cast("dict[str, Any]", refused.response).get("Error", {})
    is_ours = error.get("Code") == "ValidationException"
    return is_ours and "temperature" in str(error.get("Message", ""))


def _is_about_length(message: str) -> bool:
    return "too long" in message.lower() or "maximum context" in message.lower()


_KINDS: Final = {
    "AccessDeniedException": FailureKind.UNAUTHORISED,
    "UnrecognizedClientException": FailureKind.UNAUTHORISED,
    "ExpiredTokenException": FailureKind.UNAUTHORISED,
    "InvalidSignatureException": FailureKind.UNAUTHORISED,
    "ThrottlingException": FailureKind.RATE_LIMITED,
    "ServiceQuotaExceededException": FailureKind.RATE_LIMITED,
    "ModelNotReadyException": FailureKind.OVERLOADED,
    "ResourceNotFoundException": FailureKind.NO_SUCH_MODEL,
    "ModelTimeoutException": FailureKind.TIMED_OUT,
    "InternalServerException": FailureKind.OVERLOADED,
    "ServiceUnavailableException": FailureKind.OVERLOADED,
    "ModelErrorException": FailureKind.OVERLOADED,
    "ModelStreamErrorException": FailureKind.OVERLOADED,
    "ValidationException": FailureKind.REJECTED,
}
