"""Who could set things right: users and keys that hold a permission, and for how long."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, String, cast, exists, false, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from bascule.gateway.permissions import SYSTEM_ADMIN
from bascule.storage.identity_tables import UserIdentityRow, UserRow
from bascule.storage.repositories.scope import Scoped, TenantId
from bascule.storage.tables import ApiKeyRow, RoleRow, TenantRow
from bascule.storage.tenancy import across_tenants
from bascule.storage.types import utc_now


@dataclass(frozen=True, slots=True)
class Holders:
    """Who holds a permission, such as `user asha` or `key ci`: for good, or until they expire.

    A user counts who is active and can get in, by a password, an issuer or a key of their own;
    what groups bring does not count, as it is in the hands of an issuer.
    """

    lasting: frozenset[str] = frozenset()
    passing: frozenset[str] = frozenset()

    @property
    def everybody(self) -> frozenset[str]:
        """Both."""
        return self.lasting | self.passing

    def __or__(self, other: "Holders") -> "Holders":
        return Holders(self.lasting | other.lasting, self.passing | other.passing)


class Administrators(Scoped):
    """Holders of permissions in one tenant."""

    async def holding(self, permission: str) -> Holders:
        """Everybody who holds `permission`, by name or as a system administrator."""
        wanted = {permission, SYSTEM_ADMIN}
        roles = await self._session.execute(
            select(RoleRow.name, RoleRow.permissions).where(RoleRow.tenant_id == self._tenant_id)
        )
        mighty = {name for name, granted in roles if wanted.intersection(granted)}
        if not mighty:
            return Holders()
        people, lasting = await self._people(mighty)
        return await self._with_keys(mighty, wanted, people, lasting)

    async def _people(self, mighty: set[str]) -> tuple[dict[UUID, str], set[str]]:
        """Active users with such a role, and the names of those among them who can sign in."""
        signs_in = or_(
            UserRow.password_hash.is_not(None),
            exists().where(
                UserIdentityRow.tenant_id == self._tenant_id, UserIdentityRow.user_id == UserRow.id
            ),
        )
        rows = await self._session.execute(
            select(UserRow.id, UserRow.name, UserRow.roles, signs_in).where(
                UserRow.tenant_id == self._tenant_id,
                UserRow.is_active.is_(True),
                _names_any(UserRow.roles, mighty),
            )
        )
        people: dict[UUID, str] = {}
        lasting: set[str] = set()
        for user_id, name, roles, can_sign_in in rows:
            if mighty.intersection(roles):
                people[user_id] = name
                if can_sign_in:
                    lasting.add(f"user {name}")
        return people, lasting

    async def _with_keys(
        self, mighty: set[str], wanted: set[str], people: dict[UUID, str], lasting: set[str]
    ) -> Holders:
        rows = await self._session.scalars(
            select(ApiKeyRow).where(
                ApiKeyRow.tenant_id == self._tenant_id,
                ApiKeyRow.revoked_at.is_(None),
                _names_any(ApiKeyRow.roles, mighty),
            )
        )
        passing: set[str] = set()
        now = utc_now()
        for row in rows:
            if not mighty.intersection(row.roles) or not _opens(row, wanted, now):
                continue
            if row.user_id is None:
                name = f"key {row.name}"
            elif row.user_id in people:
                name = f"user {people[row.user_id]}"
            else:
                continue
            (passing if row.expires_at else lasting).add(name)
        return Holders(frozenset(lasting), frozenset(passing - lasting))


async def system_administrators(session: AsyncSession) -> Holders:
    """Who may do everything in every tenant; those of inactive tenants may do nothing."""
    async with across_tenants(session, "system administrators may be in any tenant"):
        tenants = await session.scalars(
            select(TenantRow.id)
            .where(TenantRow.is_active.is_(True))
            .where(
                exists().where(
                    RoleRow.tenant_id == TenantRow.id,
                    _names_any(RoleRow.permissions, {SYSTEM_ADMIN}),
                )
            )
        )
        found = Holders()
        for tenant_id in tenants.all():
            held = await Administrators(session, TenantId(tenant_id)).holding(SYSTEM_ADMIN)
            found |= _of(tenant_id, held)
        return found


def _of(tenant_id: UUID, held: Holders) -> Holders:
    """The same people, told apart from their namesakes in other tenants."""
    mark = f" of {tenant_id}"
    return Holders(
        frozenset(one + mark for one in held.lasting), frozenset(one + mark for one in held.passing)
    )


def _names_any(column: InstrumentedAttribute[list[str]], names: set[str]) -> ColumnElement[bool]:
    """Whether a list in JSON may hold one of `names`; spares loading all who have none."""
    text = cast(column, String)
    return or_(false(), *(text.contains(f'"{name}"', autoescape=True) for name in sorted(names)))


def _opens(row: ApiKeyRow, wanted: set[str], now: datetime) -> bool:
    if row.expires_at is not None and row.expires_at <= now:
        return False
    return row.scopes is None or not wanted.isdisjoint(row.scopes)
