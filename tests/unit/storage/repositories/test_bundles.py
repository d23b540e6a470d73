"""Bundles are made once per tenant."""

import pytest

from bascule.gateway.errors import Conflict, NotFound
from bascule.gateway.tool import Bundle
from bascule.storage.database import Database
from bascule.storage.repositories.bundles import BundleChanges, Bundles, BundleStatus
from bascule.storage.repositories.scope import TenantId
from contract.storage.samples import a_tool, add_tools

_BUNDLE = Bundle("service-booking", "Books services.", "1.2.0", "crm")


async def test_a_bundle_comes_back_as_it_was(database: Database, tenant: TenantId) -> None:
    async with database.change(author="t") as session:
        made = await Bundles(session, tenant).create(_BUNDLE)
    async with database.read() as session:
        assert await Bundles(session, tenant).get("service-booking") == made
        assert await Bundles(session, tenant).list() == (made,)
    assert made.bundle == _BUNDLE
    assert made.status is BundleStatus.ACTIVE


async def test_get_or_create_leaves_an_existing_bundle_as_it_is(
    database: Database, tenant: TenantId
) -> None:
    async with database.change(author="t") as session:
        bundles = Bundles(session, tenant)
        made = await bundles.get_or_create(_BUNDLE)
        again = await bundles.get_or_create(Bundle("service-booking", owner="somebody else"))
    assert again == made
    assert again.bundle.owner == "crm"


async def test_a_name_is_taken_once_and_a_missing_one_is_not_found(
    database: Database, tenant: TenantId
) -> None:
    async with database.change(author="t") as session:
        await Bundles(session, tenant).create(_BUNDLE)
        with pytest.raises(Conflict, match="Choose another name"):
            await Bundles(session, tenant).create(_BUNDLE)
        with pytest.raises(NotFound, match="no bundle named nothing"):
            await Bundles(session, tenant).set_status("nothing", BundleStatus.INACTIVE)


async def test_a_bundle_is_switched_off_and_on(database: Database, tenant: TenantId) -> None:
    for status in (BundleStatus.INACTIVE, BundleStatus.ACTIVE):
        async with database.change(author="t") as session:
            await Bundles(session, tenant).get_or_create(_BUNDLE)
            await Bundles(session, tenant).set_status("service-booking", status)
        async with database.read() as session:
            assert (await Bundles(session, tenant).get("service-booking")).status is status


async def test_a_bundle_is_changed_by_field(database: Database, tenant: TenantId) -> None:
    async with database.change(author="t") as session:
        bundles = Bundles(session, tenant)
        await bundles.create(_BUNDLE)
        changed = await bundles.update(_BUNDLE.name, BundleChanges(owner="sales", description=""))
        assert (changed.bundle.owner, changed.bundle.description) == ("sales", "")
        assert changed.bundle.version == "1.2.0"
        with pytest.raises(NotFound, match="Did you mean service-booking"):
            await bundles.update("service-bookings", BundleChanges(owner="x"))


async def test_what_belongs_to_a_bundle_changes_its_moment(
    database: Database, tenant: TenantId
) -> None:
    async with database.change(author="t") as session:
        bundles = Bundles(session, tenant)
        before = await bundles.create(_BUNDLE)
        assert (await bundles.touch(_BUNDLE.name)).updated_at > before.updated_at


async def test_only_a_bundle_without_tools_is_deleted(database: Database, tenant: TenantId) -> None:
    async with database.change(author="t") as session:
        await add_tools(session, tenant, [a_tool()])
        bundles = Bundles(session, tenant)
        await bundles.create(Bundle("empty"))
        with pytest.raises(Conflict, match="update_enquiry_status first"):
            await bundles.delete("service-booking")
        await bundles.delete("empty")
        with pytest.raises(NotFound):
            await bundles.get("empty")
