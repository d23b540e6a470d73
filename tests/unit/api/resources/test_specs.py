"""An import makes tools of a whole document, or changes nothing."""

import asyncio
import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from bascule.api.importing import ImportRules
from bascule.gateway.record import Status
from bascule.gateway.tool import ToolStatus, Upstream, UpstreamKind
from bascule.storage.errors import StorageExhausted
from bascule.storage.repositories.imports import Imports
from bascule.storage.repositories.tools import Tools
from bascule.storage.repositories.upstreams import Upstreams
from bascule.upstreams.egress import AddressRules
from unit.api.site import THIS_MACHINE, Site, altered, contents, document, error_of, operation
from unit.cli.shell import Quiet, answering

IMPORTS = "/api/admin/openapi"
BOOKING = Path(__file__).parents[4] / "examples" / "booking" / "openapi.yaml"


async def imported(site: Site, source: bytes | dict[str, Any], **fields: Any) -> dict[str, Any]:
    response = await site.upload(source, **fields)
    assert response.status_code == 200, response.text
    return response.json()


async def tool(site: Site, name: str) -> dict[str, Any]:
    response = await site.get(f"/api/admin/tools/{name}")
    assert response.status_code == 200, response.text
    return response.json()


async def imports(site: Site) -> list[dict[str, Any]]:
    return (await site.get(IMPORTS)).json()["imports"]


async def decided(site: Site, report: dict[str, Any], action: str) -> dict[str, Any]:
    """Publish, discard or roll back what was imported."""
    response = await site.post(f"{IMPORTS}/{report['spec_id']}/{action}")
    assert response.status_code == 200, response.text
    return response.json()


def differ(report: dict[str, Any]) -> list[dict[str, Any]]:
    return report["diff"]["tools"]


async def address_of(site: Site, name: str) -> str:
    """Where a call of the tool would go."""
    upstream = (await tool(site, name))["upstream"]
    async with site.rows() as (session, tenant_id):
        return (await Upstreams(session, tenant_id).get(upstream)).upstream.url


async def test_a_report_says_what_was_made_of_the_document(site: Site) -> None:
    report = await imported(site, BOOKING.read_bytes(), bundle_id="service-booking")
    assert report["name"] == "Vehicle service booking"
    assert (report["bundle"], report["base_url"]) == ("service-booking", "http://127.0.0.1:8080")
    assert (report["published"], report["dry_run"]) == (False, False)
    assert report["tools_generated"] == len(report["tools"]) == 7
    assert report["spec_id"]
    made = {one["name"]: one for one in report["tools"]}
    assert made["resolve_customer"]["risk_level"] == "read"
    assert made["create_service_booking"]["risk_level"] == "write"
    assert made["resolve_vehicle"]["path"] == "/v1/vehicles/{registration}"
    assert {one["status"] for one in report["tools"]} == {"draft"}


async def test_what_the_report_says_is_what_is_stored(site: Site) -> None:
    report = await imported(site, BOOKING.read_bytes())
    for one in report["tools"]:
        stored = await tool(site, one["name"])
        assert {key: stored[key] for key in one} == one
        assert stored["bundle"] == "shop"


async def test_the_document_is_kept(site: Site) -> None:
    source = BOOKING.read_bytes()
    report = await imported(site, source)
    (kept,) = (await site.get(IMPORTS)).json()["imports"]
    assert kept["id"] == report["spec_id"]
    assert (kept["name"], kept["bundle"]) == (report["name"], "shop")
    assert (kept["uploaded_by"], kept["size_bytes"]) == ("developer", len(source))
    assert (await site.get(f"{IMPORTS}/{kept['id']}/document")).content == source


async def test_a_bundle_is_made_where_it_is_missing_and_else_left_alone(site: Site) -> None:
    wanted = {"name": "old", "description": "Ours.", "owner": "sales"}
    await site.post("/api/admin/bundles", json=wanted)
    await imported(site, document("a", title="First"), bundle_id="old")
    await imported(site, document("b", title="Second"), bundle_id="new")
    bundles = (await site.get("/api/admin/bundles")).json()["bundles"]
    found = [(one["name"], one["description"], one["owner"]) for one in bundles]
    assert found == [("new", "Second", "developer"), ("old", "Ours.", "sales")]


async def test_drafts_reach_no_agent_and_published_tools_do(site: Site) -> None:
    await imported(site, document("a"))
    assert (await site.get("/api/mcp/tools")).json()["total"] == 0
    report = await imported(site, document("a", "b"), auto_publish="true")
    assert report["published"] is True
    assert {one["status"] for one in report["tools"]} == {"active"}
    assert (await site.get("/api/mcp/tools")).json()["total"] == 2


async def test_a_deprecated_operation_is_published_as_deprecated(site: Site) -> None:
    shop = document("a")
    shop["paths"]["/old"] = {"get": operation("old", deprecated=True)}
    report = await imported(site, shop, auto_publish="true")
    found = {one["name"]: one["status"] for one in report["tools"]}
    assert found == {"a": "active", "old": "deprecated"}
    assert (await tool(site, "old"))["status"] == "deprecated"


