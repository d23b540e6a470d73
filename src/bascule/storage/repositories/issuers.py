"""Issuers of tokens. Each leads to one tenant; names and issuers are the whole installation's."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from bascule.gateway.errors import Conflict, NotFound
from bascule.gateway.issuer import Issuer
from bascule.storage.counter import author_of
from bascule.storage.identity_tables import IssuerRow
from bascule.storage.repositories.scope import Scoped, TenantId
from bascule.storage.suggestion import did_you_mean
from bascule.storage.tables import RoleRow, TenantRow
from bascule.storage.tenancy import across_tenants

_IN_COLUMNS: Final = frozenset({"name", "issuer", "tenant"})


@dataclass(frozen=True, slots=True)
class StoredIssuer:
    """An issuer, and what the database adds to it. No token of an inactive one is accepted."""

    tenant_id: TenantId
    issuer: Issuer
    is_active: bool
    created_at: datetime
    updated_at: datetime
    updated_by: str


class Issuers(Scoped):
    """The issuers that lead to one tenant."""

    async def create(self, issuer: Issuer, *, is_active: bool = True) -> StoredIssuer:
        """Add an issuer of this tenant, which `issuer.tenant` names.

        Raises:
            Conflict: its name or its `iss` is taken, in whichever tenant.
        """
        await self._check_free(issuer)
        row = IssuerRow(
            tenant_id=self._tenant_id,
            name=issuer.name,
            issuer=issuer.issuer,
            is_active=is_active,
            document=document_of(issuer),
            updated_by=author_of(self._session),
        )
        self._session.add(row)
        await self._session.flush()
        return _stored(row, issuer.tenant)

    async def replace(self, issuer: Issuer, *, is_active: bool = True) -> StoredIssuer:
        """Make the issuer of that name like `issuer`.

        Raises:
            NotFound: this tenant has none of that name.
            Conflict: its `iss` is taken.
        """
        row = await self._row(issuer.name)
        await self._check_free(issuer, row)
        row.issuer, row.is_active = issuer.issuer, is_active
        row.document = document_of(issuer)
        row.updated_by = author_of(self._session)
        await self._session.flush()
        return _stored(row, issuer.tenant)

    async def delete(self, name: str) -> None:
        """Remove an issuer; none of its tokens is accepted from the next snapshot on.

        Raises:
            NotFound: this tenant has none of that name.
        """
        await self._session.delete(await self._row(name))
        await self._session.flush()

    async def _row(self, name: str) -> IssuerRow:
        row = (
            await self._session.scalars(
                select(IssuerRow).where(
                    IssuerRow.tenant_id == self._tenant_id, IssuerRow.name == name
                )
            )
        ).one_or_none()
        if row is None:
            raise NotFound(f"There is no issuer named {name}.", details={"field": "name"})
        return row

    async def _check_free(self, issuer: Issuer, own: IssuerRow | None = None) -> None:
        for other in await all_issuers(self._session):
            taken = other.issuer
            if own is not None and taken.name == own.name and other.tenant_id == own.tenant_id:
                continue
            if taken.name == issuer.name:
                raise Conflict(
                    f"An issuer named {taken.name} exists already. Choose another name.",
                    details={"field": "name"},
                )
            if taken.issuer == issuer.issuer:
                raise Conflict(
                    f"{taken.name} has this issuer already; each exists once. Where several "
                    "tenants share it, tell them apart with tenant_claim and tenants.",
                    details={"field": "issuer", "name": taken.name},
                )


async def all_issuers(session: AsyncSession) -> tuple[StoredIssuer, ...]:
    """Every issuer of every tenant, by name: for system administrators."""
    async with across_tenants(session, "system administrators decide whose tokens are accepted"):
        rows = await session.execute(
            select(IssuerRow, TenantRow.name)
            .join(TenantRow, TenantRow.id == IssuerRow.tenant_id)
            .order_by(IssuerRow.name)
        )
        return tuple(_stored(row, tenant) for row, tenant in rows)


async def find_issuer(session: AsyncSession, name: str) -> StoredIssuer:
    """The issuer of that name, of whichever tenant: for system administrators.

    Raises:
        NotFound: there is none.
    """
    known = await all_issuers(session)
    for one in known:
        if one.issuer.name == name:
            return one
    guess = did_you_mean(name, [one.issuer.name for one in known])
    raise NotFound(f"There is no issuer named {name}.{guess}", details={"field": "name"})


async def roles_of(session: AsyncSession, tenants: Iterable[str]) -> Mapping[str, frozenset[str]]:
    """The names of roles in each of `tenants` that exists: for what an issuer's claims bring."""
    async with across_tenants(session, "an issuer may bring roles in several tenants"):
        rows = await session.execute(
            select(TenantRow.name, RoleRow.name)
            .join(RoleRow, RoleRow.tenant_id == TenantRow.id)
            .where(TenantRow.name.in_(sorted(set(tenants))))
        )
        found: dict[str, set[str]] = {}
        for tenant, role in rows:
            found.setdefault(tenant, set()).add(role)
    return {tenant: frozenset(roles) for tenant, roles in found.items()}


def issuer_from(row: IssuerRow, tenant: str) -> Issuer:
    """The issuer in `row`, which belongs to `tenant`."""
    known = {"name": row.name, "issuer": row.issuer, "tenant": tenant}
    return msgspec.convert({**row.document, **known}, Issuer)


def document_of(issuer: Issuer) -> dict[str, Any]:
    """What the row of `issuer` holds besides its columns."""
    members = {key: one for key, one in asdict(issuer).items() if key not in _IN_COLUMNS}
    return msgspec.json.decode(msgspec.json.encode(members))


def _stored(row: IssuerRow, tenant: str) -> StoredIssuer:
    return StoredIssuer(
        TenantId(row.tenant_id),
        issuer_from(row, tenant),
        row.is_active,
        row.created_at,
        row.updated_at,
        row.updated_by,
    )
