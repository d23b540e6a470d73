"""What an upstream says before its result, told to the caller it works for.

Source: specification 2026-07-28, basic/patterns/progress and server/utilities/logging.
"""

from typing import Final

import msgspec

from bascule.gateway.backchannel import Backchannel, Notification
from bascule.gateway.call import Call
from bascule.protocol.levels import at_least
from bascule.upstreams.mcp.hooks import OnNote
from bascule.upstreams.mcp.messages import Incoming, decode_members

_PROGRESS: Final = "notifications/progress"
_LOG: Final = "notifications/message"
_encode = msgspec.json.Encoder().encode


def notes_to(call: Call) -> OnNote:
    """What passes an upstream's notifications on to the caller of `call`.

    Progress gets the caller's own token; what the caller did not ask for is dropped, as is all
    that belongs to no request.
    """
    back, more = call.back, call.more
    if back is None:
        return _drop

    def take(note: Incoming) -> None:
        params = bytes(note.params) if isinstance(note.params, msgspec.Raw) else b"{}"
        if note.method == _PROGRESS and more.progress_token is not None:
            _tell_progress(back, params, more.progress_token)
        elif note.method == _LOG and more.log_level and at_least(params, more.log_level):
            back.notify(Notification(_LOG, params))

    return take


def _tell_progress(back: Backchannel, params: bytes, token: int | str) -> None:
    members = decode_members(params)
    if members is not None:
        members["progressToken"] = msgspec.Raw(_encode(token))
        back.notify(Notification(_PROGRESS, _encode(members)))


def _drop(_: Incoming) -> None:
    """Nothing but the result can be sent."""
