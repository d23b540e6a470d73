"""The registry for those who write tools, and discovery for those who use them."""

from dataclasses import replace

import pytest

from bascule.gateway.tool import ToolStatus
from bascule.storage.repositories.tools import Tools
from unit.api.site import Site, contents, document, error_of, operation

PATH = "/api/admin/tools"


async def load(site: Site, *names: str, bundle: str = "shop", publish: bool = False) -> None:
    response = await site.upload(
        document(*names), bundle_id=bundle, auto_publish=str(publish).lower()
    )
    assert response.is_success, response.text


async def listed(site: Site, **params: object) -> list[str]:
    response = await site.get(PATH, "developer", params=params)
    assert response.is_success, response.text
    return [tool["name"] for tool in response.json()["tools"]]


async def test_a_tool_is_shown_with_everything_about_it(site: Site) -> None:
    shop = document("list_orders")
    shop["paths"]["/list_orders"]["get"] = operation(
        "list_orders",
        [{"name": "limit", "in": "query", "schema": {"type": "integer"}, "example": 5}],
        tags=["orders"],
    )
    await site.upload(shop)
    tool = (await site.get(f"{PATH}/list_orders")).json()
    assert (tool["name"], tool["bundle"], tool["status"]) == ("list_orders", "shop", "draft")
    assert (tool["method"], tool["path"], tool["upstream"]) == ("GET", "/list_orders", "shop.shop")
    assert (tool["risk_level"], tool["version"], tool["tags"]) == ("read", "1.0.0", ["orders"])
    assert tool["input_schema"]["properties"]["limit"]["type"] == "integer"
    assert tool["output_schema"]["type"] == "object"
    assert tool["created_by"] == "developer"
    found = (await site.get(PATH)).json()
    assert found == {"tools": [tool], "total": 1, "page": 1, "limit": 20}


async def test_a_list_goes_page_by_page_and_counts_all(site: Site) -> None:
    await load(site, *(f"t{number:02}" for number in range(25)))
    pages = [
        (await site.get(PATH, params={"page": page, "limit": 10})).json() for page in (1, 2, 3, 4)
    ]
    assert [len(page["tools"]) for page in pages] == [10, 10, 5, 0]
    assert {page["total"] for page in pages} == {25}
    names = [tool["name"] for page in pages for tool in page["tools"]]
    assert names == sorted(names)
    assert len(set(names)) == 25


async def test_a_list_can_be_narrowed(site: Site) -> None:
    await load(site, "list_orders", "get_order")
    await load(site, "list_books", bundle="books", publish=True)
    assert await listed(site, bundle_id="books") == ["list_books"]
    assert await listed(site, bundle_id="none") == []
    assert await listed(site, status="active") == ["list_books"]
    assert await listed(site, status="draft") == ["get_order", "list_orders"]
    assert await listed(site, search="LIST") == ["list_books", "list_orders"]
    assert await listed(site, search="list", bundle_id="shop", status="draft") == ["list_orders"]


@pytest.mark.parametrize("search", ["%", "_", "\\", "'; DROP TABLE tools; --"])
async def test_a_search_means_only_itself(site: Site, search: str) -> None:
    await load(site, "orders")
    assert await listed(site, search=search) == []


async def test_a_filter_that_makes_no_sense_is_refused(
    site: Site, subtests: pytest.Subtests
) -> None:
    for params in [
        {"status": "gone"},
        {"limit": 501},
        {"limit": 0},
        {"page": 0},
        {"search": "x" * 201},
    ]:
        with subtests.test(str(params)):
            response = await site.get(PATH, params=params)
            assert (response.status_code, error_of(response)["code"]) == (400, "E2004")


async def test_a_draft_is_seen_by_nobody_until_it_is_published(site: Site) -> None:
    await load(site, "orders", "books")
    assert (await site.get("/api/mcp/tools")).json()["total"] == 0
    published = await site.post(f"{PATH}/orders/publish", "developer")
    assert (published.status_code, published.json()["status"]) == (200, "active")
    found = (await site.get("/api/mcp/tools")).json()
    assert [tool["name"] for tool in found["tools"]] == ["orders"]


async def test_publishing_twice_is_publishing_once(site: Site) -> None:
    await load(site, "orders")
    first = await site.post(f"{PATH}/orders/publish")
    second = await site.post(f"{PATH}/orders/publish")
    assert second.status_code == 200
    assert second.json()["status"] == first.json()["status"] == "active"


async def test_a_tool_that_is_not_there_is_neither_shown_nor_published(site: Site) -> None:
    before = contents(site)
    for response in (await site.get(f"{PATH}/no"), await site.post(f"{PATH}/no/publish")):
        assert (response.status_code, error_of(response)["code"]) == (404, "E2011")
    assert contents(site) == before


async def test_a_quarantined_tool_is_not_published(site: Site) -> None:
    await load(site, "orders")
    async with site.rows() as (session, tenant_id):
        await Tools(session, tenant_id).set_status("orders", ToolStatus.QUARANTINED)
    response = await site.post(f"{PATH}/orders/publish")
    assert (response.status_code, error_of(response)["code"]) == (409, "E2012")
    assert await listed(site, status="quarantined") == ["orders"]


async def test_discovery_gives_what_a_client_needs_and_only_what_the_caller_may_see(
    site: Site,
) -> None:
    await load(site, "orders", publish=True)
    await load(site, "books", bundle="books", publish=True)
    rule = {"name": "r", "effect": "allow", "roles": ["user"], "bundles": ["shop"]}
    await site.post("/api/admin/policies", json=rule)
    found = (await site.get("/api/mcp/tools", "user")).json()
    assert (found["total"], found["domains"]) == (1, [])
    tool = found["tools"][0]
    assert tool.keys() == {
        "name",
        "title",
        "description",
        "version",
        "bundle",
        "risk_level",
        "input_schema",
        "output_schema",
        "examples",
        "tags",
    }
    assert (tool["name"], tool["bundle"], tool["risk_level"]) == ("orders", "shop", "read")
    assert (await site.get("/api/mcp/tools", "viewer")).json()["total"] == 0
    assert (await site.get("/api/mcp/tools", "admin")).json()["total"] == 2


async def test_discovery_names_the_domains_of_what_is_visible(site: Site) -> None:
    await load(site, "orders", "books", publish=True)
    async with site.rows() as (session, tenant_id):
        tools = Tools(session, tenant_id)
        for name, domain in (("orders", "sales"), ("books", "library")):
            stored = (await tools.get(name)).tool
            await tools.upsert(replace(stored, domain=domain))
    assert (await site.get("/api/mcp/tools")).json()["domains"] == ["library", "sales"]
    rule = {"name": "r", "effect": "deny", "roles": ["admin"], "tools": ["books"]}
    await site.post("/api/admin/policies", json=rule)
    assert (await site.get("/api/mcp/tools")).json()["domains"] == ["sales"]
