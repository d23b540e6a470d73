"""What a tenant has is counted whatever it is, and cleared away only for that tenant."""

from sqlalchemy import func, select

from bascule.storage.database import Database
from bascule.storage.repositories.holdings import Holdings
from bascule.storage.repositories.keys import KeyDraft, Keys
from bascule.storage.repositories.roles import Roles
from bascule.storage.repositories.scope import TenantId
from bascule.storage.repositories.tenants import Tenants
from bascule.storage.repositories.users import Identity, UserDraft, Users
from bascule.storage.seed import seed_roles
from bascule.storage.tables import RoleRow
from contract.storage.samples import a_tool, add_tools

_KEY = KeyDraft("ci", b"k" * 32, "bsc_x", frozenset({"user"}))


async def test_roles_and_revoked_keys_are_nothing_to_miss(
    database: Database, tenant: TenantId
) -> None:
    async with database.change(author="t") as session:
        keys = Keys(session, tenant)
        made = await keys.create(_KEY)
        assert await Holdings(session, tenant).count() == {"keys": 1}
        await keys.revoke(made.id)
        assert await Holdings(session, tenant).count() == {}


async def test_everything_else_is_counted_by_its_kind(database: Database, tenant: TenantId) -> None:
    async with database.change(author="t") as session:
        users = Users(session, tenant)
        made = await users.create(UserDraft("asha"))
        await users.link(made.id, Identity("https://id.example.org", "1"))
        await add_tools(session, tenant, [a_tool("listing", bundle="shop")])
        found = await Holdings(session, tenant).count()
    assert found == {"users": 1, "identities": 1, "tools": 1, "bundles": 1, "upstreams": 2}


async def test_clearing_leaves_other_tenants_as_they_are(
    database: Database, tenant: TenantId
) -> None:
    async with database.change(author="t") as session:
        other = (await Tenants(session).create("other")).id
        await seed_roles(session, other)
        await Keys(session, other).create(_KEY)
        await add_tools(session, other, [a_tool("listing", bundle="shop")])
        await Holdings(session, other).clear()
        left = select(func.count(RoleRow.id)).where(RoleRow.tenant_id == other)
        assert await session.scalar(left) == 0
        assert await Holdings(session, other).count() == {}
    async with database.read() as session:
        assert await Roles(session, tenant).list()
