"""The failures of an exchange, worded for callers; the private half names the origin."""

from bascule.gateway.errors import UpstreamFailed, UpstreamTimeout, UpstreamUnreachable
from bascule.upstreams.http1.messages import Origin

_MAY_HAVE_ACTED = "It may have acted on the request; check before repeating it."


class Disconnected(Exception):
    """The connection ended while a response was awaited; internal to this package.

    `sent` is False where no byte of the request had been handed over, `answered` is True once
    a byte of the response has come.
    """

    def __init__(self, *, sent: bool, answered: bool, cause: BaseException | None = None) -> None:
        super().__init__(f"closed by the peer ({cause!r})" if cause else "closed by the peer")
        self.sent = sent
        self.answered = answered


def unreachable(origin: Origin, reason: str) -> UpstreamUnreachable:
    """Nothing was sent."""
    return UpstreamUnreachable(
        "The service behind this tool cannot be reached. Nothing was sent to it; try again later.",
        private=f"{origin}: {reason}",
    )


def timed_out(origin: Origin, doing: str, *, sent: bool = True) -> UpstreamTimeout:
    """The deadline passed while `doing`; `sent` tells whether the request had left by then."""
    consequence = _MAY_HAVE_ACTED if sent else "Nothing was sent to it; try again later."
    return UpstreamTimeout(
        f"The service behind this tool did not answer in time. {consequence}",
        private=f"{origin}: the deadline passed while {doing}",
    )


def failed(origin: Origin, reason: str) -> UpstreamFailed:
    """The exchange broke after the request had left."""
    return UpstreamFailed(
        f"The service behind this tool gave no usable answer: {reason}. {_MAY_HAVE_ACTED}",
        private=f"{origin}: {reason}",
    )


def describe(cut: Disconnected) -> str:
    """Put into words at what point the connection ended."""
    if cut.answered:
        return "it closed the connection in the middle of its answer"
    return "it closed the connection without an answer"
