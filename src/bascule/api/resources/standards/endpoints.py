"""`/api/admin/standards`."""

from fastapi import APIRouter

from bascule.api.access import ControlPlane, PolicyWriter, ToolWriter
from bascule.api.resources.standards import service
from bascule.api.resources.standards.schemas import Standard, ViolationList

router = APIRouter(prefix="/api/admin/standards", tags=["standards"])


@router.get("")
async def get_standard(control: ControlPlane, caller: ToolWriter) -> Standard:
    """Show what a tool needs before it is published."""
    return await service.get_standard(control, caller)


@router.put("")
async def set_standard(control: ControlPlane, caller: PolicyWriter, wanted: Standard) -> Standard:
    """Say what a tool needs before it is published. Tools that are published stay so."""
    return await service.set_standard(control, caller, wanted)


@router.get("/violations")
async def list_violations(control: ControlPlane, caller: ToolWriter) -> ViolationList:
    """List what tools lack, drafts included."""
    return await service.list_violations(control, caller)
