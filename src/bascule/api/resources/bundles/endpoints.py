"""`/api/admin/bundles`."""

from fastapi import APIRouter

from bascule.api.access import ControlPlane, ToolReader, ToolWriter
from bascule.api.resources.bundles import service
from bascule.api.resources.bundles.schemas import Bundle, BundleCreate, BundleList

router = APIRouter(prefix="/api/admin/bundles", tags=["bundles"])


@router.get("")
async def list_bundles(control: ControlPlane, caller: ToolReader) -> BundleList:
    """List the tenant's bundles."""
    bundles = await service.list_bundles(control, caller)
    return BundleList(bundles=bundles, total=len(bundles))


@router.post("", status_code=201)
async def create_bundle(control: ControlPlane, caller: ToolWriter, wanted: BundleCreate) -> Bundle:
    """Make an empty bundle."""
    return await service.create_bundle(control, caller, wanted)
