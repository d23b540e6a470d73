"""Who may do more than the rules let them, for now: live grants, in the state that processes share.

A grant is at `elevation:{tenant}/{owner}:{scope}` until it ends. One for a single call is used up
by whoever is first to write `elevation-spent:{tenant}/{id}`; what goes on with that call finds
both, and goes on once with each state that it is sent. What ends a grant deletes it. No database is
asked: grants are put here by `ElevationDesk`, within the transaction that approves them, and after
a restart by `app.grant_keeping`.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import msgspec
import structlog

from bascule.api.elevated import LINK_PATH, LINK_SECONDS, Link, Terms
from bascule.gateway.digests import Digest
from bascule.gateway.elevation import Elevation, Grant, Scope, ScopeKind
from bascule.gateway.masking import mask
from bascule.gateway.principal import Principal
from bascule.gateway.sealing import Purpose, SealBroken, Sealer
from bascule.gateway.state import StateStore
from bascule.gateway.tool import Tool
from bascule.policy.elevation import (
    Holder,
    Step,
    arguments_digest,
    bundles_of,
    call_digest,
    canonical_name,
    continued_key,
    holder_of,
    live_key,
    scopes_of,
    shortened,
    spent_key,
)
from bascule.storage.repositories.elevations import StoredElevation
from bascule.upstreams.pim import Pim, PimQuestion

_log = structlog.get_logger(__name__)

_MOST_SHOWN_BYTES: Final = 2000
"""Of masked arguments in a link, which is part of an address."""
_SPENT_MARGIN_SECONDS: Final = 60.0
"""What says that a grant is used up outlasts the grant, should clocks differ."""
_SPENT: Final = b"used"


class _Live(msgspec.Struct, frozen=True):
    """A grant as it is kept. `key_id` is that of the service's key that it is for."""

    id: str
    granted_at: datetime
    expires_at: datetime
    scope: str
    approval_reference: str
    owner: str
    key_id: str = ""


class _Token(msgspec.Struct, frozen=True, array_like=True):
    """What the token of a link holds."""

    expires_at: float
    tenant: str
    owner: str
    subject: str
    user_id: str | None
    key_id: str
    tool: str
    bundle: str
    digest: str
    arguments: object


@dataclass(frozen=True, slots=True)
class Use:
    """A call was let through by a grant."""

    principal: Principal
    tool: str
    grant: Grant


@dataclass(frozen=True, slots=True)
class Ground:
    """What elevation works with. `public_url` has no path, and is "" where it is not known.

    `digest` must be the same in all processes that share `state`. `clock` gives seconds since the
    epoch. `on_use` and `count` must not block.
    """

    state: StateStore
    sealer: Sealer
    digest: Digest
    terms: Terms
    public_url: str
    on_use: Callable[[Use], None]
    count: Callable[[str], None]
    clock: Callable[[], float] = time.time


