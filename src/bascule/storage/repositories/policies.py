"""Access policies of one tenant. Each is one rule of role-based access."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import select

from bascule.gateway.errors import Conflict, NotFound
from bascule.gateway.rule import RbacRule
from bascule.storage.documents import rule_document
from bascule.storage.mapping import rule_from
from bascule.storage.repositories.scope import Scoped
from bascule.storage.tables import PolicyRow

RBAC: Final = "rbac"


@dataclass(frozen=True, slots=True)
class StoredPolicy:
    """A rule and what the database adds to it. An inactive one decides nothing."""

    id: UUID
    rule: RbacRule
    description: str
    is_active: bool
    created_at: datetime
    updated_at: datetime


class Policies(Scoped):
    """A tenant's policies of type `rbac`."""

    async def create(self, rule: RbacRule, description: str = "") -> StoredPolicy:
        """Add a policy, active, under the rule's name.

        Raises:
            Conflict: the name is taken.
        """
        if await self._find(rule.name) is not None:
            raise Conflict(f"A policy named {rule.name} exists already. Choose another name.")
        return await self.put(rule, description)

    async def put(self, rule: RbacRule, description: str = "") -> StoredPolicy:
        """Add a policy, active, or make the one of that name like it."""
        row = await self._find(rule.name)
        if row is None:
            row = PolicyRow(tenant_id=self._tenant_id, name=rule.name, type=RBAC, is_active=True)
            self._session.add(row)
        row.description = description
        row.rules = rule_document(rule)
        row.priority = rule.priority
        await self._session.flush()
        return _stored(row)

    async def list(self) -> tuple[StoredPolicy, ...]:
        """Every policy, the highest priority first, then by name."""
        rows = await self._session.scalars(
            select(PolicyRow)
            .where(PolicyRow.tenant_id == self._tenant_id, PolicyRow.type == RBAC)
            .order_by(PolicyRow.priority.desc(), PolicyRow.name)
        )
        return tuple(_stored(row) for row in rows)

    async def delete(self, name: str) -> None:
        """Remove a policy, even one that cannot be read any more.

        Raises:
            NotFound: there is none of that name.
        """
        row = await self._find(name)
        if row is None:
            raise NotFound(f"There is no policy named {name}.")
        await self._session.delete(row)
        await self._session.flush()

    async def _find(self, name: str) -> PolicyRow | None:
        return (
            await self._session.scalars(
                select(PolicyRow).where(
                    PolicyRow.tenant_id == self._tenant_id, PolicyRow.name == name
                )
            )
        ).one_or_none()


def _stored(row: PolicyRow) -> StoredPolicy:
    return StoredPolicy(
        row.id, rule_from(row), row.description, row.is_active, row.created_at, row.updated_at
    )
