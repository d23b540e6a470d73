"""Whose token a request to one upstream carries: that of the holder it is made for, or none."""

import asyncio
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from typing import Any, Final, NamedTuple

import structlog

from bascule.gateway.errors import GatewayError
from bascule.upstreams.flights import Flight
from bascule.upstreams.oauth.challenges import Demand
from bascule.upstreams.oauth.failures import (
    AuthorizationFailed,
    AuthorizationUnavailable,
    ConsentNeeded,
    GrantRefused,
    NotConnected,
)
from bascule.upstreams.oauth.flow import Flow
from bascule.upstreams.oauth.ground import Ground
from bascule.upstreams.oauth.metadata import ResourceMetadata
from bascule.upstreams.oauth.ports import Callback, Grant, Holder, Pending
from bascule.upstreams.oauth.setup import Setup

_log = structlog.get_logger(__name__)

_EARLY_SECONDS: Final = 15.0
_JUST_NOW_SECONDS: Final = 60.0
_MOST_STEP_UPS: Final = 5
_STEP_UP_SECONDS: Final = 3600.0
_MOST_HELD: Final = 10_000


class _Got(NamedTuple):
    """A grant got here, with which no request was let through yet, and how it was got."""

    token: str
    at: float
    by_consent: bool

    def is_of(self, grant: Grant) -> bool:
        """Whether `grant` is this one, and no older than a minute."""
        is_new = time.monotonic() - self.at < _JUST_NOW_SECONDS
        return is_new and self.token == grant.access_token


