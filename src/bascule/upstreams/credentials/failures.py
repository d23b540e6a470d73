"""Tokens that are not to be had. In each case nothing was sent to the service itself."""

from typing import ClassVar

from bascule.gateway.errors import ErrorCode, GatewayError, TokenRequired


class TokenUnavailable(GatewayError):
    """The token endpoint gave no answer that can be used; it may later."""

    error: ClassVar[ErrorCode] = ErrorCode.UPSTREAM_UNREACHABLE

    def __init__(self, reason: str) -> None:
        super().__init__(
            "No token can be had for the service behind this tool at the moment, so nothing was "
            "sent to it. Try again later; an operator should look at its token endpoint.",
            private=f"{reason} Look at token_url of this upstream's connector.",
        )


class ExchangeRefused(GatewayError):
    """The token endpoint gives nothing for this caller's token: to try again is no use.

    It says something of one caller, and nothing of the service.
    """

    error: ClassVar[ErrorCode] = ErrorCode.UPSTREAM_FAILED

    def __init__(self, reason: str) -> None:
        super().__init__(
            "The service behind this tool is called in your own name, and your token could not be "
            "exchanged for one that it accepts, so nothing was sent to it. You may lack access to "
            "it; otherwise an operator must correct its connector.",
            private=f"{reason} Check exchange in this upstream's connector, and what the issuer "
            "lets this client exchange.",
        )


class NothingToExchange(TokenRequired):
    """The caller came without a token."""

    def __init__(self, upstream: str) -> None:
        super().__init__(
            "The service behind this tool is called in your own name, which takes an access token "
            "of your identity provider. You came with an API key, a certificate or a session, and "
            "nothing was sent.",
            private=f"{upstream}: a caller without a token to exchange",
        )


class OthersToken(TokenRequired):
    """The caller's token is of an issuer to whom the endpoint does not belong."""

    def __init__(self, upstream: str) -> None:
        super().__init__(
            "The service behind this tool is called in your own name, which takes an access token "
            "of another identity provider than the one that yours is from. Nothing was sent.",
            private=f"{upstream}: a token of another issuer than that of exchange.token_url; set "
            "exchange.issuer where they are on different hosts",
        )


class TokenRefused(GatewayError):
    """The token endpoint does not accept this gateway's credentials: to try again is no use.

    Of an exchange, what it refused may be the caller's token: then it is not `is_about_client`.
    """

    error: ClassVar[ErrorCode] = ErrorCode.UPSTREAM_FAILED

    def __init__(self, reason: str, *, is_about_client: bool = True) -> None:
        self.reason = reason
        self.is_about_client = is_about_client
        super().__init__(
            "The token endpoint refused the credentials that this gateway has for the service "
            "behind this tool, so nothing was sent to it. Trying again will not help: an operator "
            "must correct its connector.",
            private=f"{reason} Check client_id, client_secret, scope and audience of this "
            "upstream's connector.",
        )
