"""Policies are created, listed and deleted."""

import pytest
from sqlalchemy import text

from bascule.gateway.errors import Conflict, NotFound
from bascule.gateway.rule import Action, Effect, RbacRule
from bascule.gateway.tool import RiskLevel
from bascule.storage.database import Database
from bascule.storage.repositories.policies import Policies
from bascule.storage.repositories.scope import TenantId
from bascule.storage.tenancy import across_tenants

_RULE = RbacRule(
    name="users-read",
    effect=Effect.ALLOW,
    roles=frozenset({"user", "viewer"}),
    actions=frozenset({Action.DISCOVER}),
    bundles=frozenset({"service-booking"}),
    tools=frozenset({"get_*"}),
    risks=frozenset({RiskLevel.READ}),
    priority=10,
)


async def test_a_policy_comes_back_as_the_rule_it_was(database: Database, tenant: TenantId) -> None:
    async with database.change(author="t") as session:
        made = await Policies(session, tenant).create(_RULE, "Users look.")
    async with database.read() as session:
        assert await Policies(session, tenant).list() == (made,)
    assert (made.rule, made.description, made.is_active) == (_RULE, "Users look.", True)


async def test_the_highest_priority_is_listed_first(database: Database, tenant: TenantId) -> None:
    async with database.change(author="t") as session:
        for name, priority in (("b", 0), ("low", -5), ("a", 0), ("high", 7)):
            rule = RbacRule(name, Effect.DENY, frozenset({"user"}), priority=priority)
            await Policies(session, tenant).create(rule)
        listed = await Policies(session, tenant).list()
    assert [policy.rule.name for policy in listed] == ["high", "a", "b", "low"]


async def test_a_name_is_taken_until_its_policy_is_deleted(
    database: Database, tenant: TenantId
) -> None:
    async with database.change(author="t") as session:
        policies = Policies(session, tenant)
        await policies.create(_RULE)
        with pytest.raises(Conflict, match="users-read exists"):
            await policies.create(_RULE)
        await policies.delete("users-read")
        with pytest.raises(NotFound, match="no policy named users-read"):
            await policies.delete("users-read")
        await policies.create(_RULE)


async def test_a_policy_that_cannot_be_read_can_still_be_deleted(
    database: Database, tenant: TenantId
) -> None:
    async with database.change(author="t") as session:
        await Policies(session, tenant).create(_RULE)
        async with across_tenants(session, "by hand"):
            await session.execute(text("UPDATE policies SET rules = '{}'"))
    async with database.change(author="t") as session:
        await Policies(session, tenant).delete("users-read")
        assert await Policies(session, tenant).list() == ()
