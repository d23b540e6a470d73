"""What a message is made of."""

import pytest

from bascule.chat.parts import (
    CallPart,
    CallState,
    Message,
    MessageStatus,
    Role,
    TextPart,
    calls_of,
    text_of,
)


@pytest.mark.parametrize("state", list(CallState))
def test_what_waits_for_a_person_is_open(state: CallState) -> None:
    assert state.is_open or not state.waits_for_person


def test_texts_are_joined_without_the_empty_ones_that_begin_steps() -> None:
    call = CallPart("c", "find", {}, CallState.DONE)
    parts = [TextPart("One."), call, TextPart(""), call, TextPart("Two.")]
    message = Message("m", "c", Role.ASSISTANT, parts, MessageStatus.COMPLETE, 0.0)
    assert text_of(message) == "One.\n\nTwo."
    assert calls_of(message) == [call, call]
