"""Versions of one tool: listed, compared, and gone back to."""

from typing import Any

from unit.api.site import Site, document, error_of

TOOL = "/api/admin/tools/find"


async def imported(site: Site, summary: str, **fields: Any) -> None:
    shop = document("find")
    shop["paths"]["/find"]["get"]["summary"] = summary
    response = await site.upload(shop, **{"auto_publish": "true", **fields})
    assert response.status_code == 200, response.text


async def statuses(site: Site) -> dict[str, str]:
    found = (await site.get(f"{TOOL}/versions")).json()
    return {one["version"]: one["status"] for one in found["versions"]}


async def test_versions_are_listed_the_newest_first(site: Site) -> None:
    await imported(site, "One")
    await imported(site, "Two")
    await imported(site, "Three", auto_publish="false")
    found = (await site.get(f"{TOOL}/versions")).json()
    assert (found["name"], found["in_force"]) == ("find", "1.1.0")
    assert [(one["version"], one["status"]) for one in found["versions"]] == [
        ("1.2.0", "draft"), ("1.1.0", "active"), ("1.0.0", "deprecated"),
    ]  # fmt: skip
    assert found["versions"][0]["import_id"]


async def test_a_version_is_compared_with_the_one_below_or_with_any(site: Site) -> None:
    await imported(site, "One")
    alone = await site.get(f"{TOOL}/diff")
    assert (alone.status_code, error_of(alone)["code"]) == (404, "E2011")
    await imported(site, "Two")
    found = (await site.get(f"{TOOL}/diff")).json()
    assert (found["before"], found["version"], found["severity"]) == ("1.0.0", "1.1.0", "risky")
    assert {one["place"] for one in found["changes"]} == {"description"}
    back = (await site.get(f"{TOOL}/diff?before=1.1.0&version=1.0.0")).json()
    assert [one["kind"] for one in back["changes"]] == ["description"]
    same = (await site.get(f"{TOOL}/diff?before=1.0.0&version=1.0.0")).json()
    assert (same["severity"], same["changes"]) == (None, [])
    assert (await site.get(f"{TOOL}/diff?version=9.0.0")).status_code == 404


async def test_going_back_puts_the_earlier_version_in_force(site: Site) -> None:
    for summary in ("One", "Two", "Three"):
        await imported(site, summary)
    done = await site.post(f"{TOOL}/rollback")
    assert (done.status_code, done.json()["version"]) == (200, "1.1.0")
    assert await statuses(site) == {"1.2.0": "inactive", "1.1.0": "active", "1.0.0": "deprecated"}
    (seen,) = (await site.get("/api/mcp/tools")).json()["tools"]
    assert (seen["version"], seen["description"]) == ("1.1.0", "Two")
    assert (await site.post(f"{TOOL}/rollback?version=1.0.0")).status_code == 200
    assert (await statuses(site))["1.0.0"] == "active"
    assert site.recorder.last.action == "tool.rollback"
    none = await site.post(f"{TOOL}/rollback")
    assert (none.status_code, error_of(none)["code"]) == (409, "E2012")


async def test_nobody_goes_back_to_a_draft(site: Site) -> None:
    await imported(site, "One")
    await imported(site, "Two", auto_publish="false")
    refused = await site.post(f"{TOOL}/rollback?version=1.1.0")
    assert (refused.status_code, error_of(refused)["code"]) == (409, "E2012")
    assert await statuses(site) == {"1.1.0": "draft", "1.0.0": "active"}


async def test_publishing_one_tool_retires_the_version_before(site: Site) -> None:
    await imported(site, "One")
    await imported(site, "Two", auto_publish="false")
    assert (await site.post(f"{TOOL}/publish?version=1.1.0")).status_code == 200
    assert await statuses(site) == {"1.1.0": "active", "1.0.0": "deprecated"}


async def test_one_tool_is_not_published_without_the_address_of_its_import(site: Site) -> None:
    await imported(site, "One")
    await imported(site, "Two", auto_publish="false", base_url="http://elsewhere.example")
    refused = await site.post(f"{TOOL}/publish?version=1.1.0")
    assert (refused.status_code, error_of(refused)["code"]) == (409, "E2012")
    assert "Publish the import" in error_of(refused)["message"]
    assert await statuses(site) == {"1.1.0": "draft", "1.0.0": "active"}


async def test_only_who_may_write_tools_sees_and_goes_back(site: Site) -> None:
    await imported(site, "One")
    for method, path in (("GET", "versions"), ("GET", "diff"), ("POST", "rollback")):
        refused = await site.ask(method, f"{TOOL}/{path}", role="operator")
        assert refused.status_code == 403
        elsewhere = await site.ask(method, f"{TOOL}/{path}", tenant="acme")
        assert elsewhere.status_code == 404
