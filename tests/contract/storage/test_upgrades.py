"""What a database holds outlives an upgrade, and a way back as far as it fits."""

import gzip
import json
from typing import Any
from uuid import uuid4

from sqlalchemy import text

from bascule.gateway.rule import Action, Effect, Rule
from bascule.storage.compiler import compile_snapshot
from bascule.storage.database import Database
from bascule.storage.schema import downgrade, migrate

_MOMENT = "2026-01-01 00:00:00+00:00"


async def _run(database: Database, statement: str, **values: Any) -> list[Any]:
    async with database.migration() as connection:
        result = await connection.execute(text(statement), values)
        return [tuple(row) for row in result] if result.returns_rows else []


async def _fill(database: Database) -> dict[str, str]:
    """A tenant with a live tool, out of a document."""
    ids = {name: uuid4().hex for name in ("tenant", "bundle", "upstream", "spec", "tool")}
    owned = {"tenant_id": ids["tenant"]}
    now = {"created_at": _MOMENT, "updated_at": _MOMENT}
    inserted = (
        ("tenants", {"id": ids["tenant"], "name": "t", "description": "", "is_active": True,
                     **now}),
        ("tool_bundles", {"id": ids["bundle"], **owned, "name": "b", "description": "",
                          "version": "1", "owner": "", "status": "active", **now}),
        ("upstreams", {"id": ids["upstream"], **owned, "name": "b.api", "kind": "rest",
                       "url": "http://a", "command": "[]", "headers": "[]",
                       "connect_timeout_seconds": 0, "timeout_seconds": 0, **now}),
        ("openapi_specs", {"id": ids["spec"], **owned, "name": "API", "version": "1",
                           "content": '{"ü": 1}', "content_hash": "h", "uploaded_by": "asha",
                           "uploaded_at": _MOMENT, "bundle_id": ids["bundle"]}),
        ("tools", {"id": ids["tool"], **owned, "name": "look", "description": "",
                   "version": "1.0.0", "bundle_id": ids["bundle"], "upstream_id": ids["upstream"],
                   "spec_id": ids["spec"], "source": "{}", "input_schema": "{}",
                   "risk_level": "read", "status": "active", "tags": "[]", "examples": "[]",
                   "idempotent": False, "created_by": "asha", **now}),
    )  # fmt: skip
    for table, values in inserted:
        await _write(database, table, values)
    return ids


async def _write(database: Database, table: str, values: dict[str, Any]) -> None:
    """Values as SQL texts, which both engines cast alike."""
    shown = ", ".join(
        str(value).upper() if isinstance(value, bool)
        else str(value) if isinstance(value, int)
        else f"'{value}'"
        for value in values.values()
    )  # fmt: skip
    columns, escaped = ", ".join(values), shown.replace(":", "\\:")
    await _run(database, f"INSERT INTO {table} ({columns}) VALUES ({escaped})")  # noqa: S608 - ours


async def test_documents_outlive_the_way_up_and_the_way_down(empty_database: Database) -> None:
    database = empty_database
    await migrate(database, "0001")
    await _fill(database)
    await migrate(database, "0002")
    ((document, status, upstream, url),) = await _run(
        database, "SELECT document, status, upstream, base_url FROM openapi_specs"
    )
    assert gzip.decompress(document).decode() == '{"ü": 1}'
    assert (status, upstream, url) == ("published", "b.api", "http://a")
    held = "SELECT COUNT(*) FROM tools JOIN openapi_specs ON tools.spec_id = openapi_specs.id"
    assert await _run(database, held) == [(1,)]
    await downgrade(database, "0001")
    assert await _run(database, "SELECT name, content FROM openapi_specs") == [("API", '{"ü": 1}')]
    assert await _run(database, held) == [(1,)]
    await migrate(database, "0002")
    assert await _run(database, held) == [(1,)]


_OLD_RULE = {
    "effect": "allow", "roles": ["user"], "actions": ["invoke"], "bundles": [], "tools": ["t"],
    "prompts": [], "resources": [], "risks": [],
}  # fmt: skip


