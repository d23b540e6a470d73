"""The executor of REST tools: one call, one request, one result."""

import time
from dataclasses import replace
from typing import Final, NamedTuple, Protocol

from bascule import __version__
from bascule.gateway.call import Call, Result
from bascule.gateway.errors import UpstreamRateLimited
from bascule.gateway.tool import (
    ParameterLocation,
    RestParameter,
    RestSource,
    RiskLevel,
    Tool,
    Upstream,
)
from bascule.upstreams.http1 import (
    HttpRequest,
    HttpResponse,
    Origin,
    ResponseStream,
    prepare_headers,
)
from bascule.upstreams.rest.answers import head_result_body, may_be_kept, to_result_body
from bascule.upstreams.rest.codings import CONTENT_ENCODING, decoded
from bascule.upstreams.rest.escapes import check_header
from bascule.upstreams.rest.failures import invalid
from bascule.upstreams.rest.limits import USUAL, AnswerLimits
from bascule.upstreams.rest.media import essence, sequence_of
from bascule.upstreams.rest.notices import retry_after_seconds
from bascule.upstreams.rest.plans import OperationPlan, compile_operation
from bascule.upstreams.rest.refusals import (
    Asked,
    Credential,
    credentials_in,
    refuse,
    secrets_in,
    shows_credential,
)
from bascule.upstreams.rest.relaying import relay_sequence
from bascule.upstreams.rest.sequences import Transcript
from bascule.upstreams.rest.values import Unwritable
from bascule.upstreams.strikes import strike_body

_IDEMPOTENCY_KEY: Final = "Idempotency-Key"
_DEFAULTS: Final = (("accept", "application/json"), ("user-agent", f"bascule/{__version__}"))
_SET_PER_CALL: Final = frozenset(
    {"x-correlation-id", "x-mcp-tool-name", "x-mcp-risk-level", "traceparent"}
)
_LONGEST_KEY: Final = 255
_SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS", "QUERY"})


class HttpSender(Protocol):
    """What sends requests; `bascule.upstreams.http1.HttpClient` is one."""

    async def request(self, request: HttpRequest, deadline: float) -> HttpResponse:
        """Send `request`, and read the whole answer before `deadline` (`time.monotonic`).

        Raises:
            GatewayError: UpstreamUnreachable, UpstreamTimeout or UpstreamFailed.
        """
        ...


class StreamSender(Protocol):
    """What sends requests whose answers are read as they come; `HttpClient` is one as well."""

    def stream(self, request: HttpRequest, deadline: float) -> ResponseStream:
        """Open the answer to `request`; raises as `HttpSender.request`."""
        ...


class CallerSender(Protocol):
    """What sends requests in the name of one caller, and the secrets it adds to them."""

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must not be repeated to callers, longest first."""
        ...

    async def request(self, request: HttpRequest, deadline: float) -> HttpResponse:
        """As `HttpSender.request`."""
        ...

    def stream(self, request: HttpRequest, deadline: float) -> ResponseStream:
        """As `StreamSender.stream`."""
        ...


class CallerSenders(Protocol):
    """A caller's senders, for answers that are read whole and for those that last."""

    @property
    def client(self) -> CallerSender:
        """For answers that are read whole."""
        ...

    @property
    def lasting(self) -> CallerSender:
        """For answers that come piece by piece."""
        ...


class Callers(Protocol):
    """Knows how to come to the upstream as who calls."""

    def of(self, call: Call) -> CallerSenders:
        """The senders for `call`, and for no other.

        Raises:
            GatewayError: its caller cannot be spoken for; says why.
        """
        ...


class _Ready(NamedTuple):
    """A tool made ready: `headers` are those of each of its requests."""

    tool: Tool
    plan: OperationPlan
    headers: bytes
    streams: bool
    wraps: bool
    origin: str
    is_elsewhere: bool


