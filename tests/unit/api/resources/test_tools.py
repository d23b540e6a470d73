"""The registry, for those who write tools."""

from typing import Any

import pytest

from bascule.api.importing import ImportRules
from bascule.gateway.connector import ClientCredentials, ClientTls, Connector
from bascule.gateway.record import Status
from bascule.gateway.tool import RiskLevel, ToolStatus, Upstream, UpstreamKind
from bascule.storage.repositories.tools import Tools
from bascule.storage.repositories.upstreams import Upstreams
from unit.api.shelf import a_tool, stock
from unit.api.site import Site, altered, contents, document, error_of, operation

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


async def edit(site: Site, name: str = "book", role: str = "developer", **body: object) -> Any:
    return await site.ask("PATCH", f"{PATH}/{name}", role, json=body)


async def test_what_is_said_of_a_tool_is_changed_field_by_field(site: Site) -> None:
    await stock(site)
    changes = {
        "title": "Book a slot",
        "description": "Books a slot at a dealer.",
        "tags": ["sales", "daily", "sales"],
        "domain": "service",
        "owner": "crm",
        "examples": [{"dealer": 4}],
        "timeout_seconds": 12.5,
        "cache_seconds": 60,
        "idempotent": True,
    }
    changed = (await edit(site, **changes)).json()
    assert {name: changed[name] for name in changes} == {**changes, "tags": ["sales", "daily"]}
    assert changed["edited"] == sorted(changes)
    emptied = (await edit(site, title=None, owner=None, tags=[])).json()
    assert (emptied["title"], emptied["owner"], emptied["tags"]) == (None, None, [])
    assert emptied["domain"] == "service", "what is not sent stays"
    found = (await site.get("/api/mcp/tools")).json()["tools"][0]
    assert found["description"] == "Books a slot at a dealer.", "and it is in force at once"


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"description": "x" * 501}, "at most 500"),
        ({"description": ""}, "at least 1"),
        ({"description": None}, "description cannot be null"),
        ({"tags": ["a b ", "c"]}, "A tag is"),
        ({"risk_level": "harmless"}, "'read', 'write' or 'privileged'"),
        ({"risk_level": None}, "risk_level cannot be null"),
        ({"timeout_seconds": 0}, "greater than 0"),
        ({"examples": [{"day": "monday"}]}, 'Example 0 does not fit: /: "dealer" is a required'),
        ({"examples": [{"dealer": 1}, {"dealer": "x"}]}, "Example 1 does not fit: /dealer"),
        ({"examples": [{"dealer": 1, "day": "x" * 20_000}]}, "larger than"),
        ({"domian": "x"}, "There is no such field; did you mean domain?"),
        ({"zzz": 1}, "there are title, description"),
    ],
)
async def test_what_cannot_be_said_is_refused_with_the_reason(
    site: Site, body: dict[str, object], says: str
) -> None:
    await stock(site)
    before = contents(site)
    response = await edit(site, **body)
    error = error_of(response)
    assert (response.status_code, error["code"]) == (400, "E2004")
    assert says in error["message"]
    assert contents(site) == before


async def test_a_lower_risk_needs_a_reason_and_is_on_record(site: Site) -> None:
    await stock(site, a_tool(risk=RiskLevel.WRITE))
    refused = await edit(site, risk_level="read")
    assert error_of(refused)["details"] == {"field": "reason"}
    assert (await edit(site, risk_level="read", reason="  ")).status_code == 400
    done = await edit(site, risk_level="read", reason="It only looks.")
    assert done.json()["risk_level"] == "read"
    record = site.recorder.records[-1]
    assert (record.action, record.user) == ("tool.update", "developer")
    assert record.metadata == {
        "target": "book",
        "version": "1.0.0",
        "changes": {"risk_level": {"from": "write", "to": "read"}},
        "reason": "It only looks.",
    }
    assert (await edit(site, risk_level="privileged")).status_code == 200, "higher needs none"


