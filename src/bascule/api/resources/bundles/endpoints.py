"""`/api/admin/bundles`."""

from typing import Annotated

from fastapi import APIRouter, Header, Response

from bascule.api.access import ControlPlane, ToolReader, ToolWriter
from bascule.api.etags import etag_of
from bascule.api.resources.bundles import membership, releasing, service
from bascule.api.resources.bundles.schemas import (
    Bundle,
    BundleCreate,
    BundleList,
    BundleUpdate,
    Deleted,
    MemberAdd,
    MemberUpdate,
    Release,
    ReleaseCreate,
    ReleaseList,
    Rollback,
)

router = APIRouter(prefix="/api/admin/bundles", tags=["bundles"])

IfMatch = Annotated[str | None, Header(description="The ETag of what was seen.", max_length=500)]


@router.get("")
async def list_bundles(control: ControlPlane, caller: ToolReader) -> BundleList:
    """List the tenant's bundles."""
    bundles = await service.list_bundles(control, caller)
    return BundleList(bundles=bundles, total=len(bundles))


@router.post("", status_code=201)
async def create_bundle(control: ControlPlane, caller: ToolWriter, wanted: BundleCreate) -> Bundle:
    """Make a bundle, empty or with tools that it borrows."""
    return await service.create_bundle(control, caller, wanted)


@router.get("/{name}")
async def get_bundle(
    control: ControlPlane, caller: ToolWriter, response: Response, name: str
) -> Bundle:
    """Show one bundle, and whether each tool that it borrows is served."""
    bundle = await service.get_bundle(control, caller, name)
    response.headers["etag"] = etag_of(bundle.updated_at)
    return bundle


@router.patch("/{name}")
@router.put("/{name}", include_in_schema=False)
async def update_bundle(
    control: ControlPlane,
    caller: ToolWriter,
    response: Response,
    name: str,
    wanted: BundleUpdate,
    if_match: IfMatch = None,
) -> Bundle:
    """Change what is said of a bundle, or switch it on or off with its tools."""
    bundle = await service.update_bundle(control, caller, name, wanted, if_match)
    response.headers["etag"] = etag_of(bundle.updated_at)
    return bundle


@router.delete("/{name}")
async def delete_bundle(control: ControlPlane, caller: ToolWriter, name: str) -> Deleted:
    """Delete a bundle that has no tools of its own."""
    await service.delete_bundle(control, caller, name)
    return Deleted(deleted=name)


@router.post("/{name}/members", status_code=201)
async def add_member(
    control: ControlPlane, caller: ToolWriter, name: str, wanted: MemberAdd
) -> Bundle:
    """Borrow a tool, perhaps renamed, described anew, or with arguments fixed."""
    await membership.add_member(control, caller, name, wanted)
    return await service.get_bundle(control, caller, name)


@router.patch("/{name}/members/{member}")
async def change_member(
    control: ControlPlane, caller: ToolWriter, name: str, member: str, wanted: MemberUpdate
) -> Bundle:
    """Change what the bundle makes of a borrowed tool."""
    await membership.change_member(control, caller, name, member, wanted)
    return await service.get_bundle(control, caller, name)


@router.delete("/{name}/members/{member}")
async def remove_member(
    control: ControlPlane, caller: ToolWriter, name: str, member: str
) -> Bundle:
    """Borrow a tool no more."""
    await membership.remove_member(control, caller, name, member)
    return await service.get_bundle(control, caller, name)


@router.get("/{name}/releases")
async def list_releases(control: ControlPlane, caller: ToolWriter, name: str) -> ReleaseList:
    """List the releases of a bundle, newest first."""
    return await releasing.list_releases(control, caller, name)


@router.post("/{name}/release", status_code=201)
async def release(
    control: ControlPlane, caller: ToolWriter, name: str, wanted: ReleaseCreate
) -> Release:
    """Freeze what the bundle shows, each tool in its version."""
    return await releasing.release(control, caller, name, wanted)


@router.post("/{name}/rollback")
async def roll_back(
    control: ControlPlane, caller: ToolWriter, name: str, wanted: Rollback
) -> Bundle:
    """Serve an earlier release, a later one again, or none."""
    await releasing.roll_back(control, caller, name, wanted)
    return await service.get_bundle(control, caller, name)


@router.delete("/{name}/releases/{version}")
async def delete_release(
    control: ControlPlane, caller: ToolWriter, name: str, version: str
) -> Deleted:
    """Delete a release that is not served."""
    await releasing.delete_release(control, caller, name, version)
    return Deleted(deleted=f"{name}@{version}")
