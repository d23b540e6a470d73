"""What keeps the gateway from calling an upstream on behalf of somebody.

What an upstream or an authorization server said in words is in none of them, nor in their private
halves: it may repeat a secret, or lead somebody on.
"""

from typing import ClassVar

from bascule.gateway.errors import ConsentRequired, ErrorCode, GatewayError


class ConsentNeeded(ConsentRequired):
    """The caller must visit `url` and consent; the call can be made again afterwards.

    The upstream has acted on nothing.
    """

    def __init__(self, url: str, upstream: str = "") -> None:
        super().__init__(
            "The service behind this tool wants your consent before this gateway may use it for "
            "you. Open the address in a browser, agree, then make the call again.",
            url=url,
            private=f"{upstream}: the caller has not consented yet",
        )
        self.upstream = upstream


class NotConnected(GatewayError):
    """Nobody has consented yet with whose access the gateway could list what there is."""

    error: ClassVar[ErrorCode] = ErrorCode.UPSTREAM_FAILED

    def __init__(self, upstream: str) -> None:
        super().__init__(
            "Nobody has connected an account with this service yet, so it is not known what it "
            "offers. Connect yours, or ask an administrator to connect the gateway's own.",
            private=f"{upstream}: there is no grant to list with; somebody must connect first, as "
            f"by `bascule grants connect {upstream} --gateway`",
        )
        self.upstream = upstream


class AuthorizationFailed(GatewayError):
    """The way to access is broken, at the upstream or at its authorization server."""

    error: ClassVar[ErrorCode] = ErrorCode.UPSTREAM_FAILED

    def __init__(self, upstream: str, reason: str, public: str = "") -> None:
        super().__init__(
            public
            or "This gateway cannot get access to the service behind this tool on your behalf. "
            "Trying again will hardly help: an operator should look at its authorization.",
            private=f"{upstream}: {reason}",
        )


class GrantRefused(AuthorizationFailed):
    """The authorization server does not accept a code or refresh token any more."""


class AuthorizationUnavailable(GatewayError):
    """The authorization server, or the upstream's word on it, cannot be had now."""

    error: ClassVar[ErrorCode] = ErrorCode.UPSTREAM_UNREACHABLE

    def __init__(self, upstream: str, reason: str) -> None:
        super().__init__(
            "The authorization server of the service behind this tool gives no usable answer, so "
            "nothing was sent to the service. Try again later.",
            private=f"{upstream}: {reason}",
        )
