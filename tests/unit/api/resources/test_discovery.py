from typing import Any

import pytest

from bascule.gateway.tool import Bundle, Member, RiskLevel, ToolStatus
from bascule.storage.repositories.bundles import Bundles
from bascule.storage.repositories.selections import Selections
from unit.api.shelf import SCHEMA, a_tool, stock
from unit.api.site import Site, error_of

PATH = "/api/mcp/tools"


async def found(site: Site, role: str = "admin", **params: object) -> dict[str, Any]:
    response = await site.get(PATH, role, params=params)
    assert response.status_code == 200, response.text
    return response.json()


def names(body: dict[str, Any]) -> list[str]:
    return [tool["name"] for tool in body["tools"]]


async def test_a_client_gets_all_it_needs_to_call_a_tool(site: Site) -> None:
    await stock(site, a_tool(examples=({"dealer": 1},), tags=("daily",), domain="sales"))
    body = await found(site)
    assert body == {
        "tools": [
            {
                "name": "book",
                "title": None,
                "description": "Does book.",
                "version": "1.0.0",
                "bundle": "shop",
                "risk_level": "read",
                "tags": ["daily"],
                "domain": "sales",
                "input_schema": SCHEMA,
                "output_schema": None,
                "examples": [{"dealer": 1}],
            }
        ],
        "total": 1,
        "page": 1,
        "limit": 100,
        "domains": ["sales"],
    }


async def test_a_caller_sees_what_the_rules_show_it(site: Site) -> None:
    await stock(site, a_tool(), a_tool("orders", bundle="books"))
    rule = {"name": "r", "effect": "allow", "roles": ["user"], "bundles": ["shop"]}
    await site.post("/api/admin/policies", json=rule)
    assert names(await found(site, "user")) == ["book"]
    assert names(await found(site, "viewer")) == []
    assert names(await found(site)) == ["book", "orders"]


async def test_drafts_and_retired_tools_are_not_there(site: Site) -> None:
    await stock(
        site,
        a_tool("draft", status=ToolStatus.DRAFT),
        a_tool("off", status=ToolStatus.INACTIVE),
        a_tool("old", status=ToolStatus.DEPRECATED),
    )
    assert names(await found(site)) == ["old"]


async def test_what_is_found_can_be_narrowed(site: Site) -> None:
    await stock(
        site,
        a_tool("a", tags=("x",), domain="sales"),
        a_tool("b", tags=("x", "y"), risk=RiskLevel.WRITE),
        a_tool("c", bundle="books", description="Needle."),
    )
    assert names(await found(site, tag="x")) == ["a", "b"]
    assert names(await found(site, domain="sales")) == ["a"]
    assert names(await found(site, risk="write", tag="x")) == ["b"]
    assert names(await found(site, bundle="books")) == ["c"]
    assert names(await found(site, search="NEEDLE")) == ["c"]
    narrowed = await found(site, search="NEEDLE")
    assert (narrowed["total"], narrowed["domains"]) == (1, ["sales"])


async def test_pages_follow_each_other(site: Site) -> None:
    await stock(site, *(a_tool(f"t{number}") for number in range(5)))
    pages = [await found(site, page=page, limit=2) for page in (1, 2, 3, 4)]
    assert [names(page) for page in pages] == [["t0", "t1"], ["t2", "t3"], ["t4"], []]
    assert {page["total"] for page in pages} == {5}


async def test_a_bundle_is_shown_as_its_endpoint_shows_it(site: Site) -> None:
    await stock(site)
    async with site.rows() as (session, tenant_id):
        desk = await Bundles(session, tenant_id).create(Bundle("desk"))
        member = Member("book", name="reserve", defaults={"dealer": 1})
        await Selections(session, tenant_id).add(desk.id, member)
    tool = (await found(site, bundle="desk"))["tools"][0]
    assert (tool["name"], tool["bundle"]) == ("reserve", "desk")
    assert "dealer" not in tool["input_schema"]["properties"]


async def test_nothing_is_sent_again_that_did_not_change(site: Site) -> None:
    await stock(site)
    first = await site.get(PATH)
    known = {"if-none-match": f'"other", W/{first.headers["etag"]}'}
    again = await site.ask("GET", PATH, headers=known)
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    assert first.headers["cache-control"] == "private, no-cache"
    await stock(site, a_tool("new"))
    assert (await site.ask("GET", PATH, headers=known)).status_code == 200
    assert (await site.ask("GET", PATH, "user", headers=known)).status_code == 200


@pytest.mark.parametrize("params", [{"page": 0}, {"limit": 501}, {"risk": "none"}])
async def test_a_filter_that_makes_no_sense_is_refused(site: Site, params: Any) -> None:
    response = await site.get(PATH, params=params)
    assert (response.status_code, error_of(response)["code"]) == (400, "E2004")
