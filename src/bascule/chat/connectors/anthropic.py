"""Anthropic's Messages API, by Anthropic's library."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

import anthropic
from anthropic import AsyncAnthropic, AsyncStream, Omit, omit
from anthropic.types import RawMessageStreamEvent

from bascule.chat.connectors.assembling import Assembly
from bascule.chat.connectors.connecting import (
    Library,
    discreet,
    explained,
    http_client,
    meaning_of,
    require_events,
)
from bascule.chat.connectors.exchanges import exchanges
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

_ADDRESS: Final = "https://api.anthropic.com"
"""Named, so that no variable of the environment leads elsewhere."""


@dataclass(frozen=True, slots=True)
class AnthropicConfig:
    """Which model. `timeout_seconds` is the longest silence, not the longest answer."""

    model: str
    api_key: str
    base_url: str | None = None
    timeout_seconds: float = 60.0


class AnthropicModel:
    """As `Model`. The temperature is not sent: newer models of this provider take none."""

    def __init__(self, config: AnthropicConfig) -> None:
        self._config = config
        # It would try again by itself, twice, without anybody being told.
        self._client = AsyncAnthropic(
            api_key=config.api_key,
            base_url=config.base_url or _ADDRESS,
            http_client=http_client(anthropic.DefaultAsyncHttpxClient, config.timeout_seconds),
            max_retries=0,
        )

    @property
    def card(self) -> ModelCard:
        """What it is."""
        return ModelCard(self._config.model, "anthropic", self._config.model)

    async def answer(self, request: ModelRequest) -> AsyncIterator[ModelEvent]:
        """As `Model.answer`."""
        seconds = self._config.timeout_seconds
        with (
            discreet(self._config.api_key),
            explained(_LIBRARY, anthropic.APIStatusError, _refusal),
        ):
            async with asyncio.timeout(seconds):
                stream = await self._open(request)
            reading = _Reading()
            try:
                await require_events(stream.response)
                async for event in patient(aiter(stream), seconds):
                    for told in reading.take(event):
                        yield told
            finally:
                await stream.close()
            for told in reading.end():
                yield told

    async def _open(self, request: ModelRequest) -> AsyncStream[RawMessageStreamEvent]:
        create = cast("Callable[..., Any]", self._client.messages.create)
        return await create(
            model=self._config.model,
            max_tokens=request.max_tokens,
            system=request.instructions,
            messages=_messages(request.entries),
            tools=_tools(request.tools),
            metadata={"user_id": request.user},
            stream=True,
        )

    async def aclose(self) -> None:
        """Close its connections."""
        await self._client.close()


class _Reading:
    """The events of one answer, read into ours."""

    def __init__(self) -> None:
        self._calls = Assembly()
        self._reason = ""
        self._tokens_in = 0
        self._tokens_out = 0

    def take(self, event: RawMessageStreamEvent) -> Iterator[ModelEvent]:
        """What is new in `event`. Kinds that came later than this are passed over."""
        if event.type == "message_start":
            usage = event.message.usage
            cached = (usage.cache_read_input_tokens or 0) + (usage.cache_creation_input_tokens or 0)
            self._tokens_in = usage.input_tokens + cached
        elif event.type == "content_block_start":
            block = event.content_block
            if block.type == "tool_use":
                self._calls.begin(event.index, block.id, block.name)
            elif block.type == "text" and block.text:
                yield Text(block.text)
        elif event.type == "content_block_delta":
            delta = event.delta
            if delta.type == "text_delta":
                yield Text(delta.text)
            elif delta.type == "input_json_delta":
                self._calls.add(event.index, delta.partial_json)
        elif event.type == "message_delta":
            self._reason = event.delta.stop_reason or self._reason
            self._tokens_out = event.usage.output_tokens

    def end(self) -> Iterator[ModelEvent]:
        """The calls, and the end.

        Raises:
            ModelFailure: the answer broke off, or there was no room for one.
        """
        if not self._reason:
            raise failure(FailureKind.UNREACHABLE, "the answer broke off before its end")
        if self._reason == "model_context_window_exceeded":
            raise failure(FailureKind.TOO_LONG, self._reason)
        stop = _STOPS.get(self._reason, StopReason.END)
        if stop in {StopReason.END, StopReason.TOOLS}:
            yield from self._calls.calls()
            stop = StopReason.TOOLS if len(self._calls) else StopReason.END
        yield Finished(stop, self._tokens_in, self._tokens_out)


_STOPS: Final = {
    "max_tokens": StopReason.LENGTH,
    "refusal": StopReason.FILTERED,
    "tool_use": StopReason.TOOLS,
}


def _messages(entries: Sequence[Entry]) -> list[dict[str, object]]:
    return [
        {"role": role, "content": [block for one in group for block in _blocks(one)]}
        for role, group in exchanges(entries)
    ]


def _blocks(entry: Entry) -> Iterator[dict[str, object]]:
    if isinstance(entry, Returned):
        yield {
            "type": "tool_result",
            "tool_use_id": entry.id,
            "content": entry.text,
            "is_error": entry.is_error,
        }
    elif isinstance(entry, Said):
        yield {"type": "text", "text": entry.text}
    else:
        yield from _answered(entry)


def _answered(entry: Answered) -> Iterator[dict[str, object]]:
    if entry.text.strip():  # an empty block is refused
        yield {"type": "text", "text": entry.text}
    for call in entry.wanted:
        yield {"type": "tool_use", "id": call.id, "name": call.name, "input": call.arguments}


def _tools(tools: Sequence[ModelTool]) -> list[dict[str, object]] | Omit:
    if not tools:
        return omit
    return [
        {
            "name": tool.name,
            "description": tool.description,
            "input_schema": plain(tool.input_schema),
        }
        for tool in tools
    ]


_LIBRARY: Final = Library(
    anthropic.APITimeoutError, anthropic.APIConnectionError, anthropic.AnthropicError
)


def _refusal(refused: anthropic.APIStatusError) -> ModelFailure:
    status, sort = refused.status_code, _sort_of(refused.body)
    kind = _SORTS.get(sort) or meaning_of(status)
    if kind is FailureKind.REJECTED and "prompt is too long" in refused.message:
        kind = FailureKind.TOO_LONG
    wait = seconds_of(refused.response.headers.get("retry-after"))
    return failure(kind, f"{status} {sort}: {refused.message}", retry_after_seconds=wait)


def _sort_of(body: object) -> str:
    inner = cast("dict[str, Any]", body).get("error") if isinstance(body, dict) else None
    return str(cast("dict[str, Any]", inner).get("type", "")) if isinstance(inner, dict) else ""


_SORTS: Final = {
    "authentication_error": FailureKind.UNAUTHORISED,
    "permission_error": FailureKind.UNAUTHORISED,
    "billing_error": FailureKind.UNAUTHORISED,
    "not_found_error": FailureKind.NO_SUCH_MODEL,
    "request_too_large": FailureKind.TOO_LONG,
    "rate_limit_error": FailureKind.RATE_LIMITED,
    "timeout_error": FailureKind.TIMED_OUT,
    "overloaded_error": FailureKind.OVERLOADED,
    "api_error": FailureKind.OVERLOADED,
    "invalid_request_error": FailureKind.REJECTED,
}
