"""`/api/admin/tenants`."""

from fastapi import APIRouter

from bascule.api.access import ControlPlane, SystemAdmin
from bascule.api.resources.tenants import service
from bascule.api.resources.tenants.schemas import (
    Tenant,
    TenantCreate,
    TenantDetail,
    TenantList,
    TenantRemoved,
    TenantUpdate,
)

router = APIRouter(prefix="/api/admin/tenants", tags=["tenants"])


@router.get("")
async def list_tenants(control: ControlPlane, caller: SystemAdmin) -> TenantList:
    """List all tenants."""
    del caller
    tenants = await service.list_tenants(control)
    return TenantList(tenants=tenants, total=len(tenants))


@router.post("", status_code=201)
async def create_tenant(control: ControlPlane, caller: SystemAdmin, wanted: TenantCreate) -> Tenant:
    """Add a tenant, with the built-in roles and nothing else."""
    return await service.create_tenant(control, caller, wanted)


@router.get("/{name}")
async def get_tenant(control: ControlPlane, caller: SystemAdmin, name: str) -> TenantDetail:
    """Show one tenant, and how many things of each kind it has."""
    del caller
    return await service.get_tenant(control, name)


@router.patch("/{name}")
async def update_tenant(
    control: ControlPlane, caller: SystemAdmin, name: str, wanted: TenantUpdate
) -> Tenant:
    """Change a tenant; nobody of an inactive one comes in, and nothing of it is lost."""
    return await service.update_tenant(control, caller, name, wanted)


@router.delete("/{name}")
async def delete_tenant(control: ControlPlane, caller: SystemAdmin, name: str) -> TenantRemoved:
    """Remove a tenant that has nothing any more; its audit records stay."""
    await service.delete_tenant(control, caller, name)
    return TenantRemoved(removed=name)
