"""What the assistant may count on of where conversations are kept (`bascule.chat.store`)."""

from collections.abc import Awaitable, Iterable

import pytest

from bascule.chat.parts import (
    CallPart,
    CallState,
    Message,
    MessageStatus,
    NoticePart,
    Part,
    Role,
    TextPart,
)
from bascule.chat.store import Store, Superseded
from bascule.gateway.errors import Conflict, NotFound
from contract.chat.shelves import BOB, Shelf

TALK = "00000000-0000-4000-8000-000000000001"
OTHER = "00000000-0000-4000-8000-000000000002"
NOTHING = "00000000-0000-4000-8000-00000000000f"


def message(
    message_id: str, *parts: Part, parent: str | None = None, role: Role = Role.ASSISTANT
) -> Message:
    """A message whose moment is by the number at the end of its id."""
    at = 1_700_000_000.25 + int(message_id[1:])
    return Message(
        message_id, TALK, role, list(parts), MessageStatus.COMPLETE, at, parent_id=parent
    )


async def ids(messages: Awaitable[Iterable[Message]]) -> list[str]:
    return [one.id for one in await messages]


@pytest.fixture
async def store(shelf: Shelf) -> Store:
    """Ann's, with two conversations without messages."""
    await shelf.begin(TALK)
    await shelf.begin(OTHER, "Tyres")
    return shelf.open()


async def test_a_message_comes_back_as_it_was_kept(store: Store) -> None:
    parts = [
        TextPart("Hello \0 there, Zoë"),
        CallPart(
            "c", "look", {"a": [1, None, {"b": 2.5}]}, CallState.NEEDS_INPUT, secret_state="s"
        ),
        NoticePart("stopped", "Over."),
    ]
    kept = message("m1", *parts)
    kept.model, kept.tokens_in = "m", 3
    await store.add(kept)
    assert await store.message("m1") == kept
    kept.status, kept.tokens_out, kept.parts = MessageStatus.STOPPED, 7, parts[:1]
    await store.save(kept)
    assert kept.version == 1
    assert await store.message("m1") == kept
    assert (await store.conversation(TALK)).head_id == "m1"


async def test_what_is_given_out_is_a_copy(store: Store) -> None:
    await store.add(message("m1", TextPart("a")))
    (await store.message("m1")).parts.clear()
    (await store.conversation(TALK)).allowed.append("wipe")
    assert (await store.message("m1")).parts == [TextPart("a")]
    assert (await store.conversation(TALK)).allowed == []


async def test_of_two_who_save_one_message_the_second_is_told(store: Store) -> None:
    await store.add(message("m1", TextPart("a")))
    first, second = await store.message("m1"), await store.message("m1")
    first.parts = [TextPart("first")]
    await store.save(first)
    second.parts = [TextPart("second")]
    with pytest.raises(Superseded):
        await store.save(second)
    assert second.version == 0
    assert (await store.message("m1")).parts == [TextPart("first")]
    await store.save(first)
    assert (await store.message("m1")).version == 2


async def test_messages_are_added_all_or_none_and_the_last_is_the_head(store: Store) -> None:
    await store.add(message("m1", role=Role.USER), message("m2", parent="m1"))
    assert (await store.conversation(TALK)).head_id == "m2"
    with pytest.raises(Conflict):
        await store.add(message("m3", parent="m2"), message("m1"))
    assert await ids(store.everything(TALK)) == ["m1", "m2"]
    assert (await store.conversation(TALK)).head_id == "m2"


async def test_a_branch_leads_from_the_first_message_to_its_leaf(store: Store) -> None:
    await store.add(message("m1"), message("m2", parent="m1"))
    await store.add(message("m3", parent="m1"), message("m4", parent="m3"))
    assert await ids(store.branch(TALK, "m4")) == ["m1", "m3", "m4"]
    assert await ids(store.branch(TALK, "m2")) == ["m1", "m2"]
    assert await ids(store.everything(TALK)) == ["m1", "m2", "m3", "m4"]
    assert await ids(store.everything(OTHER)) == []
    for conversation, leaf in ((TALK, "m9"), (OTHER, "m1"), (NOTHING, "m1")):
        with pytest.raises(NotFound):
            await store.branch(conversation, leaf)


async def test_a_tool_is_allowed_once_in_one_conversation(store: Store) -> None:
    for name in ("book", "move", "book"):
        await store.allow(TALK, name)
    assert (await store.conversation(TALK)).allowed == ["book", "move"]
    assert (await store.conversation(OTHER)).allowed == []


async def test_a_title_is_given_unless_a_person_gave_one(store: Store) -> None:
    for talk in (TALK, OTHER, NOTHING):
        await store.retitle(talk, "Oil")
    assert (await store.conversation(TALK)).title == "Oil"
    found = await store.conversation(OTHER)
    assert (found.title, found.is_titled) == ("Tyres", True)


async def test_tokens_are_summed_from_a_moment_on(store: Store) -> None:
    assert await store.tokens_since(0) == 0
    for number in (1, 2, 3):
        one = message(f"m{number}")
        one.tokens_in, one.tokens_out = 10**number, 1
        await store.add(one)
    assert await store.tokens_since(one.at - 1) == 1102
    assert await store.tokens_since(one.at + 1) == 0


def attempts(store: Store, talk: str, one: Message) -> list[Awaitable[object]]:
    return [
        store.conversation(talk),
        store.message(one.id),
        store.branch(talk, one.id),
        store.add(message("m8")),
        store.allow(talk, "wipe"),
    ]


async def test_what_is_not_there_is_not_found(store: Store) -> None:
    lost = message("m9")
    lost.conversation_id = NOTHING
    waits = [store.conversation(NOTHING), store.message("m9"), store.save(lost), store.add(lost)]
    for attempt in [*waits, store.allow(NOTHING, "book")]:
        with pytest.raises(NotFound):
            await attempt
    assert await ids(store.everything(NOTHING)) == []


async def test_what_is_another_owners_does_not_exist(store: Store, shelf: Shelf) -> None:
    kept = message("m1", TextPart("a"))
    kept.tokens_in = 5
    await store.add(kept)
    other = shelf.open(BOB)
    for attempt in [*attempts(other, TALK, kept), other.save(kept)]:
        with pytest.raises(NotFound):
            await attempt
    await other.retitle(TALK, "stolen")
    assert await ids(other.everything(TALK)) == []
    assert await other.tokens_since(0) == 0
    found = await store.conversation(TALK)
    assert (found.title, found.allowed, found.head_id) == ("", [], "m1")


async def test_what_is_deleted_is_not_found_but_keeps_what_it_becomes(
    store: Store, shelf: Shelf
) -> None:
    kept = message("m1", TextPart("a"))
    kept.tokens_in = 5
    await store.add(kept)
    await shelf.delete(TALK)
    for attempt in attempts(store, TALK, kept):
        with pytest.raises(NotFound):
            await attempt
    assert await ids(store.everything(TALK)) == []
    await store.save(kept)
    assert kept.version == 1
    assert await store.tokens_since(0) == 5