async def test_who_may_not_change_policies_does_not_take_a_tool_out_of_elevation(
    site: Site,
) -> None:
    await stock(site, a_tool(risk=RiskLevel.PRIVILEGED))
    refused = await edit(site, risk_level="write", reason="It only books.")
    assert refused.status_code == 403
    found = error_of(refused)["details"]
    assert found == {"permission": "policies:write", "field": "risk_level", "tools": ["book"]}
    assert (await edit(site, risk_level="privileged", title="Book")).status_code == 200
    wanted = {"risk_level": "write", "reason": "It only books."}
    done = await site.ask("PATCH", "/api/admin/tools/book", "admin", json=wanted)
    assert done.json()["risk_level"] == "write"


async def test_only_reads_have_their_answers_kept(site: Site) -> None:
    await stock(site, a_tool(risk=RiskLevel.WRITE))
    refused = await edit(site, cache_seconds=10)
    assert error_of(refused)["details"] == {"field": "cache_seconds"}
    assert (await edit(site, risk_level="read", reason="r", cache_seconds=10)).status_code == 200
    risen = await edit(site, risk_level="write")
    assert error_of(risen)["details"] == {"field": "cache_seconds"}


async def test_a_tool_changed_meanwhile_is_not_overwritten(site: Site) -> None:
    await stock(site)
    seen = await site.get(f"{PATH}/book")
    path, old = f"{PATH}/book", {"if-match": seen.headers["etag"]}
    first = await site.ask("PUT", path, json={"owner": "a"}, headers=old)
    assert first.status_code == 200
    second = await site.ask("PUT", path, json={"owner": "b"}, headers=old)
    assert (second.status_code, error_of(second)["code"]) == (409, "E2012")
    assert "Load it again" in error_of(second)["message"]
    late = await edit(site, owner="b", updated_at=seen.json()["updated_at"])
    assert late.status_code == 409
    assert (await edit(site, owner="b", updated_at=first.json()["updated_at"])).status_code == 200


async def test_a_change_without_any_changes_nothing(site: Site) -> None:
    await stock(site)
    before = (await site.get(f"{PATH}/book")).json()
    assert (await edit(site)).json() == before


async def test_an_unknown_tool_is_told_with_the_one_that_may_be_meant(site: Site) -> None:
    await stock(site, a_tool("get_orders"), a_tool("get_orders", version="1.1.0"))
    for response in (
        await site.get(f"{PATH}/get_order"),
        await edit(site, "get_order", owner="x"),
        await site.delete(f"{PATH}/get_order"),
        await site.post(f"{PATH}/get_order/status", json={"status": "active"}),
    ):
        error = error_of(response)
        assert (response.status_code, error["code"]) == (404, "E2011")
        assert "Did you mean get_orders?" in error["message"]
    missing = await site.get(f"{PATH}/get_orders", params={"version": "2.0.0"})
    assert "1.1.0, 1.0.0" in error_of(missing)["message"]


async def test_a_version_is_shown_and_changed_by_itself(site: Site) -> None:
    await stock(site, a_tool(), a_tool(version="2.0.0", status=ToolStatus.DRAFT))
    assert (await site.get(f"{PATH}/book")).json()["version"] == "1.0.0", "what callers get"
    newer = await site.ask("PATCH", f"{PATH}/book?version=2.0.0", json={"owner": "crm"})
    assert (newer.json()["version"], newer.json()["owner"]) == ("2.0.0", "crm")
    assert (await site.get(f"{PATH}/book")).json()["owner"] is None


async def test_a_tool_is_switched(site: Site) -> None:
    await stock(site)
    path = f"{PATH}/book/status"
    for status, listed_now in (("inactive", 0), ("deprecated", 1), ("active", 1)):
        done = await site.post(path, "developer", json={"status": status})
        assert done.json()["status"] == status
        assert (await site.get("/api/mcp/tools")).json()["total"] == listed_now
    for status in ("draft", "quarantined", "gone"):
        refused = await site.post(path, json={"status": status})
        assert (refused.status_code, error_of(refused)["code"]) == (400, "E2004")


async def test_a_quarantined_tool_is_not_let_out_by_its_status(site: Site) -> None:
    await stock(site, a_tool(status=ToolStatus.QUARANTINED))
    for status in ("active", "inactive", "deprecated"):
        response = await site.post(f"{PATH}/book/status", json={"status": status})
        assert (response.status_code, "by approval only" in response.text) == (409, True)


