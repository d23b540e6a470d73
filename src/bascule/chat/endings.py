"""How turns end where it is not the model's choice."""

from typing import Final

import structlog

from bascule.chat.approvals import expire, is_expired
from bascule.chat.drafts import Draft
from bascule.chat.models import FailureKind, ModelFailure
from bascule.chat.outcomes import cancelled
from bascule.chat.parts import MessageStatus, NoticeCode
from bascule.chat.store import Superseded
from bascule.gateway.errors import GatewayError

_CODES: Final = {
    FailureKind.UNREACHABLE: NoticeCode.MODEL_UNAVAILABLE,
    FailureKind.TIMED_OUT: NoticeCode.MODEL_UNAVAILABLE,
    FailureKind.OVERLOADED: NoticeCode.MODEL_UNAVAILABLE,
    FailureKind.RATE_LIMITED: NoticeCode.MODEL_RATE_LIMITED,
    FailureKind.UNAUTHORISED: NoticeCode.MODEL_MISCONFIGURED,
    FailureKind.NO_SUCH_MODEL: NoticeCode.MODEL_MISCONFIGURED,
    FailureKind.TOO_LONG: NoticeCode.CONTEXT_FULL,
    FailureKind.FILTERED: NoticeCode.MODEL_REFUSED,
    FailureKind.REJECTED: NoticeCode.FAILED,
}
_BROKEN: Final = "Something went wrong in the gateway. Try again; if it stays, tell its operator."

STOPPED: Final = "You stopped this answer."
_LAPSED: Final = "Nobody answered in time, so this was not done."

_log = structlog.get_logger(__name__)


def is_superseded(failure: Exception) -> bool:
    """Whether somebody else has taken the turn over."""
    if isinstance(failure, ExceptionGroup):
        return any(is_superseded(one) for one in failure.exceptions)  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType, reportUnknownArgumentType]
    return isinstance(failure, Superseded)


def notice_of(failure: Exception) -> tuple[NoticeCode, str]:
    """The code and the sentence for the person; what is not for them goes to the log."""
    if isinstance(failure, ExceptionGroup):
        return notice_of(failure.exceptions[0])  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType]
    if isinstance(failure, ModelFailure):
        _log.warning("chat.model_failed", kind=failure.kind.value, reason=failure.private)
        return _CODES[failure.kind], failure.public
    if isinstance(failure, GatewayError):
        _log.info("chat.turn_refused", code=failure.error.code, reason=failure.private)
        return NoticeCode.FAILED, failure.public
    _log.error("chat.turn_broke", exc_info=failure)
    return NoticeCode.FAILED, _BROKEN


def close(
    draft: Draft, status: MessageStatus, code: NoticeCode | None, text: str, now: float
) -> None:
    """Settle what is open of `draft`, and give it a final `status`, with a notice or without."""
    for index, call in draft.calls():
        if call.state.is_open:
            draft.put(index, cancelled(call, now))
    if code is not None:
        draft.notice(code, text)
    draft.message.status = status


def lapse(draft: Draft, now: float) -> bool:
    """End a turn that waits for what nobody answered in time; False where it is another one."""
    open_calls = [(index, call) for index, call in draft.calls() if call.state.is_open]
    if draft.message.status is not MessageStatus.WAITING:
        return False
    if not all(is_expired(call, now) for _, call in open_calls):
        return False
    for index, call in open_calls:
        draft.put(index, expire(call, now))
    close(draft, MessageStatus.STOPPED, NoticeCode.STOPPED, _LAPSED, now)
    return True
