"""Grants and registrations in the database, with a short memory in front.

A call finds its grant in memory for `FRESH_SECONDS` after it was last read; then one statement, by
an index, reads it again, once for all calls that wait for it. So what another process refreshed or
revoked counts within that time, and what this one did at once. Where the database gives no answer,
what was read last holds for `STALE_SECONDS`, as the last snapshot does.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, TypeAlias
from uuid import UUID
from weakref import WeakValueDictionary

import msgspec
import structlog

from bascule.gateway.digests import sha256_digest
from bascule.gateway.errors import GatewayError, NotFound
from bascule.gateway.state import StateStore
from bascule.storage.database import Database
from bascule.storage.repositories.grants import (
    GrantDraft,
    GrantKey,
    OAuthClients,
    StoredClient,
    StoredGrant,
    UserGrants,
)
from bascule.storage.repositories.tenants import Tenants
from bascule.upstreams.flights import Flight
from bascule.upstreams.oauth.ports import Grant, Holder, Registration
from bascule.upstreams.oauth.sealing import (
    Place,
    Tokens,
    open_client,
    open_tokens,
    seal_client,
    seal_tokens,
)
from bascule.upstreams.secrets.box import SecretBox
from bascule.upstreams.secrets.failures import SecretUnavailable

_log = structlog.get_logger(__name__)

FRESH_SECONDS: Final = 1.0
STALE_SECONDS: Final = 30.0
_MOST_KEPT: Final = 10_000
_REFRESH_SECONDS: Final = 60.0
"""How long one process may have a refresh token alone; longer than a refresh ever takes."""
_LOOK_SECONDS: Final = 0.05

_Key: TypeAlias = tuple[Holder, str]


@dataclass(frozen=True, slots=True)
class _Kept:
    """A grant as it was read; None for none. `row` is id and revision, `read_at` of the clock."""

    grant: Grant | None
    row: tuple[UUID, int] | None
    read_at: float


class DatabaseGrants:
    """The `Grants` of the OAuth client, for all tenants."""

    def __init__(
        self,
        database: Database,
        box: SecretBox,
        state: StateStore,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`state` is where processes take turns with a refresh token."""
        self._database = database
        self._box = box
        self._state = state
        self._clock = clock
        self._kept: OrderedDict[_Key, _Kept] = OrderedDict()
        self._flights: dict[_Key, Flight[_Kept]] = {}
        self._turns: WeakValueDictionary[_Key, asyncio.Lock] = WeakValueDictionary()
        self._refreshing: dict[tuple[object, _Key], int] = {}

    async def load(self, holder: Holder, resource: str) -> Grant | None:
        """As `Grants.load`."""
        key = holder, resource
        kept, now = self._kept.get(key), self._clock()
        if kept is not None and now - kept.read_at < FRESH_SECONDS:
            return kept.grant
        try:
            return (await self._read_once(key)).grant
        except GatewayError as failure:
            if kept is None or now - kept.read_at >= STALE_SECONDS:
                raise
            _log.warning("grant.not_read", reason=failure.private)
            return kept.grant

    async def save(self, holder: Holder, grant: Grant) -> None:
        """As `Grants.save`: within `refreshing`, only in place of the grant that was refreshed."""
        key = holder, grant.resource
        draft = self._draft(holder, grant)
        turn = asyncio.current_task(), key
        revision = self._refreshing.get(turn)
        async with self._database.jotting() as session:
            tenant_id = (await Tenants(session).get(holder.tenant)).id
            grants = UserGrants(session, tenant_id)
            stored = (
                await grants.put(draft)
                if revision is None
                else await grants.replace(draft, revision)
            )
        if stored is None:
            self._kept.pop(key, None)
            _log.info("grant.gone", tenant=holder.tenant, upstream=holder.upstream)
            return
        if revision is not None:
            self._refreshing[turn] = stored.revision
        self._keep(key, _Kept(grant, (stored.id, stored.revision), self._clock()))

    async def forget(self, holder: Holder, resource: str) -> None:
        """As `Grants.forget`."""
        async with self._database.jotting() as session:
            tenant_id = (await Tenants(session).get(holder.tenant)).id
            await UserGrants(session, tenant_id).forget(holder.owner, holder.upstream, resource)
        self._keep((holder, resource), _Kept(None, None, self._clock()))

    async def lender(self, tenant: str, upstream: str) -> str | None:
        """As `Grants.lender`."""
        async with self._database.read() as session:
            try:
                tenant_id = (await Tenants(session).get(tenant)).id
            except NotFound:
                return None
            return await UserGrants(session, tenant_id).lender(upstream)

    @asynccontextmanager
    async def refreshing(self, holder: Holder, resource: str) -> AsyncGenerator[Grant | None]:
        """As `Grants.refreshing`."""
        key = holder, resource
        turn = asyncio.current_task(), key
        async with self._turns.setdefault(key, asyncio.Lock()), self._alone(key):
            kept = await self._read(key)
            if kept.row is not None:
                self._refreshing[turn] = kept.row[1]
            try:
                yield kept.grant
            finally:
                self._refreshing.pop(turn, None)

    @asynccontextmanager
    async def _alone(self, key: _Key) -> AsyncGenerator[None]:
        """Have the turn among processes; who holds it for too long has died."""
        holder, resource = key
        parts = [holder.tenant, holder.owner, holder.upstream, resource]
        name = f"refresh:{sha256_digest(msgspec.json.encode(parts))}"
        # The store tells nobody of what is deleted.
        while not await self._state.put_new(name, b"1", _REFRESH_SECONDS):  # noqa: ASYNC110
            await asyncio.sleep(_LOOK_SECONDS)
        try:
            yield
        finally:
            await self._state.delete(name)

    def drop(self, holder: Holder) -> None:
        """Read anew, at the next call, what `holder` has: it was changed elsewhere."""
        for key in [key for key in self._kept if key[0] == holder]:
            del self._kept[key]

    async def _read_once(self, key: _Key) -> _Kept:
        flight = self._flights.get(key)
        if flight is None:
            flight = self._flights[key] = Flight[_Kept]()
        try:
            return await flight.join(lambda: self._read(key))
        finally:
            if not flight.is_under_way:
                self._flights.pop(key, None)

    async def _read(self, key: _Key) -> _Kept:
        holder, resource = key
        now = self._clock()
        async with self._database.read() as session:
            try:
                tenant_id = (await Tenants(session).get(holder.tenant)).id
            except NotFound:
                return self._keep(key, _Kept(None, None, now))
            grants = UserGrants(session, tenant_id)
            stored = await grants.find(holder.owner, holder.upstream, resource)
        known = self._kept.get(key)
        if stored is None:
            return self._keep(key, _Kept(None, None, now))
        is_same = known is not None and known.row == (stored.id, stored.revision)
        grant = known.grant if known is not None and is_same else self._opened(holder, stored)
        return self._keep(key, _Kept(grant, (stored.id, stored.revision), now))

    def _opened(self, holder: Holder, stored: StoredGrant) -> Grant | None:
        key = stored.key
        try:
            tokens = open_tokens(self._box, Place(holder, key.issuer, key.resource), stored.sealed)
        except SecretUnavailable:
            # Consent makes a new one; nothing else would.
            _log.error("grant.unreadable", upstream=key.upstream, key_id=stored.sealed.key_id)
            return None
        return Grant(
            key.issuer,
            key.resource,
            stored.client_id,
            tokens.access_token,
            tokens.refresh_token,
            stored.scopes,
            None if stored.expires_at is None else stored.expires_at.timestamp(),
        )

    def _draft(self, holder: Holder, grant: Grant) -> GrantDraft:
        tokens = Tokens(grant.access_token, grant.refresh_token)
        expires_at = grant.expires_at
        return GrantDraft(
            GrantKey(holder.owner, holder.upstream, grant.issuer, grant.resource),
            grant.client_id,
            grant.scopes,
            None if expires_at is None else datetime.fromtimestamp(expires_at, UTC),
            seal_tokens(self._box, Place(holder, grant.issuer, grant.resource), tokens),
        )

    def _keep(self, key: _Key, kept: _Kept) -> _Kept:
        self._kept[key] = kept
        self._kept.move_to_end(key)
        while len(self._kept) > _MOST_KEPT:
            self._kept.popitem(last=False)
        return kept


