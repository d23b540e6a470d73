"""Roles of a tenant's own are made of what their maker has; built-in ones stay as they are."""

import asyncio
from typing import Any

import pytest

from bascule.gateway.permissions import PERMISSIONS
from bascule.storage.repositories.roles import Roles
from bascule.storage.seed import BUILTIN_ROLES
from unit.api.people import add_person, revoke_key
from unit.api.site import Site, add_key, contents, error_of

PATH = "/api/admin/roles"


async def make(site: Site, name: str, *permissions: str, role: str = "admin") -> Any:
    wanted = {"name": name, "permissions": list(permissions)}
    response = await site.post(PATH, role, json=wanted)
    assert response.status_code == 201, response.text
    return response.json()


async def test_every_permission_is_explained(site: Site) -> None:
    found = (await site.get("/api/admin/permissions")).json()
    assert found["total"] == len(PERMISSIONS) == 16
    assert {one["name"]: one["description"] for one in found["permissions"]} == dict(PERMISSIONS)
    (listing,) = [one for one in found["permissions"] if one["name"] == "tools:write"]
    assert listing["built_in_roles"] == ["developer", "admin", "system_admin"]


async def test_built_in_roles_are_listed_with_the_tenants_own(site: Site) -> None:
    made = await make(site, "porter", "users:manage", "tools:list", "tools:list")
    assert made["permissions"] == ["tools:list", "users:manage"]
    found = (await site.get(PATH)).json()
    assert {one["name"]: one["is_builtin"] for one in found["roles"]} == {
        **dict.fromkeys(BUILTIN_ROLES, True),
        "porter": False,
    }
    assert found["total"] == len(BUILTIN_ROLES) + 1
    assert made in found["roles"]


async def test_what_names_a_role_is_shown_with_it(site: Site) -> None:
    await make(site, "porter", "tools:list")
    assert (await site.get(f"{PATH}/porter")).json()["used_by"] == []
    async with site.rows() as (session, tenant_id):
        await add_key(session, tenant_id, "porter", "bsc_porter")
    assert (await site.get(f"{PATH}/porter")).json()["used_by"] == ["key porter"]
    refused = await site.delete(f"{PATH}/porter")
    assert (refused.status_code, error_of(refused)["code"]) == (409, "E2012")
    assert error_of(refused)["details"] == {"used_by": ["key porter"]}
    await revoke_key(site, "porter")
    assert (await site.delete(f"{PATH}/porter")).json() == {"removed": "porter"}
    assert (await site.get(f"{PATH}/porter")).status_code == 404


@pytest.mark.parametrize("role", BUILTIN_ROLES)
async def test_built_in_roles_stay_whoever_asks(site: Site, role: str) -> None:
    before = contents(site)
    for answer in (
        await site.ask("PATCH", f"{PATH}/{role}", "system_admin", json={"description": "x"}),
        await site.ask("PATCH", f"{PATH}/{role}", "system_admin", json={"permissions": []}),
        await site.ask("DELETE", f"{PATH}/{role}", "system_admin"),
        await site.post(PATH, "system_admin", json={"name": role, "permissions": []}),
    ):
        assert (answer.status_code, error_of(answer)["code"]) == (409, "E2012")
    assert contents(site) == before


@pytest.mark.parametrize("name", ["system_admin", "System_Admin", "ADMIN", "User"])
async def test_no_tenant_has_a_role_that_reads_like_a_built_in_one(site: Site, name: str) -> None:
    wanted = {"name": name, "permissions": ["tools:list"]}
    refused = await site.post(PATH, "admin", tenant="acme", json=wanted)
    assert (refused.status_code, error_of(refused)["code"]) == (409, "E2012")
    assert "built-in role" in error_of(refused)["message"]


async def test_a_role_reads_unlike_every_other(site: Site) -> None:
    await make(site, "porter")
    again = await site.post(PATH, json={"name": "Porter", "permissions": []})
    assert again.status_code == 409


