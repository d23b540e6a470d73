"""`/api/admin/pins`."""

from typing import Annotated

from fastapi import APIRouter, Query

from bascule.api.access import ControlPlane, ServerManager, ServerReader
from bascule.api.resources.pins import service
from bascule.api.resources.pins.schemas import Decided, Decisions, PinDetails, PinList

router = APIRouter(prefix="/api/admin/pins", tags=["pins"])

Server = Annotated[str | None, Query(max_length=100)]


@router.get("")
async def list_pins(
    control: ControlPlane,
    caller: ServerReader,
    server: Server = None,
    waiting: Annotated[bool, Query()] = False,
) -> PinList:
    """List the tools that servers define, and how they stand; `waiting`: only those held back."""
    pins = await service.list_pins(control, caller, server, waiting=waiting)
    return PinList(pins=pins, total=len(pins))


@router.post("/approve")
async def approve_pins(control: ControlPlane, caller: ServerManager, wanted: Decisions) -> Decided:
    """Serve these definitions from now on: all of them, or none if one has changed since."""
    return Decided(pins=await service.approve(control, caller, wanted))


@router.post("/reject")
async def reject_pins(control: ControlPlane, caller: ServerManager, wanted: Decisions) -> Decided:
    """Go on holding these definitions back, and do not ask about them again."""
    return Decided(pins=await service.reject(control, caller, wanted))


@router.get("/{server}/{tool:path}")
async def get_pin(
    control: ControlPlane, caller: ServerReader, server: str, tool: str
) -> PinDetails:
    """Show what was approved of a tool, what waits, and what the difference means."""
    return await service.get_pin(control, caller, server, tool)
