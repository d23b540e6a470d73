"""`/api/admin/policies`."""

from fastapi import APIRouter, Response

from bascule.api.access import ControlPlane, PolicyReader, PolicyWriter
from bascule.api.reasons import StatedReason
from bascule.api.resources.policies import service
from bascule.api.resources.policies.schemas import PolicyList, PolicyRemoved
from bascule.api.rules.bodies import Policy, PolicyCreate
from bascule.api.rules.verbatim import answer
from bascule.gateway.rule import RuleKind

router = APIRouter(prefix="/api/admin/policies", tags=["policies"])


@router.get("")
async def list_policies(
    control: ControlPlane,
    caller: PolicyReader,
    type: RuleKind | None = None,  # noqa: A002 - as it is called in the address
    is_active: bool | None = None,
) -> PolicyList:
    """List the tenant's policies, of one type or all. Modules and data of Rego are left out."""
    return await service.list_policies(control, caller, type, is_active=is_active)


@router.get("/{name:path}", response_model=Policy)
async def show_policy(control: ControlPlane, caller: PolicyReader, name: str) -> Response:
    """Show all of a policy."""
    return answer(await service.show_policy(control, caller, name))


@router.post("", status_code=201, response_model=Policy)
async def create_policy(
    control: ControlPlane, caller: PolicyWriter, wanted: PolicyCreate, reason: StatedReason = ""
) -> Response:
    """Make a policy. Deny wins over allow; without any policy nothing is callable."""
    return answer(await service.create_policy(control, caller, wanted, reason), 201)


@router.put("/{name:path}", response_model=Policy)
async def put_policy(
    control: ControlPlane,
    caller: PolicyWriter,
    name: str,
    wanted: PolicyCreate,
    reason: StatedReason = "",
) -> Response:
    """Make a policy, or replace the one of that name at once."""
    return answer(await service.put_policy(control, caller, name, wanted, reason))


@router.delete("/{name:path}")
async def delete_policy(
    control: ControlPlane, caller: PolicyWriter, name: str, reason: StatedReason = ""
) -> PolicyRemoved:
    """Remove a policy."""
    await service.delete_policy(control, caller, name, reason)
    return PolicyRemoved(removed=name)
