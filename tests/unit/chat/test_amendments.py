"""What a person says about one call, and about others of its tool."""

from functools import partial

import pytest
from msgspec.structs import replace

from bascule.chat.amendments import Amendment
from bascule.chat.approvals import decide, proceed
from bascule.chat.drafts import Draft
from bascule.chat.limits import ChatLimits
from bascule.chat.parts import CallPart, CallState, Choice, Message, MessageStatus, Role
from bascule.gateway.errors import Conflict, NotFound
from fakes.chatting import Clock, Database, MemoryStore, Process


def drafted() -> Draft:
    calls = [
        CallPart(str(n), tool, {}, CallState.NEEDS_APPROVAL, risk="write", expires_at=10.0)
        for n, tool in enumerate(["book", "book", "pay"])
    ]
    message = Message("m", "c", Role.ASSISTANT, list(calls), MessageStatus.WAITING, 0.0)
    return Draft(MemoryStore(Database(), Process()), message, Clock(), 0.25)


def agreeing(choice: Choice) -> Amendment:
    change = partial(decide, choice=choice, arguments=None, reason="", limits=ChatLimits())
    return Amendment("0", change, allows_tool=choice is Choice.CONVERSATION)


@pytest.mark.parametrize(
    ("choice", "queued"), [(Choice.ONCE, ["0"]), (Choice.CONVERSATION, ["0", "1"])]
)
def test_one_call_or_all_of_the_tool_are_agreed_to(choice: Choice, queued: list[str]) -> None:
    draft = drafted()
    assert agreeing(choice).check(draft, 5.0) == "book"
    assert not draft.calls(CallState.QUEUED)
    assert agreeing(choice).apply(draft, 5.0)
    assert [call.id for _, call in draft.calls(CallState.QUEUED)] == queued


def test_what_is_late_is_denied_instead() -> None:
    draft = drafted()
    assert not agreeing(Choice.ONCE).apply(draft, 10.0)
    assert draft.at(0).decided == "expired"


def test_what_does_not_fit_changes_nothing() -> None:
    draft = drafted()
    with pytest.raises(Conflict):
        Amendment("0", proceed).apply(draft, 5.0)
    with pytest.raises(NotFound):
        Amendment("9", proceed).check(draft, 5.0)
    assert draft.message == drafted().message


def test_a_yes_for_the_conversation_is_none_to_what_was_made_before() -> None:
    draft = drafted()
    draft.put(1, replace(draft.at(1), made_before_at=1.0))
    assert agreeing(Choice.CONVERSATION).apply(draft, 5.0)
    assert [call.id for _, call in draft.calls(CallState.QUEUED)] == ["0"]
