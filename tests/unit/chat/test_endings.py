"""How turns end where it is not the model's choice."""

import pytest

from bascule.chat.drafts import Draft
from bascule.chat.endings import close, is_superseded, lapse, notice_of
from bascule.chat.models import FailureKind, ModelFailure
from bascule.chat.parts import CallPart, CallState, Message, MessageStatus, NoticeCode, Role
from bascule.chat.store import Superseded
from bascule.gateway.errors import Conflict
from fakes.chatting import Clock, Database, MemoryStore, Process


def drafted(status: MessageStatus, *states: CallState) -> Draft:
    calls = [CallPart(str(n), "book", {}, state, expires_at=10.0) for n, state in enumerate(states)]
    message = Message("m", "c", Role.ASSISTANT, list(calls), status, 0.0)
    return Draft(MemoryStore(Database(), Process()), message, Clock(), 0.25)


@pytest.mark.parametrize("kind", list(FailureKind))
def test_each_failure_of_a_model_has_a_code_and_keeps_its_detail(kind: FailureKind) -> None:
    code, text = notice_of(ModelFailure(kind, "For you.", "For the log."))
    assert isinstance(code, NoticeCode)
    assert text == "For you."


def test_a_refusal_is_told_and_a_bug_is_not() -> None:
    grouped = ExceptionGroup("calls", [Conflict("Not now.", private="inner")])
    assert notice_of(grouped) == (NoticeCode.FAILED, "Not now.")
    assert "detail" not in notice_of(ValueError("detail"))[1]


def test_a_closed_turn_has_no_open_calls() -> None:
    draft = drafted(MessageStatus.RUNNING, *CallState)
    close(draft, MessageStatus.FAILED, NoticeCode.FAILED, "No.", 5.0)
    assert not any(call.state.is_open for _, call in draft.calls())
    assert draft.message.status is MessageStatus.FAILED


def test_a_turn_lapses_when_all_that_it_waits_for_is_late() -> None:
    draft = drafted(MessageStatus.WAITING, CallState.DONE, CallState.NEEDS_INPUT)
    assert not lapse(draft, 9.0)
    assert lapse(draft, 10.0)
    assert [call.decided for _, call in draft.calls()] == ["", "expired"]
    assert not lapse(drafted(MessageStatus.RUNNING, CallState.NEEDS_INPUT), 10.0)
    assert not lapse(drafted(MessageStatus.WAITING, CallState.QUEUED), 9.0)


def test_a_turn_that_another_has_is_known_by_its_failure_alone_or_among_others() -> None:
    lost = Superseded("It has gone on elsewhere.")
    assert is_superseded(lost)
    assert is_superseded(ExceptionGroup("", [ValueError(), ExceptionGroup("", [lost])]))
    assert not is_superseded(ExceptionGroup("", [ValueError()]))