async def _add_policy(database: Database, tenant: str, name: str, **values: Any) -> None:
    rules = json.dumps(values.pop("rules"))
    row = {"id": uuid4().hex, "tenant_id": tenant, "name": name, "description": "", "type": "rbac",
           "rules": rules, "priority": 0, "is_active": True, "created_at": _MOMENT,
           "updated_at": _MOMENT}  # fmt: skip
    await _write(database, "policies", {**row, **values})


async def test_policies_outlive_the_way_up_as_they_are(empty_database: Database) -> None:
    database = empty_database
    await migrate(database, "0006")
    tenant = (await _fill_people(database))["tenant"]
    await _add_policy(database, tenant, "old", rules=_OLD_RULE, priority=7)
    await migrate(database)
    async with database.read() as session:
        view = (await compile_snapshot(session)).tenant("t")
    tools, actions = frozenset({"t"}), frozenset({Action.INVOKE})
    rule = Rule("old", Effect.ALLOW, frozenset({"user"}), actions, tools=tools, priority=7)
    assert view.rules == (rule,)
    assert view.policy_version == 0
    assert view.roles == {
        "admin": frozenset({"elevations:approve", "users:manage"}),
        "clerk": frozenset({"tools:list"}),
    }
    await downgrade(database, "0006")
    async with database.migration() as connection:
        permissions = await connection.execute(text("SELECT permissions FROM roles ORDER BY name"))
        assert [_decoded(one) for (one,) in permissions] == [["users:manage"], ["tools:list"]]


async def _fill_people(database: Database) -> dict[str, str]:
    tenant = uuid4().hex
    now = {"created_at": _MOMENT, "updated_at": _MOMENT}
    await _write(
        database,
        "tenants",
        {"id": tenant, "name": "t", "description": "", "is_active": True, "hosts": "[]", **now},
    )
    roles = {"admin": '["users:manage"]', "clerk": '["tools:list"]'}
    for name, permissions in roles.items():
        row = {"id": uuid4().hex, "tenant_id": tenant, "name": name, "description": "",
               "permissions": permissions, "is_builtin": name == "admin",
               "created_at": _MOMENT}  # fmt: skip
        await _write(database, "roles", row)
    return {"tenant": tenant}


def _decoded(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value


async def test_on_the_way_down_no_policy_allows_more_than_it_did(empty_database: Database) -> None:
    database = empty_database
    await migrate(database)
    tenant = (await _fill_people(database))["tenant"]
    lists = {"tools": ["t"], "prompts": [], "resources": []}
    bare = {"effect": "deny", "roles": [], "actions": ["invoke"], "bundles": ["b"], "risks": []}
    window = {"windows": [{"start_minute": 5}]}
    everybody = {**bare, **lists, "roles": ["admin", "clerk"]}
    added: dict[str, dict[str, Any]] = {
        "plain": {"rules": {**_OLD_RULE, "users": [], "public": ""}},
        "only ann": {"rules": {**_OLD_RULE, "users": ["ann"]}},
        "by day": {"type": "condition", "rules": {**_OLD_RULE, **window}},
        "deny list": {"type": "deny_list", "rules": {**bare, **lists, "users": ["ann"]}},
        "allow list": {"type": "allow_list", "rules": {**bare, **lists, "effect": "allow"}},
        "approval": {"type": "condition", "rules": {**bare, **lists, "effect": "elevate"}},
        "for clerks": {"type": "condition", "rules": {**bare, **lists, "roles": ["clerk"]}},
        "rego": {"type": "rego", "rules": {**bare, **lists, "rego": {"digest": "d"}}},
        "rate": {"type": "rate_limit", "rules": {**bare, **lists, "rate": {"calls": 1}}},
    }
    for name, values in added.items():
        await _add_policy(database, tenant, name, **values)
    await downgrade(database, "0006")
    found = await _run(database, "SELECT name, type, rules FROM policies ORDER BY name")
    assert {kind for _, kind, _ in found} == {"rbac"}
    assert {name: _decoded(rules) for name, _, rules in found} == {
        "plain": _OLD_RULE,
        "deny list": everybody,
        "allow list": {**everybody, "tools": []},
        "approval": everybody,
        "for clerks": {**everybody, "roles": ["clerk"]},
        "rego": everybody,
    }
