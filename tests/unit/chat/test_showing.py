"""The sealed state of a question does not leave the service."""

from bascule.chat.parts import (
    CallPart,
    CallState,
    Message,
    MessageStatus,
    Role,
    TextPart,
    calls_of,
)
from bascule.chat.showing import as_of, shown, shown_call


def test_what_is_shown_has_no_sealed_state_and_the_original_keeps_it() -> None:
    call = CallPart("c", "find", {}, CallState.NEEDS_INPUT, secret_state="sealed")
    parts = [TextPart("Hi"), call]
    message = Message("m", "c", Role.ASSISTANT, parts, MessageStatus.WAITING, 0.0)
    assert "sealed" not in repr(shown(message))
    assert shown(message).parts[0] == TextPart("Hi")
    assert call.secret_state == "sealed"
    assert shown_call(CallPart("c", "find", {}, CallState.DONE)).state is CallState.DONE


def waiting(*expiries: float) -> Message:
    calls = [
        CallPart(str(n), "book", {}, CallState.NEEDS_APPROVAL, expires_at=at)
        for n, at in enumerate(expiries)
    ]
    return Message("m", "c", Role.ASSISTANT, [TextPart(""), *calls], MessageStatus.WAITING, 0.0)


def test_an_approval_that_is_over_is_shown_as_denied_though_nobody_has_written_it_down() -> None:
    message = waiting(10.0, 20.0)
    assert as_of(message, 9.0) is message
    at_fifteen = as_of(message, 15.0)
    assert [call.state.value for call in calls_of(at_fifteen)] == ["denied", "needs_approval"]
    assert (calls_of(at_fifteen)[0].decided, calls_of(at_fifteen)[0].ended_at) == ("expired", 10.0)
    assert at_fifteen.status is MessageStatus.WAITING
    assert as_of(message, 20.0).status is MessageStatus.RUNNING
    assert calls_of(message)[0].state is CallState.NEEDS_APPROVAL


def test_what_does_not_leave_is_the_version_too() -> None:
    message = waiting()
    message.version = 7
    assert shown(message).version == 0
