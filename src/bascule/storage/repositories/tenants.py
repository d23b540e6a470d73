"""Tenants: the only rows that are looked up without one."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from bascule.gateway.errors import Conflict, NotFound
from bascule.storage.repositories.scope import TenantId
from bascule.storage.tables import TenantRow


@dataclass(frozen=True, slots=True)
class Tenant:
    """Whose rows are kept apart from everybody else's. An inactive one has no way in."""

    id: TenantId
    name: str
    description: str
    is_active: bool
    created_at: datetime


class Tenants:
    """All tenants of the database."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def create(self, name: str, description: str = "") -> Tenant:
        """Add a tenant, active and empty.

        Raises:
            Conflict: the name is taken.
        """
        if await self.find(name) is not None:
            raise Conflict(f"A tenant named {name} exists already. Choose another name.")
        row = TenantRow(name=name, description=description)
        self._session.add(row)
        await self._session.flush()
        return _tenant(row)

    async def find(self, name: str) -> Tenant | None:
        """The tenant of that name, if there is one."""
        row = (
            await self._session.scalars(select(TenantRow).where(TenantRow.name == name))
        ).one_or_none()
        return None if row is None else _tenant(row)

    async def get(self, name: str) -> Tenant:
        """The tenant of that name.

        Raises:
            NotFound: there is none.
        """
        found = await self.find(name)
        if found is None:
            raise NotFound(f"There is no tenant named {name}.")
        return found

    async def list(self) -> tuple[Tenant, ...]:
        """Every tenant by name."""
        rows = await self._session.scalars(select(TenantRow).order_by(TenantRow.name))
        return tuple(_tenant(row) for row in rows)


def _tenant(row: TenantRow) -> Tenant:
    return Tenant(TenantId(row.id), row.name, row.description, row.is_active, row.created_at)
