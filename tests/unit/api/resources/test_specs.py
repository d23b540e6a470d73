"""An import makes tools of a whole document, or changes nothing."""

import asyncio
import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from bascule.gateway.record import Status
from bascule.gateway.tool import ToolStatus
from bascule.storage.repositories.specs import Specs
from bascule.storage.repositories.tools import Tools
from bascule.storage.repositories.upstreams import Upstreams
from unit.api.site import Site, contents, document, error_of, operation

BOOKING = Path(__file__).parents[4] / "examples" / "booking" / "openapi.yaml"


async def imported(site: Site, source: bytes | dict[str, Any], **fields: Any) -> dict[str, Any]:
    response = await site.upload(source, **fields)
    assert response.status_code == 200, response.text
    return response.json()


async def tool(site: Site, name: str) -> dict[str, Any]:
    response = await site.get(f"/api/admin/tools/{name}")
    assert response.status_code == 200, response.text
    return response.json()


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
    async with site.rows() as (session, tenant_id):
        specs = Specs(session, tenant_id)
        kept = (await specs.list())[0]
        assert str(kept.id) == report["spec_id"]
        assert (kept.name, kept.bundle, kept.uploaded_by) == (report["name"], "shop", "developer")
        assert await specs.content(kept.id) == source.decode()


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


async def test_a_second_import_replaces_what_is_not_live_and_keeps_its_status(site: Site) -> None:
    await imported(site, document("off", "draft"))
    async with site.rows() as (session, tenant_id):
        await Tools(session, tenant_id).set_status("off", ToolStatus.INACTIVE)
    report = await imported(site, changed("off", "draft", "new", server="http://127.0.0.1:10"))
    statuses = {one["name"]: one["status"] for one in report["tools"]}
    assert statuses == {"off": "inactive", "draft": "draft", "new": "draft"}
    for name, status in statuses.items():
        stored = await tool(site, name)
        assert (stored["description"], stored["status"]) == ("Changed", status)
    assert await address_of(site, "draft") == "http://127.0.0.1:10"


@pytest.mark.parametrize("deprecated", [True, False])
async def test_a_draft_does_not_change_a_live_tool_under_its_callers(
    site: Site, deprecated: bool
) -> None:
    shop = document("live", "draft")
    shop["paths"]["/live"]["get"]["deprecated"] = deprecated
    await imported(site, shop, auto_publish="true")
    before, snapshot = contents(site), site.control.snapshot()
    response = await site.upload(changed("live", "new"))
    error = error_of(response)
    assert (response.status_code, error["code"]) == (409, "E2012")
    assert error["details"] == {"tool": "live"}
    assert "auto_publish" in error["message"]
    assert contents(site) == before
    assert site.control.snapshot() is snapshot


async def test_a_draft_does_not_move_a_live_service_to_another_address(site: Site) -> None:
    await imported(site, document("live"), auto_publish="true")
    before = contents(site)
    response = await site.upload(changed("new", server="http://evil.example"))
    error = error_of(response)
    assert (response.status_code, error["details"]) == (409, {"base_url": "http://127.0.0.1:9"})
    assert contents(site) == before
    await imported(site, changed("new"))
    await imported(site, changed("other", server="http://h") | {"info": {"title": "Other"}})
    assert await address_of(site, "live") == "http://127.0.0.1:9"
    assert await address_of(site, "other") == "http://h"


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
    assert [one["name"] for one in report["tools"]] == ["good"]
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
        "published": True,
    }
