"""Messages of an owner's conversations, on both engines."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Engine, event

from bascule.gateway.errors import Conflict, InvalidValue, NotFound
from bascule.storage.database import Database
from bascule.storage.repositories import chat_messages
from bascule.storage.repositories.chat_messages import (
    ChatMessages,
    MessageDraft,
    StoredMessage,
    asked_id,
)
from bascule.storage.repositories.conversations import Conversations
from bascule.storage.repositories.scope import TenantId

NOW = datetime(2026, 1, 31, 10, tzinfo=UTC)
TALK = UUID(int=1)
OTHER = UUID(int=2)
ANN, BOB = "user|1", "user|2"
ASKED = StoredMessage(
    "m1", TALK, None, "user", "complete", '[{"type":"text","text":"a\\u0000"}]', "", 0, 0, NOW
)
ANSWER = replace(
    ASKED,
    id="m2",
    parent_id="m1",
    role="assistant",
    status="running",
    at=NOW + timedelta(seconds=1),
)


async def talk(database: Database, tenant: TenantId, *messages: StoredMessage) -> None:
    async with database.jotting() as session:
        await Conversations(session, tenant, ANN).create(TALK, "", NOW)
        for one in messages:
            await ChatMessages(session, tenant, ANN).add(MessageDraft(one, "Hello"))


async def ask(
    database: Database, tenant: TenantId, method: str, *values: Any, owner: str = ANN
) -> Any:
    async with database.jotting() as session:
        return await getattr(ChatMessages(session, tenant, owner), method)(*values)


async def test_what_is_added_is_found_and_becomes_the_head(
    database: Database, tenant: TenantId
) -> None:
    await talk(database, tenant, ASKED, ANSWER)
    assert await ask(database, tenant, "messages", TALK) == (ASKED, ANSWER)
    assert await ask(database, tenant, "message", "m2") == ANSWER
    async with database.read() as session:
        found = await Conversations(session, tenant, ANN).get(TALK)
    assert (found.head_id, found.updated_at) == ("m2", ANSWER.at)


async def test_a_branch_goes_from_the_first_message_to_its_leaf(
    database: Database, tenant: TenantId
) -> None:
    edited = replace(ASKED, id="m3", at=NOW + timedelta(seconds=2))
    await talk(database, tenant, ASKED, ANSWER, edited)
    assert await ask(database, tenant, "branch", TALK, "m2") == (ASKED, ANSWER)
    assert await ask(database, tenant, "branch", TALK, "m3") == (edited,)
    for conversation, leaf in ((TALK, "m4"), (OTHER, "m2")):
        with pytest.raises(NotFound):
            await ask(database, tenant, "branch", conversation, leaf)


async def test_parents_in_a_circle_are_walked_once(database: Database, tenant: TenantId) -> None:
    await talk(database, tenant, replace(ASKED, parent_id="m2"), ANSWER)
    assert len(await ask(database, tenant, "branch", TALK, "m2")) == 2


async def test_a_message_is_saved_in_one_statement(database: Database, tenant: TenantId) -> None:
    await talk(database, tenant, ASKED, ANSWER)
    changed = replace(ANSWER, parts="[]", status="complete", model="gpt", tokens_in=7, tokens_out=9)
    said: list[str] = []
    async with database.jotting() as session:
        engine = session.get_bind()
        assert isinstance(engine, Engine)

        def note(*given: Any) -> None:
            said.append(given[2])

        event.listen(engine, "before_cursor_execute", note)
        try:
            await ChatMessages(session, tenant, ANN).save(changed, "")
        finally:
            event.remove(engine, "before_cursor_execute", note)
    assert [one.split()[0] for one in said] == ["UPDATE"]
    assert await ask(database, tenant, "message", "m2") == replace(changed, version=1)


async def test_nothing_is_there_for_another_owner(database: Database, tenant: TenantId) -> None:
    await talk(database, tenant, ASKED)
    assert await ask(database, tenant, "messages", TALK, owner=BOB) == ()
    assert await ask(database, tenant, "sent", TALK, "k", owner=BOB) is None
    attempts: list[tuple[str, tuple[Any, ...]]] = [
        ("message", ("m1",)),
        ("branch", (TALK, "m1")),
        ("save", (replace(ASKED, parts="[]"), "")),
        ("add", (MessageDraft(ANSWER, ""),)),
    ]
    for method, values in attempts:
        with pytest.raises(NotFound):
            await ask(database, tenant, method, *values, owner=BOB)
    assert await ask(database, tenant, "message", "m1") == ASKED


async def test_a_deleted_conversation_hides_its_messages_but_keeps_what_they_become(
    database: Database, tenant: TenantId
) -> None:
    await talk(database, tenant, ASKED)
    async with database.jotting() as session:
        await Conversations(session, tenant, ANN).delete(TALK, NOW)
    with pytest.raises(NotFound):
        await ask(database, tenant, "message", "m1")
    with pytest.raises(NotFound):
        await ask(database, tenant, "add", MessageDraft(ANSWER, ""))
    assert await ask(database, tenant, "messages", TALK) == ()
    await ask(database, tenant, "save", replace(ASKED, parts="[1]"), "")
    async with database.jotting() as session:
        await Conversations(session, tenant, ANN).restore(TALK)
    assert (await ask(database, tenant, "message", "m1")).parts == "[1]"


async def test_a_key_is_taken_once_in_a_conversation(database: Database, tenant: TenantId) -> None:
    await talk(database, tenant)
    await ask(database, tenant, "add", MessageDraft(ASKED, "", "k"))
    assert await ask(database, tenant, "sent", TALK, "k") == ASKED
    assert await ask(database, tenant, "sent", OTHER, "k") is None
    with pytest.raises(Conflict):
        await ask(database, tenant, "add", MessageDraft(ANSWER, "", "k"))


async def test_an_id_is_taken_once(database: Database, tenant: TenantId) -> None:
    await talk(database, tenant, ASKED)
    with pytest.raises(Conflict):
        await ask(database, tenant, "add", MessageDraft(ASKED, ""))


async def test_what_no_database_can_hold_is_refused(database: Database, tenant: TenantId) -> None:
    await talk(database, tenant)
    with pytest.raises(InvalidValue):
        await ask(database, tenant, "add", MessageDraft(replace(ASKED, parts="\0"), ""))
    await ask(database, tenant, "add", MessageDraft(ASKED, "a\0b"))


@pytest.mark.parametrize("odd", ["", "a\0", "x" * 65, "a\n"], ids=["none", "nul", "long", "line"])
async def test_what_is_no_id_is_the_id_of_nothing(
    database: Database, tenant: TenantId, odd: str
) -> None:
    assert asked_id(odd) == ""
    with pytest.raises(NotFound):
        await ask(database, tenant, "message", odd)


async def test_of_two_who_read_one_version_one_saves(database: Database, tenant: TenantId) -> None:
    await talk(database, tenant, ASKED, ANSWER)
    assert await ask(database, tenant, "save", replace(ANSWER, parts='["first"]'), "")
    assert not await ask(database, tenant, "save", replace(ANSWER, parts='["second"]'), "")
    found = await ask(database, tenant, "message", "m2")
    assert (found.parts, found.version) == ('["first"]', 1)
    assert await ask(database, tenant, "save", replace(found, parts='["third"]'), "")
    assert (await ask(database, tenant, "message", "m2")).version == 2


async def test_tokens_are_counted_from_a_moment_on_also_of_what_was_deleted(
    database: Database, tenant: TenantId
) -> None:
    counted = replace(ANSWER, tokens_in=3, tokens_out=4)
    await talk(database, tenant, ASKED, counted)
    assert await ask(database, tenant, "tokens_since", ANSWER.at) == 7
    assert await ask(database, tenant, "tokens_since", ANSWER.at + timedelta(seconds=1)) == 0
    assert await ask(database, tenant, "tokens_since", NOW, owner=BOB) == 0
    async with database.jotting() as session:
        await Conversations(session, tenant, ANN).delete(TALK, NOW)
    assert await ask(database, tenant, "tokens_since", NOW) == 7


@pytest.mark.parametrize(("name", "most"), [("MOST_MESSAGES", 2), ("MOST_CHARACTERS", 60)])
async def test_a_conversation_is_full_some_time(
    database: Database, tenant: TenantId, monkeypatch: pytest.MonkeyPatch, name: str, most: int
) -> None:
    monkeypatch.setattr(chat_messages, name, most)
    await talk(database, tenant, ASKED, ANSWER)
    with pytest.raises(Conflict, match="full"):
        await ask(database, tenant, "add", MessageDraft(replace(ASKED, id="m3"), "Hello"))
    assert await ask(database, tenant, "save", ANSWER, "Hello")
