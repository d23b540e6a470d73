"""The API describes itself completely, and keeps tenants apart."""

from typing import Any

import pytest

from unit.api.site import Site, document, key_of, operation


def operations(site: Site) -> list[dict[str, Any]]:
    return [one for path in site.app.openapi()["paths"].values() for one in path.values()]


def test_every_operation_asks_for_a_key_and_says_what_it_does(site: Site) -> None:
    description = site.app.openapi()
    assert description["openapi"].startswith("3.1")
    assert description["components"]["securitySchemes"]["HTTPBearer"]["scheme"] == "bearer"
    for one in operations(site):
        assert one["security"] == [{"HTTPBearer": []}]
        assert one["description"]
        assert one["tags"]


def test_every_operation_documents_the_one_shape_of_errors(site: Site) -> None:
    for one in operations(site):
        assert {"4XX", "5XX"} <= one["responses"].keys()
        assert "422" not in one["responses"]
        schema = one["responses"]["4XX"]["content"]["application/json"]["schema"]
        assert schema == {"$ref": "#/components/schemas/ErrorBody"}


def test_every_operation_has_a_name_of_its_own(site: Site) -> None:
    names = [one["operationId"] for one in operations(site)]
    assert len(set(names)) == len(names)


async def test_no_page_that_loads_scripts_from_elsewhere_is_served(
    site: Site, subtests: pytest.Subtests
) -> None:
    for path in ["/docs", "/redoc", "/"]:
        with subtests.test(repr(path)):
            assert (await site.get(path, None)).status_code == 404


async def fill(site: Site, tenant: str) -> dict[str, Any]:
    """Make one thing of each kind, under names that every tenant uses."""
    shop = document(title="Shop", server=f"http://{tenant}.example")
    shop["paths"]["/x"] = {"get": operation(f"only_{tenant}")}
    made = [
        await site.upload(shop, "admin", tenant=tenant, auto_publish="true"),
        await site.post(
            "/api/admin/policies",
            tenant=tenant,
            json={"name": "rule", "effect": "allow", "roles": ["user"], "description": tenant},
        ),
        await site.post("/api/admin/bundles", tenant=tenant, json={"name": "b", "owner": tenant}),
        await site.post("/api/admin/keys", tenant=tenant, json={"name": "same", "roles": ["user"]}),
    ]
    assert [one.is_success for one in made] == [True] * 4
    return made[-1].json()


async def test_two_tenants_with_the_same_names_see_only_their_own(site: Site) -> None:
    for tenant in ("default", "acme"):
        await fill(site, tenant)
    for tenant, other in (("default", "acme"), ("acme", "default")):
        for path in ("tools", "bundles", "policies", "keys"):
            response = await site.get(f"/api/admin/{path}", tenant=tenant)
            assert response.is_success
            assert other not in response.text, path
        tools = (await site.get("/api/admin/tools", tenant=tenant)).json()["tools"]
        assert [tool["name"] for tool in tools] == ["list_orders", f"only_{tenant}"]
        found = (await site.get("/api/mcp/tools", "user", tenant=tenant)).json()
        assert [tool["name"] for tool in found["tools"]] == ["list_orders", f"only_{tenant}"]
        hidden = await site.get(f"/api/admin/tools/only_{other}", tenant=tenant)
        assert hidden.status_code == 404


async def test_what_one_tenant_changes_the_other_keeps(site: Site) -> None:
    await fill(site, "default")
    theirs = await fill(site, "acme")
    assert (await site.delete("/api/admin/policies/rule")).is_success
    assert (await site.get("/api/admin/policies")).json()["policies"] == []
    kept = (await site.get("/api/admin/policies", tenant="acme")).json()["policies"]
    assert [rule["description"] for rule in kept] == ["acme"]
    assert (await site.get("/api/mcp/tools", "user")).json()["total"] == 0
    assert (await site.get("/api/mcp/tools", "user", tenant="acme")).json()["total"] == 2
    stolen = await site.delete(f"/api/admin/keys/{theirs['key_id']}", "system_admin")
    assert stolen.status_code == 404
    assert (await site.get("/api/mcp/tools", key=theirs["key"])).is_success


async def test_a_record_names_the_tenant_that_made_the_change(site: Site) -> None:
    await site.post("/api/admin/bundles", tenant="acme", json={"name": "b"})
    assert (site.recorder.last.tenant, site.recorder.last.user) == ("acme", "admin")


async def test_a_key_is_good_in_its_own_tenant_only(site: Site) -> None:
    response = await site.post(
        "/api/admin/bundles", key=key_of("admin", "acme"), json={"name": "theirs"}
    )
    assert response.is_success
    assert (await site.get("/api/admin/bundles")).json()["total"] == 0
