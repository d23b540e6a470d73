"""Bundles of one tenant."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import select

from bascule.gateway.errors import Conflict, NotFound
from bascule.gateway.tool import Bundle
from bascule.storage.mapping import bundle_from
from bascule.storage.repositories.scope import Scoped
from bascule.storage.tables import BundleRow


class BundleStatus(StrEnum):
    """The tools of an inactive bundle are disabled with it."""

    ACTIVE = "active"
    INACTIVE = "inactive"


@dataclass(frozen=True, slots=True)
class StoredBundle:
    """A bundle and what the database adds to it."""

    id: UUID
    bundle: Bundle
    status: BundleStatus
    created_at: datetime
    updated_at: datetime


class Bundles(Scoped):
    """A tenant's bundles."""

    async def create(self, bundle: Bundle) -> StoredBundle:
        """Add a bundle, active.

        Raises:
            Conflict: the name is taken.
        """
        if await self._find(bundle.name) is not None:
            raise Conflict(f"A bundle named {bundle.name} exists already. Choose another name.")
        return await self._add(bundle)

    async def get_or_create(self, bundle: Bundle) -> StoredBundle:
        """The bundle of that name as it is, or as given where it is new."""
        row = await self._find(bundle.name)
        return await self._add(bundle) if row is None else _stored(row)

    async def get(self, name: str) -> StoredBundle:
        """The bundle of that name.

        Raises:
            NotFound: there is none.
        """
        return _stored(await self._row(name))

    async def list(self) -> tuple[StoredBundle, ...]:
        """Every bundle by name."""
        rows = await self._session.scalars(
            select(BundleRow).where(BundleRow.tenant_id == self._tenant_id).order_by(BundleRow.name)
        )
        return tuple(_stored(row) for row in rows)

    async def set_status(self, name: str, status: BundleStatus) -> StoredBundle:
        """Switch a bundle, and with it its tools, on or off.

        Raises:
            NotFound: there is none of that name.
        """
        row = await self._row(name)
        row.status = status.value
        await self._session.flush()
        return _stored(row)

    async def _row(self, name: str) -> BundleRow:
        row = await self._find(name)
        if row is None:
            raise NotFound(f"There is no bundle named {name}.")
        return row

    async def _find(self, name: str) -> BundleRow | None:
        return (
            await self._session.scalars(
                select(BundleRow).where(
                    BundleRow.tenant_id == self._tenant_id, BundleRow.name == name
                )
            )
        ).one_or_none()

    async def _add(self, bundle: Bundle) -> StoredBundle:
        row = BundleRow(
            tenant_id=self._tenant_id,
            name=bundle.name,
            description=bundle.description,
            version=bundle.version,
            owner=bundle.owner,
        )
        self._session.add(row)
        await self._session.flush()
        return _stored(row)


def _stored(row: BundleRow) -> StoredBundle:
    return StoredBundle(
        row.id, bundle_from(row), BundleStatus(row.status), row.created_at, row.updated_at
    )
