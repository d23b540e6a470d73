"""OpenAI, Azure OpenAI, and servers that speak OpenAI's Chat Completions, by OpenAI's library."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, cast

import msgspec
import openai
from openai import AsyncAzureOpenAI, AsyncOpenAI, AsyncStream, Omit, omit
from openai.types.chat import ChatCompletionChunk

from bascule.chat.connectors.assembling import Assembly
from bascule.chat.connectors.connecting import (
    Library,
    discreet,
    explained,
    http_client,
    meaning_of,
    require_events,
)
from bascule.chat.connectors.patience import patient
from bascule.chat.connectors.schemas import plain
from bascule.chat.connectors.wording import failure, seconds_of
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

_NO_KEY: Final = "none"
"""Local servers want no key, and the library wants one to send."""
_ADDRESS: Final = "https://api.openai.com/v1"
"""Named, so that no variable of the environment leads elsewhere."""


class Flavour(StrEnum):
    """Who answers."""

    OPENAI = "openai"
    AZURE = "azure"
    COMPATIBLE = "compatible"


@dataclass(frozen=True, slots=True)
class OpenAIConfig:
    """Where the model is. `model` is the deployment for Azure, whose `base_url` is the resource's.

    `timeout_seconds` is the longest silence, not the longest answer.
    """

    model: str
    api_key: str = ""
    base_url: str | None = None
    api_version: str = "2024-10-21"
    timeout_seconds: float = 60.0
    flavour: Flavour = Flavour.OPENAI


class OpenAIModel:
    """As `Model`. Parameters that the server turns down by name are left out from then on."""

    def __init__(self, config: OpenAIConfig) -> None:
        self._config = config
        self._client = _client(config)
        self._unwanted: set[str] = set()

    @property
    def card(self) -> ModelCard:
        """What it is."""
        return ModelCard(self._config.model, self._config.flavour, self._config.model)

    async def answer(self, request: ModelRequest) -> AsyncIterator[ModelEvent]:
        """As `Model.answer`."""
        seconds = self._config.timeout_seconds
        with discreet(self._config.api_key), explained(_LIBRARY, openai.APIError, _refusal):
            async with asyncio.timeout(seconds):
                stream = await self._open(request)
            reading = _Reading()
            try:
                await require_events(stream.response)
                async for chunk in patient(aiter(stream), seconds):
                    for event in reading.take(chunk):
                        yield event
            finally:
                await stream.close()
            for event in reading.end():
                yield event

    async def aclose(self) -> None:
        """Close its connections."""
        await self._client.close()

    async def _open(self, request: ModelRequest) -> AsyncStream[ChatCompletionChunk]:
        while True:
            left_out = frozenset(self._unwanted)
            try:
                return await self._create(request, left_out)
            except (openai.BadRequestError, openai.UnprocessableEntityError) as refused:
                # Servers, and OpenAI's own models among each other, differ in what they know.
                unwanted = _unwanted(refused)
                if unwanted is None or unwanted in left_out:
                    raise
                self._unwanted.add(unwanted)

    async def _create(
        self, request: ModelRequest, left_out: frozenset[str]
    ) -> AsyncStream[ChatCompletionChunk]:
        create = cast(
            "Callable[..., Any]", self._client.chat.completions.create
        )  # its types name each parameter of each of its overloads
        wanted: dict[str, object] = {
            "temperature": request.temperature,
            "stream_options": {"include_usage": True},
            "safety_identifier": request.user,
        }
        # Newer models take the one, older servers the other.
        bounds = ["max_completion_tokens", "max_tokens"]
        if self._config.flavour is Flavour.COMPATIBLE:
            del wanted["safety_identifier"]
            bounds.reverse()
        bound = next((name for name in bounds if name not in left_out), bounds[0])
        return await create(
            model=self._config.model,
            messages=_messages(request),
            tools=_tools(request.tools),
            stream=True,
            **{bound: request.max_tokens},
            **{name: given for name, given in wanted.items() if name not in left_out},
        )


class _Reading:
    """The chunks of one answer, read into events."""

    def __init__(self) -> None:
        self._calls = Assembly()
        self._reason = ""
        self._tokens_in = 0
        self._tokens_out = 0

    def take(self, chunk: ChatCompletionChunk) -> Iterator[ModelEvent]:
        """What is new in `chunk`."""
        if chunk.usage is not None:
            self._tokens_in = chunk.usage.prompt_tokens or 0
            self._tokens_out = chunk.usage.completion_tokens or 0
        for choice in chunk.choices or ():
            self._reason = choice.finish_reason or self._reason
            # Compatible servers send chunks without one.
            delta = cast("Any", choice.delta)
            if delta is None:
                continue
            text = _text(delta.content) or _text(delta.refusal)
            if text:
                yield Text(text)
            for position, piece in enumerate(delta.tool_calls or ()):
                self._take_call(position, piece)

    def _take_call(self, position: int, piece: Any) -> None:
        at = position if piece.index is None else piece.index
        function = piece.function
        name = (function and function.name) or ""
        # Gemini and older versions of Ollama give each call the same position.
        self._calls.begin(at, piece.id or "", name, is_whole=piece.index is None)
        if function is not None and function.arguments:
            self._calls.add(at, function.arguments)

    def end(self) -> Iterator[ModelEvent]:
        """The calls, and the end.

        Raises:
            ModelFailure: the answer broke off.
        """
        if not self._reason:
            raise failure(FailureKind.UNREACHABLE, "the answer broke off before its end")
        if self._reason not in {"content_filter", "length"}:
            yield from self._calls.calls()
        yield Finished(self._stop, self._tokens_in, self._tokens_out)

    @property
    def _stop(self) -> StopReason:
        if self._reason == "content_filter":
            return StopReason.FILTERED
        if self._reason == "length":
            return StopReason.LENGTH
        return StopReason.TOOLS if len(self._calls) else StopReason.END


def _text(content: Any) -> str:
    """The text of a delta, which Mistral's models send as a list of blocks where they think."""
    if isinstance(content, str):
        return content
    blocks = cast("list[Any]", content) if isinstance(content, list) else []
    texts = [cast("dict[str, Any]", one).get("text") for one in blocks if isinstance(one, dict)]
    return "".join(text for text in texts if isinstance(text, str))


