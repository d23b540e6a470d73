"""What a model wants is judged before anybody is asked or called."""

from typing import Any

import pytest
from msgspec.structs import replace

from bascule.chat.limits import ChatLimits
from bascule.chat.models import Wanted
from bascule.chat.parts import CallPart, CallState, Message, MessageStatus, Role
from bascule.chat.wishes import Known, Wish, call_key, judge
from fakes.chatting import tool

BOOK = tool("book", "write", required=["slot"])


def judged(
    *wanted: object, earlier: CallState | None = None, limits: ChatLimits | None = None
) -> list[CallPart]:
    message = Message("m", "c", Role.ASSISTANT, [], MessageStatus.RUNNING, 0.0)
    if earlier:
        message.parts.append(CallPart("e", "book", {"slot": 1}, earlier, risk="write"))
    wishes = [
        Wish(f"id{n}", Wanted("call_0", "book", arguments), BOOK)  # pyright: ignore[reportArgumentType]
        for n, arguments in enumerate(wanted)
    ]
    return judge(message, wishes, Known(), limits or ChatLimits(), 0.0)


def test_a_wish_becomes_a_call_that_waits_with_a_key_of_its_own() -> None:
    (call,) = judged({"slot": 1})
    assert call.state is CallState.NEEDS_APPROVAL
    assert call.key == call_key("c", "m", "id0") != call_key("c", "m", "id1")
    assert len(call.key) == 40


@pytest.mark.parametrize("arguments", ["text", None, [], {}, {"slot": "x" * 70_000}])
def test_arguments_that_cannot_be_right_are_refused_without_asking(arguments: object) -> None:
    (call,) = judged(arguments)
    assert call.state is CallState.FAILED
    assert call.error


def test_a_tool_that_is_not_offered_is_refused() -> None:
    message = Message("m", "c", Role.ASSISTANT, [], MessageStatus.RUNNING, 0.0)
    wish = Wish("id", Wanted("call_0", "x" * 500, {}), None)
    (call,) = judge(message, [wish], Known(), ChatLimits(), 0.0)
    assert (call.state, len(call.tool)) == (CallState.FAILED, 128)


@pytest.mark.parametrize("state", list(CallState))
def test_the_same_write_is_made_again_only_where_it_failed(state: CallState) -> None:
    (call,) = judged({"slot": 1}, earlier=state)
    can_be_repeated = state is CallState.FAILED
    assert (call.state is CallState.NEEDS_APPROVAL) is can_be_repeated


def test_the_same_write_twice_in_one_step_is_refused_once() -> None:
    first, second, other = judged({"slot": 1}, {"slot": 1}, {"slot": True})
    assert first.state is other.state is CallState.NEEDS_APPROVAL
    assert second.state is CallState.FAILED


def test_of_too_many_the_first_is_refused_and_the_rest_left_out() -> None:
    calls = judged(*[{"slot": n} for n in range(50)])
    assert [call.state for call in calls] == [CallState.NEEDS_APPROVAL] * 8 + [CallState.FAILED]
    (refused,) = judged({"slot": 2}, earlier=CallState.DONE, limits=ChatLimits(calls_per_turn=1))
    assert refused.state is CallState.FAILED


def made(state: CallState, at: float, **changes: Any) -> CallPart:
    call = CallPart("old", "book", {"slot": 1}, state, risk="write", started_at=at - 1)
    return replace(call, ended_at=at, **changes)


def judged_after(known: Known) -> CallPart:
    message = Message("m", "c", Role.ASSISTANT, [], MessageStatus.RUNNING, 0.0)
    wish = Wish("id", Wanted("call_0", "book", {"slot": 1}), BOOK)
    (call,) = judge(message, [wish], known, ChatLimits(), 1000.0)
    return call


def test_what_was_made_in_another_branch_is_asked_about_though_its_tool_is_allowed() -> None:
    before = [made(CallState.DONE, 100.0), made(CallState.UNKNOWN, 200.0)]
    call = judged_after(Known({"book"}, elsewhere=before))
    assert (call.state, call.made_before_at) == (CallState.NEEDS_APPROVAL, 200.0)
    assert call.expires_at == 1000.0 + ChatLimits().approval_seconds


@pytest.mark.parametrize(
    "known",
    [
        Known({"book"}, earlier=[made(CallState.DONE, 100.0)]),
        Known({"book"}, elsewhere=[made(CallState.FAILED, 100.0)]),
        Known({"book"}, elsewhere=[made(CallState.DONE, 100.0, arguments={"slot": 2})]),
        Known({"book"}, elsewhere=[made(CallState.DONE, 100.0, tool="pay")]),
        Known({"book"}, [made(CallState.DONE, 200.0)], [made(CallState.DONE, 100.0)]),
    ],
    ids=["in sight", "failed", "other arguments", "other tool", "made since in sight"],
)
def test_what_was_not_made_out_of_sight_is_asked_about_as_ever(known: Known) -> None:
    call = judged_after(known)
    assert (call.state, call.made_before_at) == (CallState.QUEUED, None)
