"""`/api/admin/tools/{name}/versions`, `/diff` and `/rollback`."""

from typing import Annotated

from fastapi import APIRouter, Query

from bascule.api.access import ControlPlane, ToolWriter
from bascule.api.resources.versions import service
from bascule.api.resources.versions.schemas import ToolVersion, VersionDiff, VersionList

router = APIRouter(prefix="/api/admin/tools/{name}", tags=["tools"])

Number = Annotated[str | None, Query(max_length=50)]


@router.get("/versions")
async def list_versions(control: ControlPlane, caller: ToolWriter, name: str) -> VersionList:
    """List every version of a tool, the newest first."""
    return await service.list_versions(control, caller, name)


@router.get("/diff")
async def compare_versions(
    control: ControlPlane,
    caller: ToolWriter,
    name: str,
    before: Number = None,
    version: Number = None,
) -> VersionDiff:
    """Show what a version (the newest) changes about another (the one below it)."""
    return await service.compare_versions(control, caller, name, before, version)


@router.post("/rollback")
async def roll_back(
    control: ControlPlane, caller: ToolWriter, name: str, version: Number = None
) -> ToolVersion:
    """Put an earlier version in force, and switch off those after it."""
    return await service.roll_back(control, caller, name, version)
