"""What waits for a person: whether it does, what they may say, and how long they have."""

from collections.abc import Collection

import msgspec
from msgspec.structs import replace

from bascule.chat.limits import ChatLimits
from bascule.chat.parts import CallPart, CallState, Choice, JsonObject
from bascule.gateway.errors import Conflict, InvalidArgument

READ = "read"
PRIVILEGED = "privileged"


def needs_approval(risk: str, tool: str, allowed: Collection[str]) -> bool:
    """Whether the person is asked before `tool` is called; always, for a privileged one."""
    return risk != READ and (risk == PRIVILEGED or tool not in allowed)


def is_expired(call: CallPart, now: float) -> bool:
    """Whether `call` waits for somebody who has not answered in time."""
    return call.state.waits_for_person and call.expires_at is not None and call.expires_at <= now


def expire(call: CallPart, now: float) -> CallPart:
    """`call`, denied because nobody answered."""
    return replace(
        call, state=CallState.DENIED, decided="expired", ended_at=now, secret_state="", url=""
    )


def decide(
    call: CallPart,
    now: float,
    *,
    choice: Choice,
    arguments: JsonObject | None,
    reason: str,
    limits: ChatLimits,
) -> CallPart:
    """`call` as the person decided: to be made, or denied.

    Whatever waits can be denied; only what waits for a yes can be agreed to.

    Raises:
        Conflict: it does not wait for that.
        InvalidArgument: the arguments are too large, or the choice does not fit the tool.
    """
    _refuse_unless(call, call.state.waits_for_person, "decide about")
    if choice is Choice.DENY:
        shortened = reason.strip()[: limits.reason_characters]
        return replace(
            call,
            state=CallState.DENIED,
            decided=choice.value,
            reason=shortened,
            ended_at=now,
            expires_at=None,
            secret_state="",
        )
    _refuse_unless(call, call.state is CallState.NEEDS_APPROVAL, "agree to")
    if choice is Choice.CONVERSATION and call.risk == PRIVILEGED:
        raise InvalidArgument("This tool is asked about each time. Agree to it once.")
    return replace(
        _with_arguments(call, arguments, limits),
        state=CallState.QUEUED,
        decided=choice.value,
        expires_at=None,
    )


def proceed(call: CallPart, _: float) -> CallPart:
    """`call`, to be made again with the same key, after an elevation or a connected account.

    Raises:
        Conflict: it does not wait for that.
    """
    visits = (CallState.NEEDS_ELEVATION, CallState.NEEDS_CONSENT)
    _refuse_unless(call, call.state in visits, "go on with")
    return replace(call, state=CallState.QUEUED, expires_at=None, url="", error="", error_code="")


def _with_arguments(call: CallPart, arguments: JsonObject | None, limits: ChatLimits) -> CallPart:
    if arguments is None or arguments == call.arguments:
        return call
    if len(msgspec.json.encode(arguments)) > limits.argument_bytes:
        raise InvalidArgument(
            f"These arguments are too large. Use at most {limits.argument_bytes} bytes of JSON."
        )
    return replace(call, arguments=arguments, is_edited=True)


def _refuse_unless(call: CallPart, may: bool, deed: str) -> None:  # noqa: FBT001 - private
    if not may:
        raise Conflict(
            f"There is nothing to {deed}: this call is {call.state.value.replace('_', ' ')}.",
            details={"state": call.state.value},
        )
