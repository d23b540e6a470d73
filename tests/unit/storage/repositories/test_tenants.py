"""Tenants are made once and found by name."""

import pytest

from bascule.gateway.errors import Conflict, NotFound
from bascule.storage.database import Database
from bascule.storage.repositories.roles import Roles
from bascule.storage.repositories.tenants import TenantChanges, Tenants
from bascule.storage.repositories.users import UserDraft, Users
from bascule.storage.seed import seed_roles


async def test_a_tenant_is_found_by_name(database: Database) -> None:
    async with database.change(author="t") as session:
        made = [await Tenants(session).create(name) for name in ("b", "a")]
    async with database.read() as session:
        tenants = Tenants(session)
        assert await tenants.get("b") == made[0]
        assert await tenants.find("nobody") is None
        assert list(await tenants.list()) == [made[1], made[0]]


async def test_a_tenant_nobody_made_is_not_found(database: Database) -> None:
    async with database.read() as session:
        with pytest.raises(NotFound, match="no tenant named nobody"):
            await Tenants(session).get("nobody")


async def test_a_name_is_taken_once(database: Database) -> None:
    async with database.change(author="t") as session:
        await Tenants(session).create("a")
        with pytest.raises(Conflict, match="Choose another name"):
            await Tenants(session).create("a")


async def test_a_tenant_changes_in_what_is_said_and_no_more(database: Database) -> None:
    async with database.change(author="t") as session:
        tenants = Tenants(session)
        made = await tenants.create("acme", "Anvils.", ["b.example", "a.example", "b.example"])
        assert (made.hosts, made.is_active) == (("a.example", "b.example"), True)
        after = await tenants.update("acme", TenantChanges(is_active=False))
        assert (after.description, after.hosts, after.is_active) == ("Anvils.", made.hosts, False)
        after = await tenants.update("acme", TenantChanges(description="", hosts=()))
        assert (after.description, after.hosts, after.is_active) == ("", (), False)
        with pytest.raises(NotFound, match=r"named acm\. Did you mean acme"):
            await tenants.update("acm", TenantChanges())


async def test_a_host_is_of_one_tenant(database: Database) -> None:
    async with database.change(author="t") as session:
        tenants = Tenants(session)
        await tenants.create("acme", hosts=["acme.example"])
        await tenants.create("other")
        with pytest.raises(Conflict, match=r"acme\.example is the tenant acme's"):
            await tenants.create("third", hosts=["acme.example"])
        with pytest.raises(Conflict, match="A host has one tenant"):
            await tenants.update("other", TenantChanges(hosts=("x.example", "acme.example")))
        same = await tenants.update("acme", TenantChanges(hosts=("acme.example",)))
        assert same.hosts == ("acme.example",)


async def test_a_tenant_is_removed_once_it_has_nothing(database: Database) -> None:
    async with database.change(author="t") as session:
        tenants = Tenants(session)
        made = await tenants.create("acme")
        await seed_roles(session, made.id)
        await Users(session, made.id).create(UserDraft("asha"))
        with pytest.raises(Conflict, match=r"acme still has users \(1\)") as refused:
            await tenants.delete("acme")
        assert refused.value.details == {"left": {"users": 1}}
        await Users(session, made.id).delete("asha")
        assert await tenants.delete("acme") == made
        assert await tenants.find("acme") is None
        assert await Roles(session, made.id).list() == ()
