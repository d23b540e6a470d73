"""What becomes of a call."""

import pytest
from msgspec.structs import replace

from bascule.chat.limits import ChatLimits
from bascule.chat.outcomes import after, cancelled, may_have_acted, taken_up
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
from bascule.chat.toolbox import Ran, Refused
from fakes.chatting import ran

CALL = CallPart("c", "book", {}, CallState.RUNNING, risk="write", started_at=5.0)


def message(*parts: Part) -> Message:
    return Message("m", "c", Role.ASSISTANT, list(parts), MessageStatus.RUNNING, 0.0)


def test_a_result_is_kept_with_its_time_and_its_trace() -> None:
    call, _ = after(CALL, ran("ok", n=1), ChatLimits(), 7.0)
    assert (call.state, call.latency_ms, call.ended_at) == (CallState.DONE, 2_000.0, 7.0)
    assert (call.structured, call.correlation_id, call.rule) == ({"n": 1}, "corr-1", "rule-1")


def test_half_characters_in_a_result_are_replaced() -> None:
    broken = Ran([{"type": "text", "text": "a\ud800"}], None, True, "x")
    call, _ = after(CALL, broken, ChatLimits(), 7.0)
    assert (call.state, call.content) == (CallState.FAILED, [{"type": "text", "text": "a?"}])


@pytest.mark.parametrize(
    ("is_denial", "may_have_acted", "risk", "state"),
    [
        (True, False, "write", CallState.DENIED),
        (False, True, "write", CallState.UNKNOWN),
        (False, True, "read", CallState.FAILED),
        (False, False, "write", CallState.FAILED),
    ],
)
def test_a_refusal_says_what_is_known(
    is_denial: bool, may_have_acted: bool, risk: str, state: CallState
) -> None:
    refused = Refused("E4002", "No.", "x", is_denial, may_have_acted)
    call, _ = after(replace(CALL, risk=risk), refused, ChatLimits(), 7.0)
    assert (call.state, call.error, call.error_code) == (state, "No.", "E4002")


@pytest.mark.parametrize("state", list(CallState))
def test_a_stop_settles_what_is_open_and_nothing_else(state: CallState) -> None:
    call = cancelled(replace(CALL, state=state), 7.0)
    assert call.state is (CallState.CANCELLED if state.is_open else state)
    assert bool(call.error) is (state is CallState.RUNNING)


@pytest.mark.parametrize(
    ("risk", "idempotent", "state"),
    [
        ("read", [], CallState.QUEUED),
        ("write", ["book"], CallState.QUEUED),
        ("write", [], CallState.UNKNOWN),
        ("privileged", [], CallState.UNKNOWN),
    ],
)
def test_what_was_running_is_made_again_only_where_it_may_be(
    risk: str, idempotent: list[str], state: CallState
) -> None:
    (call,) = taken_up(message(replace(CALL, risk=risk)), idempotent, 9.0)
    assert isinstance(call, CallPart)
    assert call.state is state


def test_text_of_a_step_without_an_end_goes_and_everything_else_stays() -> None:
    done = replace(CALL, state=CallState.DONE)
    whole: list[Part] = [TextPart("One"), done, NoticePart("question_refused", "No.")]
    assert taken_up(message(*whole, TextPart("Two")), [], 9.0) == whole
    assert taken_up(message(*whole), [], 9.0) == whole


@pytest.mark.parametrize(
    ("call", "may_have"),
    [
        (replace(CALL, state=CallState.DONE), True),
        (replace(CALL, state=CallState.UNKNOWN), True),
        (CALL, True),
        (cancelled(CALL, 9.0), True),
        (replace(CALL, state=CallState.FAILED), False),
        (replace(CALL, state=CallState.DONE, risk="read"), False),
        (cancelled(replace(CALL, state=CallState.QUEUED, started_at=None), 9.0), False),
        (replace(CALL, state=CallState.DENIED, started_at=None), False),
    ],
    ids=["done", "unknown", "running", "stopped", "failed", "read", "not begun", "denied"],
)
def test_whether_a_call_has_changed_something_for_all_that_is_known(
    call: CallPart, may_have: bool
) -> None:
    assert may_have_acted(call) is may_have
