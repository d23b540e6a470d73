"""One token for all calls to a service, renewed before it expires and by one request at a time."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import structlog

from bascule.gateway.bearer import Bearer
from bascule.gateway.connector import ClientCredentials, TokenExchange
from bascule.gateway.errors import GatewayError
from bascule.upstreams.credentials.failures import (
    ExchangeRefused,
    TokenRefused,
    TokenUnavailable,
)
from bascule.upstreams.credentials.granting import (
    Grant,
    exchange_request,
    read_grant,
    token_request,
)
from bascule.upstreams.flights import Flight
from bascule.upstreams.http1 import HttpClient, HttpRequest, HttpResponse
from bascule.upstreams.secrets import SecretResolver

_log = structlog.get_logger(__name__)

EARLY_SECONDS: Final = 60.0
"""How long before its end a token is renewed; of short-lived ones, half of their life."""
_PAUSE_SECONDS: Final = 1.0
"""How long a failure stands for further calls before the endpoint is asked again."""
_ANSWER_SECONDS: Final = 15.0


@dataclass(frozen=True, slots=True)
class Token:
    """A token; the times are those of the clock. `renew_from` is never after `until`."""

    value: str
    renew_from: float
    until: float


class Tokens:
    """Tokens for one upstream, by client credentials or in exchange for one caller's.

    Safe for any number of calls at once.
    """

    def __init__(
        self,
        tenant: str,
        wanted: ClientCredentials | TokenExchange,
        client: HttpClient,
        resolver: SecretResolver,
        clock: Callable[[], float] = time.monotonic,
        subject: Bearer | None = None,
    ) -> None:
        """`client` reaches the token endpoint. Nothing is asked for yet.

        `subject` is the caller's token, which an exchange needs.
        """
        self._wanted = wanted
        self._subject = subject
        self._tenant = tenant
        self._client = client
        self._resolver = resolver
        self._clock = clock
        self._token: Token | None = None
        self._flight: Flight[Token] = Flight()
        self._failure: GatewayError | None = None
        self._paused_until = 0.0
        self._generation = resolver.generation(tenant)

    async def current(self) -> Token:
        """A token that is valid now; a new one is got in the background where it is time.

        Raises:
            TokenRefused, ExchangeRefused, TokenUnavailable, SecretUnavailable: there is none.
        """
        token, now = self._token, self._clock()
        generation = self._resolver.generation(self._tenant)
        if self._generation != generation:
            # What was wrong may be right now.
            self._generation, self._paused_until = generation, 0.0
        if token is not None and now < token.until:
            if now >= token.renew_from and now >= self._paused_until:
                self._flight.begin(self._renew)
            return token
        if self._failure is not None and now < self._paused_until:
            raise self._failure
        return await self._flight.join(self._renew)

    def forget(self) -> None:
        """Take the token for spent: the service no longer accepts it."""
        self._token = None
        self._paused_until = 0.0

    async def close(self) -> None:
        """End a request under way."""
        await self._flight.close()

    async def _renew(self) -> Token:
        asked = self._clock()
        try:
            grant = await self._ask()
        except GatewayError as failure:
            self._failure = failure
            self._paused_until = self._clock() + _PAUSE_SECONDS
            _log.warning("upstream.no_token", tenant=self._tenant, reason=failure.private)
            raise
        self._failure = None
        early = min(EARLY_SECONDS, grant.seconds / 2)
        token = Token(grant.token, asked + grant.seconds - early, asked + grant.seconds)
        self._token = token if grant.seconds > 0 else None
        return token

    async def _ask(self) -> Grant:
        wanted, tenant = self._wanted, self._tenant
        client_id = await self._resolver.resolve(tenant, wanted.client_id)
        secret = await self._resolver.resolve(tenant, wanted.client_secret)
        try:
            request = self._request(client_id, secret)
        except ValueError as error:
            raise TokenUnavailable(f"token_url is unusable: {error}.") from None
        response = await self._send(request)
        try:
            return read_grant(response, request.origin)
        except TokenRefused as refused:
            if self._subject is not None and not refused.is_about_client:
                raise ExchangeRefused(refused.reason) from None
            # The secret may have been rotated at its place since it was read.
            self._resolver.forget(wanted.client_secret)
            raise

    def _request(self, client_id: str, secret: str) -> HttpRequest:
        wanted = self._wanted
        if isinstance(wanted, ClientCredentials):
            return token_request(wanted, client_id, secret)
        if self._subject is None:
            raise ValueError("an exchange needs a token to exchange")
        return exchange_request(wanted, client_id, secret, self._subject.for_exchange())

    async def _send(self, request: HttpRequest) -> HttpResponse:
        try:
            return await self._client.request(request, time.monotonic() + _ANSWER_SECONDS)
        except GatewayError as failure:
            raise TokenUnavailable(f"Token endpoint: {failure.private}.") from None
