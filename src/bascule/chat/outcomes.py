"""What becomes of a call: by the answer of the pipeline, a stop, or the end of the process."""

from collections.abc import Collection
from typing import Final

from msgspec.structs import replace

from bascule.chat.approvals import READ
from bascule.chat.limits import ChatLimits
from bascule.chat.parts import CallPart, CallState, Message, Part, TextPart
from bascule.chat.questions import is_web_address, put_questions
from bascule.chat.results import MAY_HAVE_ACTED, bounded
from bascule.chat.toolbox import Asks, CallOutcome, Questions, Ran, Refused
from bascule.chat.wellformed import whole_value

_PERHAPS_MADE: Final = frozenset({CallState.DONE, CallState.UNKNOWN, CallState.RUNNING})
_NOT_A_PAGE: Final = "The gateway asked to visit an address that is not a page of the web."


def after(
    call: CallPart, outcome: CallOutcome, limits: ChatLimits, now: float
) -> tuple[CallPart, list[str]]:
    """`call` as `outcome` leaves it, and why questions of its server were not put."""
    call = replace(call, correlation_id=outcome.correlation_id)
    match outcome:
        case Ran():
            return _ended(_ran(call, outcome, limits), now), []
        case Refused():
            return _ended(_refused(call, outcome), now), []
        case Asks():
            return _asks(call, outcome, limits, now), []
        case Questions():
            expires_at = now + limits.approval_seconds
            return put_questions(call, outcome.inputs, outcome.state, expires_at)


def _ran(call: CallPart, ran: Ran, limits: ChatLimits) -> CallPart:
    content, structured = bounded(
        whole_value(list(ran.content)), whole_value(ran.structured), limits.stored_result_bytes
    )
    state = CallState.FAILED if ran.is_error else CallState.DONE
    return replace(
        call, state=state, content=content, structured=structured, rule=ran.rule, error=""
    )


def _refused(call: CallPart, refused: Refused) -> CallPart:
    if refused.is_denial:
        state = CallState.DENIED
    elif refused.may_have_acted and call.risk != READ:
        state = CallState.UNKNOWN
    else:
        state = CallState.FAILED
    return replace(
        call,
        state=state,
        error=refused.sentence,
        error_code=refused.code,
        rule=refused.rule or call.rule,
    )


def _asks(call: CallPart, asks: Asks, limits: ChatLimits, now: float) -> CallPart:
    if not is_web_address(asks.url):
        return _ended(replace(call, state=CallState.FAILED, error=_NOT_A_PAGE), now)
    return replace(
        call,
        state=CallState.NEEDS_ELEVATION if asks.is_elevation else CallState.NEEDS_CONSENT,
        url=asks.url,
        error=asks.sentence,
        expires_at=now + limits.visit_seconds,
    )


def _ended(call: CallPart, now: float) -> CallPart:
    latency_ms = None if call.started_at is None else (now - call.started_at) * 1000
    return replace(
        call,
        ended_at=now,
        latency_ms=latency_ms,
        inputs=[],
        answers=None,
        secret_state="",
        expires_at=None,
    )


def may_have_acted(call: CallPart) -> bool:
    """Whether making `call` has changed something, or nobody knows that it has not."""
    if call.risk == READ or call.started_at is None:
        return False
    is_cut_off = call.state is CallState.CANCELLED and call.error == MAY_HAVE_ACTED
    return is_cut_off or call.state in _PERHAPS_MADE


def cancelled(call: CallPart, now: float) -> CallPart:
    """`call`, as a stop leaves it: what is settled stays."""
    if not call.state.is_open:
        return call
    has_begun = call.state is CallState.RUNNING
    return replace(
        _ended(call, now),
        state=CallState.CANCELLED,
        error=MAY_HAVE_ACTED if has_begun and call.risk != READ else "",
        url="",
    )


def taken_up(message: Message, idempotent: Collection[str], now: float) -> list[Part]:
    """The parts of an interrupted `message`, as its turn goes on with them.

    Text at the end is of a step that nobody saw the end of: the model is asked for it again. A
    call that was running is made again, with the same key, where it only reads or its tool is
    among the `idempotent`; of any other it is not known what it did, and it is never made again.
    """
    parts = list(message.parts)
    if parts and isinstance(parts[-1], TextPart):
        parts.pop()
    return [_taken_up(part, idempotent, now) for part in parts]


def _taken_up(part: Part, idempotent: Collection[str], now: float) -> Part:
    if not isinstance(part, CallPart) or part.state is not CallState.RUNNING:
        return part
    if part.risk == READ or part.tool in idempotent:
        return replace(part, state=CallState.QUEUED)
    return replace(
        _ended(part, now),
        state=CallState.UNKNOWN,
        latency_ms=None,
        error="The gateway stopped while this call was under way.",
    )
