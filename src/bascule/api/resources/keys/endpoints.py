"""`/api/admin/keys`."""

from uuid import UUID

from fastapi import APIRouter

from bascule.api.access import ControlPlane, UserManager
from bascule.api.resources.keys import service
from bascule.api.resources.keys.schemas import Key, KeyCreate, KeyCreated, KeyList, KeyRotate

router = APIRouter(prefix="/api/admin/keys", tags=["keys"])


@router.get("")
async def list_keys(control: ControlPlane, caller: UserManager) -> KeyList:
    """List the tenant's keys."""
    keys = await service.list_keys(control, caller)
    return KeyList(keys=keys, total=len(keys))


@router.post("", status_code=201)
async def create_key(control: ControlPlane, caller: UserManager, wanted: KeyCreate) -> KeyCreated:
    """Make a key. The answer holds its secret; it is not stored anywhere."""
    return await service.create_key(control, caller, wanted)


@router.post("/{key_id}/rotate")
async def rotate_key(
    control: ControlPlane, caller: UserManager, key_id: UUID, wanted: KeyRotate
) -> KeyCreated:
    """Give a key another secret, which the answer shows once; all else about it stays."""
    return await service.rotate_key(control, caller, key_id, wanted.grace_seconds)


@router.delete("/{key_id}")
async def revoke_key(control: ControlPlane, caller: UserManager, key_id: UUID) -> Key:
    """Revoke a key at once and for good."""
    return await service.revoke_key(control, caller, key_id)
