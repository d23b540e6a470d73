"""The assistant's port to what is stored, over a real database."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest

from bascule.api.chat_store import ConversationStore, conversation_of, words_of
from bascule.chat.parts import CallPart, CallState, MessageStatus, NoticePart, Role, TextPart
from bascule.chat.store import Superseded
from bascule.gateway.errors import Conflict, NotFound
from unit.api.conversing import message
from unit.api.site import Site

OWNER = "user|1"


async def a_talk(site: Site, key: str | None = None) -> tuple[ConversationStore, str]:
    store = ConversationStore(site.control.database, "default", OWNER, key)
    async with store.write() as (conversations, _):
        made = await conversations.create(uuid4(), "", datetime.now(UTC))
    return store, str(made.id)


async def test_a_message_comes_back_as_it_was_kept(site: Site) -> None:
    store, talk = await a_talk(site)
    parts = [
        TextPart("Hello \0 there"),
        CallPart("c", "look", {"a": [1, None]}, CallState.NEEDS_INPUT, secret_state="sealed"),
        NoticePart("stopped", "Over."),
    ]
    kept = message(talk, Role.ASSISTANT, *parts)
    kept.at = 1_700_000_000.25
    await store.add(kept)
    assert await store.message(kept.id) == kept
    kept.status, kept.tokens_in, kept.parts = MessageStatus.STOPPED, 7, parts[:1]
    await store.save(kept)
    assert await store.branch(talk, kept.id) == [kept]
    assert (await store.conversation(talk)).head_id == kept.id


async def test_half_a_character_costs_no_more_than_itself(site: Site) -> None:
    store, talk = await a_talk(site)
    kept = message(talk, Role.ASSISTANT, TextPart("a\ud800b"))
    await store.add(kept)
    assert (await store.message(kept.id)).parts == [TextPart("a?b")]
    await store.retitle(talk, "t\0\ud800" + "x" * 300)
    assert (await store.conversation(talk)).title == "t?" + "x" * 198


async def test_the_first_message_of_the_person_bears_the_key(site: Site) -> None:
    store, talk = await a_talk(site, "k")
    first = message(talk, Role.USER, TextPart("One"))
    await store.add(message(talk, Role.ASSISTANT, TextPart("Hello")))
    await store.add(first)
    await store.add(message(talk, Role.USER, TextPart("Two")))
    async with store.read() as (_, messages):
        found = await messages.sent(conversation_of(talk), "k")
    assert found is not None
    assert found.id == first.id
    again = ConversationStore(site.control.database, "default", OWNER, "k")
    with pytest.raises(Conflict):
        await again.add(message(talk, Role.USER, TextPart("One")))


async def test_more_tokens_than_a_column_holds_are_as_many_as_it_does(site: Site) -> None:
    store, talk = await a_talk(site)
    kept = message(talk, Role.ASSISTANT, TextPart("a"))
    kept.tokens_in = kept.tokens_out = 2**63
    await store.add(kept)
    assert await store.tokens_since(0) == 2**31 - 2


async def test_what_is_another_owners_or_tenants_does_not_exist(site: Site) -> None:
    store, talk = await a_talk(site)
    kept = message(talk, Role.USER, TextPart("Hello"))
    await store.add(kept)
    await store.allow(talk, "book")
    for tenant, owner in (("default", "user|2"), ("acme", OWNER)):
        other = ConversationStore(site.control.database, tenant, owner)
        for attempt in (
            other.conversation(talk),
            other.message(kept.id),
            other.branch(talk, kept.id),
            other.save(kept),
            other.add(kept),
            other.allow(talk, "wipe"),
        ):
            with pytest.raises(NotFound):
                await attempt
        await other.retitle(talk, "stolen")
    found = await store.conversation(talk)
    assert (found.allowed, found.title) == (["book"], "")


def test_what_is_no_id_is_the_id_of_nothing() -> None:
    with pytest.raises(NotFound):
        conversation_of("x")


def test_the_words_of_a_message_are_its_texts() -> None:
    parts = '[{"type":"text","text":"a"},{"type":"call","id":"c","tool":"t","arguments":{},'
    assert words_of(parts + '"state":"done"},{"type":"notice","code":"x","text":"b"}]') == "a\n\nb"


async def test_messages_are_added_all_or_none(site: Site) -> None:
    store, talk = await a_talk(site, "k")
    asked, answer = message(talk, Role.USER), message(talk, Role.ASSISTANT)
    answer.at = asked.at + 1
    await store.add(asked, answer)
    assert [one.id for one in await store.everything(talk)] == [asked.id, answer.id]
    again = ConversationStore(site.control.database, "default", OWNER, "k")
    with pytest.raises(Conflict):
        await again.add(message(talk, Role.USER), message(talk, Role.ASSISTANT))
    assert len(await store.everything(talk)) == 2
    assert (await store.conversation(talk)).head_id == answer.id


async def test_of_two_who_have_a_message_the_second_to_save_it_is_refused(site: Site) -> None:
    store, talk = await a_talk(site)
    kept = message(talk, Role.ASSISTANT)
    kept.tokens_in = kept.tokens_out = 4
    await store.add(kept)
    mine, theirs = await store.message(kept.id), await store.message(kept.id)
    await store.save(theirs)
    with pytest.raises(Superseded):
        await store.save(mine)
    assert (mine.version, theirs.version) == (0, 1)
    await store.save(theirs)
    assert (await store.message(kept.id)).version == 2
    assert await store.tokens_since(kept.at) == 8
