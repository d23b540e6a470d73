"""Making and listing bundles."""

from bascule.api.caller import Caller
from bascule.api.control import Control
from bascule.api.resources.bundles.schemas import Bundle, BundleCreate
from bascule.gateway import tool as kernel
from bascule.storage.repositories.bundles import Bundles, StoredBundle


async def list_bundles(control: Control, caller: Caller) -> list[Bundle]:
    """Every bundle of the caller's tenant."""
    async with control.read(caller) as rows:
        return [_shown(one) for one in await Bundles(rows.session, rows.tenant_id).list()]


async def create_bundle(control: Control, caller: Caller, wanted: BundleCreate) -> Bundle:
    """Make a bundle.

    Raises:
        Conflict: the name is taken.
    """
    bundle = kernel.Bundle(
        wanted.name, description=wanted.description, owner=wanted.owner or caller.subject
    )
    async with control.change(caller, "bundle.create", wanted.name) as rows:
        return _shown(await Bundles(rows.session, rows.tenant_id).create(bundle))


def _shown(stored: StoredBundle) -> Bundle:
    return Bundle(
        name=stored.bundle.name,
        description=stored.bundle.description,
        version=stored.bundle.version,
        owner=stored.bundle.owner,
        status=stored.status.value,
        created_at=stored.created_at,
        updated_at=stored.updated_at,
    )
