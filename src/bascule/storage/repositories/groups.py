"""What membership of a group brings in one tenant, by the group's name as issuers claim it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from bascule.gateway.errors import InvalidValue, NotFound
from bascule.storage.counter import author_of
from bascule.storage.identity_tables import GroupRolesRow
from bascule.storage.repositories.roles import Roles
from bascule.storage.repositories.scope import Scoped
from bascule.storage.suggestion import did_you_mean
from bascule.storage.types import utc_now


@dataclass(frozen=True, slots=True)
class StoredGroup:
    """A group and the roles of its members. Who is a member, issuers say with each token."""

    name: str
    roles: frozenset[str]
    created_at: datetime
    updated_at: datetime
    updated_by: str


class Groups(Scoped):
    """A tenant's groups."""

    async def put(self, name: str, roles: Iterable[str]) -> StoredGroup:
        """Let members of the group have `roles`, and no other on its account.

        Raises:
            InvalidValue: no role is named, or one does not exist.
        """
        wanted = sorted(set(roles))
        if not wanted:
            raise InvalidValue("A group needs a role.", details={"field": "roles"})
        await Roles(self._session, self._tenant_id).check(wanted)
        row = await self._find(name)
        if row is None:
            row = GroupRolesRow(tenant_id=self._tenant_id, group_name=name)
            self._session.add(row)
        row.roles = wanted
        row.updated_by = author_of(self._session)
        row.updated_at = utc_now()
        await self._session.flush()
        return _stored(row)

    async def find(self, name: str) -> StoredGroup | None:
        """The group of that name, if anything is known of it."""
        row = await self._find(name)
        return None if row is None else _stored(row)

    async def get(self, name: str) -> StoredGroup:
        """The group of that name.

        Raises:
            NotFound: nothing is known of it.
        """
        return _stored(await self._row(name))

    async def list(self) -> tuple[StoredGroup, ...]:
        """Every group by name."""
        rows = await self._session.scalars(
            select(GroupRolesRow)
            .where(GroupRolesRow.tenant_id == self._tenant_id)
            .order_by(GroupRolesRow.group_name)
        )
        return tuple(_stored(row) for row in rows)

    async def delete(self, name: str) -> StoredGroup:
        """Let membership bring nothing any more; gives the group as it was.

        Raises:
            NotFound: nothing is known of it.
        """
        row = await self._row(name)
        gone = _stored(row)
        await self._session.delete(row)
        await self._session.flush()
        return gone

    async def _row(self, name: str) -> GroupRolesRow:
        row = await self._find(name)
        if row is None:
            guess = did_you_mean(name, [one.name for one in await self.list()])
            raise NotFound(
                f"No roles are given to a group named {name}.{guess}", details={"field": "group"}
            )
        return row

    async def _find(self, name: str) -> GroupRolesRow | None:
        return (
            await self._session.scalars(
                select(GroupRolesRow).where(
                    GroupRolesRow.tenant_id == self._tenant_id, GroupRolesRow.group_name == name
                )
            )
        ).one_or_none()


def _stored(row: GroupRolesRow) -> StoredGroup:
    return StoredGroup(
        row.group_name, frozenset(row.roles), row.created_at, row.updated_at, row.updated_by
    )
