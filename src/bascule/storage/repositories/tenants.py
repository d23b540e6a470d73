"""Tenants: the only rows that are looked up without one."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from bascule.gateway.errors import Conflict, NotFound
from bascule.storage.repositories.holdings import Holdings
from bascule.storage.repositories.scope import TenantId
from bascule.storage.suggestion import did_you_mean
from bascule.storage.tables import TenantRow


@dataclass(frozen=True, slots=True)
class Tenant:
    """Whose rows are kept apart from everybody else's. An inactive one has no way in.

    `hosts` are names of hosts, in lower case, under which only this tenant's callers come in.
    """

    id: TenantId
    name: str
    description: str
    is_active: bool
    created_at: datetime
    hosts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TenantChanges:
    """What to change about a tenant; None leaves a field as it is."""

    description: str | None = None
    hosts: tuple[str, ...] | None = None
    is_active: bool | None = None


class Tenants:
    """All tenants of the database."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def create(self, name: str, description: str = "", hosts: Iterable[str] = ()) -> Tenant:
        """Add a tenant, active and empty.

        Raises:
            Conflict: the name is taken, or a host is another tenant's.
        """
        if await self.find(name) is not None:
            raise Conflict(f"A tenant named {name} exists already. Choose another name.")
        row = TenantRow(name=name, description=description)
        await self._set_hosts(row, hosts)
        self._session.add(row)
        await self._session.flush()
        return _tenant(row)

    async def find(self, name: str) -> Tenant | None:
        """The tenant of that name, if there is one."""
        row = await self._find(name)
        return None if row is None else _tenant(row)

    async def get(self, name: str) -> Tenant:
        """The tenant of that name.

        Raises:
            NotFound: there is none.
        """
        return _tenant(await self._row(name))

    async def list(self) -> tuple[Tenant, ...]:
        """Every tenant by name."""
        rows = await self._session.scalars(select(TenantRow).order_by(TenantRow.name))
        return tuple(_tenant(row) for row in rows)

    async def update(self, name: str, changes: TenantChanges) -> Tenant:
        """Change what `changes` says. With the next snapshot nobody of an inactive one gets in.

        Raises:
            NotFound: there is none of that name.
            Conflict: a host is another tenant's.
        """
        row = await self._row(name)
        if changes.description is not None:
            row.description = changes.description
        if changes.hosts is not None:
            await self._set_hosts(row, changes.hosts)
        if changes.is_active is not None:
            row.is_active = changes.is_active
        await self._session.flush()
        return _tenant(row)

    async def delete(self, name: str) -> Tenant:
        """Remove a tenant that has nothing any more but its roles; gives it as it was.

        Raises:
            NotFound: there is none of that name.
            Conflict: it has something, named with how much.
        """
        row = await self._row(name)
        gone = _tenant(row)
        holdings = Holdings(self._session, gone.id)
        left = await holdings.count()
        if left:
            named = ", ".join(f"{noun} ({count})" for noun, count in left.items())
            raise Conflict(
                f"The tenant {name} still has {named}. Remove them first, or deactivate the "
                "tenant: nobody comes in then, and everything stays.",
                details={"left": left},
            )
        await holdings.clear()
        await self._session.delete(row)
        await self._session.flush()
        return gone

    async def _set_hosts(self, row: TenantRow, hosts: Iterable[str]) -> None:
        wanted = sorted(set(hosts))
        others = await self._session.execute(
            select(TenantRow.name, TenantRow.hosts).where(TenantRow.name != row.name)
        )
        for name, known in others:
            if taken := sorted(set(wanted).intersection(known)):
                raise Conflict(
                    f"The host {taken[0]} is the tenant {name}'s. A host has one tenant.",
                    details={"field": "hosts", "host": taken[0], "tenant": name},
                )
        row.hosts = wanted

    async def _row(self, name: str) -> TenantRow:
        row = await self._find(name)
        if row is None:
            names = await self._session.scalars(select(TenantRow.name))
            guess = did_you_mean(name, names)
            raise NotFound(f"There is no tenant named {name}.{guess}", details={"field": "tenant"})
        return row

    async def _find(self, name: str) -> TenantRow | None:
        return (
            await self._session.scalars(select(TenantRow).where(TenantRow.name == name))
        ).one_or_none()


def _tenant(row: TenantRow) -> Tenant:
    return Tenant(
        TenantId(row.id),
        row.name,
        row.description,
        row.is_active,
        row.created_at,
        tuple(row.hosts),
    )
