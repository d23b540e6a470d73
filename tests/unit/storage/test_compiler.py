"""The snapshot holds what may be reached, and nothing else."""

import hashlib
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from bascule.gateway.rule import Effect, Rule, RuleKind
from bascule.gateway.snapshot import Snapshot, TenantView
from bascule.gateway.tool import ToolStatus
from bascule.storage.compiler import compile_snapshot
from bascule.storage.database import Database
from bascule.storage.documents import PolicyState, policy_document
from bascule.storage.errors import StorageError
from bascule.storage.repositories.bundles import Bundles, BundleStatus
from bascule.storage.repositories.keys import KeyDraft, Keys
from bascule.storage.repositories.policies import Policies
from bascule.storage.repositories.policy_changes import Alteration, PolicyChanges
from bascule.storage.repositories.roles import Roles
from bascule.storage.repositories.scope import TenantId
from bascule.storage.repositories.tenants import Tenants
from bascule.storage.seed import BUILTIN_ROLES, seed_roles
from bascule.storage.tenancy import across_tenants
from contract.storage.samples import BOOKING, WEATHER, a_tool, add_tools


async def _compile(database: Database) -> Snapshot:
    async with database.read() as session:
        return await compile_snapshot(session)


async def _view(database: Database) -> TenantView:
    return (await _compile(database)).tenants["default"]


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


async def test_an_empty_database_gives_an_empty_snapshot(database: Database) -> None:
    assert await _compile(database) == Snapshot()


async def test_a_snapshot_has_the_number_of_the_last_change(
    database: Database, tenant: TenantId
) -> None:
    before = await _compile(database)
    async with database.change(author="t") as session:
        await Roles(session, tenant).create("auditor", "", [])
    after = await _compile(database)
    assert (before.version, after.version) == (1, 2)


async def test_tools_are_listed_by_name_with_everything_they_need(
    database: Database, tenant: TenantId
) -> None:
    names = ["zeta", "Alpha", "beta_2", "beta-1", "alpha"]
    async with database.change(author="t") as session:
        await add_tools(session, tenant, [a_tool(name) for name in names])
    view = await _view(database)
    assert list(view.tools) == sorted(names)
    assert all(tool.name == name and tool.definition for name, tool in view.tools.items())
    assert view.upstreams == {"booking-api": BOOKING, "weather": WEATHER}
    assert list(view.bundles) == ["service-booking"]
    assert view.disabled == frozenset()


async def test_only_published_tools_are_reached_and_withdrawn_ones_are_known(
    database: Database, tenant: TenantId
) -> None:
    tools = [a_tool(status.value, status=status) for status in ToolStatus]
    async with database.change(author="t") as session:
        await add_tools(session, tenant, tools)
    view = await _view(database)
    assert list(view.tools) == ["active", "deprecated"]
    assert view.disabled == {"inactive", "quarantined"}


@pytest.mark.parametrize(
    ("versions", "served"),
    [
        ({"1.9.0": "active", "1.10.0": "active", "2.0.0": "draft"}, "1.10.0"),
        ({"1.0.0": "active", "2.0.0": "deprecated"}, "1.0.0"),
        ({"1.0.0": "deprecated", "2.0.0": "deprecated", "3.0.0": "inactive"}, "2.0.0"),
        ({"1.0.0-rc.1": "active", "1.0.0": "active"}, "1.0.0"),
    ],
)
async def test_one_version_of_a_name_is_served(
    database: Database, tenant: TenantId, versions: dict[str, str], served: str
) -> None:
    async with database.change(author="t") as session:
        tools = [a_tool("t", version=v, status=ToolStatus(s)) for v, s in versions.items()]
        await add_tools(session, tenant, tools)
    view = await _view(database)
    assert {name: tool.version for name, tool in view.tools.items()} == {"t": served}
    assert view.disabled == frozenset()


async def test_an_inactive_bundle_takes_its_tools_along(
    database: Database, tenant: TenantId
) -> None:
    async with database.change(author="t") as session:
        await add_tools(session, tenant, [a_tool("a"), a_tool("b", bundle="other")])
        await Bundles(session, tenant).set_status("other", BundleStatus.INACTIVE)
    view = await _view(database)
    assert list(view.tools) == ["a"]
    assert list(view.bundles) == ["service-booking"]
    assert view.disabled == {"b"}


async def test_active_rules_come_by_priority_and_then_by_name(
    database: Database, tenant: TenantId
) -> None:
    rules = [
        Rule(name, Effect.ALLOW, frozenset({"user"}), priority=priority)
        for name, priority in (("b", 5), ("a", 5), ("top", 9), ("off", 7))
    ]
    async with database.change(author="t") as session:
        for rule in rules:
            await Policies(session, tenant).create(rule)
        off = text("UPDATE policies SET is_active = :no WHERE name = 'off'")
        async with across_tenants(session, "by hand"):
            await session.execute(off, {"no": False})
    view = await _view(database)
    assert [rule.name for rule in view.rules] == ["top", "a", "b"]
    assert set(view.rules) == set(rules[:3])


