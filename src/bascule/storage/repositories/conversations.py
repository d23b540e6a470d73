"""Conversations of one owner in one tenant: another's do not exist."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, Select, delete, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from bascule.gateway.errors import Conflict, InvalidValue
from bascule.storage.chat_tables import ChatMessageRow, ConversationRow
from bascule.storage.repositories.chat_messages import asked_id, no_conversation, no_message
from bascule.storage.repositories.page import Page, offset_of
from bascule.storage.repositories.scope import Scoped, TenantId

_MOST_WORDS: Final = 8
_LONGEST_SEARCH: Final = 200
MOST_CONVERSATIONS: Final = 10_000
"""Of one owner; those count that were deleted and can still be restored."""
_MOST_AT_ONCE: Final = 500
"""Conversations that one transaction removes."""


@dataclass(frozen=True, slots=True)
class StoredConversation:
    """A conversation as kept here. Moments are aware."""

    id: UUID
    title: str
    head_id: str | None
    is_pinned: bool
    is_titled: bool
    allowed: tuple[str, ...]
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None


@dataclass(frozen=True, slots=True)
class ConversationChanges:
    """What to change; None leaves it as it is."""

    title: str | None = None
    is_pinned: bool | None = None
    head_id: str | None = None


@dataclass(frozen=True, slots=True)
class FoundConversation:
    """A conversation of a list, and the newest message in it that a search found, as JSON."""

    conversation: StoredConversation
    parts: str | None = None


class Conversations(Scoped):
    """An owner's conversations, for `Database.jotting`: no snapshot holds them.

    What was deleted is there for `restore` and `save` alone, until it is purged.
    """

    def __init__(self, session: AsyncSession, tenant_id: TenantId, owner: str) -> None:
        """`owner` as in `Principal.owner`."""
        super().__init__(session, tenant_id)
        self._owner = owner

    async def create(self, conversation_id: UUID, title: str, at: datetime) -> StoredConversation:
        """Begin one. With a title it counts as titled by its owner.

        Raises:
            Conflict: this owner has as many as anybody may.
            InvalidValue: the title is too long, or cannot be stored.
        """
        await self._check_room()
        row = ConversationRow(
            tenant_id=self._tenant_id,
            id=conversation_id,
            owner=self._owner,
            title=title,
            search_text=title.casefold(),
            is_titled=bool(title),
            allowed=[],
            created_at=at,
            updated_at=at,
        )
        self._session.add(row)
        await self._session.flush()
        return _stored(row)

    async def get(self, conversation_id: UUID) -> StoredConversation:
        """The one with that id.

        Raises:
            NotFound: this owner has none, or it is deleted.
        """
        return _stored(await self._row(conversation_id))

    async def list(self, search: str, page: int, limit: int) -> Page[FoundConversation]:
        """A page of those that have every word of `search`, in title or texts, case aside.

        The pinned ones first, then those with the newest message.

        Raises:
            InvalidValue: the page or the search makes no sense.
        """
        offset, words = offset_of(page, limit), _words(search)
        where = [self._own(), ConversationRow.deleted_at.is_(None)]
        where += [self._has(word) for word in words]
        total = await self._session.scalar(
            select(func.count(ConversationRow.id)).where(*where)  # tenant: in `where`
        )
        rows = await self._session.scalars(
            select(ConversationRow)  # tenant: in `where`
            .where(*where)
            .order_by(
                ConversationRow.is_pinned.desc(),
                ConversationRow.updated_at.desc(),
                ConversationRow.id,
            )
            .offset(offset)
            .limit(limit)
        )
        found = [_stored(row) for row in rows]
        parts = await self._hits([one.id for one in found], words) if words else {}
        items = tuple(FoundConversation(one, parts.get(one.id)) for one in found)
        return Page(items, total or 0, page, limit)

    async def change(
        self, conversation_id: UUID, changes: ConversationChanges
    ) -> StoredConversation:
        """Change what `changes` says; a title counts as given by the owner.

        Raises:
            NotFound: this owner has none of that id, or no such message in it.
            InvalidValue: the title is too long, or cannot be stored.
        """
        row = await self._row(conversation_id)
        if changes.title is not None:
            row.title, row.search_text = changes.title, changes.title.casefold()
            row.is_titled = bool(changes.title)
        if changes.is_pinned is not None:
            row.is_pinned = changes.is_pinned
        if changes.head_id is not None:
            await self._check_message(conversation_id, changes.head_id)
            row.head_id = changes.head_id
        await self._session.flush()
        return _stored(row)

    async def retitle(self, conversation_id: UUID, title: str) -> None:
        """Give a title, unless its owner has given one."""
        await self._session.execute(
            update(ConversationRow)
            .where(
                ConversationRow.tenant_id == self._tenant_id,
                ConversationRow.owner == self._owner,
                ConversationRow.id == conversation_id,
                ConversationRow.is_titled.is_(False),
            )
            .values(title=title, search_text=title.casefold())
        )

    async def allow(self, conversation_id: UUID, tool: str) -> None:
        """Let it use `tool` without being asked again.

        Raises:
            NotFound: this owner has none of that id.
        """
        row = await self._row(conversation_id, for_update=True)
        if tool not in row.allowed:
            row.allowed = [*row.allowed, tool]
        await self._session.flush()

    async def delete(self, conversation_id: UUID, at: datetime) -> None:
        """Put it away, to be restored until it is purged.

        Raises:
            NotFound: this owner has none of that id.
        """
        row = await self._row(conversation_id)
        row.deleted_at = at
        await self._session.flush()

    async def restore(self, conversation_id: UUID) -> StoredConversation:
        """Bring a deleted one back; one that is there stays as it is.

        Raises:
            NotFound: this owner has none of that id, or it was purged.
        """
        row = await self._session.scalar(self._one(conversation_id))
        if row is None:
            raise no_conversation()
        row.deleted_at = None
        await self._session.flush()
        return _stored(row)

    async def remove_all(self) -> None:
        """Remove all of them for good, what was deleted too: their owner is gone."""
        owned = select(ConversationRow.id).where(
            ConversationRow.tenant_id == self._tenant_id, ConversationRow.owner == self._owner
        )
        await self._session.execute(
            delete(ChatMessageRow).where(
                ChatMessageRow.tenant_id == self._tenant_id,
                ChatMessageRow.conversation_id.in_(owned),
            )
        )
        await self._session.execute(
            delete(ConversationRow).where(
                ConversationRow.tenant_id == self._tenant_id, ConversationRow.owner == self._owner
            )
        )

    async def _check_room(self) -> None:
        count = await self._session.scalar(
            select(func.count(ConversationRow.id)).where(self._own())  # tenant: in `_own`
        )
        if (count or 0) >= MOST_CONVERSATIONS:
            raise Conflict(
                f"You have {MOST_CONVERSATIONS} conversations, with those that were deleted and "
                "can still be restored. Go on in one of them."
            )

    def _own(self) -> ColumnElement[bool]:
        return (ConversationRow.tenant_id == self._tenant_id) & (
            ConversationRow.owner == self._owner
        )

    def _one(self, conversation_id: UUID) -> Select[ConversationRow]:
        return select(ConversationRow).where(
            ConversationRow.tenant_id == self._tenant_id,
            ConversationRow.owner == self._owner,
            ConversationRow.id == conversation_id,
        )

    async def _row(self, conversation_id: UUID, *, for_update: bool = False) -> ConversationRow:
        statement = self._one(conversation_id).where(ConversationRow.deleted_at.is_(None))
        row = await self._session.scalar(statement.with_for_update() if for_update else statement)
        if row is None:
            raise no_conversation()
        return row

    async def _check_message(self, conversation_id: UUID, message_id: str) -> None:
        found = await self._session.scalar(
            select(ChatMessageRow.id).where(
                ChatMessageRow.tenant_id == self._tenant_id,
                ChatMessageRow.conversation_id == conversation_id,
                ChatMessageRow.id == asked_id(message_id),
            )
        )
        if found is None:
            raise no_message()

    def _has(self, word: str) -> ColumnElement[bool]:
        """Whether a conversation has `word` in its title or one of its messages."""
        said = select(ChatMessageRow.id).where(
            ChatMessageRow.tenant_id == self._tenant_id,
            ChatMessageRow.conversation_id == ConversationRow.id,
            ChatMessageRow.search_text.contains(word, autoescape=True),
        )
        return or_(ConversationRow.search_text.contains(word, autoescape=True), said.exists())

    async def _hits(self, ids: Sequence[UUID], words: Sequence[str]) -> dict[UUID, str]:
        """Of each conversation the newest message with one of `words`."""
        said = or_(*(ChatMessageRow.search_text.contains(one, autoescape=True) for one in words))
        number = func.row_number().over(
            partition_by=ChatMessageRow.conversation_id,
            order_by=(ChatMessageRow.at.desc(), ChatMessageRow.id),
        )
        found = (
            select(ChatMessageRow.conversation_id, ChatMessageRow.parts, number.label("number"))
            .where(
                ChatMessageRow.tenant_id == self._tenant_id,
                ChatMessageRow.conversation_id.in_(ids),
                said,
            )
            .subquery()
        )
        newest = select(found.c.conversation_id, found.c.parts).where(found.c.number == 1)
        return {row[0]: row[1] for row in await self._session.execute(newest)}


class DeletedConversations(Scoped):
    """Conversations of a tenant, whoever's, that were deleted."""

    async def purge(self, before: datetime) -> int:
        """Remove for good what was deleted before then; gives how many conversations."""
        gone = list(
            await self._session.scalars(
                select(ConversationRow.id)
                .where(
                    ConversationRow.tenant_id == self._tenant_id,
                    ConversationRow.deleted_at < before,
                )
                .limit(_MOST_AT_ONCE)
            )
        )
        if gone:
            await self._session.execute(
                delete(ChatMessageRow).where(
                    ChatMessageRow.tenant_id == self._tenant_id,
                    ChatMessageRow.conversation_id.in_(gone),
                )
            )
            await self._session.execute(
                delete(ConversationRow).where(
                    ConversationRow.tenant_id == self._tenant_id, ConversationRow.id.in_(gone)
                )
            )
        return len(gone)


def _words(search: str) -> list[str]:
    if len(search) > _LONGEST_SEARCH:
        raise InvalidValue(
            f"The search has {len(search)} characters; at most {_LONGEST_SEARCH} are allowed.",
            details={"field": "search", "max_characters": _LONGEST_SEARCH},
        )
    # What no database could be asked for is in no text that is kept.
    storable = search.replace("\0", " ").encode(errors="replace").decode()
    return storable.casefold().split()[:_MOST_WORDS]


def _stored(row: ConversationRow) -> StoredConversation:
    return StoredConversation(
        row.id,
        row.title,
        row.head_id,
        row.is_pinned,
        row.is_titled,
        tuple(row.allowed),
        row.created_at,
        row.updated_at,
        row.deleted_at,
    )