def _client(config: OpenAIConfig) -> AsyncOpenAI:
    # It would try again by itself, twice, without anybody being told.
    common: dict[str, Any] = {
        "max_retries": 0,
        "http_client": http_client(openai.DefaultAsyncHttpxClient, config.timeout_seconds),
    }
    if config.flavour is Flavour.AZURE:
        return AsyncAzureOpenAI(
            azure_endpoint=config.base_url or "",
            azure_deployment=config.model,
            api_version=config.api_version,
            api_key=config.api_key or _NO_KEY,
            **common,
        )
    address = config.base_url or _ADDRESS
    return AsyncOpenAI(api_key=config.api_key or _NO_KEY, base_url=address, **common)


def _messages(request: ModelRequest) -> list[dict[str, object]]:
    messages: list[dict[str, object]] = [{"role": "system", "content": request.instructions}]
    return messages + [_message(entry) for entry in request.entries]


def _message(entry: Entry) -> dict[str, object]:
    if isinstance(entry, Said):
        return {"role": "user", "content": entry.text}
    if isinstance(entry, Returned):
        return {"role": "tool", "tool_call_id": entry.id, "content": entry.text}
    return _answered(entry)


def _answered(entry: Answered) -> dict[str, object]:
    message: dict[str, object] = {"role": "assistant", "content": entry.text or None}
    if entry.wanted:
        message["tool_calls"] = [
            {
                "id": call.id,
                "type": "function",
                "function": {
                    "name": call.name,
                    "arguments": msgspec.json.encode(call.arguments).decode(),
                },
            }
            for call in entry.wanted
        ]
    return message


def _tools(tools: Sequence[ModelTool]) -> list[dict[str, object]] | Omit:
    if not tools:
        return omit  # an empty list is refused
    return [
        {
            "type": "function",
            "function": {
                "name": tool.name,
                "description": tool.description,
                "parameters": plain(tool.input_schema),
            },
        }
        for tool in tools
    ]


_OPTIONAL: Final = re.compile(
    r"\b(temperature|stream_options|safety_identifier|max_completion_tokens|max_tokens)\b"
)


def _unwanted(refused: openai.APIStatusError) -> str | None:
    """The parameter that a server does not take; None where that is not why it refused."""
    # A message may name what to use in its place, behind what it is about.
    found = _OPTIONAL.search(refused.param or str(refused.body or refused.message))
    return found[0] if found else None


_LIBRARY: Final = Library(openai.APITimeoutError, openai.APIConnectionError, openai.OpenAIError)


def _refusal(refused: openai.APIError) -> ModelFailure:
    code, wait = refused.code or refused.type or "", None
    if isinstance(refused, openai.APIStatusError):
        status = refused.status_code
        wait = seconds_of(refused.response.headers.get("retry-after"))
        private = f"{status} {code}: {refused.message}"
    else:  # some servers give the status as the code
        status = int(str(code)) if str(code).isdecimal() else 0
        private = f"in the stream {code}: {refused.body or refused.message}"
    kind = _CODES.get(refused.code or "") or _CODES.get(refused.type or "") or meaning_of(status)
    return failure(kind, private, retry_after_seconds=wait)


_CODES: Final = {
    "context_length_exceeded": FailureKind.TOO_LONG,
    "string_above_max_length": FailureKind.TOO_LONG,
    "content_filter": FailureKind.FILTERED,
    "content_policy_violation": FailureKind.FILTERED,
    "insufficient_quota": FailureKind.UNAUTHORISED,
    "model_not_found": FailureKind.NO_SUCH_MODEL,
    "DeploymentNotFound": FailureKind.NO_SUCH_MODEL,
    "invalid_api_key": FailureKind.UNAUTHORISED,
    "rate_limit_exceeded": FailureKind.RATE_LIMITED,
    "server_error": FailureKind.OVERLOADED,
}
