"""The MCP endpoint of an HTTP server: where messages are posted, and what its statuses mean."""

from typing import Final

from bascule import __version__
from bascule.gateway.errors import GatewayError, UpstreamRateLimited
from bascule.gateway.tool import Upstream
from bascule.upstreams.http1 import HttpClient, HttpRequest, Origin
from bascule.upstreams.mcp.answers import Answer, AnswerReader, OnRequest
from bascule.upstreams.mcp.failures import failed

Headers = tuple[tuple[str, str], ...]

_ACCEPT: Final = "application/json, text/event-stream"
_POST: Final = (("content-type", "application/json"), ("accept", _ACCEPT))
# An operator's header must not contradict what a message says about itself.
_RESERVED: Final = frozenset(
    {"content-type", "accept", "mcp-protocol-version", "mcp-method", "mcp-name", "mcp-session-id",
     "last-event-id", "x-correlation-id", "x-mcp-tool-name", "x-mcp-risk-level", "traceparent"}
)  # fmt: skip


class Endpoint:
    """Posts messages to one upstream, with the operator's headers; follows no redirect."""

    def __init__(self, upstream: Upstream, client: HttpClient, max_message_bytes: int) -> None:
        """Open no connection yet.

        Raises:
            ValueError: the URL is unusable; says what to change.
        """
        self.name = upstream.name
        self._client = client
        self._origin, self._target = Origin.locate(upstream.url)
        self._connect_timeout_seconds = upstream.connect_timeout_seconds
        self._reader = AnswerReader(upstream.name, max_message_bytes)
        given = {name.lower() for name, _ in upstream.headers}
        agent = () if "user-agent" in given else (("user-agent", f"bascule/{__version__}"),)
        self._own = agent + tuple(
            (name, value) for name, value in upstream.headers if name.lower() not in _RESERVED
        )

    async def post(
        self,
        body: bytes,
        headers: Headers,
        request_id: str,
        deadline: float,
        on_request: OnRequest | None = None,
    ) -> Answer:
        """Post a request and read up to its response. Raises as `AnswerReader.read`, and
        UpstreamUnreachable where nothing was sent."""
        request = self._request("POST", (*_POST, *headers), body)
        async with self._client.stream(request, deadline) as response:
            return await self._reader.read(response, request_id, on_request)

    async def resume(
        self, headers: Headers, request_id: str, deadline: float, on_request: OnRequest | None
    ) -> Answer:
        """Take up an event stream again; `headers` name session and last event."""
        request = self._request("GET", (("accept", "text/event-stream"), *headers))
        async with self._client.stream(request, deadline) as response:
            return await self._reader.read(response, request_id, on_request)

    async def notify(self, body: bytes, headers: Headers, deadline: float) -> int:
        """Post a message that has no response; gives the status."""
        request = self._request("POST", (*_POST, *headers), body)
        return (await self._client.request(request, deadline)).status

    async def delete(self, headers: Headers, deadline: float) -> int:
        """Ask the server to end the session that `headers` name; gives the status."""
        return (await self._client.request(self._request("DELETE", headers), deadline)).status

    def _request(self, method: str, headers: Headers, body: bytes = b"") -> HttpRequest:
        return HttpRequest(
            self._origin,
            method,
            self._target,
            self._own + headers,
            body,
            self._connect_timeout_seconds,
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