@pytest.mark.parametrize("publish", ["true", "false"])
async def test_a_dry_run_reports_the_same_and_changes_nothing(site: Site, publish: str) -> None:
    before, snapshot = contents(site), site.control.snapshot()
    fields = {"auto_publish": publish}
    dry = await imported(site, BOOKING.read_bytes(), dry_run="true", **fields)
    assert (dry["dry_run"], dry["published"], dry["spec_id"]) == (True, False, None)
    assert contents(site) == before
    assert site.control.snapshot() is snapshot
    assert site.recorder.records == []
    real = await imported(site, BOOKING.read_bytes(), **fields)
    differing = {key for key in real if real[key] != dry[key]}
    assert differing <= {"spec_id", "dry_run", "published"}
    assert dry["tools_generated"] == 7


async def test_a_dry_run_tells_the_conflict_a_real_one_would_meet(site: Site) -> None:
    await imported(site, document("orders"))
    before = contents(site)
    response = await site.upload(document("orders"), bundle_id="other", dry_run="true")
    assert (response.status_code, error_of(response)["code"]) == (409, "E2012")
    assert contents(site) == before


async def test_an_import_never_takes_over_a_tool_of_another_bundle(site: Site) -> None:
    await imported(site, document("orders"), auto_publish="true")
    before = contents(site)
    hostile = document("aa", "orders", "zz", server="http://evil.example")
    response = await site.upload(hostile, bundle_id="other", auto_publish="true")
    error = error_of(response)
    assert (response.status_code, error["code"]) == (409, "E2012")
    assert error["details"] == {"tool": "orders", "bundle": "shop"}
    assert "orders" in error["message"]
    assert "shop" in error["message"]
    assert contents(site) == before
    assert site.recorder.last.status is Status.FAILURE


def changed(*names: str, server: str = "http://127.0.0.1:9") -> dict[str, Any]:
    """The document with those operations, each described anew."""
    later = document(*names, server=server)
    for path in later["paths"].values():
        path["get"]["summary"] = "Changed"
    return later


async def test_a_second_draft_takes_the_place_of_the_first(site: Site) -> None:
    await imported(site, document("a", "b"))
    report = await imported(site, changed("a", "new", server="http://127.0.0.1:10"))
    assert [(one["name"], one["status"]) for one in report["tools"]] == [
        ("a", "draft"), ("new", "draft"),
    ]  # fmt: skip
    found = (await site.get("/api/admin/tools")).json()["tools"]
    assert [(one["name"], one["version"], one["description"]) for one in found] == [
        ("a", "1.0.0", "Changed"), ("new", "1.0.0", "Changed"),
    ]  # fmt: skip
    assert await address_of(site, "a") == "http://127.0.0.1:10"
    assert [one["status"] for one in await imports(site)] == ["draft", "discarded"]


async def test_a_draft_leaves_what_is_published_as_it_is(site: Site) -> None:
    await imported(site, document("live", "gone"), auto_publish="true")
    seen = (await site.get("/api/mcp/tools")).json()
    report = await imported(site, changed("live", "new", server="http://127.0.0.1:10"))
    assert (await site.get("/api/mcp/tools")).json() == seen
    assert (await tool(site, "live"))["version"] == "1.0.0"
    assert await address_of(site, "live") == "http://127.0.0.1:9"
    found = {one["tool"]: (one["action"], one["before"], one["version"]) for one in differ(report)}
    assert found == {
        "live": ("changed", "1.0.0", "1.1.0"),
        "new": ("added", None, "1.0.0"),
        "gone": ("removed", "1.0.0", "1.0.0"),
    }
    assert report["diff"]["api"][0]["kind"] == "base_url"
    assert report["diff"]["severity"] == "breaking"


async def test_publishing_puts_every_tool_of_an_import_in_force_at_once(site: Site) -> None:
    first = await imported(site, document("live", "same", "gone"), auto_publish="true")
    later = changed("live", "new", server="http://127.0.0.1:10")
    later["paths"]["/same"] = document("same")["paths"]["/same"]
    draft = await imported(site, later)
    published = await decided(site, draft, "publish")
    assert (published["status"], published["replaces"]) == ("published", first["spec_id"])
    assert (published["decided_by"], published["base_url_before"]) == (
        "admin",
        "http://127.0.0.1:9",
    )
    found = (await site.get("/api/admin/tools")).json()["tools"]
    assert [(one["name"], one["version"], one["status"]) for one in found] == [
        ("gone", "1.0.0", "deprecated"),
        ("live", "1.0.0", "deprecated"),
        ("live", "1.1.0", "active"),
        ("new", "1.0.0", "active"),
        ("same", "1.0.0", "active"),
    ]
    assert await address_of(site, "live") == "http://127.0.0.1:10"
    assert [one["status"] for one in await imports(site)] == ["published", "superseded"]
    assert site.recorder.last.action == "openapi.publish"


