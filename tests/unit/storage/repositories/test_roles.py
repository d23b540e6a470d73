"""Roles hold permissions."""

import pytest

from bascule.gateway.errors import Conflict, InvalidValue, NotFound
from bascule.gateway.issuer import CertificateRule, Issuer
from bascule.gateway.rule import Effect, Rule
from bascule.storage.database import Database
from bascule.storage.repositories.certificate_rules import CertificateRules
from bascule.storage.repositories.groups import Groups
from bascule.storage.repositories.issuers import Issuers
from bascule.storage.repositories.keys import KeyDraft, Keys
from bascule.storage.repositories.policies import Policies
from bascule.storage.repositories.roles import Roles
from bascule.storage.repositories.scope import TenantId
from bascule.storage.repositories.users import UserDraft, Users


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


async def test_a_role_changes_in_what_is_said_and_no_more(
    database: Database, tenant: TenantId
) -> None:
    async with database.change(author="t") as session:
        roles = Roles(session, tenant)
        made = await roles.create("auditor", "Reads.", ["audit:read"])
        assert not made.is_builtin
        after = await roles.update("auditor", description=None, permissions=["tools:list"])
        assert (after.description, after.permissions) == ("Reads.", {"tools:list"})
        after = await roles.update("auditor", description="", permissions=None)
        assert (after.description, after.permissions) == ("", {"tools:list"})
        with pytest.raises(NotFound, match=r"named auditr\. Did you mean auditor"):
            await roles.update("auditr", description="", permissions=None)


async def test_what_is_built_in_stays(database: Database, tenant: TenantId) -> None:
    async with database.change(author="t") as session:
        roles = Roles(session, tenant)
        with pytest.raises(Conflict, match="admin is a built-in role"):
            await roles.update("admin", description="Mine.", permissions=None)
        with pytest.raises(Conflict, match="user is a built-in role"):
            await roles.delete("user")


async def test_only_roles_that_exist_pass(database: Database, tenant: TenantId) -> None:
    async with database.read() as session:
        roles = Roles(session, tenant)
        await roles.check(["user", "admin"])
        await roles.check([])
        with pytest.raises(InvalidValue, match=r"Unknown roles: boss, usr\.") as refused:
            await roles.check(["usr", "user", "boss"])
    assert "user" in refused.value.details["known"]  # type: ignore[operator]


async def test_a_role_goes_when_nothing_names_it(database: Database, tenant: TenantId) -> None:
    mine = frozenset({"auditor"})
    async with database.change(author="t") as session:
        roles = Roles(session, tenant)
        made = await roles.create("auditor", "", [])
        await Users(session, tenant).create(UserDraft("asha", roles=mine))
        key = await Keys(session, tenant).create(KeyDraft("ci", b"k" * 32, "bsc_x", mine))
        await Groups(session, tenant).put("staff", mine)
        await Policies(session, tenant).create(Rule("lets", Effect.ALLOW, mine))
        rule = CertificateRule("agents", "default", "DNS:a.example.org", ("auditor",))
        await CertificateRules(session, tenant).put(rule)
        issuers = Issuers(session, tenant)
        url = "https://id.example/"
        await issuers.create(Issuer("mapped", f"{url}1", "default", role_map={"a": ("auditor",)}))
        await issuers.create(Issuer("simple", f"{url}2", "default", default_roles=("auditor",)))
        await issuers.create(Issuer("other", f"{url}3", "default", role_map={"auditor": ("user",)}))
        users = ["user asha", "key ci", "group staff", "certificate rule agents", "policy lets"]
        users += ["issuer mapped", "issuer simple"]
        assert list(await roles.uses("auditor")) == users
        with pytest.raises(Conflict, match="in use by user asha, key ci, group staff") as refused:
            await roles.delete("auditor")
        assert list(refused.value.details["used_by"]) == users  # type: ignore[call-overload]
        await Users(session, tenant).delete("asha")
        await Keys(session, tenant).revoke(key.id)
        await Groups(session, tenant).delete("staff")
        await Policies(session, tenant).delete("lets")
        await CertificateRules(session, tenant).delete("agents")
        await issuers.delete("mapped")
        await issuers.delete("simple")
        assert await roles.uses("auditor") == ()
        assert await roles.delete("auditor") == made
        with pytest.raises(NotFound):
            await roles.get("auditor")


async def test_of_many_that_name_a_role_some_are_told(database: Database, tenant: TenantId) -> None:
    async with database.change(author="t") as session:
        await Roles(session, tenant).create("auditor", "", [])
        for number in range(7):
            draft = UserDraft(f"u{number}", roles=frozenset({"auditor"}))
            await Users(session, tenant).create(draft)
        with pytest.raises(Conflict, match="user u4 and 2 more"):
            await Roles(session, tenant).delete("auditor")