class LiveElevations:
    """The `Elevations` of calls, and the `LiveGrants` of those who decide about them.

    Where there is a privileged identity manager, it alone says who is elevated: grants made here
    count for nothing then, so that nobody has to look in two places to end one.
    """

    def __init__(self, ground: Ground, pim: Pim | None = None) -> None:
        self._ground = ground
        self._pim = pim

    @property
    def terms(self) -> Terms:
        """As `LiveGrants.terms`."""
        return self._ground.terms

    @property
    def elsewhere(self) -> str | None:
        """As `LiveGrants.elsewhere`."""
        return None if self._pim is None else self._pim.page_url

    def now(self) -> datetime:
        """As `LiveGrants.now`."""
        return datetime.fromtimestamp(self._ground.clock(), UTC)

    def count(self, step: Step) -> None:
        """As `LiveGrants.count`."""
        self._ground.count(step)

    def digest(self, tool: str, arguments: Mapping[str, object]) -> str:
        """As `LiveGrants.digest`."""
        return arguments_digest(self._ground.digest, tool, arguments)

    async def check(
        self,
        principal: Principal,
        tool: Tool,
        arguments: Mapping[str, object],
        *,
        continues: str,
    ) -> Elevation:
        """As `Elevations.check`."""
        digest = call_digest(self._ground.digest, tool, arguments)
        if self._pim is not None:
            found = await self._pim.check(_question(principal, tool, digest))
        else:
            grant = await self._covering(principal, tool, digest, continues=continues)
            url = self._link(principal, tool, digest, arguments) if grant is None else ""
            found = Elevation(grant, url)
        if found.grant is None:
            self.count(Step.CHALLENGED)
        elif not continues:
            self._note_use(principal, tool, found.grant)
        return found

    async def put(self, tenant: str, elevation: StoredElevation) -> None:
        """As `LiveGrants.put`."""
        expires_at, decided_at = elevation.expires_at, elevation.decided_at
        if expires_at is None or decided_at is None:
            raise ValueError("nothing was granted")
        seconds = expires_at.timestamp() - self._ground.clock()
        if seconds <= 0:
            return
        holder, scope = elevation.holder, elevation.scope
        live = _Live(
            str(elevation.id),
            decided_at,
            expires_at,
            scope.text,
            elevation.reference,
            holder.owner,
            holder.key_id,
        )
        key = live_key(tenant, holder.owner, scope)
        await self._ground.state.put(key, msgspec.json.encode(live), seconds)

    async def drop(self, tenant: str, elevation: StoredElevation) -> None:
        """As `LiveGrants.drop`."""
        key = live_key(tenant, elevation.holder.owner, elevation.scope)
        await self._ground.state.delete(key)

    def open_link(self, token: str) -> Link | None:
        """As `LiveGrants.open_link`."""
        try:
            raw = self._ground.sealer.open(Purpose.ELEVATION, "", token)
            found = msgspec.msgpack.decode(raw, type=_Token)
        except (SealBroken, msgspec.DecodeError):
            return None
        if found.expires_at <= self._ground.clock():
            return None
        holder = Holder(found.owner, found.subject, found.user_id, found.key_id)
        return Link(found.tenant, holder, found.tool, found.bundle, found.digest, found.arguments)

    async def _covering(
        self, principal: Principal, tool: Tool, digest: str, *, continues: str
    ) -> Grant | None:
        holder = holder_of(principal)
        for scope in scopes_of(tool, digest):
            grant = await self._live(principal.tenant, holder, scope)
            if grant is None:
                continue
            if scope.kind is not ScopeKind.CALL:
                return grant
            if await self._claim(principal.tenant, holder, grant, continues=continues):
                return grant
        return None

    async def _live(self, tenant: str, holder: Holder, scope: Scope) -> Grant | None:
        raw = await self._ground.state.get(live_key(tenant, holder.owner, scope))
        if raw is None:
            return None
        try:
            live = msgspec.json.decode(raw, type=_Live)
        except msgspec.DecodeError:
            _log.warning("elevation.unreadable", tenant=tenant, scope=scope.text)
            return None
        is_theirs = (live.scope, live.owner, live.key_id) == (
            scope.text,
            holder.owner,
            holder.key_id,
        )
        expires_at = live.expires_at.timestamp()
        if not is_theirs or expires_at <= self._ground.clock():
            return None
        granted_at = live.granted_at.timestamp()
        return Grant(live.id, scope, granted_at, expires_at, live.approval_reference)

    async def _claim(self, tenant: str, holder: Holder, grant: Grant, *, continues: str) -> bool:
        """Use a grant for one call up; of many at once, one may. True as well where it goes on.

        It goes on once with each state: who sends one again would have the call done again.
        """
        state, key = self._ground.state, spent_key(tenant, grant.id)
        seconds = grant.expires_at - self._ground.clock() + _SPENT_MARGIN_SECONDS
        if continues:
            digest = self._ground.digest(continues.encode("utf-8", "surrogatepass"))
            went_on = continued_key(tenant, grant.id, digest)
            if not await state.put_new(went_on, _SPENT, seconds):
                return False
            if await state.get(key) == _SPENT:
                return True
        if not await state.put_new(key, _SPENT, seconds):
            return False
        # Looked at once more, so that who revokes it meanwhile has either been too late or in time.
        return await self._live(tenant, holder, grant.scope) is not None

    def _link(
        self, principal: Principal, tool: Tool, digest: str, arguments: Mapping[str, object]
    ) -> str:
        holder = holder_of(principal)
        token = _Token(
            self._ground.clock() + LINK_SECONDS,
            principal.tenant,
            holder.owner,
            holder.subject,
            holder.user_id,
            holder.key_id,
            canonical_name(tool),
            bundles_of(tool)[0],
            digest,
            shortened(mask(dict(arguments)), _MOST_SHOWN_BYTES),
        )
        sealed = self._ground.sealer.seal(Purpose.ELEVATION, "", msgspec.msgpack.encode(token))
        return f"{self._ground.public_url.rstrip('/')}{LINK_PATH}{sealed}"

    def _note_use(self, principal: Principal, tool: Tool, grant: Grant) -> None:
        self.count(Step.USED)
        name = canonical_name(tool)
        _log.info(
            "elevation.used",
            tenant=principal.tenant,
            user=principal.subject,
            tool=name,
            scope=grant.scope.text,
            elevation=grant.id,
            reference=grant.reference,
        )
        self._ground.on_use(Use(principal, name, grant))


def _question(principal: Principal, tool: Tool, digest: str) -> PimQuestion:
    # A key of a service may have the name of a person, whose elevation it must not get.
    is_person = principal.user_id is not None or principal.evidence is not None
    user_id = principal.subject if is_person else principal.owner
    roles = tuple(sorted(principal.roles))
    name, bundle = canonical_name(tool), bundles_of(tool)[-1]
    return PimQuestion(principal.tenant, user_id, roles, name, bundle, digest)
