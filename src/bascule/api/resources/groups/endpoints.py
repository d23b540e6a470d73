"""`/api/admin/groups`."""

from typing import Annotated

from fastapi import APIRouter, Path

from bascule.api.access import ControlPlane, UserManager
from bascule.api.names import GroupName
from bascule.api.resources.groups import service
from bascule.api.resources.groups.schemas import Group, GroupList, GroupPut, GroupRemoved

router = APIRouter(prefix="/api/admin/groups", tags=["groups"])

Named = Annotated[GroupName, Path(description="As issuers claim it; it may hold slashes.")]


@router.get("")
async def list_groups(control: ControlPlane, caller: UserManager) -> GroupList:
    """List the groups whose members have roles on their account."""
    groups = await service.list_groups(control, caller)
    return GroupList(groups=groups, total=len(groups))


@router.get("/{name:path}")
async def get_group(control: ControlPlane, caller: UserManager, name: Named) -> Group:
    """Show one group."""
    return await service.get_group(control, caller, name)


@router.put("/{name:path}")
async def put_group(
    control: ControlPlane, caller: UserManager, name: Named, wanted: GroupPut
) -> Group:
    """Say which roles the members of a group have; who is one, issuers say."""
    return await service.put_group(control, caller, name, wanted.roles)


@router.delete("/{name:path}")
async def delete_group(control: ControlPlane, caller: UserManager, name: Named) -> GroupRemoved:
    """Let membership of a group bring nothing any more."""
    await service.delete_group(control, caller, name)
    return GroupRemoved(removed=name)
