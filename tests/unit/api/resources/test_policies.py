"""Policies of every type are made, shown, replaced and removed, and are in force at once."""

from typing import Any
from urllib.parse import quote

import pytest

from bascule.gateway.rule import RuleKind
from bascule.storage.repositories.policies import Policies
from bascule.storage.repositories.tenants import Tenants
from unit.api.policies import ALLOW_ANN, CANDID, OPEN_ALL, rego_of, with_engine
from unit.api.site import Site, contents, document, error_of

PATH = "/api/admin/policies"


def rule(name: str = "rule", **members: Any) -> dict[str, Any]:
    return {"name": name, "effect": "allow", "roles": ["user"], **members}


async def visible(site: Site, role: str = "user") -> list[str]:
    found = (await site.get("/api/mcp/tools", role)).json()
    return [tool["name"] for tool in found["tools"]]


async def publish(site: Site, *names: str, bundle: str = "shop") -> None:
    response = await site.upload(document(*names), auto_publish="true", bundle_id=bundle)
    assert response.is_success


async def test_a_rule_is_made_with_its_defaults_and_listed(site: Site) -> None:
    made = await site.post(PATH, json=rule())
    assert made.status_code == 201
    policy = made.json()
    assert policy | {"created_at": "", "updated_at": ""} == {
        "name": "rule",
        "type": "rbac",
        "effect": "allow",
        "roles": ["user"],
        "users": [],
        "groups": [],
        "agents": [],
        "actions": ["discover", "invoke"],
        "bundles": [],
        "tools": [],
        "prompts": [],
        "resources": [],
        "risks": [],
        "tags": [],
        "when": {"windows": [], "networks": [], "arguments": []},
        "rate": None,
        "rego": None,
        "priority": 0,
        "public": "",
        "description": "",
        "is_active": True,
        "created_at": "",
        "updated_at": "",
    }
    assert (await site.get(PATH)).json() == {"policies": [policy], "total": 1, "version": 1}
    assert (await site.get(f"{PATH}/rule")).json() == policy


async def test_the_highest_priority_is_listed_first(site: Site) -> None:
    for name, priority in (("low", -5), ("high", 9), ("middle", 0)):
        assert (await site.post(PATH, json=rule(name, priority=priority))).is_success
    found = (await site.get(PATH)).json()["policies"]
    assert [policy["name"] for policy in found] == ["high", "middle", "low"]


async def test_without_a_rule_nothing_is_visible_and_with_one_it_is_at_once(site: Site) -> None:
    await publish(site, "get_a", "get_b", "put_c")
    assert await visible(site) == []
    await site.post(PATH, json=rule(tools=["get_*"]))
    assert await visible(site) == ["get_a", "get_b"]


async def test_a_denial_wins_over_a_permission_of_any_priority(site: Site) -> None:
    await publish(site, "a", "b")
    await site.post(PATH, json=rule("all", priority=1000))
    await site.post(PATH, json=rule("not b", effect="deny", tools=["b"], priority=-1000))
    assert await visible(site) == ["a"]


async def test_a_rule_that_is_removed_is_out_of_force_at_once(site: Site) -> None:
    await publish(site, "a")
    await site.post(PATH, json=rule())
    assert await visible(site) == ["a"]
    removed = await site.delete(f"{PATH}/rule")
    assert (removed.status_code, removed.json()) == (200, {"removed": "rule"})
    assert await visible(site) == []
    again = await site.delete(f"{PATH}/rule")
    assert (again.status_code, error_of(again)["code"]) == (404, "E2011")


@pytest.mark.parametrize(
    "name", ["users may book", "a/b", "a?b#c", "100%", "予約", "*", "...", "a;b=c", "%2F"]
)
async def test_whatever_a_rule_is_called_it_can_be_removed(site: Site, name: str) -> None:
    assert (await site.post(PATH, json=rule(name))).is_success
    assert (await site.post(PATH, json=rule("another"))).is_success
    removed = await site.delete(f"{PATH}/{quote(name, safe='')}")
    assert removed.json() == {"removed": name}
    left = (await site.get(PATH)).json()["policies"]
    assert [policy["name"] for policy in left] == ["another"]


