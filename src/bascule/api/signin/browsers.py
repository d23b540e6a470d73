"""Browsers that somebody signed in with: whose they are, for how long, and when no more."""

import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final, cast
from uuid import UUID

import structlog
from starlette.requests import Request

from bascule.api.signin.cookies import CSRF_HEADER, SAFE, Cookies, Ticket, csrf_token, parse_ticket
from bascule.gateway.errors import ErrorCode, GatewayError
from bascule.gateway.issuer import Issuer
from bascule.gateway.principal import Evidence, Means, Person, Principal
from bascule.gateway.snapshot import Snapshot
from bascule.gateway.verdict import Refuse
from bascule.identity.standing import standing_of
from bascule.storage.database import Database
from bascule.storage.repositories.sessions import Sessions, StoredSession
from bascule.storage.repositories.tenants import Tenants

_KEPT_SECONDS: Final = 2.0
_MOST_KEPT: Final = 10_000
_MOST_TOUCH_SECONDS: Final = 60.0
_VISITOR: Final = "bascule.visitor"
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """How long a sign-in lasts without a request, and at most."""

    idle: timedelta = timedelta(minutes=30)
    whole: timedelta = timedelta(hours=12)

    @property
    def touch_seconds(self) -> float:
        """How much older than the last request what is stored of it may be."""
        return min(_MOST_TOUCH_SECONDS, self.idle.total_seconds() / 10)


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody who is signed in, for the length of one request."""

    principal: Principal
    session: StoredSession
    ticket: Ticket
    idle_until: datetime

    @property
    def csrf_token(self) -> str:
        """What forms of this visitor carry."""
        return csrf_token(self.ticket.text)


@dataclass(slots=True)
class _Known:
    """What was read of a session: when it was seen here, and when the database has it seen."""

    session: StoredSession
    stored_at: datetime
    read_at: float
    """By the clock that is never set."""
    version: int
    """Of the snapshot: who changes an account may have ended its sessions."""


class Browsers:
    """As `bascule.api.signing.BrowserSessions`.

    What was read of a session is believed for two seconds, unless accounts or anything else
    changed meanwhile. What ends in this process ends at once.
    """

    def __init__(
        self,
        database: Database,
        snapshot: Callable[[], Snapshot],
        refresh: Callable[[], Awaitable[Snapshot]],
        cookies: Cookies,
        lifetimes: Lifetimes,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.cookies = cookies
        self.lifetimes = lifetimes
        self.now = now
        self._database = database
        self._snapshot = snapshot
        self._refresh = refresh
        self._known: dict[bytes, _Known] = {}
        self._endings = 0

    def carried(self, request: Request) -> bool:
        """Whether `request` brings a session's cookie."""
        return self.cookies.read(request) is not None

    async def identify(self, request: Request) -> Principal | Refuse:
        """Whose session `request` belongs to; refused, too, where it may be forged."""
        visitor = await self.visitor(request, request.headers.get(CSRF_HEADER))
        if isinstance(visitor, Refuse):
            return visitor
        request.scope[_VISITOR] = visitor
        return visitor.principal

    @staticmethod
    def identified(request: Request) -> Visitor | None:
        """Who `identify` found to have sent `request`."""
        found: Visitor | None = request.scope.get(_VISITOR)
        return found

    async def visitor(self, request: Request, token: str | None = None) -> Visitor | Refuse:
        """Who sends `request`. One that may change something needs the `token` of its cookie."""
        text = self.cookies.read(request)
        if text is None:
            return _NOBODY
        if request.method not in SAFE and not self.cookies.is_ours(request, text, token):
            return FORGED
        ticket = parse_ticket(text)
        found = _OVER if ticket is None else await self.holder(ticket)
        if isinstance(found, Visitor) and not self._is_at_home(found, request):
            return _over("the session belongs to another tenant than the host")
        return found

    async def holder(self, ticket: Ticket) -> Visitor | Refuse:
        """Who has `ticket`, seen now; whatever the request says besides."""
        known = await self._session(ticket)
        if known is None:
            return _OVER
        if self.now() >= min(known.session.expires_at, self._idle_until(known)):
            return _over("the session has timed out")
        principal = await self._standing(ticket, known.session)
        if isinstance(principal, Refuse):
            return principal
        await self._touch(ticket, known)
        return Visitor(principal, known.session, ticket, self._idle_until(known))

    def forget(self, user_id: UUID) -> None:
        """Ask the database again about a person's sessions: some have ended."""
        self._endings += 1
        self._known = {
            digest: known
            for digest, known in self._known.items()
            if known.session.user_id != user_id
        }

    def _is_at_home(self, visitor: Visitor, request: Request) -> bool:
        principal = visitor.principal
        owner = self._snapshot().hosts.get((request.url.hostname or "").lower())
        return owner in {None, principal.tenant} or principal.may("system_admin")

    def _idle_until(self, known: _Known) -> datetime:
        return known.session.seen_at + self.lifetimes.idle

    async def _session(self, ticket: Ticket) -> _Known | None:
        if not ticket.tenant.isprintable():
            return None  # nothing is named so, and no database can be asked for a NUL
        known = self._known.get(ticket.digest)
        began, endings, version = time.monotonic(), self._endings, self._snapshot().version
        if known and began < known.read_at + _KEPT_SECONDS and version == known.version:
            return known
        async with self._database.read() as rows:
            tenant = await Tenants(rows).find(ticket.tenant)
            found = None if tenant is None else await Sessions(rows, tenant.id).find(ticket.digest)
        if found is None:
            self._known.pop(ticket.digest, None)
            return None
        seen_at = found.seen_at if known is None else max(found.seen_at, known.session.seen_at)
        fresh = _Known(replace(found, seen_at=seen_at), found.seen_at, began, version)
        if endings == self._endings:  # else it may have ended after it was read
            self._keep(ticket, fresh)
        return fresh

    def _keep(self, ticket: Ticket, known: _Known) -> None:
        if len(self._known) >= _MOST_KEPT:
            self._known.clear()
        self._known[ticket.digest] = known

    async def _standing(self, ticket: Ticket, session: StoredSession) -> Principal | Refuse:
        snapshot = self._snapshot()
        subject = ("", str(session.user_id))
        person = snapshot.tenant(ticket.tenant).people.get(subject)
        if person is None and ticket.tenant in snapshot.tenants:
            # An account that another process has just made; one that is gone has no sessions.
            self._known.pop(ticket.digest, None)
            snapshot = await self._refresh()
            person = snapshot.tenant(ticket.tenant).people.get(subject)
        if person is None:
            return _over("its account is not there any more")
        issuer = snapshot.issuers.get(session.issuer)
        if session.issuer and (issuer is None or not leads_to(issuer, ticket.tenant)):
            return _over(f"{session.issuer} is not believed any more")
        evidence = _evidence(ticket.tenant, session, person, issuer)
        return standing_of(evidence, snapshot, lambda: self.now().timestamp())

    async def _touch(self, ticket: Ticket, known: _Known) -> None:
        """Note the request: in memory always, in the database now and then."""
        now = self.now()
        known.session = replace(known.session, seen_at=max(now, known.session.seen_at))
        if (now - known.stored_at).total_seconds() < self.lifetimes.touch_seconds:
            return
        known.stored_at = now
        try:
            async with self._database.jotting() as rows:
                tenant = await Tenants(rows).get(ticket.tenant)
                await Sessions(rows, tenant.id).touch(known.session.id, now)
        except GatewayError as failure:
            # The request can be served all the same; at worst its sender signs in again early.
            _log.warning("session.not_touched", reason=failure.private)