async def test_rolling_back_restores_the_earlier_versions_and_the_address(site: Site) -> None:
    first = await imported(site, document("live", "gone"), auto_publish="true")
    seen = (await site.get("/api/mcp/tools")).json()
    later = changed("live", "new", server="http://127.0.0.1:10")
    report = await imported(site, later, auto_publish="true")
    refused = await site.post(f"{IMPORTS}/{first['spec_id']}/rollback")
    assert report["spec_id"] in error_of(refused)["message"]
    assert (await decided(site, report, "rollback"))["status"] == "rolled_back"
    assert (await site.get("/api/mcp/tools")).json() == seen
    assert await address_of(site, "live") == "http://127.0.0.1:9"
    assert [one["status"] for one in await imports(site)] == ["rolled_back", "published"]
    again = await imported(site, later, auto_publish="true")
    versions = {one["name"]: one["version"] for one in again["tools"]}
    assert versions == {"live": "1.2.0", "new": "1.0.1"}
    await decided(site, again, "rollback")
    await decided(site, first, "rollback")
    assert (await site.get("/api/mcp/tools")).json()["total"] == 0


async def test_discarding_a_draft_removes_its_versions_and_nothing_else(site: Site) -> None:
    first = await imported(site, document("live"), auto_publish="true")
    draft = await imported(site, changed("live", "new"))
    assert (await decided(site, draft, "discard"))["status"] == "discarded"
    found = (await site.get("/api/admin/tools")).json()["tools"]
    assert [(one["name"], one["version"]) for one in found] == [("live", "1.0.0")]
    for action in ("publish", "discard", "rollback"):
        response = await site.post(f"{IMPORTS}/{draft['spec_id']}/{action}")
        assert (response.status_code, error_of(response)["code"]) == (409, "E2012")
    assert (await site.get(f"{IMPORTS}/{first['spec_id']}")).json()["status"] == "published"


async def test_a_document_without_a_change_stores_nothing(site: Site) -> None:
    first = await imported(site, BOOKING.read_bytes(), auto_publish="true")
    before = contents(site)
    for publish in ("true", "false"):
        again = await imported(
            site, BOOKING.read_bytes() + b"\n# A remark.\n", auto_publish=publish
        )
        assert (again["changed"], again["spec_id"]) == (False, first["spec_id"])
        assert (again["diff"]["tools"], again["diff"]["severity"]) == ([], None)
        assert [one["status"] for one in again["tools"]] == ["active"] * 7
    assert contents(site) == before


async def test_what_was_edited_by_hand_outlives_an_import(site: Site) -> None:
    await imported(site, document("live"), auto_publish="true")
    edit = {"title": "Mine", "description": "By hand.", "owner": "sales", "risk_level": "write"}
    assert (await site.ask("PATCH", "/api/admin/tools/live", json=edit)).status_code == 200
    report = await imported(site, changed("live"))
    assert report["changed"] is False, "only what was edited has changed"
    later = changed("live")
    wanted = {"name": "q", "in": "query", "required": True, "schema": {"type": "string"}}
    later["paths"]["/live"]["get"]["parameters"] = [wanted]
    report = await imported(site, later)
    (change,) = differ(report)
    assert sorted(change["kept"]) == ["description", "owner", "risk", "title"]
    assert (change["version"], change["severity"]) == ("2.0.0", "breaking")
    await site.ask("PATCH", "/api/admin/tools/live?version=1.0.0", json={"domain": "late"})
    await decided(site, report, "publish")
    found = await tool(site, "live")
    kept = {
        name: found[name]
        for name in ("version", "title", "description", "owner", "risk_level", "domain")
    }
    assert kept == {"version": "2.0.0", **edit, "domain": "late"}


async def test_what_somebody_switched_off_stays_off(site: Site) -> None:
    await imported(site, document("off", "on"), auto_publish="true")
    async with site.rows() as (session, tenant_id):
        await Tools(session, tenant_id).set_status("off", ToolStatus.INACTIVE)
    report = await imported(site, changed("off", "on"), auto_publish="true")
    assert [one["status"] for one in report["tools"]] == ["inactive", "active"]
    found = (await site.get("/api/mcp/tools")).json()["tools"]
    assert [one["name"] for one in found] == ["on"]


async def test_an_operation_that_vanished_stays_callable_unless_told_otherwise(site: Site) -> None:
    await imported(site, document("a", "b"), auto_publish="true")
    await imported(site, document("a"), auto_publish="true")
    assert (await tool(site, "b"))["status"] == "deprecated"
    assert (await imported(site, document("a")))["changed"] is False
    final = await imported(site, document("a"), auto_publish="true", remove_missing="true")
    assert (await tool(site, "b"))["status"] == "inactive"
    back = await imported(site, document("a", "b"), auto_publish="true")
    assert [one["action"] for one in differ(back)] == ["restored"]
    assert (await tool(site, "b"))["status"] == "active"
    await decided(site, back, "rollback")
    assert (await tool(site, "b"))["status"] == "inactive"
    await decided(site, final, "rollback")
    assert (await tool(site, "b"))["status"] == "deprecated"


