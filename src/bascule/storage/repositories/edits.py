"""Tools of one tenant that people make, change and delete by hand."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from bascule.gateway.errors import Conflict
from bascule.gateway.tool import Tool, ToolStatus
from bascule.storage.edits import column_of
from bascule.storage.mapping import newest, rank
from bascule.storage.repositories.selections import Selections
from bascule.storage.repositories.tools import StoredTool, Tools


class ToolEdits(Tools):
    """As `Tools`, with what people do one tool at a time."""

    async def create(self, tool: Tool) -> StoredTool:
        """Add a tool, or another version of one.

        Raises:
            Conflict: the name is taken in this version, or by another bundle.
            InvalidValue: its bundle or upstream does not exist, or a field does not fit.
        """
        rows = await self._by_version({tool.name})
        if (tool.name, tool.version) in rows:
            raise Conflict(
                f"Tool {tool.name} {tool.version} exists already. Choose another version, "
                "or change that one.",
                details={"field": "version"},
            )
        if rows:
            stored = await self._with_bundle(newest(rows.values()))
            if stored.tool.bundle != tool.bundle:
                raise Conflict(
                    f"Tool {tool.name} belongs to bundle {stored.tool.bundle}. Add the version "
                    "there, or choose another name.",
                    details={"field": "bundle", "bundle": stored.tool.bundle},
                )
        return await self.upsert(tool)

    async def change(
        self,
        name: str,
        version: str | None,
        fields: Mapping[str, Any],
        expected: datetime | None = None,
    ) -> StoredTool:
        """Set `fields` (of `storage.edits.EDITABLE`) of a version, the one callers get by default.

        An import keeps them from now on.

        Raises:
            NotFound: there is none.
            Conflict: it was changed since `expected`.
        """
        row = max(await self._versions(name, version), key=rank)
        if expected is not None and row.updated_at != expected:
            raise Conflict(
                f"Tool {row.name} {row.version} was changed meanwhile, at "
                f"{row.updated_at.isoformat()}. Load it again, and decide anew.",
                details={"field": "updated_at", "updated_at": row.updated_at.isoformat()},
            )
        for field, value in fields.items():
            setattr(row, column_of(field), value)
        row.edited = sorted({*row.edited, *fields})
        await self._session.flush()
        return await self._with_bundle(row)

    async def switch(self, name: str, version: str | None, status: ToolStatus) -> StoredTool:
        """Set the status of a version, the newest if none is named.

        Raises:
            NotFound: there is none.
            Conflict: it is quarantined, or a draft that would be retired before it was published.
            InvalidValue: it is to be active, but does not meet the metadata standard.
        """
        row = newest(await self._versions(name, version))
        if row.status == ToolStatus.QUARANTINED:
            raise Conflict(
                f"Tool {row.name} {row.version} is quarantined. It leaves that by approval only.",
                details={"field": "status"},
            )
        if status is ToolStatus.ACTIVE:
            return await self.publish(row.name, row.version)
        return await self.set_status(row.name, status, row.version)

    async def remove(self, name: str, version: str | None) -> int:
        """Delete a version, or all if none is named; tells how many.

        Raises:
            NotFound: there is none.
            Conflict: a bundle borrows the tool, and no version of it would be left.
        """
        gone = await self._versions(name, version)
        if len(gone) == len(await self._versions(name, None)):
            borrowers = await Selections(self._session, self._tenant_id).borrowers(name)
            if borrowers:
                raise Conflict(
                    f"Bundle {borrowers[0]} borrows {name}. Remove it there first.",
                    details={"bundles": list(borrowers)},
                )
        return await self.delete(name, version)
