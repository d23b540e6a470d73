"""A caller grants what they have: the permissions of a role, and the role itself."""

from collections.abc import Iterable

import pytest

from bascule.api.caller import Caller
from bascule.api.control import Rows
from bascule.api.granting import refuse_beyond, refuse_mightier
from bascule.gateway.errors import Forbidden
from bascule.gateway.principal import Principal
from bascule.storage.repositories.roles import Roles
from unit.api.site import Site


def caller(roles: Iterable[str], *permissions: str) -> Caller:
    return Caller(Principal("default", "ann", frozenset(roles), frozenset(permissions)), "c-1")


async def allowed(
    site: Site, who: Caller, wanted: str, scopes: frozenset[str] | None = None
) -> bool:
    async with site.rows() as (session, tenant_id):
        try:
            await refuse_mightier(Rows(session, tenant_id), who, [wanted], "A user", scopes)
        except Forbidden as refused:
            return refused.details.get("role") != wanted
    return True


@pytest.fixture
async def payer(site: Site) -> Site:
    """A site with a role that permits only calling tools."""
    async with site.rows() as (session, tenant_id):
        await Roles(session, tenant_id).create("payer", "", ["tools:execute"])
    return site


async def test_both_the_permissions_and_the_role_are_needed(payer: Site) -> None:
    assert await allowed(payer, caller(["payer"], "tools:execute"), "payer")
    assert not await allowed(payer, caller(["user"], "tools:list", "tools:execute"), "payer")
    assert not await allowed(payer, caller(["payer"]), "payer")


async def test_to_administrators_the_rules_allow_everything(payer: Site) -> None:
    assert await allowed(payer, caller(["admin"], "tools:execute"), "payer")
    assert not await allowed(payer, caller(["admin"], "tools:list"), "payer")
    assert await allowed(payer, caller(["owner"], "system_admin"), "system_admin")
    assert not await allowed(payer, caller(["admin"], "users:manage"), "system_admin")


async def test_scopes_are_all_that_counts_of_permissions(payer: Site) -> None:
    limited = caller(["admin"], "tools:list")
    assert await allowed(payer, limited, "admin", frozenset({"tools:list"}))
    assert not await allowed(payer, limited, "admin", frozenset({"tools:list", "audit:read"}))


async def test_what_does_not_exist_brings_nothing(payer: Site) -> None:
    assert await allowed(payer, caller([]), "nobody")


def test_permissions_are_compared_one_by_one() -> None:
    refuse_beyond(caller([], "tools:list"), ["tools:list"], "The role")
    refuse_beyond(caller([], "system_admin"), ["whatever"], "The role")
    with pytest.raises(Forbidden, match=r"The role could do what you may not: a:b, c:d\.") as no:
        refuse_beyond(caller([], "tools:list"), ["c:d", "tools:list", "a:b"], "The role")
    assert no.value.details == {"permissions": ["a:b", "c:d"]}
