"""Requests on the way to a token: short, bounded, and only to where an upstream may lead."""

import time
from typing import Final, NamedTuple
from urllib.parse import urlencode

from bascule.gateway.errors import GatewayError
from bascule.upstreams.http1 import HttpClient, HttpRequest, HttpResponse, ResponseStream
from bascule.upstreams.oauth.failures import AuthorizationUnavailable
from bascule.upstreams.oauth.ground import Ground

LARGEST_BYTES: Final = 256 * 1024
"""Of a document or an answer."""
_ANSWER_SECONDS: Final = 10.0
_ACCEPT: Final = ("accept", "application/json")
_FORM: Final = "application/x-www-form-urlencoded"


class Clients(NamedTuple):
    """`own` reaches the upstream's origin, by its rules; `others` what strangers may name.

    Neither adds credentials. Whoever made `others` for one upstream closes it.
    """

    own: HttpClient
    others: HttpClient


class Exchange:
    """Sends for one upstream. Redirects are followed within an origin, of GET alone."""

    def __init__(self, name: str, ground: Ground, clients: Clients) -> None:
        """`name` is the upstream's, for failures."""
        self.name = name
        self.ground = ground
        self._clients = clients

    async def get(self, url: str) -> HttpResponse:
        """Fetch a document.

        Raises:
            ValueError: `url` must not be fetched.
            AuthorizationUnavailable: there was no answer.
        """
        origin, target = self.ground.resolve(url)
        return await self._send(HttpRequest(origin, "GET", target, (_ACCEPT,)))

    async def post_form(
        self, url: str, form: dict[str, str], headers: tuple[tuple[str, str], ...] = ()
    ) -> HttpResponse:
        """Post to an endpoint of an authorization server. Raises as `get`."""
        origin, target = self.ground.check_server(url)
        about = (("content-type", _FORM), _ACCEPT, *headers)
        return await self._send(
            HttpRequest(origin, "POST", target, about, urlencode(form).encode())
        )

    async def post_json(self, url: str, body: bytes) -> HttpResponse:
        """Post JSON to an endpoint of an authorization server. Raises as `get`."""
        origin, target = self.ground.check_server(url)
        about = (("content-type", "application/json"), _ACCEPT)
        return await self._send(HttpRequest(origin, "POST", target, about, body))

    async def _send(self, request: HttpRequest) -> HttpResponse:
        is_own = request.origin == self.ground.origin
        client = self._clients.own if is_own else self._clients.others
        deadline = time.monotonic() + _ANSWER_SECONDS
        try:
            async with ResponseStream(
                client.open_stream, request, deadline, LARGEST_BYTES
            ) as response:
                return HttpResponse(response.status, response.headers, await response.read())
        except GatewayError as failure:
            raise AuthorizationUnavailable(self.name, failure.private) from None
