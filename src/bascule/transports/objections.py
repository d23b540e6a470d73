"""What may be wrong with a request at its point of a conversation on a shared channel."""

from typing import Final

from bascule.gateway.errors import ErrorCode
from bascule.gateway.verdict import Refuse


def _refusal(error: ErrorCode, public: str) -> Refuse:
    return Refuse(error, public, public)


STOPPING: Final = _refusal(
    ErrorCode.UNAVAILABLE, "The gateway is shutting down. Connect again in a moment."
)
ID_IN_USE: Final = _refusal(
    ErrorCode.INVALID_REQUEST, "A request with this id is still under way. Use a new id for each."
)
TOO_MANY_FEEDS: Final = _refusal(
    ErrorCode.UNAVAILABLE, "Too many subscriptions are open on this channel. Cancel one first."
)
INITIALIZED: Final = _refusal(ErrorCode.INVALID_REQUEST, "This channel is initialized already.")
NOT_INITIALIZED: Final = _refusal(
    ErrorCode.SESSION_REQUIRED,
    "Send initialize first, or a request of revision 2026-07-28 with its version in params._meta.",
)
NOT_PLAIN: Final = _refusal(
    ErrorCode.INVALID_VALUE, "The protocol version and the method must be printable ASCII."
)


def too_large(max_message_bytes: int) -> Refuse:
    """A message over the bound, which was not looked into."""
    return Refuse(
        ErrorCode.TOO_LARGE,
        public=f"The message is larger than {max_message_bytes} bytes. Send less, or have an "
        "operator raise server.max_body_bytes.",
        private="message over the limit",
        details={"max_body_bytes": max_message_bytes},
    )
