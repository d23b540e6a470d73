"""A caller's own token on its way to the one place that may use it."""

from typing import final


@final
class Bearer:
    """A verified access token, hidden: its text is given to who exchanges it (RFC 8693) only.

    It is never sent to an upstream, which is not its audience (MCP specification 2026-07-28,
    basic/authorization "Token Passthrough").
    """

    __slots__ = ("_token",)

    def __init__(self, token: str) -> None:
        self._token = token

    def __repr__(self) -> str:
        return "Bearer(hidden)"

    def __reduce__(self) -> str:
        raise TypeError("a bearer's token is not written down")

    def for_exchange(self) -> str:
        """The token, to be shown to the authorization server that exchanges it."""
        return self._token
