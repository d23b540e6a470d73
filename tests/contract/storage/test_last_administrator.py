"""Of two who take each other's rights away at the same moment, one keeps them: on both engines."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from bascule.api.caller import Caller
from bascule.api.control import Rows
from bascule.api.keeping import keeping_administrators
from bascule.gateway.errors import Conflict
from bascule.gateway.principal import Principal
from bascule.storage.database import Database
from bascule.storage.repositories.administrators import Administrators
from bascule.storage.repositories.keys import KeyDraft, Keys
from bascule.storage.repositories.roles import Roles
from bascule.storage.repositories.scope import TenantId
from bascule.storage.repositories.users import UserChanges, UserDraft, Users

ADMIN = frozenset({"admin"})
Deed = Callable[[Rows, str], Awaitable[object]]


async def _strip(rows: Rows, name: str) -> None:
    await Users(rows.session, rows.tenant_id).update(name, UserChanges(roles=frozenset()))


async def _delete(rows: Rows, name: str) -> None:
    await Users(rows.session, rows.tenant_id).delete(name)


async def _deactivate(rows: Rows, name: str) -> None:
    await Users(rows.session, rows.tenant_id).set_active(name, is_active=False)


async def _forget_password(rows: Rows, name: str) -> None:
    users = Users(rows.session, rows.tenant_id)
    await users.set_password_hash((await users.get(name)).id, None)


async def _attempt(database: Database, tenant: TenantId, doer: str, done: str, deed: Deed) -> bool:
    caller = Caller(Principal("default", doer, ADMIN, user_id="x"), "c-1")
    try:
        async with database.change(author=doer) as session:
            rows = Rows(session, tenant)
            async with keeping_administrators(rows, caller):
                await deed(rows, done)
    except Conflict:
        return False
    return True


async def _left(database: Database, tenant: TenantId) -> frozenset[str]:
    async with database.read() as session:
        return (await Administrators(session, tenant).holding("users:manage")).lasting


@pytest.mark.parametrize("deed", [_strip, _delete, _deactivate, _forget_password])
async def test_of_two_at_once_one_is_left(database: Database, tenant: TenantId, deed: Deed) -> None:
    async with database.change(author="t") as session:
        for name in ("asha", "bo"):
            await Users(session, tenant).create(UserDraft(name, roles=ADMIN, password_hash="$x"))
    async with asyncio.timeout(30):
        done = await asyncio.gather(
            _attempt(database, tenant, "asha", "bo", deed),
            _attempt(database, tenant, "bo", "asha", deed),
        )
    assert sorted(done) == [False, True]
    assert len(await _left(database, tenant)) == 1


async def test_of_many_at_once_one_is_left(database: Database, tenant: TenantId) -> None:
    names = [f"u{number}" for number in range(6)]
    async with database.change(author="t") as session:
        for name in names:
            await Users(session, tenant).create(UserDraft(name, roles=ADMIN, password_hash="$x"))
    async with asyncio.timeout(30):
        done = await asyncio.gather(
            *(
                _attempt(database, tenant, one, other, _deactivate)
                for one, other in zip(names, [*names[1:], names[0]], strict=True)
            )
        )
    assert done.count(True) == 5
    assert len(await _left(database, tenant)) == 1


async def test_a_key_and_a_role_that_go_together_leave_somebody(
    database: Database, tenant: TenantId
) -> None:
    porter = frozenset({"porter"})
    async with database.change(author="t") as session:
        await Roles(session, tenant).create("porter", "", ["users:manage"])
        await Users(session, tenant).create(UserDraft("asha", roles=porter, password_hash="$x"))
        key = await Keys(session, tenant).create(KeyDraft("ci", b"k" * 32, "bsc_x", ADMIN))

    async def revoke(rows: Rows, _: str) -> None:
        await Keys(rows.session, rows.tenant_id).revoke(key.id)

    async def empty(rows: Rows, name: str) -> None:
        await Roles(rows.session, rows.tenant_id).update(name, description=None, permissions=[])

    async with asyncio.timeout(30):
        done = await asyncio.gather(
            _attempt(database, tenant, "somebody", "ci", revoke),
            _attempt(database, tenant, "somebody", "porter", empty),
        )
    assert sorted(done) == [False, True]
    assert len(await _left(database, tenant)) == 1
