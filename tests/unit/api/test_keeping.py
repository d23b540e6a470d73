"""Whatever a block does, somebody who can set things right is left, and is not the caller alone."""

from contextlib import suppress

import pytest

from bascule.api.caller import Caller
from bascule.api.control import Rows
from bascule.api.keeping import keeping_administrators, keeping_system_administrators
from bascule.gateway.errors import Conflict
from bascule.gateway.principal import Principal
from bascule.storage.repositories.keys import Keys
from bascule.storage.repositories.tenants import TenantChanges, Tenants
from bascule.storage.repositories.users import UserChanges, Users
from unit.api.people import add_person, add_user, revoke_key
from unit.api.site import Site

BO = Caller(Principal("acme", "bo", frozenset({"admin"}), user_id="x"), "c-1")
KEY = Caller(Principal("acme", "admin", frozenset({"admin"}), key_id="k"), "c-1")
ELSEWHERE = Caller(Principal("acme", "asha", frozenset(), user_id="x"), "c-1", home="default")


@pytest.fixture
async def lone(site: Site) -> Site:
    """The tenant acme is administered by asha alone."""
    await add_user(site, "asha", "admin", tenant="acme")
    await revoke_key(site, "admin", "acme")
    return site


async def strip(rows: Rows, name: str = "asha") -> None:
    await Users(rows.session, rows.tenant_id).update(name, UserChanges(roles=frozenset()))


async def stripped(site: Site, caller: Caller, name: str) -> None:
    async with site.rows("acme") as found:
        rows = Rows(*found)
        async with keeping_administrators(rows, caller):
            await strip(rows, name)


async def revoked(site: Site, caller: Caller, name: str) -> None:
    async with site.rows("acme") as found:
        rows = Rows(*found)
        async with keeping_administrators(rows, caller):
            keys = Keys(rows.session, rows.tenant_id)
            (own,) = [one.id for one in await keys.list() if one.name == name]
            await keys.revoke(own)


async def test_the_last_one_stays(lone: Site) -> None:
    with pytest.raises(Conflict, match="last active administrator of this tenant"):
        await stripped(lone, BO, "asha")


async def test_one_may_go_where_another_takes_their_place(lone: Site) -> None:
    await add_user(lone, "bo", tenant="acme")
    async with lone.rows("acme") as found:
        rows = Rows(*found)
        async with keeping_administrators(rows, BO):
            await strip(rows)
            users = Users(rows.session, rows.tenant_id)
            await users.update("bo", UserChanges(roles=frozenset({"admin"})))


async def test_who_acts_elsewhere_loses_nothing_of_their_own(lone: Site) -> None:
    await add_user(lone, "bo", "admin", tenant="acme")
    async with lone.rows("acme") as found:
        rows = Rows(*found)
        async with keeping_administrators(rows, ELSEWHERE):
            await strip(rows)


async def test_a_caller_keeps_their_own_rights(site: Site) -> None:
    await add_person(site, "bo", "admin", tenant="acme")
    with pytest.raises(Conflict, match="your own rights"):
        await stripped(site, BO, "bo")
    with pytest.raises(Conflict, match="your own rights"):
        await revoked(site, KEY, "admin")


async def test_where_nobody_administers_nothing_is_in_the_way(lone: Site) -> None:
    async with lone.rows("acme") as found:
        await strip(Rows(*found))
    async with lone.rows("acme") as found:
        rows = Rows(*found)
        async with keeping_administrators(rows, BO):
            await Users(rows.session, rows.tenant_id).delete("asha")


async def test_what_fails_within_is_not_hidden(lone: Site) -> None:
    with pytest.raises(ZeroDivisionError), suppress(Conflict):
        async with lone.rows("acme") as found, keeping_administrators(Rows(*found), BO):
            raise ZeroDivisionError


async def test_the_last_system_administrator_stays_whatever_ends_their_tenant(site: Site) -> None:
    with pytest.raises(Conflict, match="last active system administrator"):
        async with site.rows() as found, keeping_system_administrators(Rows(*found)):
            await Tenants(found[0]).update("default", TenantChanges(is_active=False))
    async with site.rows() as found, keeping_system_administrators(Rows(*found)):
        await Tenants(found[0]).update("acme", TenantChanges(is_active=False))
