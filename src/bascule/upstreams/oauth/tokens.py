"""The token endpoint: codes and refresh tokens in, grants out (OAuth 2.1, RFC 8707)."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from bascule.upstreams.http1 import HttpResponse
from bascule.upstreams.oauth.challenges import parse_scopes
from bascule.upstreams.oauth.clients import members_of, proof
from bascule.upstreams.oauth.exchange import Exchange
from bascule.upstreams.oauth.failures import (
    AuthorizationFailed,
    AuthorizationUnavailable,
    GrantRefused,
)
from bascule.upstreams.oauth.ports import Grant, Registration

_MOST_SECONDS: Final = 366 * 24 * 3600.0
_LONGEST_TOKEN: Final = 32_768
_KNOWN_ERRORS: Final = frozenset(
    {"invalid_request", "invalid_client", "invalid_grant", "unauthorized_client",
     "unsupported_grant_type", "invalid_scope", "invalid_target"}
)  # fmt: skip
_LATER: Final = frozenset({408, 425, 429})


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request for a token is about. `scopes` were asked for; `refresh_token` is kept where
    the answer brings no other."""

    endpoint: str
    resource: str
    client: Registration
    scopes: tuple[str, ...] = ()
    refresh_token: str | None = None


class TokenEndpoint:
    """Asks for tokens, for one upstream."""

    def __init__(self, exchange: Exchange, clock: Callable[[], float] = time.time) -> None:
        self._exchange = exchange
        self._clock = clock

    async def redeem(self, asked: Asked, code: str, verifier: str, redirect_uri: str) -> Grant:
        """The grant for an authorization code.

        Raises:
            GrantRefused: the code is not, or no longer, accepted.
            AuthorizationFailed: the server refuses, or answers what cannot be used.
            AuthorizationUnavailable: it does not answer.
        """
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": verifier,
        }
        return await self._ask(asked, form)

    async def refresh(self, asked: Asked) -> Grant:
        """A new grant for a refresh token, with the same scopes. Raises as `redeem`."""
        form = {"grant_type": "refresh_token", "refresh_token": asked.refresh_token or ""}
        return await self._ask(asked, form)

    async def _ask(self, asked: Asked, form: dict[str, str]) -> Grant:
        members, headers = proof(asked.client)
        form = {**form, **members, "resource": asked.resource}
        began = self._clock()
        try:
            response = await self._exchange.post_form(asked.endpoint, form, headers)
        except ValueError as reason:
            raise self._failed(f"its token endpoint has {reason}") from None
        return self._read(response, asked, began)

    def _read(self, response: HttpResponse, asked: Asked, began: float) -> Grant:
        members = members_of(response.body)
        if response.status != 200:
            raise self._refused(response, members.get("error"), asked)
        token, kind = members.get("access_token"), members.get("token_type", "bearer")
        if not isinstance(token, str) or not is_sendable(token):
            raise self._failed(f"{asked.client.issuer} gave no token")
        if not isinstance(kind, str) or kind.lower() != "bearer":
            raise self._failed(f"{asked.client.issuer} gave a token that is no bearer's")
        refresh, given = members.get("refresh_token"), members.get("scope")
        scopes = parse_scopes(given) if isinstance(given, str) else ()
        usable = isinstance(refresh, str) and 0 < len(refresh) <= _LONGEST_TOKEN
        seconds = _seconds(members.get("expires_in"))
        return Grant(
            asked.client.issuer,
            asked.resource,
            asked.client.client_id,
            token,
            refresh if usable else asked.refresh_token,
            tuple(dict.fromkeys((*asked.scopes, *scopes))),
            None if seconds is None else began + seconds,
        )

    def _refused(self, response: HttpResponse, error: object, asked: Asked) -> Exception:
        known = isinstance(error, str) and error in _KNOWN_ERRORS
        named = f" ({error})" if known else ""
        said = f"the token endpoint of {asked.client.issuer} answered {response.status}{named}"
        if known and error == "invalid_grant":
            return GrantRefused(self._exchange.name, said)
        if 400 <= response.status < 500 and response.status not in _LATER:
            return self._failed(said)
        return AuthorizationUnavailable(self._exchange.name, said)

    def _failed(self, reason: str) -> AuthorizationFailed:
        return AuthorizationFailed(self._exchange.name, reason)


def is_sendable(token: str) -> bool:
    """Whether a header can carry it (RFC 6750 section 2.1, read generously)."""
    plain = token.isascii() and token.isprintable() and " " not in token
    return plain and 0 < len(token) <= _LONGEST_TOKEN


def _seconds(value: object) -> float | None:
    """`expires_in` as some servers write it: a number, a text with one, or not at all."""
    if isinstance(value, str) and value.strip().isascii() and value.strip().isdigit():
        value = int(value.strip()[:12])
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return min(max(float(value), 0.0), _MOST_SECONDS)
