"""`/api/admin/policies`."""

from fastapi import APIRouter

from bascule.api.access import ControlPlane, PolicyReader, PolicyWriter
from bascule.api.resources.policies import service
from bascule.api.resources.policies.schemas import (
    Policy,
    PolicyCreate,
    PolicyList,
    PolicyRemoved,
)

router = APIRouter(prefix="/api/admin/policies", tags=["policies"])


@router.get("")
async def list_policies(control: ControlPlane, caller: PolicyReader) -> PolicyList:
    """List the tenant's access rules."""
    policies = await service.list_policies(control, caller)
    return PolicyList(policies=policies, total=len(policies))


@router.post("", status_code=201)
async def create_policy(
    control: ControlPlane, caller: PolicyWriter, wanted: PolicyCreate
) -> Policy:
    """Make an access rule. Deny wins over allow; without any rule nothing is callable."""
    return await service.create_policy(control, caller, wanted)


@router.put("/{name:path}")
async def put_policy(
    control: ControlPlane, caller: PolicyWriter, name: str, wanted: PolicyCreate
) -> Policy:
    """Make an access rule, or replace the one of that name at once."""
    return await service.put_policy(control, caller, name, wanted)


@router.delete("/{name:path}")
async def delete_policy(control: ControlPlane, caller: PolicyWriter, name: str) -> PolicyRemoved:
    """Remove an access rule."""
    await service.delete_policy(control, caller, name)
    return PolicyRemoved(removed=name)
