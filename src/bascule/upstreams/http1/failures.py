"""The failures of an exchange, worded for callers; the private half names the origin."""

import ssl
from typing import ClassVar

from bascule.gateway.errors import (
    ErrorCode,
    GatewayError,
    UpstreamCut,
    UpstreamFailed,
    UpstreamTimeout,
    UpstreamUnreachable,
)
from bascule.upstreams.http1.messages import Origin

_ABOUT_CERTIFICATES = (
    "ALERT_UNKNOWN_CA", "CERTIFICATE", "ALERT_ACCESS_DENIED", "ALERT_HANDSHAKE_FAILURE",
    "ALERT_DECRYPT_ERROR",
)  # fmt: skip
"""Alerts (RFC 8446 section 6.2) that come of a handshake, as OpenSSL names them."""
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
        self.cause = cause


class CertificateRefused(GatewayError):
    """The service ended the TLS handshake: it has seen no request, and will see none.

    TLS 1.3 lets a client send before the server has looked at its certificate (RFC 8446 section
    2), so this shows only where an answer was waited for.
    """

    error: ClassVar[ErrorCode] = ErrorCode.UPSTREAM_UNREACHABLE

    def __init__(self, origin: Origin, alert: str) -> None:
        super().__init__(
            "The service behind this tool does not accept the certificate of this gateway, so "
            "nothing was done. Trying again will not help: an operator must correct its connector.",
            private=f"{origin}: it ended the TLS handshake ({alert}). Look at the certificate and "
            "key of this upstream's connector.",
        )


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


def cut_off(origin: Origin, cut: Disconnected) -> GatewayError:
    """The connection ended after the request had left."""
    reason = describe(cut)
    if isinstance(cut.cause, ssl.SSLError) and not cut.answered:
        alert = cut.cause.reason or ""
        if any(word in alert for word in _ABOUT_CERTIFICATES):
            return CertificateRefused(origin, alert)
    return UpstreamCut(
        f"The service behind this tool gave no usable answer: {reason}. {_MAY_HAVE_ACTED}",
        private=f"{origin}: {reason}",
    )


def describe(cut: Disconnected) -> str:
    """Put into words at what point the connection ended."""
    if cut.answered:
        return "it closed the connection in the middle of its answer"
    return "it closed the connection without an answer"
