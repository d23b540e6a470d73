"""Versions of a tool: which there are, how they differ, and going back to one."""

from bascule.api.caller import Caller
from bascule.api.control import Control
from bascule.api.lowering import keeping_privileged
from bascule.api.resources.versions.schemas import (
    ToolVersion,
    VersionChange,
    VersionDiff,
    VersionList,
)
from bascule.catalogue.diffing import diff_tools, shape_of, worst
from bascule.catalogue.planning import LIVE
from bascule.gateway.errors import NotFound
from bascule.storage.repositories.tools import StoredTool, Tools


async def list_versions(control: Control, caller: Caller, name: str) -> VersionList:
    """Every version of a tool.

    Raises:
        NotFound: the tenant has none of that name.
    """
    async with control.read(caller) as rows:
        tools = Tools(rows.session, rows.tenant_id)
        versions = await tools.versions(name)
        best = (await tools.get(name)).tool
    in_force = best.version if best.status in LIVE else None
    return VersionList(name=name, in_force=in_force, versions=[_shown(one) for one in versions])


async def compare_versions(
    control: Control, caller: Caller, name: str, before: str | None, version: str | None
) -> VersionDiff:
    """What `version` (the newest) changes about `before` (the one below it).

    Raises:
        NotFound: the tenant has no such version.
    """
    async with control.read(caller) as rows:
        versions = await Tools(rows.session, rows.tenant_id).versions(name)
    new = _named(versions, name, version) if version else versions[0]
    if before is not None:
        old = _named(versions, name, before)
    else:
        below = versions[versions.index(new) + 1 :]
        if not below:
            raise NotFound(f"Tool {name} has no version before {new.tool.version}.")
        old = below[0]
    changes = diff_tools(shape_of(old.tool), shape_of(new.tool))
    severity = worst(changes)
    return VersionDiff(
        name=name,
        before=old.tool.version,
        version=new.tool.version,
        severity=severity and severity.value,
        changes=[
            VersionChange(
                severity=one.severity.value, place=one.place, kind=one.kind, message=one.message
            )
            for one in changes
        ],
    )


async def roll_back(
    control: Control, caller: Caller, name: str, version: str | None
) -> ToolVersion:
    """Put an earlier version in force, and switch off those after it.

    Raises:
        NotFound: the tenant has no such version.
        Conflict: there is none to go back to.
        InvalidValue: it does not meet the tenant's metadata standard.
        Forbidden: the tool would be privileged no more.
    """
    details = {"version": version} if version else {}
    async with (
        control.change(caller, "tool.rollback", name, details) as rows,
        keeping_privileged(rows, caller),
    ):
        return _shown(await Tools(rows.session, rows.tenant_id).roll_back(name, version))


def _named(versions: tuple[StoredTool, ...], name: str, version: str) -> StoredTool:
    found = next((one for one in versions if one.tool.version == version), None)
    if found is None:
        raise NotFound(f"There is no tool named {name} {version}.")
    return found


def _shown(stored: StoredTool) -> ToolVersion:
    return ToolVersion(
        name=stored.tool.name,
        version=stored.tool.version,
        status=stored.tool.status,
        risk_level=stored.tool.risk,
        import_id=stored.spec_id,
        edited=list(stored.edited),
        created_by=stored.created_by,
        created_at=stored.created_at,
        updated_at=stored.updated_at,
    )
