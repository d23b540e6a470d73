"""Fixtures: conversations of several owners, in memory and in a database of each engine."""

from datetime import UTC, datetime
from typing import Protocol
from uuid import UUID

import pytest

from bascule.api.chat_store import ConversationStore
from bascule.chat.store import Store
from bascule.storage.database import Database
from fakes.chatting import Database as Memory
from fakes.chatting import MemoryStore, Process

__all__ = ["engine", "kind", "shelf"]

ANN, BOB = "user|ann", "user|bob"


class Shelf(Protocol):
    """Where stores are opened. Conversations are begun and deleted beside the assistant."""

    def open(self, owner: str = ANN) -> Store:
        """The conversations of `owner`."""
        ...

    async def begin(self, conversation_id: str, title: str = "") -> None:
        """A conversation of Ann's."""
        ...

    async def delete(self, conversation_id: str) -> None:
        """Put it away."""
        ...


class MemoryShelf:
    def __init__(self) -> None:
        self._databases: dict[str, Memory] = {}

    def open(self, owner: str = ANN) -> Store:
        return MemoryStore(self._of(owner), Process())

    async def begin(self, conversation_id: str, title: str = "") -> None:
        self._of(ANN).open(conversation_id, title)

    async def delete(self, conversation_id: str) -> None:
        self._of(ANN).conversations[conversation_id].deleted_at = 1.0

    def _of(self, owner: str) -> Memory:
        return self._databases.setdefault(owner, Memory())


class DatabaseShelf:
    def __init__(self, database: Database) -> None:
        self._database = database

    def open(self, owner: str = ANN) -> ConversationStore:
        return ConversationStore(self._database, "default", owner)

    async def begin(self, conversation_id: str, title: str = "") -> None:
        async with self.open().write() as (conversations, _):
            await conversations.create(UUID(conversation_id), title, datetime.now(UTC))

    async def delete(self, conversation_id: str) -> None:
        async with self.open().write() as (conversations, _):
            await conversations.delete(UUID(conversation_id), datetime.now(UTC))


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def kind(request: pytest.FixtureRequest) -> str:
    """Every test that has a shelf runs on all three."""
    return request.param


@pytest.fixture
def engine(kind: str) -> str:
    """The engine of the database, where there is one."""
    return kind


@pytest.fixture
def shelf(kind: str, request: pytest.FixtureRequest) -> Shelf:
    """Empty."""
    if kind == "memory":
        return MemoryShelf()
    request.getfixturevalue("tenant")
    database: Database = request.getfixturevalue("database")
    return DatabaseShelf(database)
