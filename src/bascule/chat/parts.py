"""What a message is made of. Stored as JSON: a member may be added, none may change its meaning."""

from enum import StrEnum
from typing import TypeAlias

import msgspec

JsonObject: TypeAlias = dict[str, object]


class CallState(StrEnum):
    """How far a tool call has come. What is not `is_open` never changes again."""

    NEEDS_APPROVAL = "needs_approval"
    """Waits for the person: the tool may change something, and was not allowed yet."""
    QUEUED = "queued"
    RUNNING = "running"
    NEEDS_ELEVATION = "needs_elevation"
    """Waits until somebody else has agreed; `url` leads to the request."""
    NEEDS_CONSENT = "needs_consent"
    """Waits until the person has connected an account at `url`."""
    NEEDS_INPUT = "needs_input"
    """Waits for an answer to a question of the server (elicitation)."""
    DONE = "done"
    FAILED = "failed"
    """The tool said no, or could not be reached."""
    DENIED = "denied"
    """The person said no, did not answer in time, or a policy refuses it."""
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"
    """It was under way when the gateway stopped, and may have acted: never made again by itself."""

    @property
    def is_open(self) -> bool:
        """Whether something can still become of it."""
        return self in _OPEN

    @property
    def waits_for_person(self) -> bool:
        """Whether it goes on only once somebody has answered."""
        return self in _WAITING


_WAITING = frozenset(
    {
        CallState.NEEDS_APPROVAL,
        CallState.NEEDS_ELEVATION,
        CallState.NEEDS_CONSENT,
        CallState.NEEDS_INPUT,
    }
)
_OPEN = _WAITING | {CallState.QUEUED, CallState.RUNNING}


class TextPart(msgspec.Struct, tag="text", omit_defaults=True):
    """Markdown that the person or the model wrote. Shown without HTML and remote images."""

    text: str


class InputRequest(msgspec.Struct, omit_defaults=True):
    """A question that a server puts through the gateway (specification, client/elicitation).

    `schema` is the restricted JSON Schema of a form; `url` an address to open, for which there is
    no form. `id` is its key among the `inputRequests`.
    """

    id: str
    message: str
    schema: JsonObject | None = None
    url: str = ""


class CallPart(msgspec.Struct, tag="call", omit_defaults=True):
    """One tool call, from the model's wish to what came of it.

    Times are in seconds since the epoch. `content` and `structured` are those of the result of
    MCP, and untrusted; `error` is the sentence for the caller. `key` is sent as the idempotency
    key, the same however often the call is made again. `secret_state` is the sealed state of a
    question, and never leaves the service.
    """

    id: str
    tool: str
    arguments: JsonObject
    state: CallState
    title: str = ""
    server: str = ""
    """The bundle or server whose tool it is, as a person knows it."""
    risk: str = "read"
    key: str = ""
    started_at: float | None = None
    ended_at: float | None = None
    latency_ms: float | None = None
    content: list[JsonObject] = []
    structured: JsonObject | None = None
    error: str = ""
    error_code: str = ""
    correlation_id: str = ""
    rule: str = ""
    """The rule that let it pass or refused it, as the record has it."""
    url: str = ""
    inputs: list[InputRequest] = []
    expires_at: float | None = None
    """Until when an answer of the person counts; then it is denied."""
    decided: str = ""
    """What the person said: `once`, `conversation`, `deny`; or `expired`."""
    reason: str = ""
    """Why it was denied, in the person's words."""
    progress: float | None = None
    progress_total: float | None = None
    progress_message: str = ""
    secret_state: str = ""
    answers: JsonObject | None = None
    """What the person answered to `inputs`, until the call has gone on with it."""
    made_before_at: float | None = None
    """When the same call was last made in this conversation, and has acted or may have."""
    is_edited: bool = False
    """The person changed the arguments before agreeing."""


class NoticePart(msgspec.Struct, tag="notice", omit_defaults=True):
    """Something the service has to say: a model that cannot be reached, a limit, a stop.

    `code` is for programs (see `NoticeCode`), `text` for people.
    """

    code: str
    text: str


class NoticeCode(StrEnum):
    """Why a turn ended, where it was not the model's choice; `QUESTION_REFUSED` ends none."""

    MODEL_UNAVAILABLE = "model_unavailable"
    MODEL_RATE_LIMITED = "model_rate_limited"
    MODEL_REFUSED = "model_refused"
    """The provider's content filter."""
    MODEL_MISCONFIGURED = "model_misconfigured"
    CONTEXT_FULL = "context_full"
    TOO_MANY_STEPS = "too_many_steps"
    TRUNCATED = "truncated"
    """The longest answer was reached."""
    STOPPED = "stopped"
    """By the person."""
    INTERRUPTED = "interrupted"
    """The gateway stopped in the middle, and nobody took it up again."""
    FAILED = "failed"
    BUDGET_SPENT = "budget_spent"
    """The person has used the tokens of a day."""
    QUESTION_REFUSED = "question_refused"
    """A server asked for a secret, or for what no form can show. The turn went on."""


Part: TypeAlias = TextPart | CallPart | NoticePart


class Role(StrEnum):
    """Who a message is by."""

    USER = "user"
    ASSISTANT = "assistant"


class MessageStatus(StrEnum):
    """How a message stands. One of the assistant begins as `running`."""

    COMPLETE = "complete"
    RUNNING = "running"
    WAITING = "waiting"
    """For the person: some of its calls are in a state that `waits_for_person`."""
    STOPPED = "stopped"
    FAILED = "failed"


class Message(msgspec.Struct, omit_defaults=True):
    """One message. `parent_id` makes a tree: an edit or a retry is a sibling of what it replaces.

    One of the assistant holds the steps of a turn, one after the other. Each step of the model
    begins with exactly one `TextPart`, which is empty where the model wrote nothing; the calls it
    asked for follow. So calls of one step are never taken for those of the next.

    `tokens_in` and `tokens_out` are what the provider counted for the whole turn. `at` in seconds
    since the epoch. `version` is how often it was saved, and never leaves the service.
    """

    id: str
    conversation_id: str
    role: Role
    parts: list[Part]
    status: MessageStatus
    at: float
    parent_id: str | None = None
    model: str = ""
    tokens_in: int = 0
    tokens_out: int = 0
    version: int = 0


class Choice(StrEnum):
    """What a person says about a call that waits for approval."""

    ONCE = "once"
    CONVERSATION = "conversation"
    """This tool, for the rest of the conversation."""
    DENY = "deny"


def text_of(message: Message) -> str:
    """The text of `message` without its calls."""
    texts = (part.text for part in message.parts if isinstance(part, TextPart))
    return "\n\n".join(text for text in texts if text)


def calls_of(message: Message) -> list[CallPart]:
    """The calls of `message`, in their order."""
    return [part for part in message.parts if isinstance(part, CallPart)]
