"""Calls that come again after a challenge, and what their callers answered to it.

A challenge needs no state: the caller is told an address, and makes the same call again.
"""

from typing import Final

import msgspec

from bascule.gateway.call import NOTHING_MORE, Call
from bascule.gateway.verdict import Need, Refuse

KEYS: Final = {need: f"io.bascule/{need.name.lower()}" for need in Need}
"""Under which the request to visit an address stands among `inputRequests`."""
_MARK: Final = b'"io.bascule/'
_decode = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


class _Answer(msgspec.Struct):
    """An `ElicitResult` (specification 2026-07-28, client/elicitation "Response Actions")."""

    action: str = ""


_decode_answer = msgspec.json.Decoder(_Answer).decode


def settle(call: Call) -> Refuse | None:
    """Take the answers to challenges out of `call`, since no upstream ever asked for them.

    Gives a refusal where the caller would not go: asked again, it would be asked for ever.
    """
    more = call.more
    responses = None if more is NOTHING_MORE else more.input_responses
    if responses is None or _MARK not in responses:
        return None
    try:
        answers = _decode(responses)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    answered = {need: answers.pop(key) for need, key in KEYS.items() if key in answers}
    rest = msgspec.json.encode(answers) if answers else None
    call.more = msgspec.structs.replace(more, input_responses=rest)
    for need, answer in answered.items():
        if _action(answer) in {"decline", "cancel"}:
            return Refuse(
                need.error,
                public="The page that this call needs was not visited, so nothing was done. Make "
                "the call again to be given its address once more.",
                private=f"the caller declined ({need.name.lower()})",
            )
    return None


def _action(answer: msgspec.Raw) -> str:
    try:
        return _decode_answer(answer).action
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ""