async def test_a_name_that_is_taken_is_a_conflict(site: Site) -> None:
    await site.post(PATH, json=rule())
    response = await site.post(PATH, json=rule(effect="deny"))
    assert (response.status_code, error_of(response)["code"]) == (409, "E2012")
    assert (await site.get(PATH)).json()["policies"][0]["effect"] == "allow"


async def test_a_role_that_does_not_exist_is_named_rather_than_never_matched(site: Site) -> None:
    response = await site.post(PATH, json=rule(effect="deny", roles=["usr", "user", "*"]))
    error = error_of(response)
    assert (response.status_code, error["code"]) == (400, "E2004")
    assert "Unknown roles: *, usr." in error["message"]
    assert "user" in error["details"]["known"]
    assert (await site.get(PATH)).json()["total"] == 0


async def test_a_rule_that_is_not_right_is_refused(site: Site, subtests: pytest.Subtests) -> None:
    for wrong in [
        {"name": ""},
        {"name": "a\nb"},
        {"effect": "maybe"},
        {"roles": []},
        {"roles": "user"},
        {"roles": ["x" * 129]},
        {"actions": []},
        {"actions": ["admin"]},
        {"risks": ["high"]},
        {"priority": 1001},
        {"tools": ["t"] * 201},
        {"rols": ["user"]},
    ]:
        with subtests.test(str(wrong)):
            before = contents(site)
            response = await site.post(PATH, json=rule() | wrong)
            assert (response.status_code, error_of(response)["code"]) == (400, "E2004")
            assert contents(site) == before


async def test_the_record_of_a_rule_says_what_it_allowed(site: Site) -> None:
    await site.post(PATH, json=rule(bundles=["shop"], risks=["read"]))
    metadata = site.recorder.last.metadata
    assert metadata["target"] == "rule"
    assert (metadata["roles"], metadata["bundles"], metadata["risks"]) == (
        ["user"],
        ["shop"],
        ["read"],
    )


WINDOW = {
    "days": ["mon", "fri"],
    "from": "08:00",
    "to": "18:00",
    "zone": "Asia/Kolkata",
    "not_before": "2026-01-01T00:00:00Z",
    "not_after": None,
}
TESTED = [
    {"path": "amount", "op": "above", "value": 100},
    {"path": "items.*.price", "op": "in", "value": [1, "a", None]},
    {"path": ["a.b", "c"], "op": "absent", "value": None},
]
EACH_TYPE: dict[str, dict[str, Any]] = {
    "rbac": {"effect": "elevate", "roles": ["user"], "risks": ["privileged"]},
    "allow_list": {"tools": ["get_*"], "prompts": ["greet"], "bundles": ["shop"]},
    "deny_list": {"users": ["mallory"], "public": "Ask the service desk."},
    "rate_limit": {"rate": {"calls": 5, "window_seconds": 1.5, "per": ["agent", "user"]}},
    "condition": {
        "effect": "deny",
        "groups": ["/staff"],
        "tags": ["money"],
        "when": {"windows": [WINDOW], "networks": ["10.0.0.0/8"], "arguments": TESTED},
    },
}


@pytest.mark.parametrize("kind", EACH_TYPE)
async def test_a_policy_of_each_type_is_shown_as_it_was_given(site: Site, kind: str) -> None:
    given = {"name": "one", "type": kind, **EACH_TYPE[kind]}
    made = await site.post(PATH, json=given)
    assert made.status_code == 201, made.text
    shown = made.json()
    assert {member: shown[member] for member in given} == given
    again = {member: one for member, one in shown.items() if not member.endswith("_at")}
    put = (await site.ask("PUT", f"{PATH}/one", json=again)).json()
    assert put | {"updated_at": ""} == shown | {"updated_at": ""}
    (rule,) = site.control.snapshot().tenant("default").rules
    assert rule.kind == kind


