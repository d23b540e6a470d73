"""Roles of one tenant."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from bascule.gateway.errors import Conflict, NotFound
from bascule.storage.repositories.scope import Scoped
from bascule.storage.tables import RoleRow


@dataclass(frozen=True, slots=True)
class Role:
    """A named set of permissions, such as `tools:execute`."""

    name: str
    description: str
    permissions: frozenset[str]
    created_at: datetime


class Roles(Scoped):
    """A tenant's roles."""

    async def create(self, name: str, description: str, permissions: Iterable[str]) -> Role:
        """Add a role.

        Raises:
            Conflict: the name is taken.
        """
        if await self._find(name) is not None:
            raise Conflict(f"A role named {name} exists already. Choose another name.")
        row = RoleRow(
            tenant_id=self._tenant_id,
            name=name,
            description=description,
            permissions=sorted(set(permissions)),
        )
        self._session.add(row)
        await self._session.flush()
        return _role(row)

    async def get(self, name: str) -> Role:
        """The role of that name.

        Raises:
            NotFound: there is none.
        """
        row = await self._find(name)
        if row is None:
            raise NotFound(f"There is no role named {name}.")
        return _role(row)

    async def list(self) -> tuple[Role, ...]:
        """Every role by name."""
        rows = await self._session.scalars(
            select(RoleRow).where(RoleRow.tenant_id == self._tenant_id).order_by(RoleRow.name)
        )
        return tuple(_role(row) for row in rows)

    async def _find(self, name: str) -> RoleRow | None:
        return (
            await self._session.scalars(
                select(RoleRow).where(RoleRow.tenant_id == self._tenant_id, RoleRow.name == name)
            )
        ).one_or_none()


def _role(row: RoleRow) -> Role:
    return Role(row.name, row.description, frozenset(row.permissions), row.created_at)
