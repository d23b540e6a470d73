"""Issuers are kept by tenant; their names and addresses are the whole installation's."""

from dataclasses import replace

import pytest

from bascule.gateway.errors import Conflict, NotFound
from bascule.gateway.issuer import Issuer
from bascule.storage.compiler import compile_snapshot
from bascule.storage.database import Database
from bascule.storage.repositories.issuers import (
    Issuers,
    all_issuers,
    find_issuer,
    roles_of,
)
from bascule.storage.repositories.roles import Roles
from bascule.storage.repositories.scope import TenantId
from bascule.storage.repositories.tenants import TenantChanges, Tenants

FULL = Issuer(
    name="id",
    issuer="https://id.example",
    tenant="default",
    audiences=("api://x",),
    audience_claims=("aud", "client_id"),
    jwks_url="https://id.example/keys",
    algorithms=("PS256",),
    shared_secret="${secret:x}",
    subject_claim="oid",
    name_claims=("upn",),
    agent_claims=("appid",),
    roles_claims=("realm_access.roles",),
    groups_claims=("groups",),
    scope_claims=("scp",),
    required_claims={"tid": ("a", "b"), "oid": ()},
    role_map={"staff": ("user",)},
    default_roles=("viewer",),
    scopes={"read": ("tools:list",)},
    tenant_claim="org",
    tenants={"o": "default"},
    client_id="console",
    client_secret="${secret:y}",
    sign_in_scopes=("openid",),
)
PLAIN = Issuer("plain", "https://plain.example", "default")


async def test_an_issuer_comes_back_as_it_was(database: Database, tenant: TenantId) -> None:
    async with database.change(author="t") as session:
        made = await Issuers(session, tenant).create(FULL)
        await Issuers(session, tenant).create(PLAIN, is_active=False)
    async with database.read() as session:
        known = await all_issuers(session)
        assert await find_issuer(session, "id") == made
        snapshot = await compile_snapshot(session)
    assert [(one.issuer, one.is_active) for one in known] == [(FULL, True), (PLAIN, False)]
    assert (made.tenant_id, made.updated_by) == (tenant, "t")
    assert snapshot.issuers == {FULL.issuer: FULL}, "an inactive one is not in force"


async def test_an_issuer_is_replaced_as_a_whole(database: Database, tenant: TenantId) -> None:
    changed = replace(PLAIN, issuer="https://new.example", audiences=("x",))
    async with database.change(author="t") as session:
        await Issuers(session, tenant).create(PLAIN)
    async with database.change(author="u") as session:
        stored = await Issuers(session, tenant).replace(changed, is_active=False)
        assert await find_issuer(session, "plain") == stored
    assert (stored.issuer, stored.is_active, stored.updated_by) == (changed, False, "u")


async def test_an_issuer_that_is_deleted_is_gone(database: Database, tenant: TenantId) -> None:
    async with database.change(author="t") as session:
        await Issuers(session, tenant).create(PLAIN)
        await Issuers(session, tenant).delete("plain")
        assert await all_issuers(session) == ()


async def test_what_is_not_there_is_said_to_be_so(database: Database, tenant: TenantId) -> None:
    async with database.change(author="t") as session:
        await Issuers(session, tenant).create(PLAIN)
        for attempt in (
            Issuers(session, tenant).delete("plane"),
            Issuers(session, tenant).replace(replace(PLAIN, name="plane")),
        ):
            with pytest.raises(NotFound):
                await attempt
        with pytest.raises(NotFound, match="Did you mean plain"):
            await find_issuer(session, "plane")


async def test_names_and_issuers_are_taken_for_all_tenants(
    database: Database, tenant: TenantId
) -> None:
    async with database.change(author="t") as session:
        await Issuers(session, tenant).create(PLAIN)
        other = await Tenants(session).create("other")
    for twin, field in (
        (replace(PLAIN, issuer="https://x.example"), "name"),
        (replace(PLAIN, name="x"), "issuer"),
    ):
        async with database.change(author="t") as session:
            for owner in (other.id,):
                with pytest.raises(Conflict) as refused:
                    await Issuers(session, owner).create(replace(twin, tenant="other"))
                assert refused.value.details["field"] == field
    async with database.change(author="t") as session:
        await Issuers(session, tenant).create(FULL)
        with pytest.raises(Conflict):
            await Issuers(session, tenant).replace(replace(FULL, issuer=PLAIN.issuer))


async def test_issuers_of_all_tenants_are_found_by_name(
    database: Database, tenant: TenantId
) -> None:
    theirs = replace(PLAIN, tenant="other")
    async with database.change(author="t") as session:
        other = await Tenants(session).create("other")
        await Issuers(session, other.id).create(theirs)
    async with database.read() as session:
        found = await find_issuer(session, "plain")
    assert (found.tenant_id, found.issuer) == (other.id, theirs)


async def test_an_issuer_of_an_inactive_tenant_is_not_in_force(
    database: Database, tenant: TenantId
) -> None:
    async with database.change(author="t") as session:
        other = await Tenants(session).create("other")
        await Issuers(session, other.id).create(replace(PLAIN, tenant="other"))
    async with database.change(author="t") as session:
        await Tenants(session).update("other", TenantChanges(is_active=False))
    async with database.read() as session:
        assert (await compile_snapshot(session)).issuers == {}


async def test_roles_are_found_by_tenant(database: Database, tenant: TenantId) -> None:
    async with database.change(author="t") as session:
        other = await Tenants(session).create("other")
        await Roles(session, other.id).create("theirs", "", ["tools:list"])
    async with database.read() as session:
        found = await roles_of(session, ["default", "other", "absent"])
    assert found["other"] == {"theirs"}
    assert "user" in found["default"]
    assert found.keys() == {"default", "other"}
