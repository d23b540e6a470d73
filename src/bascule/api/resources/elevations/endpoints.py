"""`/api/elevations`, for whoever asks, and `/api/admin/elevations`, for whoever decides."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query

from bascule.api.access import Anybody, ControlPlane, permitted
from bascule.api.caller import Caller
from bascule.api.elevated import Approval
from bascule.api.elevating import ElevationDesk
from bascule.api.resources.elevations import service
from bascule.api.resources.elevations.schemas import (
    Elevation,
    ElevationApproval,
    ElevationComment,
    ElevationList,
    ElevationSeen,
    ElevationWanted,
)
from bascule.gateway.permissions import APPROVE
from bascule.policy.elevation import ElevationStatus
from bascule.storage.repositories.elevations import Filter

own = APIRouter(prefix="/api/elevations", tags=["elevations"])
all_elevations = APIRouter(prefix="/api/admin/elevations", tags=["elevations"])

_Approver = Annotated[Caller, Depends(permitted(APPROVE))]


@own.get("")
async def list_own_elevations(
    control: ControlPlane, caller: Anybody, page: int = 1, limit: int = 50
) -> ElevationList:
    """List what you asked for, or what was asked for in your name; the newest first."""
    return service.listed(await ElevationDesk(control).mine(caller, page, limit))


@own.post("", status_code=201)
async def request_elevation(
    control: ControlPlane, caller: Anybody, wanted: ElevationWanted
) -> Elevation:
    """Ask for elevation. Somebody else decides; until then nothing changes."""
    return await service.request(control, caller, wanted)


@own.get("/{elevation_id}")
async def show_own_elevation(
    control: ControlPlane, caller: Anybody, elevation_id: UUID
) -> Elevation:
    """Show a request of yours, and how it stands."""
    return service.shown((await ElevationDesk(control).get(caller, elevation_id)).elevation)


@own.post("/{elevation_id}/cancel")
async def cancel_elevation(control: ControlPlane, caller: Anybody, elevation_id: UUID) -> Elevation:
    """Take back a request of yours that nobody decided about."""
    return service.shown(await ElevationDesk(control).cancel(caller, elevation_id))


@own.post("/{elevation_id}/revoke")
async def give_back_elevation(
    control: ControlPlane, caller: Anybody, elevation_id: UUID
) -> Elevation:
    """End a live grant of yours, at once and for good."""
    return service.shown(await ElevationDesk(control).revoke(caller, elevation_id))


@all_elevations.get("")
async def list_elevations(
    control: ControlPlane,
    caller: _Approver,
    status: ElevationStatus | None = None,
    user: Annotated[str, Query(max_length=600)] = "",
    tool: Annotated[str, Query(max_length=500)] = "",
    page: int = 1,
    limit: int = 50,
) -> ElevationList:
    """List everybody's requests, the newest first; of one `status`, `user` or `tool`."""
    wanted = Filter(status, user, tool, page=page, limit=limit)
    return service.listed(await ElevationDesk(control).list(caller, wanted))


@all_elevations.get("/{elevation_id}")
async def show_elevation(
    control: ControlPlane, caller: _Approver, elevation_id: UUID
) -> ElevationSeen:
    """Show one request, and how many there were for the same user before."""
    return await service.seen(control, caller, elevation_id)


@all_elevations.post("/{elevation_id}/approve")
async def approve_elevation(
    control: ControlPlane, caller: _Approver, elevation_id: UUID, approval: ElevationApproval
) -> Elevation:
    """Grant what was asked for, or less. It counts at once, in all processes."""
    granted = Approval(approval.minutes, approval.scope, approval.tool, approval.comment)
    return service.shown(await ElevationDesk(control).approve(caller, elevation_id, granted))


@all_elevations.post("/{elevation_id}/deny")
async def deny_elevation(
    control: ControlPlane, caller: _Approver, elevation_id: UUID, said: ElevationComment
) -> Elevation:
    """Refuse a request."""
    return service.shown(await ElevationDesk(control).deny(caller, elevation_id, said.comment))


@all_elevations.post("/{elevation_id}/revoke")
async def revoke_elevation(
    control: ControlPlane, caller: _Approver, elevation_id: UUID, said: ElevationComment
) -> Elevation:
    """End a live grant, at once and for good."""
    return service.shown(await ElevationDesk(control).revoke(caller, elevation_id, said.comment))
