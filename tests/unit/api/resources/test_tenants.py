"""Tenants are for system administrators, and nothing of one is lost by accident."""

import pytest

from bascule.storage.repositories.roles import Roles
from bascule.storage.seed import BUILTIN_ROLES
from unit.api.people import add_person, revoke_key
from unit.api.site import Site, contents, error_of, key_of

PATH = "/api/admin/tenants"
IN_ACME = {"x-bascule-tenant": "acme"}


async def make(site: Site, **members: object) -> dict[str, object]:
    response = await site.post(PATH, "system_admin", json={"name": "spare", **members})
    assert response.status_code == 201, response.text
    return response.json()


async def change(site: Site, name: str, **members: object):
    return await site.ask("PATCH", f"{PATH}/{name}", "system_admin", json=members)


async def test_a_tenant_begins_with_the_roles_of_every_tenant(site: Site) -> None:
    made = await make(site, description="For parts.", hosts=["Parts.Example", "parts.example."])
    assert made == {
        "name": "spare",
        "description": "For parts.",
        "hosts": ["parts.example"],
        "is_active": True,
        "created_at": made["created_at"],
    }
    assert site.recorder.last.metadata["target"] == "spare"
    assert site.control.snapshot().hosts == {"parts.example": "spare"}
    shown = (await site.get(f"{PATH}/spare", "system_admin")).json()
    assert shown == {**made, "holds": {}}
    listed = (await site.get(PATH, "system_admin")).json()
    assert [one["name"] for one in listed["tenants"]] == ["acme", "default", "spare"]
    async with site.rows("spare") as (session, tenant_id):
        roles = {role.name: role.is_builtin for role in await Roles(session, tenant_id).list()}
    assert roles == dict.fromkeys(BUILTIN_ROLES.keys() - {"system_admin"}, True)


async def test_what_a_tenant_has_is_shown_with_it(site: Site) -> None:
    shown = (await site.get(f"{PATH}/acme", "system_admin")).json()
    assert shown["holds"] == {"keys": 5}
    refused = await site.ask("DELETE", f"{PATH}/acme", "system_admin")
    assert (refused.status_code, error_of(refused)["code"]) == (409, "E2012")
    assert "still has keys (5)" in error_of(refused)["message"]


async def test_a_tenant_that_has_nothing_is_removed(site: Site) -> None:
    await make(site)
    gone = await site.ask("DELETE", f"{PATH}/spare", "system_admin")
    assert gone.json() == {"removed": "spare"}
    assert site.recorder.last.metadata["before"] == {
        "description": "", "hosts": [], "is_active": True,
    }  # fmt: skip
    again = await site.ask("DELETE", f"{PATH}/spare", "system_admin")
    assert (again.status_code, error_of(again)["code"]) == (404, "E2011")
    await make(site)


async def test_nobody_of_an_inactive_tenant_comes_in_until_it_is_active(site: Site) -> None:
    assert (await site.get("/api/me", tenant="acme")).status_code == 200
    changed = await change(site, "acme", is_active=False)
    assert (changed.status_code, changed.json()["is_active"]) == (200, False)
    assert (await site.get("/api/me", tenant="acme")).status_code == 401
    elsewhere = await site.get("/api/me", "system_admin", headers=IN_ACME)
    assert elsewhere.status_code == 404
    assert (await change(site, "acme", is_active=True)).is_success
    assert (await site.get("/api/me", tenant="acme")).status_code == 200


async def test_a_change_leaves_the_rest_and_is_recorded(site: Site) -> None:
    await make(site, description="For parts.", hosts=["parts.example"])
    assert (await change(site, "spare", description="Else.")).json()["hosts"] == ["parts.example"]
    metadata = site.recorder.last.metadata
    assert (metadata["before"], metadata["after"]) == (
        {"description": "For parts.", "hosts": ["parts.example"], "is_active": True},
        {"description": "Else.", "hosts": ["parts.example"], "is_active": True},
    )
    assert (await change(site, "spare", hosts=[])).json()["hosts"] == []