async def test_a_tool_is_deleted_whole_or_by_version(site: Site) -> None:
    await stock(site, a_tool(), a_tool(version="2.0.0"), a_tool("other"))
    gone = await site.delete(f"{PATH}/book", "developer", params={"version": "1.0.0"})
    assert gone.json() == {"deleted": 1}
    assert (await site.delete(f"{PATH}/book")).json() == {"deleted": 1}
    assert await listed(site) == ["other"]
    assert (await site.delete(f"{PATH}/book")).status_code == 404


HAND_MADE: dict[str, Any] = {
    "name": "cancel_booking",
    "bundle": "shop",
    "upstream": "shop-api",
    "method": "DELETE",
    "path": "/bookings/{id}",
    "operation": {
        "summary": "Cancels a booking",
        "parameters": [
            {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}},
            {"name": "reasons", "in": "query", "schema": {"type": "array"}, "explode": False},
        ],
    },
    "owner": "crm",
}


async def make(site: Site, **changes: object) -> Any:
    await stock(site, a_tool("other"))
    return await site.post(PATH, "developer", json={**HAND_MADE, **changes})


async def test_a_tool_is_made_by_hand_like_one_of_a_document(site: Site) -> None:
    made = await make(site, examples=[{"id": "7"}])
    assert made.status_code == 201, made.text
    tool = made.json()
    assert (tool["status"], tool["risk_level"], tool["owner"]) == ("draft", "privileged", "crm")
    assert (tool["method"], tool["path"], tool["upstream"]) == (
        "DELETE", "/bookings/{id}", "shop-api",
    )  # fmt: skip
    assert tool["input_schema"]["required"] == ["id"]
    assert tool["input_schema"]["additionalProperties"] is False
    assert tool["description"].startswith("Cancels a booking")
    assert (await site.get(f"{PATH}/cancel_booking")).json()["examples"] == [{"id": "7"}]
    assert (await site.post(f"{PATH}/cancel_booking/publish")).json()["status"] == "active"


@pytest.mark.parametrize(
    ("changes", "status", "says"),
    [
        ({"upstream": "nobody"}, 404, "no upstream named nobody"),
        ({"bundle": "nobody"}, 400, "no bundle named nobody"),
        ({"name": "a b"}, 400, "A tool is named"),
        ({"name": "x" * 101}, 400, "A tool is named"),
        ({"version": "1"}, 400, "three numbers"),
        ({"version": "01.0.0"}, 400, "three numbers"),
        ({"method": "TRACE"}, 400, "method"),
        ({"path": "bookings"}, 400, "path"),
        ({"operation": {}}, 400, "operation: The path names {id} but no parameter"),
        (
            {"path": "/b", "operation": {"parameters": 7}},
            400,
            "operation/parameters: Not as OpenAPI",
        ),
        ({"examples": [{"id": 7}]}, 400, "Example 0 does not fit"),
        ({"cache_seconds": 5}, 400, "reads only"),
    ],
)
async def test_a_tool_that_could_not_be_called_is_not_made(
    site: Site, changes: dict[str, object], status: int, says: str
) -> None:
    response = await make(site, **changes)
    assert (response.status_code, says in response.text) == (status, True), response.text
    assert await listed(site) == ["other"]


async def test_remarks_are_accepted_where_somebody_says_so(site: Site) -> None:
    made = await make(site, operation={}, accept_warnings=True)
    assert made.json()["input_schema"]["required"] == ["id"]
    assert "The path names {id} but no parameter describes it" in made.json()["warnings"][0]


async def test_a_version_is_made_once_and_in_the_bundle_of_its_name(site: Site) -> None:
    assert (await make(site)).status_code == 201
    again = await make(site)
    assert (again.status_code, error_of(again)["details"]) == (409, {"field": "version"})
    assert (await make(site, version="1.1.0")).status_code == 201
    await stock(site, a_tool("elsewhere", bundle="books"))
    foreign = await make(site, version="1.2.0", bundle="books")
    assert (foreign.status_code, error_of(foreign)["details"]["field"]) == (409, "bundle")


async def test_a_long_name_is_taken_with_a_warning(site: Site) -> None:
    made = await make(site, name="x" * 65)
    assert made.status_code == 201
    assert any("several models take no more than 64" in one for one in made.json()["warnings"])


