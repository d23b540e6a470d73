"""`/api/admin/tools` and `/api/mcp/tools`."""

from typing import Annotated

from fastapi import APIRouter, Query

from bascule.api.access import ControlPlane, ToolReader, ToolWriter
from bascule.api.resources.tools import service
from bascule.api.resources.tools.schemas import Discovery, Tool, ToolList
from bascule.gateway.tool import ToolStatus
from bascule.storage.repositories.tools import ToolFilter

router = APIRouter(prefix="/api/admin/tools", tags=["tools"])
discovery = APIRouter(prefix="/api/mcp/tools", tags=["tools"])


@router.get("")
async def list_tools(
    control: ControlPlane,
    caller: ToolWriter,
    bundle_id: Annotated[str | None, Query(description="Name of a bundle.")] = None,
    status: ToolStatus | None = None,
    search: Annotated[str | None, Query(max_length=200)] = None,
    page: Annotated[int, Query(ge=1)] = 1,
    limit: Annotated[int, Query(ge=1, le=500)] = 20,
) -> ToolList:
    """List the registry, drafts and inactive tools included."""
    filters = ToolFilter(bundle=bundle_id, status=status, search=search)
    return await service.list_tools(control, caller, filters, page, limit)


@router.get("/{name}")
async def get_tool(control: ControlPlane, caller: ToolWriter, name: str) -> Tool:
    """Show one tool with its schemas."""
    return await service.get_tool(control, caller, name)


@router.post("/{name}/publish")
async def publish_tool(control: ControlPlane, caller: ToolWriter, name: str) -> Tool:
    """Put a tool in force for agents."""
    return await service.publish_tool(control, caller, name)


@discovery.get("")
async def discover_tools(control: ControlPlane, caller: ToolReader) -> Discovery:
    """List what the caller may see: the same tools as `tools/list`."""
    return service.discover(control, caller)
