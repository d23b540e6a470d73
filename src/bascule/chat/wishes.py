"""The calls that a model wants, judged before anybody is asked or called."""

import hashlib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import msgspec
from msgspec.structs import replace

from bascule.chat.approvals import READ, needs_approval
from bascule.chat.limits import ChatLimits
from bascule.chat.models import Wanted
from bascule.chat.outcomes import may_have_acted
from bascule.chat.parts import CallPart, CallState, JsonObject, Message, calls_of
from bascule.chat.toolbox import OfferedTool
from bascule.chat.wellformed import whole_text, whole_value

_LONGEST_NAME: Final = 128
# What did not happen for certain can be asked for again.
_CAN_BE_REPEATED: Final = frozenset({CallState.FAILED})


def call_key(conversation_id: str, message_id: str, call_id: str) -> str:
    """The idempotency key of a call: 40 hexadecimal digits, the same for ever."""
    parts = "\0".join((conversation_id, message_id, call_id))
    return hashlib.sha256(parts.encode()).hexdigest()[:40]


@dataclass(frozen=True, slots=True)
class Wish:
    """A call that a model asked for, `id` being our own. `tool` is None where there is none."""

    id: str
    wanted: Wanted
    tool: OfferedTool | None


class Known(NamedTuple):
    """What is known besides an answer: tools that are used without asking, calls made before.

    `earlier` are those of the branch that it is in, `elsewhere` those of other branches, such as of
    an answer that it takes the place of: neither the model nor the person sees them here.
    """

    allowed: Collection[str] = ()
    earlier: Sequence[CallPart] = ()
    elsewhere: Sequence[CallPart] = ()


def judge(
    message: Message,
    wishes: Sequence[Wish],
    known: Known,
    limits: ChatLimits,
    now: float,
) -> list[CallPart]:
    """The calls for the next step of `message`: to be made, to be asked about, or refused.

    Of those beyond what one step or turn may have, the first is refused and the rest left out.
    """
    earlier = calls_of(message)
    room = max(min(limits.calls_per_step, limits.calls_per_turn - len(earlier)), 0)
    calls: list[CallPart] = []
    for wish in wishes[: room + 1]:
        call = _drawn_up(message, wish)
        sentence = _objection(wish, [*earlier, *calls], limits)
        if len(calls) == room:
            sentence = _crowding(len(wishes) - room, limits)
        if sentence:
            call = replace(call, state=CallState.FAILED, error=sentence, ended_at=now)
        else:
            call = _to_be_asked_about(call, known, now + limits.approval_seconds)
        calls.append(call)
    return calls


def _drawn_up(message: Message, wish: Wish) -> CallPart:
    tool = wish.tool
    return CallPart(
        id=wish.id,
        tool=whole_text(wish.wanted.name[:_LONGEST_NAME]) if tool is None else tool.name,
        arguments=_object(wish.wanted.arguments) or {},
        state=CallState.QUEUED,
        title="" if tool is None else tool.title,
        server="" if tool is None else tool.server,
        risk=READ if tool is None else tool.risk,
        key=call_key(message.conversation_id, message.id, wish.id),
    )


def _to_be_asked_about(call: CallPart, known: Known, expires_at: float) -> CallPart:
    """`call`, waiting for a yes where it takes one; always, where it was last made elsewhere."""
    before_at = None if call.risk == READ else _made_at(call, known.elsewhere)
    if before_at is not None and before_at <= (_made_at(call, known.earlier) or 0.0):
        before_at = None  # made again since, in plain sight
    if before_at is None and not needs_approval(call.risk, call.tool, known.allowed):
        return call
    return replace(
        call, state=CallState.NEEDS_APPROVAL, expires_at=expires_at, made_before_at=before_at
    )


def _made_at(call: CallPart, made: Sequence[CallPart]) -> float | None:
    """When the same call was last made, and has acted or may have."""
    moments = [
        one.ended_at or one.started_at or 0.0
        for one in made
        if one.tool == call.tool and may_have_acted(one) and _same(one.arguments, call.arguments)
    ]
    return max(moments, default=None)


def _object(arguments: object) -> JsonObject | None:
    return whole_value(arguments) if isinstance(arguments, dict) else None  # pyright: ignore[reportUnknownVariableType]


def _objection(wish: Wish, before: Sequence[CallPart], limits: ChatLimits) -> str:
    """Why the call is not made, for the model; empty where there is no reason."""
    tool, arguments = wish.tool, _object(wish.wanted.arguments)
    if tool is None:
        return "There is no tool of this name. Use one of those that are offered."
    if arguments is None:
        return "The arguments are not a JSON object. Give one that fits the input schema."
    if len(msgspec.json.encode(arguments)) > limits.argument_bytes:
        return f"The arguments are too large. Use at most {limits.argument_bytes} bytes of JSON."
    missing = ", ".join(name for name in _required(tool) if name not in arguments)
    if missing:
        return f"These required arguments are missing: {missing}. Ask the person for them."
    return "" if tool.risk == READ else _repetition(tool.name, arguments, before)


def _repetition(tool: str, arguments: JsonObject, before: Sequence[CallPart]) -> str:
    for call in before:
        if call.tool != tool or not _same(call.arguments, arguments):
            continue
        if call.state is CallState.DENIED:
            return "This very call was denied before in this turn. It is not asked again."
        if call.state not in _CAN_BE_REPEATED:
            return "This very call was asked for before in this turn. It is not made twice."
    return ""


def _same(one: JsonObject, other: JsonObject) -> bool:
    """Equal as JSON, where `true` is not 1."""
    first, second = (msgspec.json.encode(each, order="deterministic") for each in (one, other))
    return first == second


def _required(tool: OfferedTool) -> Iterator[str]:
    names = tool.input_schema.get("required")
    for name in names if isinstance(names, list) else ():  # pyright: ignore[reportUnknownVariableType]
        if isinstance(name, str):
            yield name


def _crowding(more: int, limits: ChatLimits) -> str:
    return (
        f"{more} calls were not made: there can be {limits.calls_per_step} in one step and "
        f"{limits.calls_per_turn} in one turn."
    )