async def test_a_host_is_of_one_tenant(site: Site) -> None:
    await make(site, hosts=["parts.example"])
    refused = await change(site, "acme", hosts=["parts.example"])
    assert (refused.status_code, error_of(refused)["code"]) == (409, "E2012")
    assert "the tenant spare's" in error_of(refused)["message"]


async def test_callers_come_in_at_the_host_of_their_tenant(site: Site) -> None:
    await change(site, "acme", hosts=["acme.example"])
    at_acme = {"host": "acme.example"}
    assert (await site.get("/api/me", tenant="acme", headers=at_acme)).status_code == 200
    assert (await site.get("/api/me", headers=at_acme)).status_code == 401
    assert (await site.get("/api/me", "system_admin", headers=at_acme)).status_code == 200
    assert (await site.get("/api/me")).status_code == 200


@pytest.mark.parametrize("what", ["deactivate", "delete"])
async def test_the_tenant_that_everything_starts_with_stays(site: Site, what: str) -> None:
    before = contents(site)
    for name in ("default", "acme"):
        options = {"key": key_of("system_admin")} if name == "default" else {"headers": IN_ACME}
        if what == "delete":
            refused = await site.ask("DELETE", f"{PATH}/{name}", "system_admin", **options)
        else:
            body = {"is_active": False}
            refused = await site.ask(
                "PATCH", f"{PATH}/{name}", "system_admin", json=body, **options
            )
        assert (refused.status_code, error_of(refused)["code"]) == (409, "E2012"), refused.text
    assert contents(site) == before


async def test_the_tenant_of_the_last_system_administrator_stays_active(site: Site) -> None:
    async with site.rows("acme") as (session, tenant_id):
        await Roles(session, tenant_id).create("owner", "", ["system_admin"])
    await add_person(site, "root", "owner", tenant="acme")
    await revoke_key(site, "system_admin")
    refused = await site.ask("PATCH", f"{PATH}/acme", key="bsc_root", json={"is_active": False})
    assert refused.status_code == 409
    async with site.rows() as (session, tenant_id):
        await Roles(session, tenant_id).create("passing", "", ["system_admin"])
    made = await site.post(
        "/api/admin/keys",
        key="bsc_root",
        headers={"x-bascule-tenant": "default"},
        json={"name": "soon", "roles": ["passing"], "expires_in_days": 1},
    )
    soon = made.json()["key"]
    refused = await site.ask("PATCH", f"{PATH}/acme", key=soon, json={"is_active": False})
    assert (refused.status_code, error_of(refused)["code"]) == (409, "E2012")
    assert "last active system administrator" in error_of(refused)["message"]


async def test_what_makes_no_sense_is_refused(site: Site, subtests: pytest.Subtests) -> None:
    for wrong, code in (
        ({"name": "acme"}, "E2012"),
        ({"name": "Acme"}, "E2004"),
        ({"name": "a_b"}, "E2004"),
        ({"name": "-a"}, "E2004"),
        ({"name": "a|b"}, "E2004"),
        ({"name": "x" * 64}, "E2004"),
        ({"hosts": ["a b"]}, "E2004"),
        ({"hosts": ["a.example:8000"]}, "E2004"),
        ({"hosts": ["127.0.0.1"]}, "E2004"),
        ({"hosts": ["*.example"]}, "E2004"),
        ({"hosts": [".".join(["a" * 60] * 5)]}, "E2004"),
        ({"hosts": ["a.example"] * 21}, "E2004"),
        ({"is_active": True}, "E2004"),
    ):
        with subtests.test(str(wrong)):
            refused = await site.post(PATH, "system_admin", json={"name": "spare", **wrong})
            assert error_of(refused)["code"] == code
    for name in ("nobody", "Acme"):
        assert (await site.get(f"{PATH}/{name}", "system_admin")).status_code == 404
        assert (await change(site, name)).status_code == 404
