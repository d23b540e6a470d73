"""What waits for a person, and what they may say."""

import pytest

from bascule.chat.approvals import decide, expire, is_expired, needs_approval, proceed
from bascule.chat.limits import ChatLimits
from bascule.chat.parts import CallPart, CallState, Choice
from bascule.gateway.errors import Conflict, InvalidArgument


def call(state: CallState = CallState.NEEDS_APPROVAL, risk: str = "write") -> CallPart:
    return CallPart("c", "book", {}, state, risk=risk, expires_at=10.0)


def decided(one: CallPart, choice: Choice, size: int = 0) -> CallPart:
    arguments: dict[str, object] | None = {"text": "x" * size} if size else None
    return decide(one, 5.0, choice=choice, arguments=arguments, reason="r", limits=ChatLimits())


@pytest.mark.parametrize(
    ("risk", "allowed", "asked"),
    [
        ("read", [], False),
        ("write", [], True),
        ("write", ["book"], False),
        ("privileged", ["book"], True),
        ("unheard-of", [], True),
    ],
)
def test_who_is_asked(risk: str, allowed: list[str], asked: bool) -> None:
    assert needs_approval(risk, "book", allowed) is asked


def test_time_runs_out_for_what_waits_only() -> None:
    assert is_expired(call(), 10.0)
    assert not is_expired(call(), 9.9)
    assert not is_expired(call(CallState.DONE), 99.0)
    assert expire(call(), 10.0).state is CallState.DENIED


@pytest.mark.parametrize("state", [one for one in CallState if one.waits_for_person])
def test_whatever_waits_can_be_denied(state: CallState) -> None:
    denied = decided(call(state), Choice.DENY)
    assert (denied.state, denied.reason, denied.ended_at) == (CallState.DENIED, "r", 5.0)


@pytest.mark.parametrize("state", [one for one in CallState if one is not CallState.NEEDS_APPROVAL])
def test_only_what_waits_for_a_yes_can_be_agreed_to(state: CallState) -> None:
    with pytest.raises(Conflict):
        decided(call(state), Choice.ONCE)


def test_changed_arguments_are_marked_and_bounded() -> None:
    assert decided(call(), Choice.ONCE, 5).is_edited
    assert not decided(call(), Choice.ONCE).is_edited
    with pytest.raises(InvalidArgument):
        decided(call(), Choice.ONCE, 70_000)


def test_only_what_waits_for_a_visit_goes_on_with_it() -> None:
    assert proceed(call(CallState.NEEDS_CONSENT), 0.0).state is CallState.QUEUED
    with pytest.raises(Conflict):
        proceed(call(), 0.0)
