"""Tokens that are not to be had. In each case nothing was sent to the service itself."""

from typing import ClassVar

from bascule.gateway.errors import ErrorCode, GatewayError


class TokenUnavailable(GatewayError):
    """The token endpoint gave no answer that can be used; it may later."""

    error: ClassVar[ErrorCode] = ErrorCode.UPSTREAM_UNREACHABLE

    def __init__(self, reason: str) -> None:
        super().__init__(
            "No token can be had for the service behind this tool at the moment, so nothing was "
            "sent to it. Try again later; an operator should look at its token endpoint.",
            private=f"{reason} Look at token_url of this upstream's connector.",
        )


class TokenRefused(GatewayError):
    """The token endpoint does not accept this gateway's credentials: to try again is no use."""

    error: ClassVar[ErrorCode] = ErrorCode.UPSTREAM_FAILED

    def __init__(self, reason: str) -> None:
        super().__init__(
            "The token endpoint refused the credentials that this gateway has for the service "
            "behind this tool, so nothing was sent to it. Trying again will not help: an operator "
            "must correct its connector.",
            private=f"{reason} Check client_id, client_secret, scope and audience of this "
            "upstream's connector.",
        )