async def test_a_draft_that_was_overtaken_is_not_published(site: Site) -> None:
    await imported(site, document("live"), auto_publish="true")
    stale = await imported(site, changed("live"))
    later = document("live")
    later["paths"]["/live"]["get"]["summary"] = "Changed by somebody else"
    await imported(site, later, role="admin", auto_publish="true")
    before = contents(site)
    response = await site.post(f"{IMPORTS}/{stale['spec_id']}/publish")
    error = error_of(response)
    assert (response.status_code, error["details"]) == (409, {"tool": "live", "version": "1.2.0"})
    assert "Import the document again" in error["message"]
    assert contents(site) == before


async def test_a_draft_of_somebody_else_is_not_replaced(site: Site) -> None:
    first = await imported(site, document("a"))
    before = contents(site)
    response = await site.upload(changed("a"), role="admin")
    error = error_of(response)
    assert (response.status_code, error["details"]) == (
        409, {"import": first["spec_id"], "by": "developer"},
    )  # fmt: skip
    assert contents(site) == before


async def test_two_people_who_import_at_once_do_not_overwrite_each_other(site: Site) -> None:
    await imported(site, document("live"), auto_publish="true")
    one = document("live")
    one["paths"]["/live"]["get"]["summary"] = "By one"
    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        asked = [
            group.create_task(site.upload(source, role=role, auto_publish="true"))
            for source, role in ((one, "developer"), (changed("live"), "admin"))
        ]
    answers = sorted((task.result() for task in asked), key=lambda answer: answer.status_code)
    assert [answer.status_code for answer in answers] == [200, 409]
    assert "import again" in error_of(answers[1])["message"]
    won = answers[0].json()["tools"][0]["description"]
    assert (await tool(site, "live"))["description"] == won


async def test_a_title_that_changed_is_still_the_same_api(site: Site) -> None:
    await imported(site, document("a", "b", title="Shop"), auto_publish="true")
    report = await imported(site, document("a", "b", title="Shop API"), auto_publish="true")
    assert report["changed"] is False
    assert (await imports(site))[0]["upstream"] == "shop.shop"


async def test_four_eyes_may_be_asked_for(site: Site) -> None:
    async with altered(site, imports=ImportRules(four_eyes=True, egress=THIS_MACHINE)) as strict:
        refused = await strict.upload(document("a"), auto_publish="true")
        assert (refused.status_code, error_of(refused)["code"]) == (403, "E1004")
        draft = await imported(strict, document("a"))
        path = f"{IMPORTS}/{draft['spec_id']}/publish"
        assert (await strict.post(path, role="developer")).status_code == 403
        assert (
            await strict.post("/api/admin/tools/a/publish", role="developer")
        ).status_code == 403
        assert (await strict.post(path, role="admin")).status_code == 200


async def test_imports_are_listed_and_shown(site: Site) -> None:
    first = await imported(site, document("a"), auto_publish="true")
    await imported(site, document("b", title="Other"), bundle_id="other")
    found = (await site.get(f"{IMPORTS}?bundle_id=shop&status=published")).json()
    assert (found["total"], found["imports"][0]["id"]) == (1, first["spec_id"])
    page = (await site.get(f"{IMPORTS}?limit=1&page=2")).json()
    assert (page["total"], len(page["imports"]), page["imports"][0]["name"]) == (2, 1, "Shop")
    shown = (await site.get(f"{IMPORTS}/{first['spec_id']}")).json()
    assert shown["tools"] == [{"name": "a", "version": "1.0.0", "action": "added"}]
    assert shown["diff"] == (await site.get(f"{IMPORTS}/{first['spec_id']}/diff")).json()
    assert (await site.get(f"{IMPORTS}/{first['spec_id']}", tenant="acme")).status_code == 404
    assert (await site.get(f"{IMPORTS}/none")).status_code == 400


async def test_only_who_may_write_tools_sees_and_decides(site: Site) -> None:
    report = await imported(site, document("a"))
    path = f"{IMPORTS}/{report['spec_id']}"
    for method, where in [
        ("GET", IMPORTS), ("GET", path), ("GET", f"{path}/diff"), ("GET", f"{path}/document"),
        ("POST", f"{path}/publish"), ("POST", f"{path}/discard"), ("POST", f"{path}/rollback"),
    ]:  # fmt: skip
        assert (await site.ask(method, where, role="operator")).status_code == 403
        assert (await site.ask(method, where, tenant="acme")).status_code in {404, 200}
    assert (await imports(site))[0]["status"] == "draft"