class RestUpstream:
    """Executes the tools of one REST upstream. Nothing a client sent in a header reaches it."""

    def __init__(
        self, upstream: Upstream, client: HttpSender, lasting: StreamSender | None = None,
        limits: AnswerLimits = USUAL, bare: HttpSender | None = None,
        callers: Callers | None = None,
    ) -> None:  # fmt: skip
        """`lasting` is for answers that come piece by piece; without it none are told as such.

        `bare` sends without the upstream's credentials: what an API description places on
        another host never sees them. It is `client` where there are none. With `callers`, each
        call is sent in its caller's own name, and `client` and `lasting` are not used.
        """
        self._bare = bare or client
        self._callers = callers
        self._home = Origin.parse(upstream.url)[0] if upstream.url else None
        self._upstream = upstream
        self._client = client
        self._lasting = lasting
        self._limits = limits
        given = {name.lower() for name, _ in upstream.headers}
        self._accepts_as_told = "accept" not in given
        self._headers = tuple(one for one in _DEFAULTS if one[0] not in given) + upstream.headers
        self._reserved = _SET_PER_CALL | given | {name for name, _ in _DEFAULTS}
        self._secrets = secrets_in(upstream.headers)
        is_shown = (
            hasattr(client, "secrets")  # it adds some of its own
            or callers is not None
            or upstream.connector.tls is not None
            or shows_credential(upstream.headers)
        )
        self._credential = Credential.SHOWN if is_shown else Credential.NONE
        self._own_credentials = credentials_in(upstream.headers)
        # By the tool itself: versions of one, and bundles' showings, bear the same name.
        self._ready: dict[int, _Ready] = {}

    async def execute(self, call: Call) -> Result:
        """Run the call; a refusal of the upstream is a result, with `is_error` set.

        Raises:
            InvalidArgument: an argument cannot be sent. Nothing was.
            UpstreamRateLimited: the upstream answered 429.
            GatewayError: as `HttpSender.request`, and where the stored operation is unusable.
        """
        tool = call.tool
        if tool is None or not isinstance(tool.source, RestSource):
            raise RuntimeError("a REST upstream executes REST tools")
        ready = self._ready.get(id(tool))
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
        deadline = self._deadline(call, tool)
        if ready.is_elsewhere:
            return self._result(await self._bare.request(request, deadline), ready, ())
        client, lasting = self._client, self._lasting
        if self._callers is not None:
            own = self._callers.of(call)
            client, lasting = own.client, own.lasting
        if ready.streams and lasting is not None:
            return await self._stream(call, ready, lasting, request, deadline)
        response = await client.request(request, deadline)
        return self._result(response, ready, _sent_by(client))

    async def _stream(
        self,
        call: Call,
        ready: _Ready,
        lasting: StreamSender,
        request: HttpRequest,
        deadline: float,
    ) -> Result:
        """Pass on a sequence while it comes; any other answer is read whole."""
        async with lasting.stream(request, deadline) as response:
            sent = _sent_by(lasting)
            sequence = sequence_of(essence(response.header("content-type") or ""))
            is_coded = bool(response.header(CONTENT_ENCODING))
            if sequence is None or is_coded or not 200 <= response.status < 300:
                body = await response.read()
                whole = HttpResponse(response.status, response.headers, body)
                return self._result(whole, ready, sent)
            hidden = (*sent, *self._own_credentials)
            transcript = Transcript(sequence, self._limits, hidden)
            told = await relay_sequence(response, transcript, call, (*sent, *self._secrets))
            return Result(told, storable=False)

    def _make_ready(self, tool: Tool, source: RestSource) -> "_Ready":
        """Everything about `tool` that does not depend on its arguments; once per snapshot."""
        base_url = source.server or self._upstream.url
        plan = compile_operation(self._without_reserved(source), base_url)
        is_elsewhere = bool(source.server) and plan.origin != self._home
        own = _DEFAULTS if is_elsewhere else self._headers
        fixed = [*own, ("X-MCP-Risk-Level", tool.risk.value)]
        if source.accept and (is_elsewhere or self._accepts_as_told):
            fixed[0] = ("accept", source.accept)
        name = tool.name if tool.home is None else tool.home.name
        if _is_sendable(name):
            fixed.append(("X-MCP-Tool-Name", name))
        ready = self._ready[id(tool)] = _Ready(
            tool, plan, prepare_headers(fixed), source.streams, source.wraps_result,
            str(plan.origin), is_elsewhere,
        )  # fmt: skip
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

    def _result(self, response: HttpResponse, ready: _Ready, sent: tuple[str, ...]) -> Result:
        """`sent` are the secrets that the client added, which none of it may repeat."""
        tool = ready.tool
        if response.header(CONTENT_ENCODING):
            response = decoded(response, self._limits.stream_bytes)
        secrets = (*sent, *self._secrets)
        if 200 <= response.status < 300:
            if sent or self._own_credentials:
                response = _silent(response, (*sent, *self._own_credentials))
            body = (
                head_result_body(response)
                if ready.plan.method == "HEAD"
                else to_result_body(
                    response,
                    wraps=ready.wraps,
                    limits=self._limits,
                    origin=ready.origin,
                    secrets=secrets,
                )
            )
            storable = not tool.cache_seconds or may_be_kept(response)
            return Result(body, storable=storable, is_empty=not response.body)
        if response.status == 429:
            raise _rate_limited(response, tool, self._upstream.name)
        credential = Credential.WITHHELD if ready.is_elsewhere else self._credential
        only_reads = ready.plan.method in _SAFE_METHODS and tool.risk is RiskLevel.READ
        return refuse(response, self._upstream.name, secrets, Asked(credential, only_reads))


def _sent_by(client: object) -> tuple[str, ...]:
    """The secrets that `client` adds to requests; () for one that adds none."""
    return getattr(client, "secrets", ())


def _silent(response: HttpResponse, secrets: tuple[str, ...]) -> HttpResponse:
    """`response` without `secrets`; of its headers, those that make notices are seen to there."""
    body = strike_body(response.body, secrets)
    return response if body is response.body else response._replace(body=body)


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
