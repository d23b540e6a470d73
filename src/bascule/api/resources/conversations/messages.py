"""Messages and the events of a stream as the REST API shows them: `bascule.chat` member by member.

Unlike what is stored, every member is always there. The sealed state of questions never is.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, RootModel

from bascule.chat.parts import CallState, MessageStatus


class Shown(BaseModel):
    """What is shown: each member is described below it."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)


class TextPart(Shown):
    """Markdown that the person or the model wrote. Show it without HTML and remote images."""

    type: Literal["text"]
    text: str


class InputRequest(Shown):
    """A question that a server puts: a form, or an address to open."""

    id: str
    """Names the answer to it."""
    message: str
    schema_: Annotated[dict[str, Any] | None, Field(alias="schema")]
    """The restricted JSON Schema of a form (MCP elicitation); None where there is none."""
    url: str
    """An address to open; "" where there is a form."""


class CallPart(Shown):
    """One tool call, from the model's wish to what came of it. What a tool answers is untrusted."""

    type: Literal["call"]
    id: str
    tool: str
    arguments: dict[str, Any]
    state: CallState
    title: str
    """The name for people; may be ""."""
    server: str
    """The bundle or server whose tool it is."""
    risk: str
    """`read`, `write` or `privileged`."""
    key: str
    """The idempotency key, the same however often the call is made again."""
    started_at: float | None
    ended_at: float | None
    latency_ms: float | None
    content: list[dict[str, Any]]
    """The content blocks of the result (MCP)."""
    structured: dict[str, Any] | None
    """The structured content of the result, by the output schema of the tool."""
    error: str
    """The sentence for the person; "" for none."""
    error_code: str
    """As in errors of this API, such as `E1004`; "" for none."""
    correlation_id: str
    """Finds the call in the audit records."""
    rule: str
    """The rule that let it pass or refused it."""
    url: str
    """Where the person has to go first; "" for nowhere."""
    inputs: list[InputRequest]
    """What the server asks."""
    expires_at: float | None
    """Until when an answer of the person counts."""
    decided: str
    """What the person said: `once`, `conversation`, `deny`, or `expired`; "" for nothing yet."""
    reason: str
    """Why it was denied, in the person's words."""
    progress: float | None
    progress_total: float | None
    progress_message: str
    answers: dict[str, Any] | None
    """What the person answered to `inputs`, until the call has gone on with it."""
    made_before_at: float | None
    """When the same call was last made in this conversation, if it was: approve it knowing that."""
    is_edited: bool
    """The person changed the arguments before agreeing."""


class NoticePart(Shown):
    """Something the service has to say."""

    type: Literal["notice"]
    code: str
    """For programs: `model_unavailable`, `too_many_steps`, `stopped` and so on."""
    text: str
    """For people."""


class ChatMessage(Shown):
    """One message. An edit or a retry is a sibling of what it replaces.

    One of the assistant holds the steps of its answer: each begins with a text, which may be
    empty, and its calls follow.
    """

    id: str
    conversation_id: str
    role: Literal["user", "assistant"]
    parts: list[Annotated[TextPart | CallPart | NoticePart, Field(discriminator="type")]]
    status: MessageStatus
    """`waiting`: some of its calls go on only once the person has answered."""
    at: float
    parent_id: str | None
    """The message it follows; None for the first."""
    model: str
    tokens_in: int
    """As the provider counted, for the whole answer."""
    tokens_out: int


class AcceptedEvent(Shown):
    """What was sent is kept as `message`, and `answer` is being made. It has no number."""

    type: Literal["accepted"]
    message: ChatMessage
    answer: ChatMessage


class SnapshotEvent(Shown):
    """The whole message as it stands, in place of all that was told of it before."""

    type: Literal["snapshot"]
    message: ChatMessage


class TextDeltaEvent(Shown):
    """More text at the end of a part; the first begins that part."""

    type: Literal["text_delta"]
    part: int
    """The number of the part, from 0."""
    text: str


class CallEvent(Shown):
    """A call, new or changed, as a whole."""

    type: Literal["call"]
    part: int
    call: CallPart


class NoticeEvent(Shown):
    """A notice, new."""

    type: Literal["notice"]
    part: int
    notice: NoticePart


class TitleEvent(Shown):
    """The conversation has a title now."""

    type: Literal["title"]
    title: str


class EndEvent(Shown):
    """Nothing follows until somebody acts; where `status` is `waiting`, a later stream goes on.

    A stream that ends without it broke off: open it again with the number of its last event.
    """

    type: Literal["end"]
    status: MessageStatus
    tokens_in: int
    tokens_out: int


class ChatEvent(
    RootModel[
        Annotated[
            AcceptedEvent
            | SnapshotEvent
            | TextDeltaEvent
            | CallEvent
            | NoticeEvent
            | TitleEvent
            | EndEvent,
            Field(discriminator="type"),
        ]
    ]
):
    """The `data` of one server-sent event; `type` is its `event`, too, and its `id` a number."""
