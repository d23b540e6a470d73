"""What sends requests, as those see it who make them."""

from typing import Protocol

from bascule.upstreams.http1.messages import HttpRequest, HttpResponse
from bascule.upstreams.http1.stream import ResponseStream


class HttpSender(Protocol):
    """Sends requests; `HttpClient` does, and so does a client that adds credentials."""

    async def request(self, request: HttpRequest, deadline: float) -> HttpResponse:
        """As `HttpClient.request`."""
        ...

    def stream(self, request: HttpRequest, deadline: float) -> ResponseStream:
        """As `HttpClient.stream`."""
        ...
