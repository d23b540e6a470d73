"""A new database gets its tenant and roles; an old one keeps its own."""

import pytest

from bascule.gateway.principal import Principal
from bascule.storage.database import Database
from bascule.storage.repositories.roles import Roles
from bascule.storage.repositories.tenants import Tenants
from bascule.storage.seed import BUILTIN_ROLES, seed_defaults, seed_roles


async def test_a_new_database_has_the_default_tenant_and_all_roles(database: Database) -> None:
    async with database.change(author="t") as session:
        tenant = await seed_defaults(session)
    async with database.read() as session:
        roles = await Roles(session, tenant.id).list()
    assert tenant.name == "default"
    assert {role.name: role.permissions for role in roles} == {
        name: permissions for name, (_, permissions) in BUILTIN_ROLES.items()
    }


async def test_seeding_again_leaves_everything_as_operators_left_it(database: Database) -> None:
    async with database.change(author="t") as session:
        tenant = await Tenants(session).create("default", "ours")
        await Roles(session, tenant.id).create("user", "ours", ["tools:list"])
    for _ in range(2):
        async with database.change(author="t") as session:
            assert await seed_defaults(session) == tenant
            role = await Roles(session, tenant.id).get("user")
            assert role.description == "ours"
            assert role.permissions == {"tools:list"}
            assert len(await Roles(session, tenant.id).list()) == len(BUILTIN_ROLES)


async def test_only_the_default_tenant_has_a_role_that_spans_tenants(database: Database) -> None:
    async with database.change(author="t") as session:
        tenant = await Tenants(session).create("other")
        await seed_roles(session, tenant.id)
        roles = await Roles(session, tenant.id).list()
    assert {role.name for role in roles} == set(BUILTIN_ROLES) - {"system_admin"}
    assert not any("system_admin" in role.permissions for role in roles)


@pytest.mark.parametrize(
    ("role", "allowed", "refused"),
    [
        ("user", "tools:execute", "tools:write"),
        ("developer", "tools:write", "audit:read"),
        ("operator", "audit:read", "tools:write"),
        ("viewer", "mcp:view_servers", "tools:execute"),
        ("admin", "users:manage", "system_admin"),
        ("system_admin", "whatever:comes", ""),
    ],
)
def test_roles_allow_what_they_are_for_and_no_more(role: str, allowed: str, refused: str) -> None:
    principal = Principal("default", "s", frozenset({role}), BUILTIN_ROLES[role][1])
    assert principal.may(allowed)
    assert not refused or not principal.may(refused)
