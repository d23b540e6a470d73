"""What the bundles of one tenant borrow, and their releases."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import delete, select, update

from bascule.gateway.errors import Conflict, NotFound
from bascule.gateway.tool import Member
from bascule.storage.counter import author_of
from bascule.storage.registry_tables import BundleMemberRow, BundleReleaseRow
from bascule.storage.repositories.scope import Scoped
from bascule.storage.selections import member_columns, member_documents, member_from, read_members
from bascule.storage.semver import precedence
from bascule.storage.suggestion import did_you_mean
from bascule.storage.tables import BundleRow

MOST_RELEASES: Final = 200


@dataclass(frozen=True, slots=True)
class StoredRelease:
    """A release and what the database adds to it."""

    version: str
    members: tuple[Member, ...]
    is_served: bool
    created_by: str
    created_at: datetime


class Selections(Scoped):
    """The members and releases of a tenant's bundles, by the bundle's id."""

    async def add(self, bundle_id: UUID, member: Member) -> None:
        """Borrow a tool.

        Raises:
            Conflict: the bundle has another of the name it would have there.
        """
        if await self._find(bundle_id, member.shown_name) is not None:
            raise Conflict(
                f"The bundle has a tool named {member.shown_name} already. "
                "Give this one another name there, or change that one.",
                details={"field": "name"},
            )
        self._session.add(
            BundleMemberRow(
                tenant_id=self._tenant_id, bundle_id=bundle_id, **member_columns(member)
            )
        )
        await self._session.flush()

    async def change(self, bundle_id: UUID, shown_name: str, member: Member) -> None:
        """Put `member` in place of the one that has this name there.

        Raises:
            NotFound: there is none.
            Conflict: another has the name it would have now.
        """
        row = await self._row(bundle_id, shown_name)
        if (
            member.shown_name != shown_name
            and await self._find(bundle_id, member.shown_name) is not None
        ):
            raise Conflict(
                f"The bundle has a tool named {member.shown_name} already.",
                details={"field": "name"},
            )
        for column, value in member_columns(member).items():
            setattr(row, column, value)
        await self._session.flush()

    async def get(self, bundle_id: UUID, shown_name: str) -> Member:
        """The member that has this name there.

        Raises:
            NotFound: there is none.
        """
        return member_from(await self._row(bundle_id, shown_name))

    async def remove(self, bundle_id: UUID, shown_name: str) -> None:
        """Borrow a tool no more.

        Raises:
            NotFound: nothing borrowed has this name there.
        """
        await self._session.delete(await self._row(bundle_id, shown_name))
        await self._session.flush()

    async def borrowers(self, tool: str) -> tuple[str, ...]:
        """The bundles that borrow a tool of the registry, by name."""
        names = await self._session.scalars(
            select(BundleRow.name)
            .join(BundleMemberRow, BundleMemberRow.bundle_id == BundleRow.id)
            .where(
                BundleRow.tenant_id == self._tenant_id,
                BundleMemberRow.tool == tool,
                BundleMemberRow.server == "",
            )
            .distinct()
            .order_by(BundleRow.name)
        )
        return tuple(names)

    async def release(self, bundle_id: UUID, version: str, members: Sequence[Member]) -> None:
        """Freeze `members` under a version.

        Raises:
            Conflict: the bundle has a release of that version, or too many.
        """
        known = [one.version for one in await self.releases(bundle_id)]
        if version in known:
            raise Conflict(
                f"Release {version} exists already, and a release never changes. "
                "Choose a higher version.",
                details={"field": "version", "releases": known},
            )
        if len(known) >= MOST_RELEASES:
            raise Conflict(
                f"The bundle has {MOST_RELEASES} releases; delete one that nobody uses first.",
                details={"field": "version"},
            )
        self._session.add(
            BundleReleaseRow(
                tenant_id=self._tenant_id,
                bundle_id=bundle_id,
                version=version,
                members=member_documents(members),
                is_served=False,
                created_by=author_of(self._session),
            )
        )
        await self._session.flush()

    async def serve(self, bundle_id: UUID, version: str) -> None:
        """Have the bundle serve a release, or its live selection where `version` is empty.

        Raises:
            NotFound: there is no such release; names those there are.
        """
        rows = {row.version: row for row in await self._releases(bundle_id)}
        if version and version not in rows:
            raise _no_release(version, sorted(rows, key=precedence, reverse=True))
        await self._session.execute(
            update(BundleReleaseRow)
            .where(
                BundleReleaseRow.tenant_id == self._tenant_id,
                BundleReleaseRow.bundle_id == bundle_id,
            )
            .values(is_served=BundleReleaseRow.version == version)
        )

    async def delete_release(self, bundle_id: UUID, version: str) -> None:
        """Remove a release that is not the one served.

        Raises:
            NotFound: there is no such release.
            Conflict: it is what the bundle serves.
        """
        rows = {row.version: row for row in await self._releases(bundle_id)}
        if version not in rows:
            raise _no_release(version, sorted(rows, key=precedence, reverse=True))
        if rows[version].is_served:
            raise Conflict(f"Release {version} is what the bundle serves. Serve another one first.")
        await self._session.execute(
            delete(BundleReleaseRow).where(
                BundleReleaseRow.tenant_id == self._tenant_id,
                BundleReleaseRow.id == rows[version].id,
            )
        )

    async def releases(self, bundle_id: UUID) -> tuple[StoredRelease, ...]:
        """Every release, newest first."""
        found = [
            StoredRelease(
                row.version,
                read_members(row.members),
                row.is_served,
                row.created_by,
                row.created_at,
            )
            for row in await self._releases(bundle_id)
        ]
        return tuple(sorted(found, key=lambda one: precedence(one.version), reverse=True))

    async def _releases(self, bundle_id: UUID) -> Sequence[BundleReleaseRow]:
        rows = await self._session.scalars(
            select(BundleReleaseRow).where(
                BundleReleaseRow.tenant_id == self._tenant_id,
                BundleReleaseRow.bundle_id == bundle_id,
            )
        )
        return rows.all()

    async def _row(self, bundle_id: UUID, shown_name: str) -> BundleMemberRow:
        row = await self._find(bundle_id, shown_name)
        if row is None:
            names = await self._session.scalars(
                select(BundleMemberRow.shown_name).where(
                    BundleMemberRow.tenant_id == self._tenant_id,
                    BundleMemberRow.bundle_id == bundle_id,
                )
            )
            guess = did_you_mean(shown_name, names)
            raise NotFound(f"The bundle borrows nothing that it calls {shown_name}.{guess}")
        return row

    async def _find(self, bundle_id: UUID, shown_name: str) -> BundleMemberRow | None:
        return (
            await self._session.scalars(
                select(BundleMemberRow).where(
                    BundleMemberRow.tenant_id == self._tenant_id,
                    BundleMemberRow.bundle_id == bundle_id,
                    BundleMemberRow.shown_name == shown_name,
                )
            )
        ).one_or_none()


def _no_release(version: str, known: Sequence[str]) -> NotFound:
    there_are = f"There are {', '.join(known)}." if known else "There is none yet."
    return NotFound(
        f"There is no release {version}. {there_are}",
        details={"field": "version", "releases": list(known)},
    )