async def test_a_key_carries_its_roles_and_the_union_of_their_permissions(
    database: Database, tenant: TenantId
) -> None:
    expires_at = datetime.now(UTC) + timedelta(days=1)
    draft = KeyDraft("ci", _digest("s"), "bsc_s", frozenset({"user", "viewer"}), expires_at)
    async with database.change(author="t") as session:
        key = await Keys(session, tenant).create(draft)
    record = (await _compile(database)).keys[_digest("s")]
    principal = record.principal
    assert (principal.tenant, principal.subject) == ("default", "ci")
    assert principal.key_id == record.key_id == str(key.id)
    assert principal.roles == {"user", "viewer"}
    assert principal.permissions == BUILTIN_ROLES["user"][1] | BUILTIN_ROLES["viewer"][1]
    assert record.expires_at == pytest.approx(expires_at.timestamp())


async def test_a_revoked_key_is_gone_and_a_deleted_role_grants_nothing(
    database: Database, tenant: TenantId
) -> None:
    async with database.change(author="t") as session:
        keys = Keys(session, tenant)
        gone = await keys.create(KeyDraft("a", _digest("a"), "bsc_a", frozenset({"user"})))
        await keys.create(KeyDraft("b", _digest("b"), "bsc_b", frozenset({"user"})))
        await keys.revoke(gone.id)
        async with across_tenants(session, "by hand"):
            await session.execute(text("DELETE FROM roles WHERE name = 'user'"))
    (record,) = (await _compile(database)).keys.values()
    assert record.principal.subject == "b"
    assert record.principal.permissions == frozenset()


async def test_tenants_share_nothing(database: Database, tenant: TenantId) -> None:
    async with database.change(author="t") as session:
        other = (await Tenants(session).create("other")).id
        await seed_roles(session, other)
    for mine, secret in ((tenant, "x"), (other, "y")):
        async with database.change(author="t") as session:
            await add_tools(session, mine, [a_tool("same", owner=secret)])
            await Keys(session, mine).create(
                KeyDraft("same", _digest(secret), "bsc_", frozenset({"admin"}))
            )
            await Policies(session, mine).create(Rule("same", Effect.ALLOW, frozenset({secret})))
    async with database.change(author="t") as session:
        await add_tools(session, other, [a_tool("theirs")])
    snapshot = await _compile(database)
    assert list(snapshot.tenants) == ["default", "other"]
    for name, secret in (("default", "x"), ("other", "y")):
        view = snapshot.tenants[name]
        assert view.tenant == name
        assert view.tools["same"].owner == secret
        assert [rule.roles for rule in view.rules] == [frozenset({secret})]
        assert snapshot.keys[_digest(secret)].principal.tenant == name
    assert "theirs" not in snapshot.tenants["default"].tools


async def test_an_inactive_tenant_has_no_view_and_no_keys(
    database: Database, tenant: TenantId
) -> None:
    async with database.change(author="t") as session:
        await Keys(session, tenant).create(
            KeyDraft("a", _digest("a"), "bsc_a", frozenset({"user"}))
        )
        await session.execute(text("UPDATE tenants SET is_active = :no"), {"no": False})
    assert await _compile(database) == Snapshot(version=2)


async def test_a_tool_that_cannot_be_read_is_disabled_and_the_others_live(
    database: Database, tenant: TenantId
) -> None:
    async with database.change(author="t") as session:
        await add_tools(
            session, tenant, [a_tool("fine"), a_tool("odd"), a_tool("odd", version="0")]
        )
        async with across_tenants(session, "by hand"):
            await session.execute(
                text("UPDATE tools SET source = '{}' WHERE name = 'odd' AND version = '1.0.0'")
            )
    view = await _view(database)
    assert list(view.tools) == ["fine"], "an older version must not stand in for a broken one"
    assert view.disabled == {"odd"}


async def test_a_policy_that_cannot_be_read_stops_the_compilation(
    database: Database, tenant: TenantId
) -> None:
    rule = Rule("deny-all", Effect.DENY, frozenset({"user"}))
    async with database.change(author="t") as session:
        await Policies(session, tenant).create(rule)
        async with across_tenants(session, "by hand"):
            await session.execute(text('UPDATE policies SET rules = \'{"effect": "dyne"}\''))
    with pytest.raises(StorageError, match="Policy deny-all cannot be read"):
        await _compile(database)


async def test_more_tools_than_one_batch_are_all_there(
    database: Database, tenant: TenantId
) -> None:
    names = [f"tool_{number:03}" for number in range(250)]
    async with database.change(author="t") as session:
        await add_tools(session, tenant, [a_tool(name) for name in names])
    assert list((await _view(database)).tools) == names


async def test_policies_of_every_kind_are_in_the_snapshot_with_their_version(
    database: Database, tenant: TenantId
) -> None:
    rules = [
        Rule(kind.value, Effect.DENY, frozenset(), kind=kind, tools=frozenset({"x"}))
        for kind in RuleKind
    ]
    made = [Alteration("rbac", None, policy_document(PolicyState(rules[0])))]
    async with database.change(author="t") as session:
        for rule in rules:
            await Policies(session, tenant).create(rule)
        await PolicyChanges(session, tenant).append(made)
    async with database.read() as session:
        view = (await compile_snapshot(session)).tenant("default")
    assert set(view.rules) == set(rules)
    assert view.policy_version == 1


async def test_a_policy_of_a_kind_from_the_future_stops_the_compilation(
    database: Database, tenant: TenantId
) -> None:
    async with database.change(author="t") as session:
        await Policies(session, tenant).create(Rule("new", Effect.DENY, frozenset({"user"})))
        async with across_tenants(session, "by hand"):
            await session.execute(text("UPDATE policies SET type = 'quantum'"))
    async with database.read() as session:
        with pytest.raises(StorageError, match="Policy new cannot be read"):
            await compile_snapshot(session)
