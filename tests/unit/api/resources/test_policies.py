from typing import Any
from urllib.parse import quote

import pytest

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
    assert policy | {"created_at": ""} == {
        "name": "rule",
        "effect": "allow",
        "roles": ["user"],
        "actions": ["discover", "invoke"],
        "bundles": [],
        "tools": [],
        "prompts": [],
        "resources": [],
        "risks": [],
        "priority": 0,
        "description": "",
        "is_active": True,
        "created_at": "",
    }
    assert (await site.get(PATH)).json() == {"policies": [policy], "total": 1}


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
