"""The MCP endpoint of an HTTP server: where messages are posted, and what its statuses mean."""

import math
from typing import Final
from urllib.parse import urljoin

from bascule import __version__
from bascule.gateway.errors import GatewayError, UpstreamRateLimited
from bascule.gateway.tool import Upstream
from bascule.upstreams.http1 import (
    HttpRequest,
    HttpSender,
    Origin,
    ResponseStream,
    prepare_headers,
)
from bascule.upstreams.mcp.answers import Answer, AnswerReader, Listener
from bascule.upstreams.mcp.failures import failed

Headers = tuple[tuple[str, str], ...]

_EVENTS: Final = "text/event-stream"
_HEADERS: Final[dict[str, Headers]] = {
    "POST": (("content-type", "application/json"), ("accept", f"application/json, {_EVENTS}")),
    "GET": (("accept", _EVENTS),),
    "DELETE": (),
}
# An operator's header must not contradict what a message says about itself.
_RESERVED: Final = frozenset(
    {"content-type", "accept", "mcp-protocol-version", "mcp-method", "mcp-name", "mcp-session-id",
     "last-event-id", "x-correlation-id", "x-mcp-tool-name", "x-mcp-risk-level", "traceparent"}
)  # fmt: skip


class Endpoint:
    """Posts messages to one upstream, with the operator's headers; follows no redirect."""

    def __init__(
        self,
        upstream: Upstream,
        client: HttpSender,
        max_message_bytes: int,
        lasting: HttpSender | None = None,
    ) -> None:
        """Open no connection yet. `lasting` is for exchanges and streams without a near end.

        Raises:
            ValueError: the URL or a header is unusable; says what to change.
        """
        self.name = upstream.name
        self.reader = AnswerReader(upstream.name, max_message_bytes)
        self._client = client
        self._lasting = lasting or client
        self._origin, self._target = Origin.locate(upstream.url)
        self._connect_timeout_seconds = upstream.connect_timeout_seconds
        given = {name.lower() for name, _ in upstream.headers}
        agent = () if "user-agent" in given else (("user-agent", f"bascule/{__version__}"),)
        self._own = agent + tuple(
            (name, value) for name, value in upstream.headers if name.lower() not in _RESERVED
        )
        # Here, where what is wrong is said once, and not with every call.
        prepare_headers(self._own)
        self._prepared: dict[str, bytes] = {}

    def locate(self, reference: str) -> str:
        """The target that `reference` names; relative ones are seen from this endpoint's URL.

        Raises:
            ValueError: it leads to another origin; credentials must not go there.
        """
        origin, target = Origin.locate(urljoin(f"{self._origin}{self._target}", reference))
        if origin != self._origin:
            raise ValueError(f"{reference[:128]!r} leads away from {self._origin}")
        return target

    async def post(
        self,
        body: bytes,
        headers: Headers,
        request_id: str,
        deadline: float,
        listener: Listener | None = None,
        prepared: bytes = b"",
    ) -> Answer:
        """Post a request and read up to its response. Raises as `AnswerReader.read`, and
        UpstreamUnreachable where nothing was sent. `prepared` are headers as lines."""
        request = self._request("POST", headers, body, prepared)
        async with self._client.stream(request, deadline) as response:
            return await self.reader.read(response, request_id, listener)

    async def converse(
        self, body: bytes, headers: Headers, request_id: str, listener: Listener
    ) -> Answer:
        """As `post`, but in no hurry: who waits for it ends it."""
        async with self.open(body, headers) as response:
            return await self.reader.read(response, request_id, listener)

    async def resume(
        self, headers: Headers, request_id: str, deadline: float, listener: Listener | None
    ) -> Answer:
        """Take up an event stream again; `headers` name session and last event."""
        client = self._lasting if deadline == math.inf else self._client
        async with client.stream(self._request("GET", headers), deadline) as response:
            return await self.reader.read(response, request_id, listener)

    def open(self, body: bytes, headers: Headers) -> ResponseStream:
        """The stream that answers a POST of `body`, or, without one, a GET. It has no deadline."""
        request = self._request("POST" if body else "GET", headers, body)
        return self._lasting.stream(request, math.inf)

    async def notify(
        self, body: bytes, headers: Headers, deadline: float, target: str | None = None
    ) -> int:
        """Post a message that has no response, to `target` if given; gives the status."""
        request = self._request("POST", headers, body)
        if target is not None:
            request = request._replace(target=target)
        return (await self._client.request(request, deadline)).status

    async def delete(self, headers: Headers, deadline: float) -> int:
        """Ask the server to end the session that `headers` name; gives the status."""
        return (await self._client.request(self._request("DELETE", headers), deadline)).status

    def _request(
        self, verb: str, headers: Headers, body: bytes = b"", prepared: bytes = b""
    ) -> HttpRequest:
        common = self._prepared.get(verb)
        if common is None:
            common = self._prepared[verb] = prepare_headers(_HEADERS[verb] + self._own)
        return HttpRequest(
            self._origin,
            verb,
            self._target,
            headers,
            body,
            self._connect_timeout_seconds,
            common + prepared,
        )

    def failure_of(self, answer: Answer) -> GatewayError | None:
        """The failure a status means whatever the era; None where the era decides."""
        status = answer.status
        if status in {401, 403, 407}:
            return failed(
                self.name,
                f"it refused this gateway's credentials (status {status}); "
                "an operator must check them",
            )
        if status == 429:
            return self._rate_limited(answer)
        if 300 <= status < 400:
            return failed(
                self.name,
                f"it redirects (status {status}), which is not followed; "
                "an operator must set the final URL",
            )
        if status >= 500:
            return failed(self.name, f"it answered with status {status}")
        return None

    def _rate_limited(self, answer: Answer) -> GatewayError:
        details: dict[str, object] = {}
        after = answer.retry_after or ""
        if after.isascii() and after.isdigit() and len(after) < 8:
            details["retry_after_seconds"] = int(after)
        return UpstreamRateLimited(
            "The service behind this tool takes no more requests for now; try again later.",
            private=f"{self.name}: status 429",
            details=details,
        )
