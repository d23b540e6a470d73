"""Tools of one tenant, in all their versions."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import func, select

from bascule.gateway.errors import Conflict, InvalidValue, NotFound
from bascule.gateway.tool import Tool, ToolStatus
from bascule.storage.counter import author_of
from bascule.storage.edits import carry_edits, column_of
from bascule.storage.mapping import LISTABLE, newest, rank, tool_columns, tool_from
from bascule.storage.repositories.finding import Finder, ToolFilter
from bascule.storage.repositories.page import Page, offset_of
from bascule.storage.repositories.scope import Scoped
from bascule.storage.repositories.standards import Standards
from bascule.storage.semver import precedence
from bascule.storage.suggestion import did_you_mean
from bascule.storage.tables import BundleRow, ImportRow, ToolRow, UpstreamRow

_NAMES_PER_QUERY: Final = 500
_MOST_NAMED: Final = 20


@dataclass(frozen=True, slots=True)
class StoredTool:
    """A version of a tool and what the database adds to it."""

    id: UUID
    tool: Tool
    spec_id: UUID | None
    created_by: str
    created_at: datetime
    updated_at: datetime
    edited: tuple[str, ...] = ()
    """Fields that somebody changed by hand; an import keeps them (`storage.edits`)."""


class Tools(Scoped):
    """A tenant's tools."""

    _standards: Standards | None = None

    async def upsert(self, tool: Tool, *, spec_id: UUID | None = None) -> StoredTool:
        """As `upsert_many`, for one."""
        return (await self.upsert_many([tool], spec_id=spec_id))[0]

    async def upsert_many(
        self, tools: Sequence[Tool], *, spec_id: UUID | None = None
    ) -> tuple[StoredTool, ...]:
        """Add each tool, or make the one of that name and version like it, status kept.

        What was edited by hand stays as it is, and goes on to a new version.

        A new tool gets the status it comes with. `definition` is kept for relayed tools only;
        without `spec_id`, an existing tool stays with its document.

        Raises:
            InvalidValue: a bundle or upstream does not exist, or a field does not fit.
        """
        bundles = await self._bundle_ids({tool.bundle for tool in tools})
        upstreams = await self._upstream_ids({tool.source.upstream for tool in tools})
        rows = await self._by_version({tool.name for tool in tools})
        by_name: dict[str, list[ToolRow]] = {}
        for (name, _), row in rows.items():
            by_name.setdefault(name, []).append(row)
        stored: list[tuple[ToolRow, str]] = []
        for tool in tools:
            row = rows.get((tool.name, tool.version))
            if row is None:
                row = rows[tool.name, tool.version] = self._new_row(tool)
                if before := by_name.get(tool.name):
                    carry_edits(row, newest(before))
            columns = tool_columns(tool, bundles[tool.bundle], upstreams[tool.source.upstream])
            kept = {column_of(field) for field in row.edited}
            for column, value in columns.items():
                if column not in kept:
                    setattr(row, column, value)
            row.spec_id = spec_id or row.spec_id
            stored.append((row, tool.bundle))
        await self._session.flush()
        return tuple(_stored(row, bundle) for row, bundle in stored)

    async def list(
        self, filters: ToolFilter | None = None, *, page: int = 1, limit: int = 20
    ) -> Page[StoredTool]:
        """A page of the tools that match, by name and version, or by how well they fit a search.

        Raises:
            InvalidValue: no such page.
        """
        offset = offset_of(page, limit)
        finder = Finder(self._session, self._tenant_id)
        found = await finder.find(filters or ToolFilter(), offset, limit)
        rows = await self._session.execute(
            select(ToolRow, BundleRow.name)
            .join(BundleRow, BundleRow.id == ToolRow.bundle_id)
            # Not plainly: SQLite would go through all tools of the tenant rather than by these ids.
            .where(func.coalesce(ToolRow.tenant_id, ToolRow.tenant_id) == self._tenant_id)
            .where(ToolRow.id.in_(found.ids))
        )
        stored = {row.id: _stored(row, bundle) for row, bundle in rows}
        return Page(tuple(stored[id_] for id_ in found.ids), found.total, page, limit)

    async def get(self, name: str, version: str | None = None) -> StoredTool:
        """A version of a tool; if none is named, the one callers get, else the newest.

        Raises:
            NotFound: there is none.
        """
        rows = await self._versions(name, version)
        return await self._with_bundle(max(rows, key=rank))

    async def publish(self, name: str, version: str | None = None) -> StoredTool:
        """Make a version active, the newest if none is named. A second time changes nothing.

        Other versions that were active become deprecated: callable by their number.

        Raises:
            NotFound: there is none.
            Conflict: it is quarantined, so somebody has to look at it first, or its import moves
                the API to another address.
            InvalidValue: it does not meet the tenant's metadata standard.
        """
        rows = await self._versions(name, None)
        row = newest(rows if version is None else await self._versions(name, version))
        if row.status == ToolStatus.QUARANTINED:
            raise Conflict(
                f"Tool {row.name} {row.version} is quarantined because its definition changed. "
                "Review the change, then set its status."
            )
        await self._meet_standard(row)
        await self._stay_where_it_is(row)
        for other in rows:
            if other is not row and other.status == ToolStatus.ACTIVE:
                other.status = ToolStatus.DEPRECATED.value
        return await self._set_status(row, ToolStatus.ACTIVE)

    async def versions(self, name: str) -> tuple[StoredTool, ...]:
        """Every version of a tool, the newest first.

        Raises:
            NotFound: there is none.
        """
        rows = sorted(
            await self._versions(name, None), key=lambda row: precedence(row.version), reverse=True
        )
        return tuple([await self._with_bundle(row) for row in rows])

    async def roll_back(self, name: str, version: str | None = None) -> StoredTool:
        """Make an earlier version active again, and those after it inactive.

        Without `version` it is the one before the version in force.

        Raises:
            NotFound: there is none.
            Conflict: there is nothing to go back to, or it is a draft or quarantined.
            InvalidValue: it does not meet the tenant's metadata standard.
        """
        rows = await self._versions(name, None)
        row = await self._earlier(rows, version)
        await self._meet_standard(row)
        for other in rows:
            if precedence(other.version) > precedence(row.version) and other.status in LISTABLE:
                other.status = ToolStatus.INACTIVE.value
        return await self._set_status(row, ToolStatus.ACTIVE)

    async def _earlier(self, rows: Sequence[ToolRow], version: str | None) -> ToolRow:
        name, current = rows[0].name, max(rows, key=rank)
        if version is not None:
            chosen = newest(await self._versions(name, version))
        else:
            before = [row for row in rows if _comes_before(row, current)]
            if not before:
                raise Conflict(f"Tool {name} has no version before {current.version}.")
            chosen = newest(before)
        if chosen.status in (ToolStatus.DRAFT, ToolStatus.QUARANTINED):
            raise Conflict(
                f"Tool {name} {chosen.version} is {chosen.status}: it was never in force, or is "
                "held back. Publish it, if it is wanted."
            )
        return chosen

    async def set_status(
        self, name: str, status: ToolStatus, version: str | None = None
    ) -> StoredTool:
        """Set the status of a version, the newest if none is named.

        Raises:
            NotFound: there is none.
        """
        row = newest(await self._versions(name, version))
        if status is ToolStatus.ACTIVE:
            await self._meet_standard(row)
        return await self._set_status(row, status)

    async def delete(self, name: str, version: str | None = None) -> int:
        """Remove a version, or all if none is named; tells how many.

        Raises:
            NotFound: there is none.
        """
        rows = await self._versions(name, version)
        for row in rows:
            await self._session.delete(row)
        await self._session.flush()
        return len(rows)

    async def _stay_where_it_is(self, row: ToolRow) -> None:
        """See that `row` calls the address that its import was made for."""
        moved = await self._session.execute(
            select(ImportRow.id, ImportRow.base_url)
            .join(UpstreamRow, UpstreamRow.id == row.upstream_id)
            .where(
                ImportRow.tenant_id == self._tenant_id,
                ImportRow.id == row.spec_id,
                ImportRow.status == "draft",
                ImportRow.base_url != UpstreamRow.url,
            )
        )
        if (found := moved.first()) is not None:
            raise Conflict(
                f"Import {found.id}, which made {row.name} {row.version}, moves the API to "
                f"{found.base_url}. Publish the import, which moves all of its tools.",
                details={"import": str(found.id)},
            )

    async def _meet_standard(self, row: ToolRow) -> None:
        if self._standards is None:
            self._standards = Standards(self._session, self._tenant_id)
        await self._standards.check([(await self._with_bundle(row)).tool])

    async def _set_status(self, row: ToolRow, status: ToolStatus) -> StoredTool:
        row.status = status.value
        await self._session.flush()
        return await self._with_bundle(row)

    async def _with_bundle(self, row: ToolRow) -> StoredTool:
        bundle = await self._session.scalars(
            select(BundleRow.name).where(
                BundleRow.tenant_id == self._tenant_id, BundleRow.id == row.bundle_id
            )
        )
        return _stored(row, bundle.one())

    async def _versions(self, name: str, version: str | None) -> Sequence[ToolRow]:
        statement = select(ToolRow).where(
            ToolRow.tenant_id == self._tenant_id, ToolRow.name == name
        )
        if version is not None:
            statement = statement.where(ToolRow.version == version)
        rows = (await self._session.scalars(statement)).all()
        if not rows:
            raise await self._missing(name, version)
        return rows

    async def _missing(self, name: str, version: str | None) -> NotFound:
        """The failure where there is no such tool; names what may be meant."""
        rows = await self._session.execute(
            select(ToolRow.name, ToolRow.version).where(ToolRow.tenant_id == self._tenant_id)
        )
        known = {(one, other) for one, other in rows}
        versions = [other for one, other in known if one == name]
        if versions:
            there_are = ", ".join(sorted(versions, key=precedence, reverse=True)[:_MOST_NAMED])
            return NotFound(
                f"There is no version {version} of {name}; there are {there_are}.",
                details={"field": "version"},
            )
        guess = did_you_mean(name, {one for one, _ in known})
        return NotFound(f"There is no tool named {name}.{guess}", details={"field": "name"})

    async def _by_version(self, names: set[str]) -> dict[tuple[str, str], ToolRow]:
        found: dict[tuple[str, str], ToolRow] = {}
        ordered = sorted(names)
        for start in range(0, len(ordered), _NAMES_PER_QUERY):
            rows = await self._session.scalars(
                select(ToolRow).where(
                    ToolRow.tenant_id == self._tenant_id,
                    ToolRow.name.in_(ordered[start : start + _NAMES_PER_QUERY]),
                )
            )
            found.update({(row.name, row.version): row for row in rows})
        return found

    def _new_row(self, tool: Tool) -> ToolRow:
        row = ToolRow(
            tenant_id=self._tenant_id,
            name=tool.name,
            version=tool.version,
            status=tool.status.value,
            edited=[],
            created_by=author_of(self._session),
        )
        self._session.add(row)
        return row

    async def _bundle_ids(self, names: set[str]) -> dict[str, UUID]:
        rows = await self._session.execute(
            select(BundleRow.name, BundleRow.id).where(BundleRow.tenant_id == self._tenant_id)
        )
        return _require("bundle", names, dict(rows.all()))

    async def _upstream_ids(self, names: set[str]) -> dict[str, UUID]:
        rows = await self._session.execute(
            select(UpstreamRow.name, UpstreamRow.id).where(UpstreamRow.tenant_id == self._tenant_id)
        )
        return _require("upstream", names, dict(rows.all()))


def _comes_before(row: ToolRow, current: ToolRow) -> bool:
    was_in_force = row.status not in (ToolStatus.DRAFT, ToolStatus.QUARANTINED)
    return was_in_force and precedence(row.version) < precedence(current.version)


def _require(kind: str, names: set[str], known: dict[str, UUID]) -> dict[str, UUID]:
    missing = sorted(names - known.keys())
    if missing:
        raise InvalidValue(
            f"There is no {kind} named {missing[0]}. Create it first.",
            details={"field": kind, "missing": missing},
        )
    return known


def _stored(row: ToolRow, bundle: str) -> StoredTool:
    return StoredTool(
        row.id,
        tool_from(row, bundle),
        row.spec_id,
        row.created_by,
        row.created_at,
        row.updated_at,
        tuple(row.edited),
    )
