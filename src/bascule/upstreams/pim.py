"""A privileged identity manager of others: it says who is elevated, and is believed or nobody is.

Asked by `POST {url}/api/pim/check-elevation` with `user_id`, `role`, `scope` (the tool's name),
and besides `roles`, `tenant`, `tool`, `bundle` and `digest` (of the call). `role` holds the names
of all roles, sorted, with commas between. `user_id` is the name of a person in records; of the key
of a service it is `key|` and the key's name, so that no key passes for the person of its name.

It answers 200 with `elevated` (a boolean) and, where that is true, `scope` and
`elevation_expires_at` (RFC 3339 with an offset, or seconds since the epoch), perhaps
`approval_reference`; where it is false, perhaps `elevation_url`. Anything else, and no answer in
time, refuses the call. `scope` must be the tool: its name, or `tool:`, `bundle:` or `call:` and
what is covered, as in `gateway.elevation.Scope.text`.
"""

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar, Final

import msgspec

from bascule.gateway.elevation import Elevation, Grant, Scope, ScopeKind
from bascule.gateway.errors import ErrorCode, GatewayError, UpstreamCut
from bascule.upstreams.flights import Flight
from bascule.upstreams.http1 import HttpClient, HttpRequest, HttpResponse, Origin

PATH: Final = "/api/pim/check-elevation"
MOST_KEPT_SECONDS: Final = 60.0
"""For how long a positive answer is believed at most: so long may a revocation there take."""
_MOST_KEPT: Final = 10_000
_MOST_URL: Final = 2048
_MOST_REFERENCE: Final = 200


class PimFailed(GatewayError):
    """It is not known whether the caller is elevated; `private` says why."""

    error: ClassVar[ErrorCode] = ErrorCode.UNAVAILABLE

    def __init__(self, reason: str) -> None:
        super().__init__(
            "It cannot be found out now whether you may do this, so the call is refused. Try again "
            "later, or ask an operator to look at the privileged identity manager.",
            private=f"privileged identity manager: {reason}",
        )


@dataclass(frozen=True, slots=True)
class PimConfig:
    """Where it is, and what it expects; no `token`, no `Authorization`.

    `page_url` is where people ask it for elevation, if callers are to be told.
    """

    url: str
    token: str = field(default="", repr=False)
    timeout_seconds: float = 3.0
    page_url: str = ""


@dataclass(frozen=True, slots=True)
class PimQuestion:
    """Whether this caller may call `tool` with the arguments of `digest`."""

    tenant: str
    user_id: str
    roles: tuple[str, ...]
    tool: str
    bundle: str
    digest: str


class _Answer(msgspec.Struct, frozen=True):
    elevated: bool
    elevation_expires_at: str | int | float | None = None
    scope: str | None = None
    approval_reference: str | None = None
    elevation_url: str | None = None


