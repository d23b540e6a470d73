"""A client that comes to a service as somebody: it adds credentials, and nobody else can."""

import asyncio
import math
import time

from bascule.upstreams.credentials.credentials import Credentials, Ready
from bascule.upstreams.http1 import HttpClient, HttpRequest, HttpResponse, ResponseStream
from bascule.upstreams.http1.connection import Connection
from bascule.upstreams.http1.failures import timed_out
from bascule.upstreams.strikes import strike_body

_MOST_REMEMBERED = 4
"""An answer under way may repeat what was sent before the credentials were renewed."""


class CredentialedClient:
    """Sends as `HttpClient` does, with credentials; on 401 once more with new ones.

    A service that answers 401 has not acted (RFC 9110 section 15.5.2), so that is safe for every
    method. Headers of the same names in a request are left out.
    """

    def __init__(self, client: HttpClient, credentials: Credentials) -> None:
        """The client belongs to somebody else."""
        self._client = client
        self._credentials = credentials
        self._sent: tuple[Ready, ...] = ()
        self._secrets: tuple[str, ...] = ()

    async def request(self, request: HttpRequest, deadline: float) -> HttpResponse:
        """Send `request`; what it answers but success repeats no credential.

        Raises:
            SecretUnavailable, TokenUnavailable, TokenRefused: nothing was sent.
            GatewayError: as `HttpClient.request`.
        """
        ready = self._credentials.fresh() or await self._prepared(request, deadline)
        response = await self._client.request(self._with(request, ready), deadline)
        if response.status == 401:
            renewed = await self._renewed(ready, request, deadline)
            if renewed is not None:
                ready = renewed
                response = await self._client.request(self._with(request, ready), deadline)
        return _silent(response, ready) if response.status >= 300 else response

    def stream(self, request: HttpRequest, deadline: float) -> ResponseStream:
        """As `HttpClient.stream`. The body is given as it comes."""
        return ResponseStream(self.open_stream, request, deadline, self._client.max_body_bytes)

    async def open_stream(self, request: HttpRequest, deadline: float) -> Connection:
        """As `HttpClient.open_stream`."""
        ready = self._credentials.fresh() or await self._prepared(request, deadline)
        connection = await self._client.open_stream(self._with(request, ready), deadline)
        if connection.reader.status == 401:
            renewed = await self._renewed(ready, request, deadline)
            if renewed is not None:
                connection.linger()
                return await self._client.open_stream(self._with(request, renewed), deadline)
        return connection

    @property
    def max_body_bytes(self) -> int:
        """How much of a body is read."""
        return self._client.max_body_bytes

    @property
    def secrets(self) -> tuple[str, ...]:
        """What was sent of late and must not be repeated to callers, longest first."""
        return self._secrets

    def _with(self, request: HttpRequest, ready: Ready) -> HttpRequest:
        if not self._sent or self._sent[0] is not ready:
            self._remember(ready)
        names = self._credentials.names
        kept = [one for one in request.headers if one[0].lower() not in names]
        return request._replace(headers=kept, prepared=request.prepared + ready.lines)

    def _remember(self, ready: Ready) -> None:
        others = (one for one in self._sent if one.secrets != ready.secrets)
        self._sent = (ready, *others)[:_MOST_REMEMBERED]
        secrets = {secret for one in self._sent for secret in one.secrets}
        self._secrets = tuple(sorted(secrets, key=lambda one: (-len(one), one)))

    async def _prepared(self, request: HttpRequest, deadline: float) -> Ready:
        try:
            async with asyncio.timeout(_left(deadline)):
                return await self._credentials.prepared()
        except TimeoutError:
            doing = "its credentials were made ready"
            raise timed_out(request.origin, doing, sent=False) from None

    async def _renewed(self, refused: Ready, request: HttpRequest, deadline: float) -> Ready | None:
        try:
            async with asyncio.timeout(_left(deadline)):
                return await self._credentials.renewed(refused)
        except TimeoutError:
            raise timed_out(request.origin, "its token was renewed", sent=False) from None


def _left(deadline: float) -> float | None:
    return None if deadline == math.inf else deadline - time.monotonic()


def _silent(response: HttpResponse, ready: Ready) -> HttpResponse:
    body = strike_body(response.body, ready.secrets)
    return response if body is response.body else response._replace(body=body)
