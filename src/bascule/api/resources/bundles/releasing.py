"""Freezing what a bundle serves, and choosing which release it serves."""

from bascule.api.caller import Caller
from bascule.api.control import Control
from bascule.api.resources.bundles.schemas import (
    FrozenTool,
    Release,
    ReleaseCreate,
    ReleaseList,
    Rollback,
)
from bascule.catalogue.bundling import frozen_members
from bascule.gateway.errors import Conflict
from bascule.storage.repositories.bundles import BundleChanges, Bundles
from bascule.storage.repositories.selections import Selections, StoredRelease


async def release(control: Control, caller: Caller, name: str, wanted: ReleaseCreate) -> Release:
    """Freeze what the bundle shows live, each tool in the version that is in force now.

    Raises:
        NotFound: there is no such bundle.
        Conflict: it has a release of that version, is inactive, or shows nothing.
    """
    view = control.snapshot().tenant(caller.tenant)
    details = {"version": wanted.version, "serve": wanted.serve}
    async with control.change(caller, "bundle.release", name, details) as rows:
        bundles = Bundles(rows.session, rows.tenant_id)
        stored = await bundles.get(name)
        members = frozen_members(view, stored.bundle)
        if not members:
            raise Conflict(
                f"Bundle {name} shows no tool, so there is nothing to release. Publish or add one.",
                details={"field": "name"},
            )
        selections = Selections(rows.session, rows.tenant_id)
        await selections.release(stored.id, wanted.version, members)
        if wanted.serve:
            await selections.serve(stored.id, wanted.version)
            await bundles.update(name, BundleChanges(version=wanted.version))
        await bundles.touch(name)
        made = {one.version: one for one in await selections.releases(stored.id)}
    return _shown(made[wanted.version])


async def list_releases(control: Control, caller: Caller, name: str) -> ReleaseList:
    """Every release of a bundle.

    Raises:
        NotFound: there is no such bundle.
    """
    async with control.read(caller) as rows:
        stored = await Bundles(rows.session, rows.tenant_id).get(name)
        found = await Selections(rows.session, rows.tenant_id).releases(stored.id)
    return ReleaseList(releases=[_shown(one) for one in found], total=len(found))


async def roll_back(control: Control, caller: Caller, name: str, wanted: Rollback) -> None:
    """Serve an earlier release, a later one again, or no release.

    Raises:
        NotFound: there is no such bundle or release.
    """
    details = {"version": wanted.version or "live"}
    async with control.change(caller, "bundle.rollback", name, details) as rows:
        bundles = Bundles(rows.session, rows.tenant_id)
        stored = await bundles.get(name)
        await Selections(rows.session, rows.tenant_id).serve(stored.id, wanted.version)
        if wanted.version:
            await bundles.update(name, BundleChanges(version=wanted.version))
        await bundles.touch(name)


async def delete_release(control: Control, caller: Caller, name: str, version: str) -> None:
    """Delete a release that the bundle does not serve; who pins it is refused from now on.

    Raises:
        NotFound: there is no such bundle or release.
        Conflict: it is served.
    """
    details = {"version": version}
    async with control.change(caller, "bundle.release.delete", name, details) as rows:
        bundles = Bundles(rows.session, rows.tenant_id)
        stored = await bundles.get(name)
        await Selections(rows.session, rows.tenant_id).delete_release(stored.id, version)
        await bundles.touch(name)


def _shown(stored: StoredRelease) -> Release:
    return Release(
        version=stored.version,
        is_served=stored.is_served,
        tools=[
            FrozenTool(
                name=one.shown_name,
                tool=one.tool,
                server=one.server,
                version=one.version,
                defaults=dict(one.defaults),
            )
            for one in stored.members
        ],
        created_by=stored.created_by,
        created_at=stored.created_at,
    )
