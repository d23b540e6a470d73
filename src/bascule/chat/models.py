"""The port to language models: what is asked of one, what it streams, how it fails."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol, TypeAlias

from bascule.chat.parts import CallState, JsonObject


@dataclass(frozen=True, slots=True)
class ModelTool:
    """A tool as a model is told of it. `name` fits every provider: `[a-zA-Z0-9_-]{1,64}`."""

    name: str
    description: str
    input_schema: JsonObject
    title: str = ""
    output_schema: JsonObject | None = None
    risk: str = "read"


@dataclass(frozen=True, slots=True)
class Said:
    """What a person wrote."""

    text: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """A call that the model asked for. `arguments` are whole and decoded."""

    id: str
    name: str
    arguments: JsonObject


@dataclass(frozen=True, slots=True)
class Answered:
    """What the model wrote, and the calls it asked for, in one of its turns."""

    text: str
    wanted: Sequence[Wanted] = ()


@dataclass(frozen=True, slots=True)
class Returned:
    """What came of a call: text for the model, bounded; untrusted, whatever it says."""

    id: str
    name: str
    text: str
    is_error: bool = False
    structured: JsonObject | None = None
    state: CallState = CallState.DONE
    """As the call ended; `is_error` where it is not `DONE`."""
    decided: str = ""
    """What the person decided about it, as `CallPart.decided`."""


Entry: TypeAlias = Said | Answered | Returned
"""Each `Answered` with calls is followed by one `Returned` for each of them, in their order."""


@dataclass(frozen=True, slots=True)
class ModelRequest:
    """What a model is asked. `user` is a pseudonym of the person, for the provider's abuse checks.

    `max_tokens` bounds the answer. `now` is the time of the person, ISO 8601 with its offset.
    """

    instructions: str
    entries: Sequence[Entry]
    tools: Sequence[ModelTool]
    max_tokens: int
    temperature: float
    user: str
    now: str


@dataclass(frozen=True, slots=True)
class Text:
    """A piece of the answer's text."""

    text: str


class StopReason(StrEnum):
    """Why a model stopped."""

    END = "end"
    TOOLS = "tools"
    LENGTH = "length"
    FILTERED = "filtered"


@dataclass(frozen=True, slots=True)
class Finished:
    """The end of an answer; always the last event. Tokens are 0 where the provider is silent."""

    reason: StopReason
    tokens_in: int = 0
    tokens_out: int = 0


ModelEvent: TypeAlias = Text | Wanted | Finished


class FailureKind(StrEnum):
    """How asking a model fails, as far as anybody would do something else about it."""

    UNREACHABLE = "unreachable"
    TIMED_OUT = "timed_out"
    RATE_LIMITED = "rate_limited"
    OVERLOADED = "overloaded"
    UNAUTHORISED = "unauthorised"
    """The provider does not accept the key: for the operator."""
    NO_SUCH_MODEL = "no_such_model"
    TOO_LONG = "too_long"
    FILTERED = "filtered"
    REJECTED = "rejected"
    """The request was not understood, or the answer was not."""


class ModelFailure(Exception):
    """A model did not answer.

    `public` is for the person; `private` for the log, without keys. `retry_after_seconds` where
    the provider said so.
    """

    def __init__(
        self,
        kind: FailureKind,
        public: str,
        private: str,
        *,
        retry_after_seconds: float | None = None,
    ) -> None:
        super().__init__(private)
        self.kind = kind
        self.public = public
        self.private = private
        self.retry_after_seconds = retry_after_seconds


@dataclass(frozen=True, slots=True)
class ModelCard:
    """What a person is told of the model they talk to."""

    id: str
    provider: str
    label: str
    is_language_model: bool = True
    note: str = ""
    limits: JsonObject = field(default_factory=dict[str, object])


class Model(Protocol):
    """A model of a provider. One is shared by all turns; it keeps nothing between them."""

    @property
    def card(self) -> ModelCard:
        """What it is."""
        ...

    def answer(self, request: ModelRequest) -> AsyncIterator[ModelEvent]:
        """Stream the answer to `request`: texts and calls, then one `Finished`.

        Closing the iterator ends the request to the provider.

        Raises:
            ModelFailure: on the first or a later step.
        """
        ...

    async def aclose(self) -> None:
        """Close its connections."""
        ...
