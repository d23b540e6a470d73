"""Messages of one owner's conversations: another's do not exist."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Select, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from bascule.gateway.errors import Conflict, NotFound
from bascule.storage.chat_tables import ChatMessageRow, ConversationRow
from bascule.storage.repositories.scope import Scoped, TenantId

_LONGEST_ID: Final = 64
_MOST_SEARCHED_CHARACTERS: Final = 20_000
"""How much of one message is found by a search."""
MOST_MESSAGES: Final = 1_000
"""Messages of one conversation, in all branches: it is shown, exported and searched as a whole."""
MOST_CHARACTERS: Final = 16 * 1024 * 1024
"""Of the JSON of a conversation, before another message is added."""
_MOST_AT_ONCE: Final = 500
"""Values in one statement: below what either engine takes."""


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """A message as kept here. `parts` is JSON of the assistant's own form; `at` is aware.

    `version` counts how often it was saved.
    """

    id: str
    conversation_id: UUID
    parent_id: str | None
    role: str
    status: str
    parts: str
    model: str
    tokens_in: int
    tokens_out: int
    at: datetime
    version: int = 0


@dataclass(frozen=True, slots=True)
class MessageDraft:
    """A message to keep. `text` is what a search finds it by."""

    message: StoredMessage
    text: str
    idempotency_key: str | None = None


class ChatMessages(Scoped):
    """An owner's messages, for `Database.jotting`: no snapshot holds them.

    Those of a deleted conversation can be saved, and are not found otherwise.
    """

    def __init__(self, session: AsyncSession, tenant_id: TenantId, owner: str) -> None:
        """`owner` as in `Principal.owner`."""
        super().__init__(session, tenant_id)
        self._owner = owner

    async def messages(self, conversation_id: UUID) -> tuple[StoredMessage, ...]:
        """All of them, in every branch, the oldest first; none where there is no conversation."""
        rows = await self._session.scalars(
            self._messages()
            .where(ChatMessageRow.conversation_id == conversation_id)
            .order_by(ChatMessageRow.at, ChatMessageRow.id)
        )
        return tuple(_stored_message(row) for row in rows)

    async def branch(self, conversation_id: UUID, leaf_id: str) -> tuple[StoredMessage, ...]:
        """The messages from the first one to `leaf_id`.

        Raises:
            NotFound: there is no such message in this conversation.
        """
        found = await self._session.execute(
            select(ChatMessageRow.id, ChatMessageRow.parent_id).where(
                ChatMessageRow.tenant_id == self._tenant_id,
                ChatMessageRow.conversation_id == conversation_id,
                ChatMessageRow.conversation_id.in_(self._living()),
            )
        )
        parents = {row[0]: row[1] for row in found}
        path: list[str] = []
        at: str | None = leaf_id
        while at is not None and at in parents:
            path.append(at)
            at = parents.pop(at)  # so that no loop of parents, however it came, is walked twice
        if not path:
            raise no_message()
        rows = await self._by_id(path)
        return tuple(rows[one] for one in reversed(path) if one in rows)

    async def message(self, message_id: str) -> StoredMessage:
        """The message with that id.

        Raises:
            NotFound: this owner has none, or its conversation is deleted.
        """
        statement = self._messages().where(ChatMessageRow.id == asked_id(message_id))
        row = await self._session.scalar(statement)
        if row is None:
            raise no_message()
        return _stored_message(row)

    async def sent(self, conversation_id: UUID, idempotency_key: str) -> StoredMessage | None:
        """The message that was sent with that key, if there is one."""
        row = await self._session.scalar(
            self._messages().where(
                ChatMessageRow.conversation_id == conversation_id,
                ChatMessageRow.idempotency_key == idempotency_key,
            )
        )
        return None if row is None else _stored_message(row)

    async def add(self, draft: MessageDraft) -> None:
        """Add a message, and make it the head of its conversation.

        Raises:
            NotFound: this owner has no such conversation.
            Conflict: the id or the idempotency key is taken, or the conversation is full.
            InvalidValue: a text cannot be stored.
        """
        message = draft.message
        conversation = await self._session.scalar(
            select(ConversationRow).where(
                ConversationRow.tenant_id == self._tenant_id,
                ConversationRow.owner == self._owner,
                ConversationRow.id == message.conversation_id,
                ConversationRow.deleted_at.is_(None),
            )
        )
        if conversation is None:
            raise no_conversation()
        await self._check_room(message.conversation_id)
        row = ChatMessageRow(
            tenant_id=self._tenant_id,
            id=message.id,
            conversation_id=message.conversation_id,
            parent_id=message.parent_id,
            role=message.role,
            at=message.at,
            idempotency_key=draft.idempotency_key,
            **_content(message, draft.text),
        )
        self._session.add(row)
        conversation.head_id = message.id
        conversation.updated_at = max(conversation.updated_at, message.at)
        await self._session.flush()

    async def save(self, message: StoredMessage, text: str) -> bool:
        """Keep what a message of that version has become, and give it the next version.

        In one statement, also where its conversation was deleted meanwhile. False, and nothing is
        kept, where somebody else has saved it since.

        Raises:
            NotFound: this owner has no such message.
            InvalidValue: a text cannot be stored.
        """
        saved = await self._session.scalar(
            update(ChatMessageRow)
            .where(
                ChatMessageRow.tenant_id == self._tenant_id,
                ChatMessageRow.id == asked_id(message.id),
                ChatMessageRow.conversation_id.in_(self._everything()),
                ChatMessageRow.version == message.version,
            )
            .values(**_content(message, text), version=message.version + 1)
            .returning(ChatMessageRow.id)
        )
        if saved is not None:
            return True
        await self._check_there_is(message.id)
        return False

    async def tokens_since(self, at: datetime) -> int:
        """The tokens of the owner's answers that began then or later, also of what was deleted."""
        return (
            await self._session.scalar(
                select(
                    func.coalesce(func.sum(ChatMessageRow.tokens_in + ChatMessageRow.tokens_out), 0)
                ).where(
                    ChatMessageRow.tenant_id == self._tenant_id,
                    ChatMessageRow.conversation_id.in_(self._everything()),
                    ChatMessageRow.at >= at,
                )
            )
            or 0
        )

    async def _check_room(self, conversation_id: UUID) -> None:
        found = await self._session.execute(
            select(
                func.count(ChatMessageRow.id),
                func.coalesce(func.sum(func.length(ChatMessageRow.parts)), 0),
            ).where(
                ChatMessageRow.tenant_id == self._tenant_id,
                ChatMessageRow.conversation_id == conversation_id,
            )
        )
        messages, characters = found.one()
        if messages >= MOST_MESSAGES or characters >= MOST_CHARACTERS:
            raise Conflict("This conversation is full. Begin a new one to go on.")

    async def _check_there_is(self, message_id: str) -> None:
        found = await self._session.scalar(
            select(ChatMessageRow.id).where(
                ChatMessageRow.tenant_id == self._tenant_id,
                ChatMessageRow.id == asked_id(message_id),
                ChatMessageRow.conversation_id.in_(self._everything()),
            )
        )
        if found is None:
            raise no_message()

    def _everything(self) -> Select[UUID]:
        """The ids of the owner's conversations, the deleted ones too."""
        return select(ConversationRow.id).where(
            ConversationRow.tenant_id == self._tenant_id, ConversationRow.owner == self._owner
        )

    def _living(self) -> Select[UUID]:
        return self._everything().where(ConversationRow.deleted_at.is_(None))

    def _messages(self) -> Select[ChatMessageRow]:
        return select(ChatMessageRow).where(
            ChatMessageRow.tenant_id == self._tenant_id,
            ChatMessageRow.conversation_id.in_(self._living()),
        )

    async def _by_id(self, ids: Sequence[str]) -> dict[str, StoredMessage]:
        found: dict[str, StoredMessage] = {}
        for start in range(0, len(ids), _MOST_AT_ONCE):
            some = ids[start : start + _MOST_AT_ONCE]
            rows = await self._session.scalars(
                self._messages().where(ChatMessageRow.id.in_(some))  # tenant: in `_messages`
            )
            found |= {row.id: _stored_message(row) for row in rows}
        return found


def asked_id(message_id: str) -> str:
    """An id as it can be asked for: whatever else somebody sends is the id of nothing."""
    return message_id if len(message_id) <= _LONGEST_ID and message_id.isprintable() else ""


def _content(message: StoredMessage, text: str) -> dict[str, Any]:
    return {
        "parts": message.parts,
        "search_text": text[:_MOST_SEARCHED_CHARACTERS].replace("\0", "").casefold(),
        "status": message.status,
        "model": message.model,
        "tokens_in": message.tokens_in,
        "tokens_out": message.tokens_out,
    }


def _stored_message(row: ChatMessageRow) -> StoredMessage:
    return StoredMessage(
        row.id,
        row.conversation_id,
        row.parent_id,
        row.role,
        row.status,
        row.parts,
        row.model,
        row.tokens_in,
        row.tokens_out,
        row.at,
        row.version,
    )


def no_conversation() -> NotFound:
    """The one refusal of all conversations that are not there for who asks."""
    return NotFound("There is no such conversation of yours; it may have been deleted.")


def no_message() -> NotFound:
    """The one refusal of all messages that are not there for who asks."""
    return NotFound("There is no such message of yours; its conversation may have been deleted.")
