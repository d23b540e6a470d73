"""The port to where conversations are kept: of one owner in one tenant, never of another."""

from collections.abc import Sequence
from typing import ClassVar, Protocol

import msgspec

from bascule.chat.parts import Message
from bascule.gateway.errors import ErrorCode, GatewayError


class Superseded(GatewayError):
    """Somebody else has saved the message since it was read. Nothing was kept; read it again."""

    error: ClassVar[ErrorCode] = ErrorCode.CONFLICT


class Conversation(msgspec.Struct, omit_defaults=True):
    """A conversation. Times are in seconds since the epoch.

    `head_id` is the message at the end of the branch that is shown. `allowed` are the tools that
    the person lets it use without being asked again. `is_titled`: by a person, so never by a model.
    """

    id: str
    title: str
    created_at: float
    updated_at: float
    head_id: str | None = None
    is_pinned: bool = False
    is_titled: bool = False
    allowed: list[str] = []
    deleted_at: float | None = None


class Store(Protocol):
    """Conversations of one owner. What it is asked about another's does not exist.

    Every method that writes is durable when it returns.

    Raises:
        NotFound: there is no such conversation or message.
        GatewayError: the database does not answer.
    """

    async def conversation(self, conversation_id: str) -> Conversation:
        """The conversation of this id, unless it is deleted."""
        ...

    async def branch(self, conversation_id: str, leaf_id: str) -> Sequence[Message]:
        """The messages from the first one to `leaf_id`."""
        ...

    async def message(self, message_id: str) -> Message:
        """The message of this id."""
        ...

    async def everything(self, conversation_id: str) -> Sequence[Message]:
        """The messages of all branches, the oldest first."""
        ...

    async def add(self, *messages: Message) -> None:
        """Add messages, all or none, and make the last the head of its conversation."""
        ...

    async def save(self, message: Message) -> None:
        """Keep what `message` has become: parts, status and tokens; its `version` rises.

        Raises:
            Superseded: it is not of this version any more.
        """
        ...

    async def tokens_since(self, at: float) -> int:
        """The tokens of the owner's answers that began then or later, in and out."""
        ...

    async def allow(self, conversation_id: str, tool: str) -> None:
        """Let the conversation use `tool` without being asked again."""
        ...

    async def retitle(self, conversation_id: str, title: str) -> None:
        """Give a title, unless a person has given one."""
        ...