class Pim:
    """Asks, and keeps what was granted until it expires, for a minute at most.

    Who asks the same at the same time waits for one request. What is granted for one call is
    asked anew for each: that it is used once is for the other side to see to.
    """

    def __init__(
        self, config: PimConfig, client: HttpClient, clock: Callable[[], float] = time.time
    ) -> None:
        """`client` must be allowed to go where `config.url` leads. `clock`: seconds of the epoch.

        Raises:
            ValueError: the URL is unusable.
        """
        self._config = config
        self._client = client
        self._clock = clock
        self._origin, self._base = Origin.parse(config.url)
        self._kept: OrderedDict[PimQuestion, tuple[float, float, Grant]] = OrderedDict()
        self._flights: dict[PimQuestion, Flight[Elevation]] = {}

    @property
    def page_url(self) -> str:
        """Where people go who need elevation, if it does not say more."""
        return self._config.page_url

    async def check(self, question: PimQuestion) -> Elevation:
        """Whether the caller is elevated; else the address where they can ask for it.

        Raises:
            PimFailed: nobody knows; refuse the call.
        """
        known = self._known(_without_call(question))
        if known is not None:
            return Elevation(known)
        flight = self._flights.get(question)
        if flight is None:
            flight = self._flights[question] = Flight[Elevation]()
        asks = not flight.is_under_way
        try:
            found = await flight.join(lambda: self._ask(question))
        finally:
            if not flight.is_under_way:
                self._flights.pop(question, None)
        is_for_one = found.grant is not None and found.grant.scope.kind is ScopeKind.CALL
        return found if asks or not is_for_one else await self._ask(question)

    def _known(self, key: PimQuestion) -> Grant | None:
        kept = self._kept.get(key)
        if kept is None:
            return None
        since, until, grant = kept
        if since <= self._clock() < until:
            return grant
        del self._kept[key]
        return None

    async def _ask(self, question: PimQuestion) -> Elevation:
        response = await self._sent(self._request(question))
        if response.status != 200:
            raise PimFailed(f"it answered with status {response.status}")
        try:
            answer = msgspec.json.decode(response.body, type=_Answer)
        except (msgspec.DecodeError, RecursionError) as error:
            raise PimFailed(f"its answer cannot be read: {str(error)[:200]}") from None
        return self._judged(question, answer)

    def _request(self, question: PimQuestion) -> HttpRequest:
        body = msgspec.json.encode(
            {
                "user_id": question.user_id,
                "role": ",".join(question.roles),
                "scope": question.tool,
                "roles": question.roles,
                "tenant": question.tenant,
                "tool": question.tool,
                "bundle": question.bundle,
                "digest": question.digest,
            }
        )
        headers = [("content-type", "application/json"), ("accept", "application/json")]
        if self._config.token:
            headers.append(("authorization", f"Bearer {self._config.token}"))
        return HttpRequest(self._origin, "POST", f"{self._base}{PATH}", headers, body)

    async def _sent(self, request: HttpRequest) -> HttpResponse:
        deadline = time.monotonic() + self._config.timeout_seconds
        try:
            try:
                return await self._client.request(request, deadline)
            except UpstreamCut:
                # A kept connection had ended. The question changes nothing, so it is put again.
                return await self._client.request(request, deadline)
        except GatewayError as failure:
            raise PimFailed(failure.private) from None
        except ValueError:
            raise PimFailed("the request cannot be sent; look at elevation.pim_token") from None

    def _judged(self, question: PimQuestion, answer: _Answer) -> Elevation:
        now = self._clock()
        if not answer.elevated:
            return Elevation(None, _url(answer.elevation_url) or self._config.page_url)
        scope = _covering(question, answer.scope or "")
        if scope is None:
            raise PimFailed("it grants a scope that is not the tool's")
        expires_at = _moment(answer.elevation_expires_at)
        if expires_at <= now:
            return Elevation(None, _url(answer.elevation_url) or self._config.page_url)
        reference = (answer.approval_reference or "")[:_MOST_REFERENCE]
        grant = Grant(reference or "pim", scope, now, expires_at, reference)
        if scope.kind is not ScopeKind.CALL:
            self._keep(_without_call(question), now, grant)
        return Elevation(grant)

    def _keep(self, key: PimQuestion, now: float, grant: Grant) -> None:
        self._kept[key] = (now, min(grant.expires_at, now + MOST_KEPT_SECONDS), grant)
        self._kept.move_to_end(key)
        while len(self._kept) > _MOST_KEPT:
            self._kept.popitem(last=False)


def _without_call(question: PimQuestion) -> PimQuestion:
    return PimQuestion(
        question.tenant, question.user_id, question.roles, question.tool, question.bundle, ""
    )


def _covering(question: PimQuestion, scope: str) -> Scope | None:
    """The scope that covers what was asked about; None where `scope` is of something else."""
    tool = Scope(ScopeKind.TOOL, question.tool)
    if scope == question.tool:
        return tool
    scopes = [tool, Scope(ScopeKind.CALL, question.tool, question.digest)]
    if question.bundle:
        scopes.append(Scope(ScopeKind.BUNDLE, question.bundle))
    return next((one for one in scopes if one.text == scope), None)


def _moment(value: str | float | None) -> float:
    """Seconds since the epoch.

    Raises:
        PimFailed: there is none, or it is no moment.
    """
    if isinstance(value, str):
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            raise PimFailed("elevation_expires_at is no time of RFC 3339") from None
        if moment.tzinfo is None:
            raise PimFailed("elevation_expires_at has no offset from UTC")
        return moment.timestamp()
    if value is None or not math.isfinite(value):
        raise PimFailed("it does not say until when (elevation_expires_at)")
    return float(value)


def _url(value: str | None) -> str:
    """`value` where a person can be sent there, else nothing."""
    is_fit = (
        value is not None
        and value.startswith(("https://", "http://"))
        and len(value) <= _MOST_URL
        and value.isascii()
        and value.isprintable()
        and " " not in value
    )
    return value if is_fit and value is not None else ""