async def test_a_document_is_fetched_where_the_rules_allow_it(site: Site) -> None:
    with answering(_Host) as url:
        report = await site.post(IMPORTS, data={"bundle_id": "far", "url": f"{url}/api.json"})
        assert report.status_code == 200, report.text
        assert [one["name"] for one in report.json()["tools"]] == ["far"]
        assert (await imports(site))[0]["filename"] == f"{url}/api.json"
        parts = {"bundle_id": "far", "url": f"{url}/parts.json", "dry_run": "true"}
        without = (await site.post(IMPORTS, data=parts)).json()
        assert "--allow-host" in without["error"]["message"]
        allowed = await site.post(IMPORTS, data={**parts, "allow_hosts": "127.0.0.1"})
        assert [one["name"] for one in allowed.json()["tools"]] == ["part"]
        for place, words in [("/none", "HTTP 404"), ("/away", "redirects to http://elsewhere")]:
            refused = await site.post(IMPORTS, data={"bundle_id": "far", "url": url + place})
            assert words in error_of(refused)["message"]
    for wrong in ["http://169.254.169.254/latest", "file:///etc/passwd", "http://127.0.0.1:1/x"]:
        refused = await site.post(IMPORTS, data={"bundle_id": "far", "url": wrong})
        assert (refused.status_code, error_of(refused)["code"]) == (400, "E2001")
        assert "cannot be fetched" in error_of(refused)["message"]


class _Host(Quiet):
    """A host with documents."""

    def do_GET(self) -> None:
        """Answer as the path asks."""
        if self.path == "/away":
            self.reply(b"", status=302, location="http://elsewhere.example/")
        elif self.path == "/api.json":
            self.reply(json.dumps(document("far")).encode())
        elif self.path == "/parts.json":
            self.reply(json.dumps({**document(), "paths": {"/p": {"$ref": "p.json"}}}).encode())
        elif self.path == "/p.json":
            self.reply(json.dumps({"get": operation("part")}).encode())
        else:
            self.reply(b"{}", status=404)


async def test_a_document_too_large_is_told_the_limit_and_the_setting(site: Site) -> None:
    rules = ImportRules(max_document_bytes=2_000_000)
    async with altered(site, imports=rules) as small:
        for size in (2_000_001, 4_000_000):
            response = await small.upload(b"y" * size)
            assert response.status_code in {400, 413}
            assert "catalogue.max_document_bytes" in error_of(response)["message"]


async def test_a_thousand_operations_are_one_import(site: Site) -> None:
    large = document(*(f"operation_{number}" for number in range(1000)))
    report = await imported(site, large, auto_publish="true")
    assert report["tools_generated"] == 1000
    assert (await imported(site, large))["changed"] is False
    later = changed(*(f"operation_{number}" for number in range(1000)))
    again = await imported(site, later, auto_publish="true")
    assert again["diff"]["summary"]["changed"] == 1000
    await decided(site, again, "rollback")
    assert (await site.get("/api/mcp/tools")).json()["total"] == 1000


async def test_an_import_that_publishes_replaces_live_tools_and_their_address(site: Site) -> None:
    await imported(site, document("live"), auto_publish="true")
    later = changed("live", "new", server="http://127.0.0.1:10")
    report = await imported(site, later, auto_publish="true")
    assert {one["status"] for one in report["tools"]} == {"active"}
    assert await address_of(site, "live") == "http://127.0.0.1:10"
    found = (await site.get("/api/mcp/tools")).json()["tools"]
    assert [one["description"] for one in found] == ["Changed", "Changed"]


async def test_a_dry_run_of_a_second_import_shows_the_status_that_stays(site: Site) -> None:
    await imported(site, document("kept"), auto_publish="true")
    report = await imported(site, document("kept", "new"), dry_run="true")
    found = {one["name"]: one["status"] for one in report["tools"]}
    assert found == {"kept": "active", "new": "draft"}


async def test_the_same_document_twice_makes_nothing_twice(site: Site) -> None:
    first = await imported(site, BOOKING.read_bytes())
    second = await imported(site, BOOKING.read_bytes())
    assert first == second
    assert (await site.get("/api/admin/tools")).json()["total"] == 7


async def test_a_quarantined_tool_is_replaced_but_not_published(site: Site) -> None:
    await imported(site, document("odd", "other"))
    async with site.rows() as (session, tenant_id):
        await Tools(session, tenant_id).set_status("odd", ToolStatus.QUARANTINED)
    before = contents(site)
    refused = await site.upload(document("odd", "other"), auto_publish="true")
    error = error_of(refused)
    assert (refused.status_code, error["details"]) == (409, {"tool": "odd"})
    assert contents(site) == before
    report = await imported(site, document("odd", "other"))
    assert [one["status"] for one in report["tools"]] == ["quarantined", "draft"]


@pytest.mark.parametrize(
    ("first", "second"),
    [("予約", "在庫"), ("Shop!", "Shop?"), ("a" * 99, "a" * 98 + "b"), ("v1 Shop", "v1-Shop")],
)
async def test_two_documents_of_a_bundle_keep_their_own_addresses(
    site: Site, first: str, second: str
) -> None:
    for name, title in (("one", first), ("two", second)):
        await imported(
            site, document(name, title=title, server=f"http://{name}.example"), bundle_id="b" * 60
        )
    assert await address_of(site, "one") == "http://one.example"
    assert await address_of(site, "two") == "http://two.example"