class Access:
    """The grants of all holders at one upstream. Each holder's is got by one request at a time."""

    def __init__(
        self,
        tenant: str,
        name: str,
        flow: Flow,
        ground: Ground,
        setup: Setup,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.name = name
        self.ground = ground
        self._tenant = tenant
        self._flow = flow
        self._setup = setup
        self._clock = clock
        self._resource = ground.canonical
        self._demand: Demand | None = None
        self._got: OrderedDict[str, _Got] = OrderedDict()
        self._step_ups: OrderedDict[str, deque[float]] = OrderedDict()
        self._flights: dict[tuple[str, bool], Flight[Grant]] = {}
        self._refreshing: dict[str, Flight[Grant | None]] = {}
        self._asked: dict[str, str] = {}

    def owner(self, owner: str) -> str:
        """Whose grant serves `owner`: the one person's, where there is but one."""
        return "" if self._setup.one_person else owner

    async def lender(self) -> str:
        """With whose grant the gateway lists what there is; `""` where nobody has any."""
        if self._setup.one_person:
            return ""
        return await self._setup.grants.lender(self._tenant, self.name) or ""

    async def current(self, owner: str) -> Grant | None:
        """What `owner` has, refreshed where it is about to end; None for nothing.

        Raises:
            AuthorizationUnavailable: it ended, and cannot be refreshed now.
            GatewayError: as `Grants.load`.
        """
        grant = await self._setup.grants.load(self._holder(owner), self._resource)
        if grant is None or not self._ends(grant):
            return grant
        flight = self._refreshing.setdefault(owner, Flight())
        try:
            return await flight.join(lambda: self._refreshed(owner, grant))
        except AuthorizationUnavailable:
            if grant.expires_at is not None and self._clock() < grant.expires_at:
                return grant
            raise
        finally:
            if not flight.is_under_way:
                self._refreshing.pop(owner, None)

    def accepted(self, owner: str, grant: Grant | None) -> None:
        """Note that the upstream let a request with `grant` through."""
        if self._got and grant is not None:
            got = self._got.get(owner)
            if got is not None and got.token == grant.access_token:
                del self._got[owner]

    async def satisfy(
        self, owner: str, refused: Grant | None, demand: Demand, *, lent: bool = False
    ) -> Grant:
        """Another grant for `owner`, whose request came with `refused` and was answered `demand`.

        A person is waited for, longer than any request's deadline may say; what they grant later
        is there for the next request. With `lent` the request is the gateway's own, for which
        nobody is asked: the one who gets the answer may be another caller.

        Raises:
            ConsentNeeded: the owner must consent first, or still has not.
            NotConnected: the request is the gateway's own, and nobody consented to that.
            AuthorizationFailed, AuthorizationUnavailable: there is no way to a grant.
        """
        self._demand = demand
        lent = (lent or owner == "") and not self._setup.one_person
        key = owner, lent
        flight = self._flights.setdefault(key, Flight())
        try:
            async with asyncio.timeout(self._setup.consent_seconds):
                return await flight.join(lambda: self._satisfied(key, refused, demand))
        except TimeoutError:
            if owner in self._asked:
                raise ConsentNeeded(self._asked[owner], self.name) from None
            raise AuthorizationUnavailable(self.name, "it took too long") from None
        finally:
            if not flight.is_under_way:
                self._flights.pop(key, None)

    async def connect(self, owner: str, demand: Demand | None = None) -> Grant:
        """Ask `owner` to consent, whatever they have. Raises as `satisfy`."""
        if demand is None:
            demand = self._demand or await self._flow.demand()
        demand = demand._replace(error="")
        metadata = await self._flow.resource(demand)
        self._resource = metadata.resource
        held = await self._setup.grants.load(self._holder(owner), metadata.resource)
        return await self._consented(owner, demand, metadata, held)

    async def finish(self, pending: Pending, callback: Callback) -> Grant:
        """Redeem what a person's browser came back with, and keep the grant.

        Raises:
            AuthorizationFailed, AuthorizationUnavailable: it is good for nothing.
        """
        grant = await self._flow.finish(pending, callback)
        self._resource = grant.resource
        await self._setup.grants.save(self._holder(pending.owner), grant)
        self._note(pending.owner, grant, by_consent=True)
        _log.info("oauth.granted", upstream=self.name, tenant=self._tenant, issuer=grant.issuer)
        return grant

    async def close(self) -> None:
        """End what is under way."""
        for flight in (*self._flights.values(), *self._refreshing.values()):
            await flight.close()

    # How a grant is got.

    async def _satisfied(
        self, key: tuple[str, bool], refused: Grant | None, demand: Demand
    ) -> Grant:
        owner, lent = key
        metadata = await self._flow.resource(demand)
        self._resource = metadata.resource
        if demand.wants_more and not demand.scopes:
            demand = demand._replace(scopes=metadata.scopes_supported or ())
        held = await self._setup.grants.load(self._holder(owner), metadata.resource)
        if held is not None and held.issuer not in metadata.authorization_servers:
            # Its server does not speak for the upstream any more, and must not be asked again.
            held = None
        if held is not None:
            found = await self._from_held(owner, held, refused, demand)
            if found is not None:
                return found
        if lent:
            raise NotConnected(self.name)
        return await self._consented(owner, demand, metadata, held)

    async def _from_held(
        self, owner: str, held: Grant, refused: Grant | None, demand: Demand
    ) -> Grant | None:
        """A grant that takes no consent; None where only a person can help."""
        is_other = refused is None or held.access_token != refused.access_token
        if demand.wants_more:
            if not set(demand.scopes) <= set(held.scopes):
                return None
            if is_other:
                return held
            raise self._failed(
                "it wants scopes that were asked for and not enough",
                "The service behind this tool wants more permission than its authorization "
                "server gives for you, though it was asked for. Ask whoever runs the service.",
            )
        if is_other and not self._ends(held):
            return held
        got = self._got.get(owner)
        if not is_other and got is not None and got.is_of(held):
            if got.by_consent:
                raise self._failed("it refuses the token that it was just given")
            return None
        return await self._refreshed(owner, held)

    async def _refreshed(self, owner: str, grant: Grant) -> Grant | None:
        """What takes the place of `grant`, got here or by another process; None for nothing."""
        holder, grants = self._holder(owner), self._setup.grants
        async with grants.refreshing(holder, grant.resource) as latest:
            if latest is None or latest.access_token != grant.access_token:
                return latest
            try:
                fresh = await self._flow.refresh(latest)
            except GrantRefused as refusal:
                _log.info("oauth.not_refreshed", upstream=self.name, reason=refusal.private)
                await grants.forget(holder, grant.resource)
                return None
            await grants.save(holder, fresh)
        self._note(owner, fresh, by_consent=False)
        # Not what was just got: it may have been revoked in the meantime.
        return await grants.load(holder, grant.resource)

    async def _consented(
        self, owner: str, demand: Demand, metadata: ResourceMetadata, held: Grant | None
    ) -> Grant:
        if demand.wants_more:
            self._count_step_up(owner)
        pending = await self._flow.begin(self._holder(owner), demand, metadata, held)
        self._asked[owner] = pending.url
        try:
            callback = await self._setup.consent.ask(pending)
        finally:
            self._asked.pop(owner, None)
        return await self.finish(pending, callback)

    def _count_step_up(self, owner: str) -> None:
        """A service that wants ever more is not followed without end."""
        now = time.monotonic()
        last = self._step_ups.setdefault(owner, deque(maxlen=_MOST_STEP_UPS))
        if len(last) == _MOST_STEP_UPS and now - last[0] < _STEP_UP_SECONDS:
            raise self._failed(f"it wanted more scopes {_MOST_STEP_UPS} times within an hour")
        last.append(now)
        _bound(self._step_ups)

    def _note(self, owner: str, grant: Grant, *, by_consent: bool) -> None:
        self._got[owner] = _Got(grant.access_token, time.monotonic(), by_consent)
        _bound(self._got)

    def _ends(self, grant: Grant) -> bool:
        return grant.expires_at is not None and grant.expires_at - _EARLY_SECONDS <= self._clock()

    def _holder(self, owner: str) -> Holder:
        return Holder(self._tenant, owner, self.name)

    def _failed(self, reason: str, public: str = "") -> GatewayError:
        return AuthorizationFailed(self.name, reason, public)


def _bound(kept: OrderedDict[str, Any]) -> None:
    while len(kept) > _MOST_HELD:
        kept.popitem(last=False)
