"""Who counts as somebody who could set things right."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bascule.storage.database import Database
from bascule.storage.repositories.administrators import (
    Administrators,
    Holders,
    system_administrators,
)
from bascule.storage.repositories.keys import KeyDraft, Keys
from bascule.storage.repositories.roles import Roles
from bascule.storage.repositories.scope import TenantId
from bascule.storage.repositories.tenants import TenantChanges, Tenants
from bascule.storage.repositories.users import Identity, UserDraft, Users
from bascule.storage.seed import seed_roles

_MANAGE = "users:manage"
_SOON = timedelta(hours=1)


async def holding(database: Database, tenant: TenantId, permission: str = _MANAGE) -> Holders:
    async with database.read() as session:
        return await Administrators(session, tenant).holding(permission)


async def add_key(database: Database, tenant: TenantId, name: str, **changes: Any) -> None:
    expires_in = changes.pop("expires_in", None)
    if expires_in is not None:
        changes["expires_at"] = datetime.now(UTC) + expires_in
    roles = changes.pop("roles", frozenset({"admin"}))
    draft = KeyDraft(name, name.encode().ljust(32, b"."), "bsc_x", roles, **changes)
    async with database.change(author="t") as session:
        await Keys(session, tenant).create(draft)


async def add_user(database: Database, tenant: TenantId, name: str, **changes: Any) -> None:
    draft = UserDraft(name, roles=changes.get("roles", frozenset({"admin"})))
    async with database.change(author="t") as session:
        users = Users(session, tenant)
        made = await users.create(draft)
        if changes.get("password", True):
            await users.set_password_hash(made.id, "$argon2id$x")
        if changes.get("identity"):
            await users.link(made.id, Identity("https://id.example.org", name))
        if changes.get("idle"):
            await users.set_active(name, is_active=False)
        if changes.get("key"):
            await Keys(session, tenant).create(
                KeyDraft(
                    "k",
                    name.encode().ljust(32, b"."),
                    "bsc_x",
                    draft.roles,
                    user_id=made.id,
                    expires_at=changes.get("key_expires_at"),
                )
            )


async def test_nobody_holds_anything_at_first(database: Database, tenant: TenantId) -> None:
    assert await holding(database, tenant) == Holders()
    assert await holding(database, tenant, "no:such") == Holders()


@pytest.mark.parametrize(
    ("changes", "counts"),
    [
        ({}, "lasting"),
        ({"roles": frozenset({"user"})}, ""),
        ({"roles": frozenset({"user", "system_admin"})}, "lasting"),
        ({"idle": True}, ""),
        ({"password": False}, ""),
        ({"password": False, "identity": True}, "lasting"),
        ({"password": False, "key": True}, "lasting"),
        ({"password": False, "key": True, "key_expires_at": datetime.now(UTC) + _SOON}, "passing"),
        ({"key": True, "key_expires_at": datetime.now(UTC) + _SOON}, "lasting"),
        ({"password": False, "key": True, "key_expires_at": datetime.now(UTC) - _SOON}, ""),
        ({"idle": True, "key": True}, ""),
    ],
)
async def test_a_user_counts_who_is_active_and_can_get_in(
    database: Database, tenant: TenantId, changes: dict[str, Any], counts: str
) -> None:
    await add_user(database, tenant, "asha", **changes)
    found = await holding(database, tenant)
    assert found.lasting == ({"user asha"} if counts == "lasting" else set())
    assert found.passing == ({"user asha"} if counts == "passing" else set())


@pytest.mark.parametrize(
    ("changes", "counts"),
    [
        ({}, "lasting"),
        ({"roles": frozenset({"user"})}, ""),
        ({"expires_in": _SOON}, "passing"),
        ({"expires_in": -_SOON}, ""),
        ({"scopes": frozenset({"tools:list"})}, ""),
        ({"scopes": frozenset({_MANAGE})}, "lasting"),
    ],
)
async def test_a_key_counts_that_opens_as_much(
    database: Database, tenant: TenantId, changes: dict[str, Any], counts: str
) -> None:
    await add_key(database, tenant, "ci", **changes)
    found = await holding(database, tenant)
    assert found.lasting == ({"key ci"} if counts == "lasting" else set())
    assert found.passing == ({"key ci"} if counts == "passing" else set())
    assert found.everybody == found.lasting | found.passing


async def test_a_revoked_key_does_not_count(database: Database, tenant: TenantId) -> None:
    await add_key(database, tenant, "ci")
    async with database.change(author="t") as session:
        keys = Keys(session, tenant)
        await keys.revoke((await keys.list())[0].id)
    assert await holding(database, tenant) == Holders()


async def test_a_role_whose_name_is_part_of_another_is_no_other(
    database: Database, tenant: TenantId
) -> None:
    async with database.change(author="t") as session:
        roles = Roles(session, tenant)
        await roles.create("porter", "", [_MANAGE])
        await roles.create("porter_s_aide", "", ["tools:list"])
    await add_user(database, tenant, "aide", roles=frozenset({"porter_s_aide"}))
    assert await holding(database, tenant) == Holders()
    await add_user(database, tenant, "porter", roles=frozenset({"porter"}))
    assert (await holding(database, tenant)).lasting == {"user porter"}


async def test_system_administrators_are_those_of_all_active_tenants(
    database: Database, tenant: TenantId
) -> None:
    mighty = frozenset({"system_admin"})
    async with database.change(author="t") as session:
        other = (await Tenants(session).create("other")).id
        await seed_roles(session, other)
        await Roles(session, other).create("owner", "", ["system_admin"])
    await add_key(database, tenant, "root", roles=mighty)
    await add_key(database, other, "root2", roles=frozenset({"owner"}))
    await add_user(database, other, "admin")
    async with database.read() as session:
        both = await system_administrators(session)
    assert both.lasting == {f"key root of {tenant}", f"key root2 of {other}"}
    async with database.change(author="t") as session:
        await Tenants(session).update("other", TenantChanges(is_active=False))
        assert (await system_administrators(session)).lasting == {f"key root of {tenant}"}


def test_who_lasts_here_lasts_among_all() -> None:
    one = Holders(frozenset({"a"}), frozenset({"b"}))
    two = Holders(frozenset({"c"}), frozenset())
    assert one | two == Holders(frozenset({"a", "c"}), frozenset({"b"}))
