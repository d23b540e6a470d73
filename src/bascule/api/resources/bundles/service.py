"""Making, changing, listing and deleting bundles."""

from bascule.api.caller import Caller
from bascule.api.control import Control
from bascule.api.etags import expect
from bascule.api.resources.bundles.membership import plan_member, shown_member
from bascule.api.resources.bundles.schemas import Bundle, BundleCreate, BundleUpdate
from bascule.catalogue.bundling import Finder
from bascule.gateway import tool as kernel
from bascule.gateway.errors import Conflict, InvalidValue
from bascule.gateway.snapshot import TenantView
from bascule.gateway.tool import UpstreamKind
from bascule.storage.repositories.bundles import BundleChanges, Bundles, StoredBundle
from bascule.storage.repositories.selections import Selections


async def list_bundles(control: Control, caller: Caller) -> list[Bundle]:
    """Every bundle of the caller's tenant."""
    view = control.snapshot().tenant(caller.tenant)
    async with control.read(caller) as rows:
        found = await Bundles(rows.session, rows.tenant_id).list()
    shown = [show(one, view) for one in found]
    if caller.principal.may("tools:write"):
        return shown
    # What a bundle fixes is hidden from who calls it.
    return [one.model_copy(update={"members": []}) for one in shown]


async def get_bundle(control: Control, caller: Caller, name: str) -> Bundle:
    """One bundle.

    Raises:
        NotFound: there is none of that name.
    """
    async with control.read(caller) as rows:
        stored = await Bundles(rows.session, rows.tenant_id).get(name)
    return show(stored, control.snapshot().tenant(caller.tenant))


async def create_bundle(control: Control, caller: Caller, wanted: BundleCreate) -> Bundle:
    """Make a bundle.

    Raises:
        Conflict: the name is taken, by a bundle or by an MCP server.
        NotFound: there is no such tool to borrow.
        Forbidden: the caller may not call a tool that is to be borrowed.
    """
    _refuse_servers_name(control.snapshot().tenant(caller.tenant), wanted.name)
    bundle = kernel.Bundle(
        wanted.name,
        description=wanted.description,
        version=wanted.version,
        owner=wanted.owner or caller.subject,
    )
    borrowed = [one.name or one.tool for one in wanted.members]
    details = {"members": borrowed} if borrowed else {}
    async with control.change(caller, "bundle.create", wanted.name, details) as rows:
        members = [await plan_member(control, caller, wanted.name, one) for one in wanted.members]
        bundles = Bundles(rows.session, rows.tenant_id)
        stored = await bundles.create(bundle)
        for member in members:
            await Selections(rows.session, rows.tenant_id).add(stored.id, member)
        stored = await bundles.get(wanted.name)
    return show(stored, control.snapshot().tenant(caller.tenant))


async def update_bundle(
    control: Control, caller: Caller, name: str, wanted: BundleUpdate, if_match: str | None
) -> Bundle:
    """Change what `wanted` says.

    Raises:
        NotFound: there is none of that name.
        Conflict: somebody else changed it meanwhile.
    """
    details: dict[str, object] = {}
    async with control.change(caller, "bundle.update", name, details) as rows:
        bundles = Bundles(rows.session, rows.tenant_id)
        before = await bundles.get(name)
        expect(before.updated_at, if_match, wanted.updated_at)
        fields = wanted.model_dump(exclude_none=True, exclude={"updated_at"})
        if not fields:
            raise InvalidValue("Nothing is to be changed; send at least one field.")
        # Written down with the change, as the block is left.
        details |= {"changes": fields}
        stored = await bundles.update(name, BundleChanges(**fields))
    return show(stored, control.snapshot().tenant(caller.tenant))


async def delete_bundle(control: Control, caller: Caller, name: str) -> None:
    """Delete a bundle that has no tools of its own; what it borrows stays where it is.

    Raises:
        NotFound: there is none of that name.
        Conflict: it has tools.
    """
    async with control.change(caller, "bundle.delete", name) as rows:
        await Bundles(rows.session, rows.tenant_id).delete(name)


def show(stored: StoredBundle, view: TenantView) -> Bundle:
    """A bundle as the REST API shows it; `view` tells what becomes of its members."""
    bundle = stored.bundle
    finder = Finder(view)
    return Bundle(
        name=bundle.name,
        description=bundle.description,
        version=bundle.version,
        owner=bundle.owner,
        status=stored.status.value,
        serves=bundle.served,
        releases=[one.version for one in bundle.releases],
        members=[shown_member(finder, view, bundle.name, one) for one in bundle.members],
        created_at=stored.created_at,
        updated_at=stored.updated_at,
    )


def _refuse_servers_name(view: TenantView, name: str) -> None:
    upstream = view.upstreams.get(name)
    if upstream is not None and upstream.kind in {UpstreamKind.MCP_HTTP, UpstreamKind.MCP_STDIO}:
        raise Conflict(
            f"{name} is an MCP server, which is a bundle of its own name. Choose another name.",
            details={"field": "name"},
        )