async def test_bundles_with_the_longest_names_keep_their_own_addresses(site: Site) -> None:
    for name, bundle in (("one", "b" * 100), ("two", "b" * 99)):
        source = document(name, server=f"http://{name}.example")
        await imported(site, source, bundle_id=bundle)
    assert await address_of(site, "one") == "http://one.example"
    assert await address_of(site, "two") == "http://two.example"


async def test_an_address_can_be_given(site: Site) -> None:
    report = await imported(site, document("a"), base_url="https://api.example/v2/")
    assert report["base_url"] == "https://api.example/v2"
    assert await address_of(site, "a") == "https://api.example/v2"


async def test_an_address_that_is_none_is_refused(site: Site, subtests: pytest.Subtests) -> None:
    for base_url in [
        "ftp://h",
        "javascript:alert(1)",
        "file:///etc/passwd",
        "h.example",
        "http://u:p@h",
        "http://",
    ]:
        with subtests.test(repr(base_url)):
            before = contents(site)
            response = await site.upload(document("a"), base_url=base_url)
            error = error_of(response)
            assert (response.status_code, error["code"]) == (400, "E2001")
            assert "base URL" in error["message"]
            assert contents(site) == before


def _bomb() -> bytes:
    levels = "".join(f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 10)}]\n" for n in range(1, 12))
    return f"openapi: 3.1.0\nl0: &l0 x\n{levels}".encode()


HOSTILE: dict[str, bytes] = {
    "empty": b"",
    "space": b" \n ",
    "page": b"<html><body>404</body></html>",
    "binary": bytes(range(256)),
    "gzip": gzip.compress(b"openapi: 3.1.0"),
    "latin": b"openapi: 3.1.0\ninfo: {title: \xe9}",
    "torn json": b'{"openapi": "3.1.0", "paths": {',
    "torn yaml": b"openapi: '3.1.0\npaths:",
    "list": b"[]",
    "swagger": b'{"swagger": "2.0", "paths": {"/a": {"get": {}}}}',
    "future": b'{"openapi": "4.0.0", "paths": {"/a": {"get": {}}}}',
    "no paths": b'{"openapi": "3.1.0", "info": {"title": "T", "version": "1"}, "paths": {}}',
    "deep json": b'{"openapi": "3.1.0", "x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "deep yaml": b"openapi: 3.1.0\nx: " + b"[" * 20_000,
    "alias bomb": _bomb(),
    "code": b"openapi: !!python/object/apply:os.system ['true']",
    "no server": json.dumps({**document("a"), "servers": []}).encode(),
    "file server": json.dumps(document("a", server="file:///etc/passwd")).encode(),
    "password": json.dumps(document("a", server="http://u:secret@h")).encode(),
}


async def test_a_document_that_cannot_be_used_is_refused_and_leaves_no_trace(
    site: Site, subtests: pytest.Subtests
) -> None:
    for name, source in HOSTILE.items():
        with subtests.test(repr(name)):
            before, snapshot = contents(site), site.control.snapshot()
            response = await site.upload(source)
            error = error_of(response)
            assert (response.status_code, error["code"]) == (400, "E2001")
            assert len(error["message"]) < 1000
            assert contents(site) == before
            assert site.control.snapshot() is snapshot


async def test_a_refusal_says_where_in_the_document_the_mistake_is(site: Site) -> None:
    response = await site.upload(b"openapi: 3.1.0\ninfo:\n  title: T\n swagger: [\n")
    findings = error_of(response)["details"]["findings"]
    assert findings[0]["line"] >= 3


async def test_a_warning_says_what_was_left_out_and_where(site: Site) -> None:
    shop = document("good")
    bad = {"name": "q", "in": "query", "schema": {"$ref": "http://elsewhere.example/s.json"}}
    shop["paths"]["/bad"] = {"get": operation("bad", [bad])}
    report = await imported(site, shop)
    assert report["tools"][0]["name"] == "good"
    assert report["warnings"]
    assert report["warnings"][0]["location"].startswith("#/paths/~1bad/get")


async def test_names_from_a_hostile_document_are_harmless(site: Site) -> None:
    shop = document("a")
    shop["info"]["title"] = "../../etc <script>\x1b[2J" + "x" * 5000
    shop["paths"]["/x"] = {"get": operation("../../../admin?x=#\r\nX: y" + "z" * 500)}
    report = await imported(site, shop)
    for one in report["tools"]:
        assert (await tool(site, one["name"]))["name"] == one["name"]
        assert one["name"].replace("_", "").replace("-", "").replace(".", "").isalnum()
    assert len(report["name"]) <= 100


async def test_a_field_that_is_not_right_is_named(site: Site, subtests: pytest.Subtests) -> None:
    for wrong in [
        {"bundle_id": "a/b"},
        {"bundle_id": "x" * 101},
        {"auto_publish": "perhaps"},
        {"dry_run": "2"},
        {"base_url": "http://h/" + "x" * 2000},
    ]:
        with subtests.test(str(wrong)):
            response = await site.upload(document("a"), **wrong)
            error = error_of(response)
            assert (response.status_code, error["code"]) == (400, "E2004")
            assert error["details"]["errors"][0]["location"] == f"body.{next(iter(wrong))}"


