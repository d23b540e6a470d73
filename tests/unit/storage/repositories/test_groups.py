"""Groups bring roles, and are called what issuers call them."""

import pytest

from bascule.gateway.errors import InvalidValue, NotFound
from bascule.storage.compiler import compile_snapshot
from bascule.storage.database import Database
from bascule.storage.repositories.groups import Groups
from bascule.storage.repositories.scope import TenantId


async def test_a_group_brings_roles_until_it_is_removed(
    database: Database, tenant: TenantId
) -> None:
    async with database.change(author="ann") as session:
        groups = Groups(session, tenant)
        made = await groups.put("/staff/desk", ["viewer", "user", "user"])
        assert (made.roles, made.updated_by) == ({"user", "viewer"}, "ann")
        assert await groups.get("/staff/desk") == made
        assert await groups.find("/staff/desk") == made
        assert await groups.find("none") is None
    async with database.change(author="bo") as session:
        changed = await Groups(session, tenant).put("/staff/desk", ["user"])
    assert (changed.roles, changed.updated_by, changed.created_at) == (
        {"user"},
        "bo",
        made.created_at,
    )
    async with database.read() as session:
        assert await Groups(session, tenant).list() == (changed,)
        view = (await compile_snapshot(session)).tenants["default"]
    assert view.group_roles == {"/staff/desk": {"user"}}
    async with database.change(author="t") as session:
        assert await Groups(session, tenant).delete("/staff/desk") == changed
        assert await Groups(session, tenant).list() == ()


async def test_what_makes_no_sense_is_refused(database: Database, tenant: TenantId) -> None:
    async with database.change(author="t") as session:
        groups = Groups(session, tenant)
        await groups.put("staff", ["user"])
        with pytest.raises(InvalidValue, match="Unknown roles: boss"):
            await groups.put("staff", ["boss"])
        with pytest.raises(InvalidValue, match="needs a role"):
            await groups.put("staff", [])
        with pytest.raises(NotFound, match=r"named staf\. Did you mean staff"):
            await groups.get("staf")
        with pytest.raises(NotFound):
            await groups.delete("others")