async def test_what_makes_no_sense_is_refused(site: Site, subtests: pytest.Subtests) -> None:
    for wrong, code in (
        ({"name": "a b"}, "E2004"),
        ({"name": "a|b"}, "E2004"),
        ({"name": "größe"}, "E2004"),
        ({"name": ""}, "E2004"),
        ({"name": "-a"}, "E2004"),
        ({"name": "x" * 51}, "E2004"),
        ({"permissions": ["tools:lst"]}, "E2004"),
        ({"permissions": ["*"]}, "E2004"),
        ({"permissions": ["tools:list"] * 17}, "E2004"),
        ({"permissions": None}, "E2004"),
    ):
        with subtests.test(str(wrong)):
            body = {"name": "porter", "permissions": [], **wrong}
            refused = await site.post(PATH, json=body)
            assert (refused.status_code, error_of(refused)["code"]) == (400, code)
    refused = await site.post(PATH, json={"name": "p", "permissions": ["tools:lst"]})
    assert "did you mean tools:list?" in error_of(refused)["message"]


async def test_nobody_puts_into_a_role_what_they_do_not_have(site: Site) -> None:
    async with site.rows() as (session, tenant_id):
        await Roles(session, tenant_id).create("porter", "", ["users:manage", "tools:list"])
        await Roles(session, tenant_id).create("writer", "", ["tools:write"])
        await add_key(session, tenant_id, "porter", "bsc_porter")
    for wanted in (["tools:execute"], ["tools:list", "system_admin"]):
        refused = await site.post(PATH, key="bsc_porter", json={"name": "x", "permissions": wanted})
        assert (refused.status_code, error_of(refused)["code"]) == (403, "E1004")
        assert error_of(refused)["details"]["permissions"] == wanted[-1:]
    refused = await site.ask(
        "PATCH", f"{PATH}/porter", key="bsc_porter", json={"permissions": list(PERMISSIONS)}
    )
    assert refused.status_code == 403
    own = await site.post(PATH, key="bsc_porter", json={"name": "x", "permissions": ["tools:list"]})
    assert own.status_code == 201
    # What is in there already is not given, and may be taken away.
    kept = await site.ask(
        "PATCH", f"{PATH}/writer", key="bsc_porter", json={"permissions": ["tools:write"]}
    )
    assert kept.status_code == 200


async def test_only_a_system_administrator_makes_a_role_of_that_might(site: Site) -> None:
    wanted = {"name": "owner", "permissions": ["system_admin"]}
    assert (await site.post(PATH, "admin", json=wanted)).status_code == 403
    assert (await site.post(PATH, "system_admin", json=wanted)).status_code == 201


async def test_a_changed_role_counts_with_the_next_request(site: Site) -> None:
    await make(site, "writer", "tools:write")
    async with site.rows() as (session, tenant_id):
        await add_key(session, tenant_id, "writer", "bsc_writer")
    assert (await site.get("/api/admin/tools", key="bsc_writer")).status_code == 200
    changed = await site.ask("PATCH", f"{PATH}/writer", json={"permissions": []})
    assert (changed.json()["permissions"], changed.json()["description"]) == ([], "")
    assert site.recorder.last.metadata["before"] == {
        "description": "", "permissions": ["tools:write"],
    }  # fmt: skip
    assert site.recorder.last.metadata["after"] == {"description": "", "permissions": []}
    assert (await site.get("/api/admin/tools", key="bsc_writer")).status_code == 403


async def porters(site: Site, *names: str) -> list[str]:
    """A tenant whose only administrators are these people, by a role of its own."""
    async with site.rows("acme") as (session, tenant_id):
        await Roles(session, tenant_id).create("porter", "", ["users:manage"])
        await Roles(session, tenant_id).create("other", "", ["users:manage"])
    keys = [await add_person(site, name, "porter", tenant="acme") for name in names]
    await revoke_key(site, "admin", "acme")
    return keys


async def test_the_role_of_the_last_administrators_keeps_its_permission(site: Site) -> None:
    (asha,) = await porters(site, "asha")
    refused = await site.ask("PATCH", f"{PATH}/porter", key=asha, json={"permissions": []})
    assert (refused.status_code, error_of(refused)["code"]) == (409, "E2012")
    assert "last active administrator" in error_of(refused)["message"]
    assert (await site.get(PATH, key=asha)).status_code == 200


async def test_an_edited_role_and_a_removed_person_leave_one_administrator(site: Site) -> None:
    (asha,) = await porters(site, "asha")
    bo = await add_person(site, "bo", "other", tenant="acme")
    answers = await asyncio.gather(
        site.ask("PATCH", f"{PATH}/other", key=asha, json={"permissions": []}),
        site.ask("PATCH", f"{PATH}/porter", key=bo, json={"permissions": []}),
    )
    assert min(one.status_code for one in answers) == 200
    left = [key for key in (asha, bo) if (await site.get(PATH, key=key)).status_code == 200]
    assert len(left) == 1