class DatabaseRegistrations:
    """The `Registrations` of the OAuth client, for all tenants. Seldom asked for, so not kept."""

    def __init__(self, database: Database, box: SecretBox) -> None:
        self._database = database
        self._box = box

    async def load(self, tenant: str, issuer: str) -> Registration | None:
        """As `Registrations.load`."""
        async with self._database.read() as session:
            tenant_id = (await Tenants(session).get(tenant)).id
            stored = await OAuthClients(session, tenant_id).find(issuer)
        if stored is None:
            return None
        try:
            secret = open_client(self._box, tenant, issuer, stored.sealed)
        except SecretUnavailable:
            _log.error("registration.unreadable", issuer=issuer, key_id=stored.sealed.key_id)
            return None
        known = stored.document
        return Registration(
            issuer,
            stored.client_id,
            secret,
            str(known.get("method", "none")),
            str(known.get("redirect_uri", "")),
            known.get("expires_at"),
        )

    async def save(self, tenant: str, registration: Registration) -> None:
        """As `Registrations.save`."""
        issuer = registration.issuer
        document = {
            "method": registration.method,
            "redirect_uri": registration.redirect_uri,
            "expires_at": registration.expires_at,
        }
        sealed = seal_client(self._box, tenant, issuer, registration.client_secret)
        async with self._database.jotting() as session:
            tenant_id = (await Tenants(session).get(tenant)).id
            stored = StoredClient(issuer, registration.client_id, document, sealed)
            await OAuthClients(session, tenant_id).put(stored)
