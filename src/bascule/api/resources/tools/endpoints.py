"""`/api/admin/tools`."""

from typing import Annotated

from fastapi import APIRouter, Header, Query, Response

from bascule.api.access import ControlPlane, ToolWriter
from bascule.api.etags import etag_of
from bascule.api.resources.tools import editing, making, service
from bascule.api.resources.tools.schemas import (
    StatusChange,
    Tool,
    ToolCreate,
    ToolList,
    ToolMade,
    ToolsDeleted,
    ToolUpdate,
)
from bascule.gateway.tool import RiskLevel, ToolStatus
from bascule.storage.repositories.tools import ToolFilter

router = APIRouter(prefix="/api/admin/tools", tags=["tools"])

VersionQuery = Annotated[
    str | None, Query(max_length=50, description="A version; default: the one callers get.")
]
IfMatch = Annotated[str | None, Header(description="The ETag of what was seen.", max_length=500)]
Word = Annotated[str | None, Query(max_length=100)]


@router.get("")
async def list_tools(
    control: ControlPlane,
    caller: ToolWriter,
    bundle_id: Annotated[str | None, Query(description="Name of a bundle.")] = None,
    status: ToolStatus | None = None,
    tag: Word = None,
    domain: Word = None,
    owner: Word = None,
    risk: RiskLevel | None = None,
    search: Annotated[str | None, Query(max_length=200)] = None,
    page: Annotated[int, Query(ge=1)] = 1,
    limit: Annotated[int, Query(ge=1, le=500)] = 20,
) -> ToolList:
    """List the registry, drafts and inactive tools included."""
    filters = ToolFilter(
        bundle=bundle_id,
        status=status,
        search=search,
        tag=tag,
        domain=domain,
        owner=owner,
        risk=risk,
    )
    return await service.list_tools(control, caller, filters, page, limit)


@router.post("", status_code=201)
async def create_tool(control: ControlPlane, caller: ToolWriter, wanted: ToolCreate) -> ToolMade:
    """Make a tool by hand, as a draft: one operation of a service that is known already."""
    return await making.create_tool(control, caller, wanted)


@router.get("/{name}")
async def get_tool(
    control: ControlPlane,
    caller: ToolWriter,
    response: Response,
    name: str,
    version: VersionQuery = None,
) -> Tool:
    """Show one tool with its schemas."""
    tool = await service.get_tool(control, caller, name, version)
    response.headers["etag"] = etag_of(tool.updated_at)
    return tool


@router.patch("/{name}")
@router.put("/{name}", include_in_schema=False)
async def update_tool(
    control: ControlPlane,
    caller: ToolWriter,
    response: Response,
    name: str,
    wanted: ToolUpdate,
    version: VersionQuery = None,
    if_match: IfMatch = None,
) -> Tool:
    """Change what is said of a tool; what is not sent stays as it is."""
    tool = await editing.update_tool(control, caller, name, version, wanted, if_match)
    response.headers["etag"] = etag_of(tool.updated_at)
    return tool


@router.delete("/{name}")
async def delete_tool(
    control: ControlPlane,
    caller: ToolWriter,
    name: str,
    version: Annotated[str | None, Query(max_length=50, description="Default: all.")] = None,
) -> ToolsDeleted:
    """Delete a tool, or one version of it."""
    return await editing.delete_tool(control, caller, name, version)


@router.post("/{name}/publish")
async def publish_tool(
    control: ControlPlane, caller: ToolWriter, name: str, version: VersionQuery = None
) -> Tool:
    """Put a tool in force for agents."""
    return await service.publish_tool(control, caller, name, version)


@router.post("/{name}/status")
async def set_status(
    control: ControlPlane, caller: ToolWriter, name: str, wanted: StatusChange
) -> Tool:
    """Switch a tool: active, inactive, or deprecated, which is callable still."""
    return await editing.set_status(control, caller, name, wanted)
