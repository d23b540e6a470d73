"""Where the assistant keeps the conversations of one owner: its port over the repositories."""

import json
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from bascule.chat.parts import Message, MessageStatus, Part, Role, text_of
from bascule.chat.store import Conversation, Superseded
from bascule.storage.database import Database
from bascule.storage.repositories.chat_messages import (
    ChatMessages,
    MessageDraft,
    StoredMessage,
    no_conversation,
)
from bascule.storage.repositories.conversations import Conversations, StoredConversation
from bascule.storage.repositories.scope import TenantId
from bascule.storage.repositories.tenants import Tenants

_LONGEST_TITLE: Final = 200
_LONGEST_MODEL: Final = 200
_MOST_TOKENS: Final = 2**30 - 1
"""The sum of two fits a column of 32 bits: providers may say anything."""
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(list[Part]).decode


class ConversationStore:
    """A `bascule.chat.store.Store`: each write is a short transaction of its own.

    With an `idempotency_key` the first message of the person that is added bears it.
    """

    def __init__(
        self, database: Database, tenant: str, owner: str, idempotency_key: str | None = None
    ) -> None:
        """`owner` as in `Principal.owner`."""
        self._database = database
        self._tenant = tenant
        self._owner = owner
        self._key = idempotency_key
        self._tenant_id: TenantId | None = None

    async def conversation(self, conversation_id: str) -> Conversation:
        """As `Store.conversation`."""
        async with self.read() as (conversations, _):
            return told(await conversations.get(conversation_of(conversation_id)))

    async def branch(self, conversation_id: str, leaf_id: str) -> Sequence[Message]:
        """As `Store.branch`."""
        async with self.read() as (_, messages):
            found = await messages.branch(conversation_of(conversation_id), leaf_id)
        return [said(one) for one in found]

    async def message(self, message_id: str) -> Message:
        """As `Store.message`."""
        async with self.read() as (_, messages):
            return said(await messages.message(message_id))

    async def everything(self, conversation_id: str) -> Sequence[Message]:
        """As `Store.everything`."""
        async with self.read() as (_, messages):
            found = await messages.messages(conversation_of(conversation_id))
        return [said(one) for one in found]

    async def add(self, *messages: Message) -> None:
        """As `Store.add`.

        Raises:
            Conflict: there is a message with that idempotency key.
        """
        unused = self._key
        async with self.write() as (_, kept):
            for message in messages:
                key = unused if message.role is Role.USER else None
                await kept.add(MessageDraft(_stored(message), _searched(message), key))
                unused = unused if key is None else None
        self._key = unused

    async def save(self, message: Message) -> None:
        """As `Store.save`."""
        async with self.write() as (_, messages):
            if not await messages.save(_stored(message), _searched(message)):
                raise Superseded(
                    "This answer has gone on elsewhere. Load the conversation anew.",
                    private=f"message {message.id} is not of version {message.version} any more",
                )
        message.version += 1

    async def tokens_since(self, at: float) -> int:
        """As `Store.tokens_since`."""
        async with self.read() as (_, messages):
            return await messages.tokens_since(datetime.fromtimestamp(at, UTC))

    async def allow(self, conversation_id: str, tool: str) -> None:
        """As `Store.allow`."""
        async with self.write() as (conversations, _):
            await conversations.allow(conversation_of(conversation_id), tool)

    async def retitle(self, conversation_id: str, title: str) -> None:
        """As `Store.retitle`; what cannot be stored of a title, a model's perhaps, is left out."""
        plain = title.replace("\0", "").encode(errors="replace").decode()[:_LONGEST_TITLE]
        async with self.write() as (conversations, _):
            await conversations.retitle(conversation_of(conversation_id), plain)

    @asynccontextmanager
    async def read(self) -> AsyncGenerator[tuple[Conversations, ChatMessages]]:
        """The owner's conversations as they are now."""
        async with self._database.read() as session:
            yield await self._repositories(session)

    @asynccontextmanager
    async def write(self) -> AsyncGenerator[tuple[Conversations, ChatMessages]]:
        """The same, to be changed."""
        async with self._database.jotting() as session:
            yield await self._repositories(session)

    async def _repositories(self, session: AsyncSession) -> tuple[Conversations, ChatMessages]:
        if self._tenant_id is None:
            self._tenant_id = (await Tenants(session).get(self._tenant)).id
        return (
            Conversations(session, self._tenant_id, self._owner),
            ChatMessages(session, self._tenant_id, self._owner),
        )


def conversation_of(conversation_id: str) -> UUID:
    """The id as it is stored.

    Raises:
        NotFound: it is none, so nothing has it.
    """
    try:
        return UUID(conversation_id)
    except ValueError:
        raise no_conversation() from None


def told(stored: StoredConversation) -> Conversation:
    """A conversation as the assistant knows it."""
    return Conversation(
        id=str(stored.id),
        title=stored.title,
        created_at=stored.created_at.timestamp(),
        updated_at=stored.updated_at.timestamp(),
        head_id=stored.head_id,
        is_pinned=stored.is_pinned,
        is_titled=stored.is_titled,
        allowed=list(stored.allowed),
        deleted_at=None if stored.deleted_at is None else stored.deleted_at.timestamp(),
    )


def said(stored: StoredMessage) -> Message:
    """A message as the assistant knows it."""
    return Message(
        id=stored.id,
        conversation_id=str(stored.conversation_id),
        role=Role(stored.role),
        parts=_decode(stored.parts),
        status=MessageStatus(stored.status),
        at=stored.at.timestamp(),
        parent_id=stored.parent_id,
        model=stored.model,
        tokens_in=stored.tokens_in,
        tokens_out=stored.tokens_out,
        version=stored.version,
    )


def words_of(parts: str) -> str:
    """What was written in a message whose parts are stored as `parts`."""
    texts = (getattr(part, "text", "") for part in _decode(parts))
    return "\n\n".join(text for text in texts if text)


def _stored(message: Message) -> StoredMessage:
    return StoredMessage(
        message.id,
        conversation_of(message.conversation_id),
        message.parent_id,
        message.role.value,
        message.status.value,
        _encoded(message.parts),
        message.model[:_LONGEST_MODEL],
        min(message.tokens_in, _MOST_TOKENS),
        min(message.tokens_out, _MOST_TOKENS),
        datetime.fromtimestamp(message.at, UTC),
        message.version,
    )


def _searched(message: Message) -> str:
    return text_of(message).encode(errors="replace").decode()


def _encoded(parts: list[Part]) -> str:
    try:
        return _encode(parts).decode()
    except UnicodeEncodeError:
        # Half a character, as models and servers may send: the rest of the text is worth keeping.
        whole = json.dumps(msgspec.to_builtins(parts), ensure_ascii=False)
        return whole.encode(errors="replace").decode()
