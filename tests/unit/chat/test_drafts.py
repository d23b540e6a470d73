"""An answer while it is made."""

import pytest

from bascule.chat.drafts import Draft
from bascule.chat.parts import CallPart, CallState, Message, MessageStatus, Role, TextPart
from bascule.gateway.errors import NotFound
from fakes.chatting import Clock, Database, MemoryStore, Process

WAITS = CallPart("c1", "book", {}, CallState.NEEDS_APPROVAL, expires_at=2_000_000_000.0)


def drafted(status: MessageStatus = MessageStatus.RUNNING, *calls: CallPart) -> Draft:
    message = Message("m", "c", Role.ASSISTANT, [TextPart(""), *calls], status, 0.0)
    return Draft(MemoryStore(Database(), Process()), message, Clock(), 0.25)


async def test_growing_text_is_saved_so_often_and_no_oftener() -> None:
    database, clock = Database(), Clock()
    message = Message("m", "c", Role.ASSISTANT, [], MessageStatus.RUNNING, 0.0)
    store = MemoryStore(database, Process())
    database.open("c")
    await store.add(message)
    draft = Draft(store, message, clock, 0.25)
    for _ in range(100):
        draft.write("x")
        clock.now += 0.125
        await draft.save_if_due()
    assert len(database.saved) == 50
    assert database.saved[-1].parts == [TextPart("x" * 100)]


def test_a_step_that_wrote_nothing_begins_with_empty_text() -> None:
    draft = drafted()
    draft.end_step([WAITS])
    assert draft.message.parts == [TextPart(""), TextPart(""), WAITS]


def test_a_call_is_found_by_its_id() -> None:
    draft = drafted(MessageStatus.WAITING, WAITS)
    assert draft.call("c1") == (1, WAITS)
    assert draft.at(1) == WAITS
    with pytest.raises(NotFound):
        draft.call("c2")


@pytest.mark.parametrize(
    ("status", "calls", "is_to_be_run"),
    [
        (MessageStatus.RUNNING, [], True),
        (MessageStatus.COMPLETE, [], False),
        (MessageStatus.STOPPED, [], False),
        (MessageStatus.WAITING, [WAITS], False),
        (MessageStatus.WAITING, [], True),
        (MessageStatus.WAITING, [WAITS, CallPart("c2", "book", {}, CallState.QUEUED)], True),
    ],
)
def test_what_there_is_to_do_without_the_person(
    status: MessageStatus, calls: list[CallPart], is_to_be_run: bool
) -> None:
    assert drafted(status, *calls).is_to_be_run(1_700_000_000.0) is is_to_be_run


def test_what_was_not_answered_in_time_is_to_be_run() -> None:
    assert drafted(MessageStatus.WAITING, WAITS).is_to_be_run(2_000_000_000.0)
