"""`/api/admin/servers`."""

from fastapi import APIRouter

from bascule.api.access import ControlPlane, ServerManager, ServerReader
from bascule.api.resources.servers import service
from bascule.api.resources.servers.schemas import (
    Server,
    ServerChecked,
    ServerCreate,
    ServerList,
    ServerRemoved,
)

router = APIRouter(prefix="/api/admin/servers", tags=["servers"])


@router.get("")
async def list_servers(control: ControlPlane, caller: ServerReader) -> ServerList:
    """List the tenant's MCP servers."""
    servers = await service.list_servers(control, caller)
    return ServerList(servers=servers, total=len(servers))


@router.post("", status_code=201)
async def add_server(control: ControlPlane, caller: ServerManager, wanted: ServerCreate) -> Server:
    """Pass on an MCP server. What it offers is listed live; access rules decide who sees it."""
    return await service.add_server(control, caller, wanted)


@router.put("/{name}")
async def put_server(
    control: ControlPlane, caller: ServerManager, name: str, wanted: ServerCreate
) -> Server:
    """Pass on an MCP server, or change the one of that name; calls under way may finish."""
    return await service.put_server(control, caller, name, wanted)


@router.post("/{name}/check")
async def check_server(control: ControlPlane, caller: ServerManager, name: str) -> ServerChecked:
    """Ask an MCP server what it offers, now; answers once it did, or its time is over."""
    return await service.check_server(control, caller, name)


@router.delete("/{name}")
async def remove_server(control: ControlPlane, caller: ServerManager, name: str) -> ServerRemoved:
    """Pass an MCP server on no more; calls under way may finish."""
    await service.remove_server(control, caller, name)
    return ServerRemoved(removed=name)
