"""Consent without a person: a client that follows the authorization address by itself.

It gets through where an authorization server sends everybody straight back, as those of test
suites do. It keeps no cookies and fills in no forms: it cannot log in as anybody.
"""

import time
from typing import Final
from urllib.parse import urljoin, urlsplit

from bascule.upstreams.http1 import HttpClient, HttpRequest, Origin
from bascule.upstreams.oauth.asking import read_callback
from bascule.upstreams.oauth.failures import AuthorizationFailed
from bascule.upstreams.oauth.ground import is_loopback
from bascule.upstreams.oauth.ports import Callback, Pending

_MOST_STEPS: Final = 10
_SECONDS: Final = 20.0


class HeadlessConsent:
    """Follows redirects up to `redirect_uri`, where nobody need listen; a `Consent`."""

    def __init__(self, client: HttpClient, redirect_uri: str) -> None:
        self._client = client
        self._redirect_uri = redirect_uri

    @property
    def redirect_uri(self) -> str:
        """Where authorization servers send the client back to."""
        return self._redirect_uri

    async def ask(self, pending: Pending) -> Callback:
        """The answer that the redirects end in.

        Raises:
            AuthorizationFailed: they end in something else, such as a page to log in at.
            GatewayError: a server on the way does not answer.
        """
        deadline = time.monotonic() + _SECONDS
        url = pending.url
        for _ in range(_MOST_STEPS):
            origin, target = _locate(url, pending.upstream)
            accept = (("accept", "text/html"),)
            request = HttpRequest(origin, "GET", target, accept)
            response = await self._client.request(request, deadline)
            location = response.header("location")
            if location is None or not 300 <= response.status < 400:
                raise AuthorizationFailed(
                    pending.upstream,
                    f"{origin} wants a person (status {response.status}); use --oauth",
                )
            url = urljoin(url, location)
            if url.partition("?")[0] == self._redirect_uri:
                return _callback(url, pending)
        raise AuthorizationFailed(pending.upstream, "the authorization redirects without end")


def _locate(url: str, upstream: str) -> tuple[Origin, str]:
    try:
        origin, target = Origin.locate(url)
    except ValueError as reason:
        raise AuthorizationFailed(upstream, f"the authorization leads astray: {reason}") from None
    if origin.scheme != "https" and not is_loopback(origin.host):
        raise AuthorizationFailed(upstream, f"the authorization leads to {origin}, without TLS")
    return origin, target


def _callback(url: str, pending: Pending) -> Callback:
    found = read_callback(urlsplit(url).query)
    if found is None:
        raise AuthorizationFailed(pending.upstream, "the authorization came back without an answer")
    return found
