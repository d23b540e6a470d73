"""Policies are created, listed and deleted."""

from dataclasses import replace

import pytest
from sqlalchemy import text

from bascule.gateway.errors import Conflict, NotFound
from bascule.gateway.rule import Action, Effect, Rule, RuleKind
from bascule.gateway.tool import RiskLevel
from bascule.storage.database import Database
from bascule.storage.documents import PolicyState, policy_document
from bascule.storage.errors import StorageError
from bascule.storage.repositories.policies import Policies
from bascule.storage.repositories.scope import TenantId
from bascule.storage.tenancy import across_tenants

_RULE = Rule(
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
            rule = Rule(name, Effect.DENY, frozenset({"user"}), priority=priority)
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


_LIST = Rule("listed", Effect.DENY, frozenset(), kind=RuleKind.DENY_LIST, tools=frozenset({"x"}))


async def test_a_policy_keeps_its_kind_and_whether_it_is_active(
    database: Database, tenant: TenantId
) -> None:
    async with database.change(author="t") as session:
        policies = Policies(session, tenant)
        await policies.put(_RULE)
        await policies.put(_LIST, "No.", is_active=False)
    async with database.read() as session:
        policies = Policies(session, tenant)
        stored = await policies.get("listed")
        assert stored.state == PolicyState(_LIST, "No.", is_active=False)
        assert await policies.list(RuleKind.DENY_LIST) == (stored,)
        assert await policies.list(is_active=False) == (stored,)
        assert [one.rule for one in await policies.list(is_active=True)] == [_RULE]
        assert await policies.list(RuleKind.REGO) == ()


async def test_a_policy_is_replaced_by_one_of_another_kind(
    database: Database, tenant: TenantId
) -> None:
    async with database.change(author="t") as session:
        policies = Policies(session, tenant)
        before = await policies.put(_RULE)
        after = await policies.put(replace(_LIST, name=_RULE.name))
    assert (after.id, after.rule.kind) == (before.id, RuleKind.DENY_LIST)
    assert after.updated_at > before.updated_at


async def test_documents_are_there_of_policies_that_cannot_be_read(
    database: Database, tenant: TenantId
) -> None:
    async with database.change(author="t") as session:
        await Policies(session, tenant).put(_LIST)
        async with across_tenants(session, "by hand"):
            await session.execute(text("UPDATE policies SET type = 'from the future'"))
    async with database.read() as session:
        policies = Policies(session, tenant)
        found = await policies.find_document("listed")
        assert found is not None
        assert found == policy_document(PolicyState(_LIST)) | {"type": "from the future"}
        assert await policies.documents() == {"listed": found}
        assert await policies.find_document("other") is None
        with pytest.raises(StorageError, match="Policy listed cannot be read"):
            await policies.get("listed")


async def test_a_policy_that_is_not_there_is_named_with_the_one_that_was_meant(
    database: Database, tenant: TenantId
) -> None:
    async with database.change(author="t") as session:
        policies = Policies(session, tenant)
        await policies.put(_LIST)
        with pytest.raises(NotFound, match=r"no policy named listd\. Did you mean listed\?"):
            await policies.get("listd")


async def test_many_policies_are_changed_at_once(database: Database, tenant: TenantId) -> None:
    async with database.change(author="t") as session:
        policies = Policies(session, tenant)
        assert await policies.apply({"listed": PolicyState(_LIST)}) == {}
        said = policy_document(PolicyState(_LIST))
        states = {"listed": None, "gone": None, _RULE.name: PolicyState(_RULE, "Users look.")}
        assert await policies.apply(states) == {"listed": said}
        (left,) = await policies.list()
        assert left.state == PolicyState(_RULE, "Users look.")
        assert await policies.apply({"gone": None}) == {}