async def test_rego_is_shown_whole_by_itself_and_by_its_files_in_a_list(site: Site) -> None:
    async with with_engine(site) as able:
        made = await able.post(PATH, json={"name": "ours", **rego_of(ALLOW_ANN, {"a": [1]})})
        assert made.status_code == 201, made.text
        shown = (await able.get(f"{PATH}/ours")).json()["rego"]
        assert (shown["modules"], shown["data"]) == ({"authz.rego": ALLOW_ANN}, {"a": [1]})
        (listed,) = (await able.get(PATH, params={"type": "rego"})).json()["policies"]
    assert listed["rego"] == shown | {"modules": None, "data": None}
    assert listed["rego"]["files"] == ["authz.rego"]
    (rule,) = site.control.snapshot().tenant("default").rules
    assert rule.rego is not None
    assert rule.rego.reads == frozenset({("user",)})


async def test_rego_that_does_not_compile_is_refused_with_its_line(site: Site) -> None:
    async with with_engine(site) as able:
        before = contents(site)
        broken = {"name": "ours", **rego_of("package bascule.authz\nallow if {")}
        error = error_of(await able.post(PATH, json=broken))
        assert error["code"] == "E2004"
        assert error["message"].startswith("ours: rego: authz.rego:2:")
        assert contents(site) == before


async def test_rego_is_refused_where_no_engine_runs(site: Site) -> None:
    refused = await site.post(PATH, json={"name": "ours", **rego_of(ALLOW_ANN)})
    error = error_of(refused)
    assert (refused.status_code, error["code"]) == (400, "E2004")
    assert "policy.rego_engine" in error["message"]


async def test_the_tests_of_a_document_have_to_pass(site: Site) -> None:
    tests = {"authz_test.rego": CANDID}
    async with with_engine(site) as able:
        body = rego_of(ALLOW_ANN, more=tests)
        assert (await able.ask("PUT", f"{PATH}/ours", json={"name": "ours", **body})).is_success
        body = rego_of(OPEN_ALL, more=tests)
        refused = await able.ask("PUT", f"{PATH}/ours", json={"name": "ours", **body})
        error = error_of(refused)
        assert (refused.status_code, error["code"]) == (409, "E2012")
        assert "ours: authz_test.rego: test_strangers_are_refused" in error["message"]
        shown = (await able.get(f"{PATH}/ours")).json()
    assert shown["rego"]["modules"]["authz.rego"] == ALLOW_ANN


@pytest.mark.parametrize(
    ("given", "hint"),
    [
        ({"type": "rbac", "effect": "allow"}, "name the roles"),
        ({"type": "rbac", "roles": ["user"]}, "say its effect"),
        ({"type": "allow_list", "roles": ["user"]}, "tools, prompts or resources"),
        ({"type": "allow_list", "tools": ["a"], "effect": "deny"}, "its effect is allow"),
        ({"type": "deny_list"}, "name what or who is on the list"),
        ({"type": "deny_list", "tools": ["a"], "effect": "elevate"}, "its effect is deny"),
        ({"type": "condition", "effect": "deny", "roles": ["user"]}, "under which condition"),
        ({"type": "condition", "tags": ["a"]}, "say its effect"),
        ({"type": "rate_limit", "roles": ["user"]}, "how many calls"),
        ({"type": "rate_limit", "rate": {"calls": 1}, "effect": "deny"}, "leave it out"),
        ({"type": "rate_limit", "rate": {"calls": 0}}, "greater than or equal to 1"),
        ({"type": "rate_limit", "rate": {"calls": 1, "window_seconds": 0}}, "greater than 0"),
        ({"type": "rate_limit", "rate": {"calls": 1, "per": ["ip"]}}, "'user', 'agent' or 'tool'"),
        ({"type": "rego"}, "give its modules"),
        ({"type": "rego", "rego": {"modules": {}}}, "at least 1"),
        ({"type": "opa", "tools": ["a"]}, "'rate_limit', 'condition' or 'rego'"),
        ({"type": "deny_list", "tools": ["a"], "rate": {"calls": 1}}, "type rate_limit"),
        (
            {"type": "deny_list", "tools": ["a"], "rego": {"modules": {"a.rego": ""}}},
            "belongs to the type rego",
        ),
        ({"type": "deny_list", "tools": [""]}, "at least 1 character"),
        ({"type": "deny_list", "tools": ["a\u0000"]}, "control characters"),
        ({"type": "deny_list", "users": ["a" * 301]}, "at most 300"),
        ({"type": "deny_list", "tools": ["a"], "public": "a\nb"}, "one line"),
        ({"type": "deny_list", "tools": ["a"], "whn": {}}, "did you mean when?"),
        ({"name": "n" * 200, "type": "deny_list", "tools": ["a"]}, "at most 100 characters"),
    ],
)
async def test_what_a_type_needs_is_said(site: Site, given: dict[str, Any], hint: str) -> None:
    before = contents(site)
    response = await site.post(PATH, json={"name": "one", **given})
    error = error_of(response)
    assert (response.status_code, error["code"]) == (400, "E2004"), error
    assert hint in error["message"]
    assert contents(site) == before


