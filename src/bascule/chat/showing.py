"""What leaves the service of a message: all but the sealed states of questions."""

from msgspec.structs import replace

from bascule.chat.approvals import expire, is_expired
from bascule.chat.parts import CallPart, Message, MessageStatus, calls_of


def shown_call(call: CallPart) -> CallPart:
    """`call` without its `secret_state`."""
    return replace(call, secret_state="") if call.secret_state else call


def as_of(message: Message, now: float) -> Message:
    """`message` as it stands at `now`: a call that nobody answered in time is denied.

    Where nothing waits any more it is `running`: its turn goes on as soon as somebody listens.
    """
    is_late = [isinstance(part, CallPart) and is_expired(part, now) for part in message.parts]
    if message.status is not MessageStatus.WAITING or not any(is_late):
        return message
    parts = [
        expire(part, part.expires_at or now) if isinstance(part, CallPart) and late else part
        for part, late in zip(message.parts, is_late, strict=True)
    ]
    changed = replace(message, parts=parts)
    if not any(call.state.waits_for_person for call in calls_of(changed)):
        changed.status = MessageStatus.RUNNING
    return changed


def shown(message: Message) -> Message:
    """`message` as it stands now, without its `version` and what its calls keep sealed; a copy."""
    parts = [shown_call(part) if isinstance(part, CallPart) else part for part in message.parts]
    return replace(message, parts=parts, version=0)
