"""`/api/admin/roles` and `/api/admin/permissions`."""

from fastapi import APIRouter

from bascule.api.access import ControlPlane, UserManager
from bascule.api.resources.roles import service
from bascule.api.resources.roles.schemas import (
    PermissionList,
    Role,
    RoleCreate,
    RoleDetail,
    RoleList,
    RoleRemoved,
    RoleUpdate,
)

router = APIRouter(prefix="/api/admin", tags=["roles"])


@router.get("/permissions")
async def list_permissions(caller: UserManager) -> PermissionList:
    """List every permission that a role can have, and what it means."""
    del caller
    permissions = service.list_permissions()
    return PermissionList(permissions=permissions, total=len(permissions))


@router.get("/roles")
async def list_roles(control: ControlPlane, caller: UserManager) -> RoleList:
    """List the tenant's roles, built-in ones included."""
    roles = await service.list_roles(control, caller)
    return RoleList(roles=roles, total=len(roles))


@router.post("/roles", status_code=201)
async def create_role(control: ControlPlane, caller: UserManager, wanted: RoleCreate) -> Role:
    """Make a role. Its maker must hold every permission in it."""
    return await service.create_role(control, caller, wanted)


@router.get("/roles/{name}")
async def get_role(control: ControlPlane, caller: UserManager, name: str) -> RoleDetail:
    """Show one role, and the users, keys, groups, rules, policies and issuers that name it."""
    return await service.get_role(control, caller, name)


@router.patch("/roles/{name}")
async def update_role(
    control: ControlPlane, caller: UserManager, name: str, wanted: RoleUpdate
) -> Role:
    """Change a role of the tenant's own; for whoever has it, in force at once."""
    return await service.update_role(control, caller, name, wanted)


@router.delete("/roles/{name}")
async def delete_role(control: ControlPlane, caller: UserManager, name: str) -> RoleRemoved:
    """Remove a role of the tenant's own that nothing names any more."""
    await service.delete_role(control, caller, name)
    return RoleRemoved(removed=name)