async def test_what_is_listed_can_be_one_type_or_only_the_active_ones(site: Site) -> None:
    await site.post(PATH, json=rule("a", is_active=False))
    await site.post(PATH, json={"name": "b", "type": "deny_list", "tools": ["x"]})

    async def names(**params: Any) -> list[str]:
        return [one["name"] for one in (await site.get(PATH, params=params)).json()["policies"]]

    assert await names() == ["a", "b"]
    assert await names(type="rbac") == ["a"]
    assert await names(type="rego") == []
    assert await names(is_active="true") == ["b"]
    wrong = error_of(await site.get(PATH, params={"type": "acl"}))
    assert all(kind in wrong["message"] for kind in RuleKind)


async def test_an_inactive_policy_decides_nothing(site: Site) -> None:
    await publish(site, "a")
    await site.post(PATH, json=rule())
    await site.ask("PUT", f"{PATH}/rule", json=rule(is_active=False))
    assert await visible(site) == []
    await site.ask("PUT", f"{PATH}/rule", json=rule())
    assert await visible(site) == ["a"]


async def test_a_policy_that_is_not_there_is_named_with_the_one_that_was_meant(site: Site) -> None:
    await site.post(PATH, json=rule("no refunds"))
    for response in (await site.get(f"{PATH}/no refund"), await site.delete(f"{PATH}/no refund")):
        assert (response.status_code, error_of(response)["code"]) == (404, "E2011")
        assert "Did you mean no refunds?" in error_of(response)["message"]


async def test_a_role_of_any_type_has_to_exist(site: Site) -> None:
    wrong = {"name": "x", "type": "deny_list", "tools": ["a"], "roles": ["usr"]}
    assert "Unknown roles: usr." in error_of(await site.post(PATH, json=wrong))["message"]


async def test_the_reason_of_a_change_is_in_its_body_or_a_header(site: Site) -> None:
    header = {"x-bascule-reason": "=?base64?w7xiZXI=?="}
    await site.post(PATH, json=rule("a", reason="because"), headers=header)
    await site.post(PATH, json=rule("b"), headers=header)
    assert site.recorder.last.metadata["reason"] == "über"
    await site.delete(f"{PATH}/a", headers={"x-bascule-reason": "gone"})
    assert site.recorder.last.metadata["reason"] == "gone"
    found = (await site.get("/api/admin/policy/versions")).json()["versions"]
    assert [one["reason"] for one in found] == ["gone", "über", "because"]
    assert [one["author"] for one in found] == ["admin"] * 3


async def test_a_put_that_changes_nothing_is_no_version(site: Site) -> None:
    await site.post(PATH, json=rule())
    for _ in range(2):
        assert (await site.ask("PUT", f"{PATH}/rule", json=rule())).is_success
    assert (await site.get(PATH)).json()["version"] == 1


async def test_a_policy_that_cannot_be_read_can_be_removed_while_tests_run(site: Site) -> None:
    await publish(site, "a")
    await site.post(PATH, json=rule("one"))
    test = {"case": {"tool": "a", "roles": ["user"]}, "expect": "deny"}
    await site.ask("PUT", "/api/admin/policy/tests/denied", json=test)
    await spoil(site, "one")
    removed = await site.delete(f"{PATH}/one")
    assert removed.status_code == 200, removed.text
    assert await visible(site) == []


async def spoil(site: Site, name: str) -> None:
    """Make a policy say what no release understands."""
    async with site.control.database.change(author="test") as session:
        tenant = (await Tenants(session).get("default")).id
        row = await Policies(session, tenant)._find(name)  # pyright: ignore[reportPrivateUsage]
        assert row is not None
        row.type = "from the future"
