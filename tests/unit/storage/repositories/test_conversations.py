"""Conversations of an owner, on both engines."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from bascule.gateway.errors import Conflict, InvalidValue, NotFound
from bascule.storage.database import Database
from bascule.storage.repositories import conversations
from bascule.storage.repositories.chat_messages import ChatMessages, MessageDraft, StoredMessage
from bascule.storage.repositories.conversations import (
    ConversationChanges,
    Conversations,
    DeletedConversations,
)
from bascule.storage.repositories.scope import TenantId

NOW = datetime(2026, 1, 31, 10, tzinfo=UTC)
ANN, BOB = "user|1", "user|2"


def an_id(number: int) -> UUID:
    return UUID(int=number)


async def ask(
    database: Database, tenant: TenantId, method: str, *values: Any, owner: str = ANN
) -> Any:
    async with database.jotting() as session:
        return await getattr(Conversations(session, tenant, owner), method)(*values)


async def begin(database: Database, tenant: TenantId, *titles: str, owner: str = ANN) -> None:
    """One for each title, each an hour after the one before, numbered from 1."""
    for number, title in enumerate(titles, 1):
        at = NOW + timedelta(hours=number)
        await ask(database, tenant, "create", an_id(number), title, at, owner=owner)


async def say(database: Database, tenant: TenantId, number: int, text: str, name: str = "") -> None:
    message = StoredMessage(
        name or f"m{number}", an_id(number), None, "user", "complete", f'["{text}"]', "", 0, 0,
        NOW + timedelta(hours=number),
    )  # fmt: skip
    async with database.jotting() as session:
        await ChatMessages(session, tenant, ANN).add(MessageDraft(message, text))


async def titles(database: Database, tenant: TenantId, search: str = "", **options: Any) -> Any:
    page = await ask(database, tenant, "list", search, 1, 50, **options)
    assert page.total == len(page.items)
    return [one.conversation.title for one in page.items]


async def test_a_conversation_is_kept_as_it_was_begun(database: Database, tenant: TenantId) -> None:
    await begin(database, tenant, "Service", "")
    found = await ask(database, tenant, "get", an_id(1))
    assert (found.title, found.is_titled, found.is_pinned) == ("Service", True, False)
    assert (found.allowed, found.head_id, found.deleted_at) == ((), None, None)
    assert found.created_at == found.updated_at == NOW + timedelta(hours=1)
    assert not (await ask(database, tenant, "get", an_id(2))).is_titled


async def test_the_pinned_come_first_and_then_the_newest(
    database: Database, tenant: TenantId
) -> None:
    await begin(database, tenant, "a", "b", "c")
    await ask(database, tenant, "change", an_id(1), ConversationChanges(is_pinned=True))
    assert await titles(database, tenant) == ["a", "c", "b"]
    page = await ask(database, tenant, "list", "", 2, 2)
    assert ([one.conversation.title for one in page.items], page.total) == (["b"], 3)
    with pytest.raises(InvalidValue):
        await ask(database, tenant, "list", "", 0, 2)


async def test_every_word_of_a_search_is_in_title_or_texts_whatever_its_case(
    database: Database, tenant: TenantId
) -> None:
    await begin(database, tenant, "Ölwechsel", "Tyres")
    await say(database, tenant, 1, "For my SWIFT in Pune")
    await say(database, tenant, 2, "100% of them")
    await say(database, tenant, 2, "swift", "later")
    assert await titles(database, tenant, "öl swift") == ["Ölwechsel"]
    assert await titles(database, tenant, "swift") == ["Tyres", "Ölwechsel"]
    assert await titles(database, tenant, "0%") == ["Tyres"]
    assert await titles(database, tenant, "_") == []
    assert await titles(database, tenant, "p_ne") == []
    assert await titles(database, tenant, "pune tyres") == []
    assert await titles(database, tenant, "\0\ud800 swift") == []
    page = await ask(database, tenant, "list", "swift", 1, 50)
    assert [one.parts for one in page.items] == ['["swift"]', '["For my SWIFT in Pune"]']
    with pytest.raises(InvalidValue, match="at most 200"):
        await titles(database, tenant, "x" * 201)


async def test_what_is_changed_is_kept_and_the_rest_stays(
    database: Database, tenant: TenantId
) -> None:
    await begin(database, tenant, "", "other")
    await say(database, tenant, 1, "first")
    await say(database, tenant, 1, "second", "newer")
    await say(database, tenant, 2, "elsewhere")
    changed = await ask(
        database, tenant, "change", an_id(1), ConversationChanges("New", head_id="m1")
    )
    assert (changed.title, changed.is_titled, changed.head_id) == ("New", True, "m1")
    assert await ask(database, tenant, "change", an_id(1), ConversationChanges()) == changed
    for head in ("m2", "none"):
        with pytest.raises(NotFound):
            await ask(database, tenant, "change", an_id(1), ConversationChanges(head_id=head))
    with pytest.raises(InvalidValue, match="at most 200"):
        await ask(database, tenant, "change", an_id(1), ConversationChanges("x" * 201))


async def test_a_title_of_the_owner_stays(database: Database, tenant: TenantId) -> None:
    await begin(database, tenant, "", "Mine")
    for number in (1, 2):
        await ask(database, tenant, "retitle", an_id(number), "Given")
    assert await titles(database, tenant) == ["Mine", "Given"]


async def test_a_tool_is_allowed_once(database: Database, tenant: TenantId) -> None:
    await begin(database, tenant, "")
    for tool in ("book", "cancel", "book"):
        await ask(database, tenant, "allow", an_id(1), tool)
    assert (await ask(database, tenant, "get", an_id(1))).allowed == ("book", "cancel")


async def test_what_was_deleted_can_be_restored(database: Database, tenant: TenantId) -> None:
    await begin(database, tenant, "a")
    await ask(database, tenant, "delete", an_id(1), NOW)
    assert await titles(database, tenant) == []
    for method, values in (("get", ()), ("delete", (NOW,)), ("change", (ConversationChanges(),))):
        with pytest.raises(NotFound):
            await ask(database, tenant, method, an_id(1), *values)
    assert (await ask(database, tenant, "restore", an_id(1))).deleted_at is None
    assert (await ask(database, tenant, "restore", an_id(1))).title == "a"
    assert await titles(database, tenant) == ["a"]


async def test_nothing_is_there_for_another_owner(database: Database, tenant: TenantId) -> None:
    await begin(database, tenant, "a")
    await ask(database, tenant, "retitle", an_id(1), "stolen", owner=BOB)
    assert await titles(database, tenant, owner=BOB) == []
    attempts: list[tuple[str, tuple[Any, ...]]] = [
        ("get", ()),
        ("delete", (NOW,)),
        ("restore", ()),
        ("allow", ("tool",)),
        ("change", (ConversationChanges("stolen"),)),
    ]
    for method, values in attempts:
        with pytest.raises(NotFound):
            await ask(database, tenant, method, an_id(1), *values, owner=BOB)
    assert await titles(database, tenant) == ["a"]


async def test_only_what_was_deleted_before_a_moment_is_purged(
    database: Database, tenant: TenantId
) -> None:
    await begin(database, tenant, "kept", "old", "fresh")
    await say(database, tenant, 2, "gone with it")
    await ask(database, tenant, "delete", an_id(2), NOW)
    await ask(database, tenant, "delete", an_id(3), NOW + timedelta(days=1))
    async with database.jotting() as session:
        assert await DeletedConversations(session, tenant).purge(NOW + timedelta(hours=1)) == 1
        assert await DeletedConversations(session, tenant).purge(NOW + timedelta(hours=1)) == 0
    with pytest.raises(NotFound):
        await ask(database, tenant, "restore", an_id(2))
    await ask(database, tenant, "restore", an_id(3))
    assert await titles(database, tenant) == ["fresh", "kept"]


async def test_all_of_an_owner_go_with_their_messages_and_nobody_elses(
    database: Database, tenant: TenantId
) -> None:
    await begin(database, tenant, "One", "Two")
    await say(database, tenant, 1, "Hello")
    await ask(database, tenant, "create", an_id(9), "Theirs", NOW, owner=BOB)
    await ask(database, tenant, "delete", an_id(2), NOW)
    await ask(database, tenant, "remove_all")
    for number in (1, 2):
        with pytest.raises(NotFound):
            await ask(database, tenant, "restore", an_id(number))
    assert await titles(database, tenant, owner=BOB) == ["Theirs"]


async def test_nobody_has_more_conversations_than_anybody_may(
    database: Database, tenant: TenantId, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conversations, "MOST_CONVERSATIONS", 2)
    await begin(database, tenant, "One", "Two")
    await ask(database, tenant, "delete", an_id(1), NOW)
    with pytest.raises(Conflict, match="have 2 conversations"):
        await ask(database, tenant, "create", an_id(3), "", NOW)
    await ask(database, tenant, "create", an_id(3), "", NOW, owner=BOB)
