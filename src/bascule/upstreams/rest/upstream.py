"""The executor of REST tools: one call, one request, one result."""

import time
from dataclasses import replace
from typing import Final, NamedTuple, Protocol

from bascule import __version__
from bascule.gateway.call import Call, Result
from bascule.gateway.errors import UpstreamRateLimited
from bascule.gateway.tool import ParameterLocation, RestParameter, RestSource, Tool, Upstream
from bascule.upstreams.http1 import HttpRequest, HttpResponse, prepare_headers
from bascule.upstreams.rest.answers import to_result_body
from bascule.upstreams.rest.failures import invalid
from bascule.upstreams.rest.plans import OperationPlan, compile_operation
from bascule.upstreams.rest.refusals import refuse, retry_after_seconds, secrets_in
from bascule.upstreams.rest.values import Unwritable, check_header

_IDEMPOTENCY_KEY: Final = "Idempotency-Key"
_DEFAULTS: Final = (("accept", "application/json"), ("user-agent", f"bascule/{__version__}"))
_SET_PER_CALL: Final = frozenset(
    {"x-correlation-id", "x-mcp-tool-name", "x-mcp-risk-level", "traceparent"}
)
_LONGEST_KEY: Final = 255


class HttpSender(Protocol):
    """What sends requests; `bascule.upstreams.http1.HttpClient` is one."""

    async def request(self, request: HttpRequest, deadline: float) -> HttpResponse:
        """Send `request`, and read the whole answer before `deadline` (`time.monotonic`).

        Raises:
            GatewayError: UpstreamUnreachable, UpstreamTimeout or UpstreamFailed.
        """
        ...


class _Ready(NamedTuple):
    """A tool made ready: `headers` are those of each of its requests."""

    tool: Tool
    plan: OperationPlan
    headers: bytes


class RestUpstream:
    """Executes the tools of one REST upstream. Nothing a client sent in a header reaches it."""

    def __init__(self, upstream: Upstream, client: HttpSender) -> None:
        self._upstream = upstream
        self._client = client
        given = {name.lower() for name, _ in upstream.headers}
        self._headers = tuple(one for one in _DEFAULTS if one[0] not in given) + upstream.headers
        self._reserved = _SET_PER_CALL | given | {name for name, _ in _DEFAULTS}
        self._secrets = secrets_in(upstream.headers)
        self._ready: dict[str, _Ready] = {}

    async def execute(self, call: Call) -> Result:
        """Run the call; a refusal of the upstream is a result, with `is_error` set.

        Raises:
            InvalidValue: an argument cannot be sent. Nothing was.
            UpstreamRateLimited: the upstream answered 429.
            GatewayError: as `HttpSender.request`, and where the stored operation is unusable.
        """
        tool = call.tool
        if tool is None or not isinstance(tool.source, RestSource):
            raise RuntimeError("a REST upstream executes REST tools")
        ready = self._ready.get(tool.name)
        if ready is None or ready.tool is not tool:
            ready = self._make_ready(tool, tool.source)
        plan = ready.plan
        target, headers, body = plan.build(call.arguments)
        request = HttpRequest(
            plan.origin,
            plan.method,
            target,
            headers + self._added_headers(call, tool, headers),
            body,
            self._upstream.connect_timeout_seconds,
            ready.headers,
        )
        response = await self._client.request(request, self._deadline(call, tool))
        return self._result(response, tool, wraps=tool.source.wraps_result)

    def _make_ready(self, tool: Tool, source: RestSource) -> "_Ready":
        """Everything about `tool` that does not depend on its arguments; once per snapshot."""
        plan = compile_operation(self._without_reserved(source), self._upstream.url)
        fixed = [*self._headers, ("X-MCP-Risk-Level", tool.risk.value)]
        if _is_sendable(tool.name):
            fixed.append(("X-MCP-Tool-Name", tool.name))
        ready = self._ready[tool.name] = _Ready(tool, plan, prepare_headers(fixed))
        return ready

    def _without_reserved(self, source: RestSource) -> RestSource:
        """`source` less the headers whose value is not the caller's to choose."""
        kept = tuple(one for one in source.parameters if _header(one) not in self._reserved)
        return replace(source, parameters=kept)

    def _added_headers(
        self, call: Call, tool: Tool, own: list[tuple[str, str]]
    ) -> list[tuple[str, str]]:
        headers: list[tuple[str, str]] = []
        if _is_sendable(call.correlation_id):
            headers.append(("X-Correlation-ID", call.correlation_id))
        if call.traceparent and _is_sendable(call.traceparent):
            headers.append(("traceparent", call.traceparent))
        key = call.idempotency_key
        if key and tool.idempotent and not _has(own, _IDEMPOTENCY_KEY):
            headers.append((_IDEMPOTENCY_KEY, _checked_key(key)))
        return headers

    def _deadline(self, call: Call, tool: Tool) -> float:
        timeout_seconds = tool.timeout_seconds or self._upstream.timeout_seconds
        deadline = time.monotonic() + timeout_seconds
        return min(call.deadline, deadline) if call.deadline else deadline

    def _result(self, response: HttpResponse, tool: Tool, *, wraps: bool) -> Result:
        if 200 <= response.status < 300:
            return Result(to_result_body(response, wraps=wraps))
        if response.status == 429:
            raise _rate_limited(response, tool, self._upstream.name)
        return refuse(response, self._upstream.name, self._secrets)


def _header(parameter: RestParameter) -> str:
    """The header that a parameter ends up in, in lower case; "" for one in the target."""
    if parameter.location is ParameterLocation.HEADER:
        return parameter.name.lower()
    return "cookie" if parameter.location is ParameterLocation.COOKIE else ""


def _has(headers: list[tuple[str, str]], name: str) -> bool:
    return any(key.lower() == name.lower() for key, _ in headers)


def _checked_key(key: str) -> str:
    try:
        checked = check_header(key)
    except Unwritable as error:
        raise invalid("idempotency key", str(error)) from None
    if not checked or len(checked) > _LONGEST_KEY:
        raise invalid("idempotency key", f"must have 1 to {_LONGEST_KEY} characters")
    return checked


def _is_sendable(value: str) -> bool:
    return value.isascii() and value.isprintable()


def _rate_limited(response: HttpResponse, tool: Tool, upstream: str) -> UpstreamRateLimited:
    seconds = retry_after_seconds(response)
    when = f"in {seconds} seconds" if seconds is not None else "later"
    return UpstreamRateLimited(
        f"The service behind {tool.name} takes no more requests for now. Try again {when}.",
        private=f"upstream {upstream} answered HTTP 429",
        details={} if seconds is None else {"retry_after_seconds": seconds},
    )