def claims_of(roles: Iterable[str], groups: Iterable[str]) -> Mapping[str, object]:
    """What a session keeps of what an issuer said: its words, which the record then maps."""
    return {"roles": sorted(roles), "groups": sorted(groups)}


def leads_to(issuer: Issuer, tenant: str) -> bool:
    """Whether anybody whom `issuer` vouches for belongs to `tenant`."""
    return tenant in issuer.tenants.values() if issuer.tenant_claim else tenant == issuer.tenant


def _evidence(
    tenant: str, session: StoredSession, person: Person, issuer: Issuer | None
) -> Evidence:
    roles: set[str] = set()
    if issuer is not None:
        claimed = _words(session.claims.get("roles"))
        roles.update(issuer.default_roles)
        roles.update(role for one in claimed for role in issuer.role_map.get(one, ()))
    return Evidence(
        means=Means.SESSION,
        tenant=tenant,
        issuer="",
        subject=person.user_id,
        label=person.name,
        roles=frozenset(roles),
        groups=_words(session.claims.get("groups")),
        issued_at=session.created_at.timestamp(),
        expires_at=session.expires_at.timestamp(),
        credential_id=str(session.id),
    )


def _words(claimed: object) -> frozenset[str]:
    """What `claims_of` wrote down."""
    return frozenset(cast("list[str]", claimed or []))


_NOBODY: Final = Refuse(
    ErrorCode.AUTH_REQUIRED, public="Sign in first.", private="no session's cookie"
)
FORGED: Final = Refuse(
    ErrorCode.FORGED,
    public="This request does not prove that it comes from a page of this gateway. Load the page "
    f"again and repeat it; programs send the csrf_token of GET /api/session as {CSRF_HEADER}. "
    "Behind a proxy, server.public_url must be the address that browsers use.",
    private="cookie without a good token, or from another origin",
)


def _over(private: str) -> Refuse:
    return Refuse(
        ErrorCode.TOKEN_EXPIRED,
        public="Your session has ended. Sign in again.",
        private=private,
    )


_OVER: Final = _over("no session has this cookie, or it has ended")
