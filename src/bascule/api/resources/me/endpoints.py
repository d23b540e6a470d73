"""`/api/me`."""

from uuid import UUID

from fastapi import APIRouter

from bascule.api.access import Anybody, ControlPlane
from bascule.api.resources.me import service
from bascule.api.resources.me.schemas import Me, OwnKey, OwnKeyCreate, OwnKeyCreated, OwnKeyList

router = APIRouter(prefix="/api/me", tags=["me"])


@router.get("")
async def who(control: ControlPlane, caller: Anybody) -> Me:
    """Tell callers who they are here, by what they are known, and what they may."""
    return await service.who(control, caller)


@router.get("/keys")
async def list_own_keys(control: ControlPlane, caller: Anybody) -> OwnKeyList:
    """List the personal keys of who asks."""
    keys = await service.list_keys(control, caller)
    return OwnKeyList(keys=keys, total=len(keys))


@router.post("/keys", status_code=201)
async def create_own_key(
    control: ControlPlane, caller: Anybody, wanted: OwnKeyCreate
) -> OwnKeyCreated:
    """Make a personal key. It can do no more than its owner, and ends with the account."""
    return await service.create_key(control, caller, wanted)


@router.delete("/keys/{key_id}")
async def revoke_own_key(control: ControlPlane, caller: Anybody, key_id: UUID) -> OwnKey:
    """Revoke a personal key of who asks, at once and for good."""
    return await service.revoke_key(control, caller, key_id)