async def test_a_form_that_is_not_whole_is_refused(site: Site, subtests: pytest.Subtests) -> None:
    for options in [
        {"data": {"bundle_id": "b"}},
        {"files": {"file": ("f", b"openapi: 3.1.0")}},
        {"json": {"bundle_id": "b"}},
        {"content": b"--x", "headers": {"content-type": "multipart/form-data; boundary=x"}},
        {"content": b"x", "headers": {"content-type": "multipart/form-data"}},
        {},
    ]:
        with subtests.test(str(options)[:40]):
            response = await site.post("/api/admin/openapi", **options)
            assert response.status_code == 400
            assert error_of(response)["code"] in {"E2001", "E2003", "E2004"}


async def test_an_import_whose_record_fails_is_not_half_there(site: Site) -> None:
    before = contents(site)
    site.recorder.fails = True
    response = await site.upload(BOOKING.read_bytes(), auto_publish="true")
    assert response.status_code == 503
    assert contents(site) == before
    assert (await site.get("/api/mcp/tools")).json()["total"] == 0


async def test_an_import_that_is_abandoned_is_not_half_there(site: Site) -> None:
    before = contents(site)
    site.recorder.holds = True
    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        asking = group.create_task(site.upload(BOOKING.read_bytes(), auto_publish="true"))
        await site.recorder.appended.wait()
        asking.cancel()
    assert contents(site) == before


