"""Bundles of one tenant."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import delete, select

from bascule.gateway.errors import Conflict, NotFound
from bascule.gateway.tool import Bundle
from bascule.storage.mapping import bundle_from
from bascule.storage.repositories.scope import Scoped
from bascule.storage.selections import Selection, load_selections, selecting
from bascule.storage.suggestion import did_you_mean
from bascule.storage.tables import BundleRow, ImportRow, ToolRow
from bascule.storage.types import utc_now


class BundleStatus(StrEnum):
    """The tools of an inactive bundle are disabled with it."""

    ACTIVE = "active"
    INACTIVE = "inactive"


@dataclass(frozen=True, slots=True)
class StoredBundle:
    """A bundle, members and releases included, and what the database adds to it."""

    id: UUID
    bundle: Bundle
    status: BundleStatus
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class BundleChanges:
    """What to change about a bundle; None leaves a field as it is."""

    description: str | None = None
    owner: str | None = None
    version: str | None = None
    status: BundleStatus | None = None


class Bundles(Scoped):
    """A tenant's bundles."""

    async def create(self, bundle: Bundle) -> StoredBundle:
        """Add a bundle, active and without members.

        Raises:
            Conflict: the name is taken.
        """
        if await self._find(bundle.name) is not None:
            raise Conflict(f"A bundle named {bundle.name} exists already. Choose another name.")
        return await self._add(bundle)

    async def get_or_create(self, bundle: Bundle) -> StoredBundle:
        """The bundle of that name as it is, or as given where it is new."""
        row = await self._find(bundle.name)
        return await self._add(bundle) if row is None else await self._whole(row)

    async def get(self, name: str) -> StoredBundle:
        """The bundle of that name.

        Raises:
            NotFound: there is none.
        """
        return await self._whole(await self._row(name))

    async def list(self) -> tuple[StoredBundle, ...]:
        """Every bundle by name."""
        rows = await self._session.scalars(
            select(BundleRow).where(BundleRow.tenant_id == self._tenant_id).order_by(BundleRow.name)
        )
        selections = await load_selections(self._session, self._tenant_id)
        return tuple(_stored(row, selections.get(row.id)) for row in rows)

    async def update(self, name: str, changes: BundleChanges) -> StoredBundle:
        """Change what `changes` says.

        Raises:
            NotFound: there is none of that name.
        """
        row = await self._row(name)
        for field in ("description", "owner", "version", "status"):
            value = getattr(changes, field)
            if value is not None:
                setattr(row, field, value.value if isinstance(value, BundleStatus) else value)
        await self._session.flush()
        return await self._whole(row)

    async def touch(self, name: str) -> StoredBundle:
        """Note that what belongs to the bundle changed.

        Raises:
            NotFound: there is none of that name.
        """
        row = await self._row(name)
        row.updated_at = utc_now()
        await self._session.flush()
        return await self._whole(row)

    async def set_status(self, name: str, status: BundleStatus) -> StoredBundle:
        """Switch a bundle, and with it its tools, on or off.

        Raises:
            NotFound: there is none of that name.
        """
        return await self.update(name, BundleChanges(status=status))

    async def delete(self, name: str) -> None:
        """Remove a bundle without tools, its members and releases, and documents it had.

        Raises:
            NotFound: there is none of that name.
            Conflict: it has tools.
        """
        row = await self._row(name)
        tool = await self._session.scalar(
            select(ToolRow.name)
            .where(ToolRow.tenant_id == self._tenant_id, ToolRow.bundle_id == row.id)
            .order_by(ToolRow.name)
            .limit(1)
        )
        if tool is not None:
            raise Conflict(
                f"Bundle {name} has tools of its own, {tool} first. Delete them first.",
                details={"tool": tool},
            )
        await self._session.execute(
            delete(ImportRow).where(
                ImportRow.tenant_id == self._tenant_id, ImportRow.bundle_id == row.id
            )
        )
        await self._session.delete(row)
        await self._session.flush()

    async def _row(self, name: str) -> BundleRow:
        row = await self._find(name)
        if row is None:
            guess = did_you_mean(name, await self._names())
            raise NotFound(f"There is no bundle named {name}.{guess}", details={"field": "bundle"})
        return row

    async def _names(self) -> Iterable[str]:
        return await self._session.scalars(
            select(BundleRow.name).where(BundleRow.tenant_id == self._tenant_id)
        )

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
        return _stored(row, None)

    async def _whole(self, row: BundleRow) -> StoredBundle:
        selections = await load_selections(self._session, self._tenant_id)
        return _stored(row, selections.get(row.id))


def _stored(row: BundleRow, selection: Selection | None) -> StoredBundle:
    return StoredBundle(
        row.id,
        selecting(bundle_from(row), selection),
        BundleStatus(row.status),
        row.created_at,
        row.updated_at,
    )
