"""Secrets that are not to be had: nothing was sent, and no value is in any message."""

from typing import ClassVar

from bascule.gateway.errors import ErrorCode, GatewayError


class SecretUnavailable(GatewayError):
    """A reference has no value now. `private` names the reference and says what to do."""

    error: ClassVar[ErrorCode] = ErrorCode.UPSTREAM_UNREACHABLE

    def __init__(self, reason: str) -> None:
        super().__init__(
            "The credentials for the service behind this tool cannot be made ready, so nothing was "
            "sent to it. An operator must look at its connector.",
            private=reason,
        )
