"""Conversations as the REST API takes and shows them. Times are in seconds since the epoch."""

from typing import Annotated, Any, Literal

from pydantic import Field

from bascule.api.bodies import Body
from bascule.api.resources.conversations.messages import ChatMessage, Shown
from bascule.chat.parts import Choice

LONGEST_TITLE = 200
_Title = Annotated[str, Field(max_length=LONGEST_TITLE)]


class QuickAction(Shown):
    """Something to begin with."""

    id: str
    label: str
    """What its button says."""
    prompt: str
    """What is written for the person, who may change it."""


class ChatTheme(Shown):
    """How an installation looks."""

    name: str
    colors: dict[str, str]
    """CSS colours by what they are for: `primary`, `accent`, `surface` and so on."""


class ChatModel(Shown):
    """The model that answers."""

    id: str
    provider: str
    label: str
    """How people know it."""
    is_language_model: bool
    """False for the planner that needs no model."""
    note: str
    """What people should know of it; "" for nothing."""
    limits: dict[str, Any]
    """What it can take, as far as known."""


class ChatPerson(Shown):
    """Who talks."""

    name: str


class ChatBounds(Shown):
    """What a page must keep to, or show."""

    text_characters: int
    """The longest message."""
    approval_seconds: float
    """How long an answer about a call is waited for."""


class ChatConfig(Shown):
    """What a chat page needs before the first message."""

    name: str
    """What the assistant is called."""
    model: ChatModel
    greeting: str
    quick_actions: list[QuickAction]
    theme: ChatTheme | None
    """None for the usual look."""
    person: ChatPerson
    limits: ChatBounds


class Conversation(Shown):
    """A conversation, without its messages."""

    id: str
    title: str
    """"" until there is one."""
    created_at: float
    updated_at: float
    """When the newest message came."""
    is_pinned: bool
    head_id: str | None
    """The message at the end of the branch that is shown."""
    allowed: list[str]
    """Tools that the person lets it use without being asked again."""
    snippet: str | None
    """Where a search found it: some text around the first word. None for other requests."""


class ConversationList(Shown):
    """A page of conversations: the pinned ones first, then those with the newest message."""

    conversations: list[Conversation]
    total: int
    page: int
    limit: int


class ConversationDetail(Shown):
    """A conversation with all of its messages, in every branch."""

    conversation: Conversation
    messages: list[ChatMessage]
    """The oldest first. `parent_id` makes a tree of them."""
    head_id: str | None


class MessageList(Shown):
    """The branch that is shown, from the first message to its end."""

    messages: list[ChatMessage]


class ConversationNew(Body):
    """A conversation to begin."""

    title: _Title = ""
    """Left out, one is made of the first message."""


class ConversationChange(Body):
    """What to change; what is left out stays."""

    title: _Title | None = None
    is_pinned: bool | None = None
    head_id: Annotated[str, Field(max_length=64)] | None = None
    """Shows the branch that ends there."""


class MessageNew(Body):
    """What a person says."""

    text: Annotated[str, Field(max_length=1_000_000)]
    after: Annotated[str, Field(max_length=64)] | None = None
    """The message it follows, "" for none; left out, the head. So a message is edited."""


class CallDecision(Body):
    """Whether a call is made."""

    decision: Choice
    """`once`, `conversation` for this tool and the rest of the conversation, or `deny`."""
    arguments: dict[str, Any] | None = None
    """In place of those that the model chose."""
    reason: Annotated[str, Field(max_length=10_000)] = ""
    """Why not; the model is told."""


class QuestionAnswer(Body):
    """An answer to one question (`ElicitResult` of MCP)."""

    action: Literal["accept", "decline", "cancel"]
    content: dict[str, Any] | None = None
    """The values of the form, with `accept`."""


class QuestionAnswers(Body):
    """Answers to the questions of a call, by their ids."""

    answers: Annotated[dict[str, QuestionAnswer], Field(max_length=100)]


class ChatTool(Shown):
    """A tool that the assistant can use for the person."""

    name: str
    title: str
    description: str
    server: str
    """The bundle or server whose tool it is."""
    risk: str
    """`read`, `write` or `privileged`: the last two are asked about first."""
    input_schema: dict[str, Any]


class WithheldChatTool(Shown):
    """A tool that the person would have, if somebody agreed or an account were connected."""

    name: str
    title: str
    why: Literal["elevation", "account"]


class ChatToolList(Shown):
    """The tools that the assistant can use for the person now, and those it could."""

    tools: list[ChatTool]
    withheld: list[WithheldChatTool]