@pytest.mark.parametrize("step", ["published", "replace", "decide"])
async def test_an_import_that_fails_half_way_is_not_half_there(
    site: Site, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    await imported(site, document("live"), auto_publish="true")
    draft = await imported(site, changed("live"))
    before = contents(site)

    async def fail(*_: object, **__: object) -> None:
        raise StorageExhausted("The disk is full.")

    monkeypatch.setattr(Imports, step, fail)
    for response in (
        await site.upload(changed("live", "new"), auto_publish="true"),
        await site.post(f"{IMPORTS}/{draft['spec_id']}/publish"),
    ):
        assert response.status_code == 503, response.text
    assert contents(site) == before


async def test_two_imports_at_once_both_come_through_whole(site: Site) -> None:
    first, second = document("a", "b", title="One"), document("c", "d", title="Two")
    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        one = group.create_task(site.upload(first, bundle_id="one"))
        two = group.create_task(site.upload(second, bundle_id="two"))
    assert (one.result().status_code, two.result().status_code) == (200, 200)
    found = (await site.get("/api/admin/tools")).json()["tools"]
    assert [(one["name"], one["bundle"]) for one in found] == [
        ("a", "one"), ("b", "one"), ("c", "two"), ("d", "two"),
    ]  # fmt: skip


async def test_the_record_of_an_import_says_how_much_it_made(site: Site) -> None:
    await imported(site, BOOKING.read_bytes(), auto_publish="true")
    record = site.recorder.last
    assert (record.action, record.status) == ("openapi.import", Status.SUCCESS)
    assert record.metadata == {
        "target": "Vehicle service booking",
        "bundle": "shop",
        "tools": 7,
        "new_versions": 7,
        "published": True,
    }


@pytest.mark.parametrize("inside", ["127.0.0.1", "10.0.0.5", "localhost", "[::1]"])
async def test_an_address_inside_is_for_those_to_name_who_manage_servers(
    site: Site, inside: str
) -> None:
    url = f"http://{inside}:1"
    async with altered(site, imports=ImportRules(), grpc=AddressRules()) as strict:
        refused = [
            await strict.upload(document("a"), base_url=url),
            await strict.post(IMPORTS, "developer", data={"bundle_id": "b", "url": f"{url}/x"}),
            await strict.post(
                "/api/admin/grpc",
                "developer",
                data={"bundle_id": "b", "target": f"grpc://{inside}:1"},
            ),
        ]
        for response in refused:
            assert (response.status_code, error_of(response)["code"]) == (403, "E1004")
            assert "upstreams.allowed_networks" in error_of(response)["message"]
            assert error_of(response)["details"]["permission"] == "mcp:manage_servers"
        own = {**document("a"), "servers": [{"url": url}]}
        unusable = await strict.upload(own)
        assert unusable.status_code == 400
        (finding,) = error_of(unusable)["details"]["findings"]
        assert "upstreams.allowed_networks" in finding["message"]
        for given in ({}, {"base_url": url}):
            assert (await strict.upload(own, role="admin", dry_run="true", **given)).is_success


async def test_what_a_document_refers_to_is_not_fetched_inside_for_a_developer(site: Site) -> None:
    source = {**document(), "paths": {"/p": {"$ref": "http://127.0.0.1:1/p.json"}}}
    async with altered(site, imports=ImportRules()) as strict:
        refused = await strict.upload(
            source, allow_hosts="127.0.0.1", base_url="https://api.example"
        )
    assert refused.status_code == 400
    assert "this machine" in refused.text


async def test_an_operation_on_a_server_inside_is_left_out_for_a_developer(site: Site) -> None:
    source = {**document("a", "b"), "servers": [{"url": "https://api.example"}]}
    operations = list(source["paths"].values())
    operations[1]["servers"] = [{"url": "http://127.0.0.1:6379"}]
    async with altered(site, imports=ImportRules()) as strict:
        report = await imported(strict, source)
        assert [one["name"] for one in report["tools"]] == ["a"]
        assert any(
            "Left out" in one["message"] and "mcp:manage_servers" in one["message"]
            for one in report["warnings"]
        )
        both = await imported(strict, source, role="admin", dry_run="true")
        assert len(both["tools"]) == 2


async def test_an_import_does_not_land_in_the_bundle_of_a_server(site: Site) -> None:
    async with site.rows() as (session, tenant_id):
        server = Upstream("notes", UpstreamKind.MCP_HTTP, url="http://127.0.0.1:9/mcp")
        await Upstreams(session, tenant_id).upsert(server)
    before = contents(site)["tools"]
    for dry_run in ("true", "false"):
        response = await site.upload(document("a"), bundle_id="notes", dry_run=dry_run)
        assert (response.status_code, error_of(response)["details"]["server"]) == (409, "notes")
    assert contents(site)["tools"] == before
    assert (await site.get("/api/admin/bundles")).json()["bundles"] == []


STRICT = {"required": ["owner", "domain"], "minimum_tags": 1}
LABELS = {"owner": "crm", "domain": "sales", "tags": ["daily", "public"]}


async def test_what_the_standard_asks_for_is_told_before_it_refuses(site: Site) -> None:
    await site.ask("PUT", "/api/admin/standards", json=STRICT)
    source = document("a", "b")
    for fields in ({"dry_run": "true"}, {}):
        report = await imported(site, source, **fields)
        assert [one["message"] for one in report["warnings"]] == [
            "Would not be published: owner is required for 2 tools (a, b).",
            "Would not be published: domain is required for 2 tools (a, b).",
            "Would not be published: tags are required for 2 tools (a, b).",
        ]
    refused = await site.post(f"{IMPORTS}/{report['spec_id']}/publish")
    assert "owner is required" in error_of(refused)["message"]


async def test_an_import_says_whose_its_tools_are_and_is_published(site: Site) -> None:
    await site.ask("PUT", "/api/admin/standards", json=STRICT)
    source = document("a", "b")
    source["paths"]["/b"]["get"] |= {"x-bascule-owner": "desk", "tags": ["own"]}
    preview = await imported(site, source, dry_run="true", **LABELS)
    assert preview["warnings"] == []
    # A draft of the same document without them is replaced, though no step differs.
    await imported(site, source)
    report = await imported(site, source, **LABELS)
    assert report["tools"] == preview["tools"]
    assert (await imported(site, source, **LABELS))["spec_id"] == report["spec_id"]
    await decided(site, report, "publish")
    labels = [
        (one["owner"], one["domain"], one["tags"])
        for one in (await tool(site, "a"), await tool(site, "b"))
    ]
    assert labels == [("crm", "sales", ["daily", "public"]), ("desk", "sales", ["own"])]


async def test_whose_a_tool_is_stays_unless_an_import_or_a_hand_says_otherwise(site: Site) -> None:
    await imported(site, document("a", "b"), auto_publish="true", owner="crm")
    await site.ask("PATCH", "/api/admin/tools/b", json={"owner": "by-hand"})
    silent = await imported(site, document("a", "b", "c"), auto_publish="true")
    assert [one["tool"] for one in differ(silent)] == ["c"]
    assert (await tool(site, "a"))["owner"] == "crm"
    other = await imported(site, document("a", "b", "c"), auto_publish="true", owner="desk")
    changes = {one["tool"]: one["changes"] for one in differ(other)}
    assert [one["message"] for one in changes["a"]] == ["The owner was crm, and is desk."]
    assert "b" not in changes
    assert (await tool(site, "a"))["owner"] == "desk"
    assert (await tool(site, "b"))["owner"] == "by-hand"


@pytest.mark.parametrize("fields", [{"owner": " crm"}, {"domain": "a" * 101}, {"tags": [" "]}])
async def test_a_label_that_is_none_is_refused(site: Site, fields: dict[str, Any]) -> None:
    response = await site.upload(document("a"), **fields)
    assert response.status_code == 400
    assert next(iter(fields)) in error_of(response)["message"]


async def test_every_tool_of_another_bundle_is_named_up_to_ten(site: Site) -> None:
    names = [f"op_{number:02}" for number in range(12)]
    await imported(site, document(*names), bundle_id="first")
    response = await site.upload(document(*names), bundle_id="second", dry_run="true")
    error = error_of(response)
    assert (response.status_code, error["details"]["tools"]) == (409, names[:10])
    assert "12 tools exist already" in error["message"]
    assert "op_09 (bundle first) and 2 more" in error["message"]
