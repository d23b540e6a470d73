"""Roles hold permissions."""

import pytest

from bascule.gateway.errors import Conflict, NotFound
from bascule.storage.database import Database
from bascule.storage.repositories.roles import Roles
from bascule.storage.repositories.scope import TenantId


async def test_a_role_comes_back_with_its_permissions(database: Database, tenant: TenantId) -> None:
    permissions = ["audit:read", "tools:list", "audit:read"]
    async with database.change(author="t") as session:
        made = await Roles(session, tenant).create("auditor", "Reads the audit.", permissions)
    async with database.read() as session:
        assert await Roles(session, tenant).get("auditor") == made
        names = [role.name for role in await Roles(session, tenant).list()]
    assert made.permissions == {"audit:read", "tools:list"}
    assert names == sorted(names)
    assert "auditor" in names


async def test_a_name_is_taken_once_and_a_missing_one_is_not_found(
    database: Database, tenant: TenantId
) -> None:
    async with database.change(author="t") as session:
        with pytest.raises(Conflict, match="role named user exists"):
            await Roles(session, tenant).create("user", "", [])
        with pytest.raises(NotFound, match="no role named nobody"):
            await Roles(session, tenant).get("nobody")
