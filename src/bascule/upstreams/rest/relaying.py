"""What an upstream says piece by piece, told to the caller while it comes.

Source: specification 2026-07-28, basic/patterns/progress and server/utilities/logging.
"""

import asyncio
import math
import time
from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from bascule.gateway.backchannel import Notification
from bascule.gateway.call import Call, JsonObject
from bascule.gateway.errors import UpstreamTimeout
from bascule.protocol.levels import USUAL_LEVEL, at_least
from bascule.upstreams.http1 import ResponseStream
from bascule.upstreams.rest.sequences import Transcript
from bascule.upstreams.strikes import strike_text

_PROGRESS: Final = "notifications/progress"
_LOG: Final = "notifications/message"
_LONGEST_MESSAGE: Final = 2_000
_TOO_LATE: Final = "The upstream was still answering when the time for it was over."
_TOO_MUCH: Final = "The upstream went on for longer than answers are read."
_encode = msgspec.json.Encoder().encode

Tell = Callable[[str], None]


async def relay_sequence(
    response: ResponseStream, transcript: Transcript, call: Call, secrets: Sequence[str] = ()
) -> JsonObject:
    """Read the answer to its end, to the deadline or to the limit; the members of its result.

    `secrets` never appear in what is told on the way.

    Raises:
        UpstreamTimeout: nothing came in time.
        UpstreamFailed: it broke off.
    """
    tell = _teller(call, secrets)
    ending = ""
    while not transcript.is_full:
        try:
            piece = await response.next_piece()
        except UpstreamTimeout:
            if not transcript.count:
                raise
            ending = _TOO_LATE
            break
        texts = transcript.take(piece) if piece else transcript.finish()
        if tell is not None:
            for text in texts:
                tell(text)
            await _drained(call, response.deadline)
        if not piece:
            break
    return transcript.result(_TOO_MUCH if transcript.is_full else ending)


def _teller(call: Call, secrets: Sequence[str]) -> Tell | None:
    """What tells the caller, as progress or else as a log message; None where it asked for none."""
    back, token, level = call.back, call.more.progress_token, call.more.log_level
    if back is None:
        return None
    count = 0

    def tell_progress(text: str) -> None:
        nonlocal count
        count += 1
        params = {"progressToken": token, "progress": count, "message": _shown(text, secrets)}
        back.notify(Notification(_PROGRESS, _encode(params)))

    def tell_log(text: str) -> None:
        params = {"level": USUAL_LEVEL, "logger": call.tool_name, "data": _shown(text, secrets)}
        back.notify(Notification(_LOG, _encode(params)))

    if token is not None:
        return tell_progress
    return tell_log if level and at_least(_encode({"level": USUAL_LEVEL}), level) else None


def _shown(text: str, secrets: Sequence[str]) -> str:
    text = strike_text(text, secrets)
    return text if len(text) <= _LONGEST_MESSAGE else f"{text[: _LONGEST_MESSAGE - 1]}…"


async def _drained(call: Call, deadline: float) -> None:
    """Let the caller read on; one that does not is not waited for beyond the deadline."""
    if call.back is None:
        return
    try:
        async with asyncio.timeout(None if deadline == math.inf else deadline - time.monotonic()):
            await call.back.drained()
    except TimeoutError:
        return
