"""Tools of one tenant, in all their versions."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, String, func, literal, or_, select

from bascule.gateway.errors import Conflict, InvalidValue, NotFound
from bascule.gateway.tool import Tool, ToolStatus
from bascule.storage.counter import author_of
from bascule.storage.mapping import newest, rank, tool_columns, tool_from
from bascule.storage.repositories.page import Page, offset_of
from bascule.storage.repositories.scope import Scoped
from bascule.storage.tables import BundleRow, ToolRow, UpstreamRow

_NAMES_PER_QUERY: Final = 500
_ESCAPE: Final = "\\"


@dataclass(frozen=True, slots=True)
class ToolFilter:
    """Which tools to list. `search` is any part of name or description, case aside."""

    bundle: str | None = None
    status: ToolStatus | None = None
    search: str | None = None


@dataclass(frozen=True, slots=True)
class StoredTool:
    """A version of a tool and what the database adds to it."""

    id: UUID
    tool: Tool
    spec_id: UUID | None
    created_by: str
    created_at: datetime
    updated_at: datetime


class Tools(Scoped):
    """A tenant's tools."""

    async def upsert(self, tool: Tool, *, spec_id: UUID | None = None) -> StoredTool:
        """As `upsert_many`, for one."""
        return (await self.upsert_many([tool], spec_id=spec_id))[0]

    async def upsert_many(
        self, tools: Sequence[Tool], *, spec_id: UUID | None = None
    ) -> tuple[StoredTool, ...]:
        """Add each tool, or make the one of that name and version like it, status kept.

        A new tool gets the status it comes with. `definition` is kept for relayed tools only;
        without `spec_id`, an existing tool stays with its document.

        Raises:
            InvalidValue: a bundle or upstream does not exist, or a field does not fit.
        """
        bundles = await self._bundle_ids({tool.bundle for tool in tools})
        upstreams = await self._upstream_ids({tool.source.upstream for tool in tools})
        rows = await self._by_version({tool.name for tool in tools})
        stored: list[tuple[ToolRow, str]] = []
        for tool in tools:
            row = rows.get((tool.name, tool.version))
            if row is None:
                row = rows[tool.name, tool.version] = self._new_row(tool)
            columns = tool_columns(tool, bundles[tool.bundle], upstreams[tool.source.upstream])
            for column, value in columns.items():
                setattr(row, column, value)
            row.spec_id = spec_id or row.spec_id
            stored.append((row, tool.bundle))
        await self._session.flush()
        return tuple(_stored(row, bundle) for row, bundle in stored)

    async def list(
        self, filters: ToolFilter | None = None, *, page: int = 1, limit: int = 20
    ) -> Page[StoredTool]:
        """A page of the tools that match, by name and version.

        Raises:
            InvalidValue: no such page.
        """
        offset = offset_of(page, limit)
        conditions = self._conditions(filters or ToolFilter())
        total = await self._session.scalar(
            select(func.count())
            .select_from(ToolRow)
            .join(BundleRow, BundleRow.id == ToolRow.bundle_id)
            .where(*conditions)
        )
        rows = await self._session.execute(
            select(ToolRow, BundleRow.name)
            .join(BundleRow, BundleRow.id == ToolRow.bundle_id)
            .where(*conditions)
            .order_by(ToolRow.name, ToolRow.version, ToolRow.id)
            .limit(limit)
            .offset(offset)
        )
        items = tuple(_stored(row, bundle) for row, bundle in rows)
        return Page(items, total or 0, page, limit)

    async def get(self, name: str, version: str | None = None) -> StoredTool:
        """A version of a tool; if none is named, the one callers get, else the newest.

        Raises:
            NotFound: there is none.
        """
        rows = await self._versions(name, version)
        return await self._with_bundle(max(rows, key=rank))

    async def publish(self, name: str, version: str | None = None) -> StoredTool:
        """Make a version active, the newest if none is named. A second time changes nothing.

        Raises:
            NotFound: there is none.
            Conflict: it is quarantined, so somebody has to look at it first.
        """
        row = newest(await self._versions(name, version))
        if row.status == ToolStatus.QUARANTINED:
            raise Conflict(
                f"Tool {row.name} {row.version} is quarantined because its definition changed. "
                "Review the change, then set its status."
            )
        return await self._set_status(row, ToolStatus.ACTIVE)

    async def set_status(
        self, name: str, status: ToolStatus, version: str | None = None
    ) -> StoredTool:
        """Set the status of a version, the newest if none is named.

        Raises:
            NotFound: there is none.
        """
        return await self._set_status(newest(await self._versions(name, version)), status)

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
            raise NotFound(f"There is no tool named {name}{f' {version}' if version else ''}.")
        return rows

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

    def _conditions(self, filters: ToolFilter) -> Sequence[ColumnElement[bool]]:
        conditions = [ToolRow.tenant_id == self._tenant_id]
        if filters.bundle is not None:
            conditions.append(BundleRow.name == filters.bundle)
        if filters.status is not None:
            conditions.append(ToolRow.status == filters.status.value)
        if filters.search:
            pattern = literal(f"%{_escaped(filters.search)}%", String())
            conditions.append(
                or_(
                    ToolRow.name.ilike(pattern, escape=_ESCAPE),
                    ToolRow.description.ilike(pattern, escape=_ESCAPE),
                )
            )
        return conditions


def _escaped(search: str) -> str:
    """`search` as a LIKE pattern that matches only itself."""
    for special in (_ESCAPE, "%", "_"):
        search = search.replace(special, _ESCAPE + special)
    return search


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
    )
