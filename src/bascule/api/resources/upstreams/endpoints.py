"""`/api/admin/upstreams`."""

from fastapi import APIRouter

from bascule.api.access import ControlPlane, ServerManager, ServerReader
from bascule.api.names import BundleName
from bascule.api.resources.upstreams import service
from bascule.api.resources.upstreams.schemas import (
    Upstream,
    UpstreamList,
    UpstreamPut,
    UpstreamRemoved,
    UpstreamTested,
)

router = APIRouter(prefix="/api/admin/upstreams", tags=["upstreams"])


@router.get("")
async def list_upstreams(control: ControlPlane, caller: ServerReader) -> UpstreamList:
    """List the services that tools call, and MCP servers that have a URL."""
    upstreams = await service.list_upstreams(control, caller)
    return UpstreamList(upstreams=upstreams, total=len(upstreams))


@router.get("/{name}")
async def get_upstream(control: ControlPlane, caller: ServerReader, name: str) -> Upstream:
    """Show one service and how it is reached."""
    return await service.get_upstream(control, caller, name)


@router.put("/{name}")
async def set_upstream(
    control: ControlPlane, caller: ServerManager, name: BundleName, wanted: UpstreamPut
) -> Upstream:
    """Say how a service is reached. One that is not there yet is added, as a REST service."""
    return await service.set_upstream(control, caller, name, wanted)


@router.post("/{name}/test")
async def try_upstream(control: ControlPlane, caller: ServerManager, name: str) -> UpstreamTested:
    """Reach a service now: secrets, address, connection, token, and its health path if it has."""
    return await service.try_upstream(control, caller, name)


@router.delete("/{name}")
async def remove_upstream(
    control: ControlPlane, caller: ServerManager, name: str
) -> UpstreamRemoved:
    """Remove a service that no tool calls any more."""
    await service.remove_upstream(control, caller, name)
    return UpstreamRemoved(removed=name)