async def test_a_list_is_narrowed_by_what_is_said_of_tools(site: Site) -> None:
    await stock(
        site,
        a_tool("a", tags=("sales", "x_y"), domain="service", owner="crm"),
        a_tool("b", tags=("sale",), domain="shop", owner="web", risk=RiskLevel.WRITE),
    )
    assert await listed(site, tag="sales") == ["a"]
    assert await listed(site, tag="sale") == ["b"]
    assert await listed(site, tag="x%") == []
    assert await listed(site, domain="shop") == ["b"]
    assert await listed(site, owner="crm") == ["a"]
    assert await listed(site, risk="write") == ["b"]
    assert await listed(site, risk="write", owner="crm") == []


async def test_only_who_may_write_tools_changes_any(site: Site) -> None:
    await stock(site)
    for role in ("user", "viewer"):
        assert (await edit(site, role=role, owner="x")).status_code == 403
        assert (await site.delete(f"{PATH}/book", role)).status_code == 403
        assert (await site.post(PATH, role, json=HAND_MADE)).status_code == 403
    other = await site.ask("PATCH", f"{PATH}/book", tenant="acme", json={"owner": "x"})
    assert other.status_code == 404


@pytest.mark.parametrize(
    "secrets",
    [
        {"headers": (("X-Api-Key", "${secret:key}"),)},
        {"connector": Connector(credentials=ClientCredentials("https://t.example", "i", "s"))},
        {"connector": Connector(tls=ClientTls("c", "k"))},
    ],
)
async def test_credentials_of_a_service_are_not_used_by_who_does_not_manage_it(
    site: Site, secrets: dict[str, Any]
) -> None:
    await stock(site, a_tool("other"))
    async with site.rows() as (session, tenant_id):
        service = Upstream("shop-api", UpstreamKind.REST, "http://127.0.0.1:9", **secrets)
        await Upstreams(session, tenant_id).upsert(service)
    refused = await site.post(PATH, "developer", json=HAND_MADE)
    error = error_of(refused)
    assert (refused.status_code, error["details"]) == (
        403, {"permission": "mcp:manage_servers", "field": "upstream"},
    )  # fmt: skip
    record = site.recorder.records[-1]
    assert (record.action, record.status) == ("tool.create", Status.FAILURE)
    assert await listed(site) == ["other"]
    assert (await site.post(PATH, "admin", json=HAND_MADE)).status_code == 201


async def switch(site: Site, status: str, role: str = "developer") -> int:
    body = {"status": status}
    return (await site.post(f"{PATH}/cancel_booking/status", role, json=body)).status_code


async def test_no_author_puts_a_draft_in_force_by_a_detour(site: Site) -> None:
    assert (await make(site)).status_code == 201
    async with altered(site, imports=ImportRules(four_eyes=True)) as strict:
        for status, code in (("active", 403), ("inactive", 409), ("deprecated", 409)):
            assert await switch(strict, status) == code
        assert (await strict.get(f"{PATH}/cancel_booking")).json()["status"] == "draft"
        assert await switch(strict, "active", "admin") == 200
        assert await switch(strict, "deprecated") == 200
        assert await switch(strict, "active") == 200, "it was in force already"


async def test_an_inactive_version_may_never_have_been_in_force(site: Site) -> None:
    assert (await make(site)).status_code == 201
    assert await switch(site, "inactive") == 200
    async with altered(site, imports=ImportRules(four_eyes=True)) as strict:
        for status in ("active", "deprecated"):
            assert await switch(strict, status) == 403
        assert (await strict.get(f"{PATH}/cancel_booking")).json()["status"] == "inactive"
        assert await switch(strict, "active", "admin") == 200


async def test_one_pair_of_eyes_switches_as_it_likes(site: Site) -> None:
    assert (await make(site)).status_code == 201
    for status in ("inactive", "active", "deprecated", "inactive", "deprecated"):
        assert await switch(site, status) == 200


async def test_a_tool_is_not_made_in_the_bundle_of_a_server(site: Site) -> None:
    async with site.rows() as (session, tenant_id):
        server = Upstream("notes", UpstreamKind.MCP_HTTP, url="http://127.0.0.1:9/mcp")
        await Upstreams(session, tenant_id).upsert(server)
    response = await make(site, bundle="notes")
    assert response.status_code == 409
    assert "notes is an MCP server" in error_of(response)["message"]
