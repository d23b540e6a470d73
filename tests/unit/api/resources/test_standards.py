import pytest

from bascule.gateway.tool import ToolStatus
from unit.api.shelf import a_tool, stock
from unit.api.site import Site, contents, error_of

PATH = "/api/admin/standards"
TOOLS = "/api/admin/tools"
STRICT = {
    "required": ["owner", "domain"],
    "minimum_tags": 1,
    "allowed": {"domain": ["sales", "service"]},
}
DRAFT = a_tool(status=ToolStatus.DRAFT)


async def test_without_a_standard_anything_is_published(site: Site) -> None:
    assert (await site.get(PATH)).json() == {"required": [], "minimum_tags": 0, "allowed": {}}
    await stock(site, DRAFT)
    assert (await site.post(f"{TOOLS}/book/publish")).status_code == 200
    found = (await site.get(f"{PATH}/violations")).json()
    assert found == {"violations": [], "total": 0, "checked": 0}


async def test_a_standard_is_kept_as_it_was_given(site: Site) -> None:
    assert (await site.ask("PUT", PATH, json=STRICT)).json() == STRICT
    assert (await site.get(PATH, "developer")).json() == STRICT
    assert (await site.get(PATH, tenant="acme")).json()["required"] == []
    record = site.recorder.records[-1]
    assert (record.action, record.metadata["standard"]) == ("standard.set", STRICT)
    again = {**STRICT, "minimum_tags": 0}
    assert (await site.ask("PUT", PATH, json=again)).json() == again


async def test_a_tool_that_falls_short_is_not_published_and_told_why(site: Site) -> None:
    await site.ask("PUT", PATH, json=STRICT)
    await stock(site, DRAFT)
    for response in (
        await site.post(f"{TOOLS}/book/publish"),
        await site.post(f"{TOOLS}/book/status", json={"status": "active"}),
    ):
        error = error_of(response)
        assert (response.status_code, error["code"]) == (400, "E2004")
        assert "book 1.0.0: owner is required, domain is required, tags" in error["message"]
        assert [one["field"] for one in error["details"]["violations"]] == [
            "owner",
            "domain",
            "tags",
        ]
    said = {"owner": "crm", "domain": "sales", "tags": ["daily"]}
    await site.ask("PATCH", f"{TOOLS}/book", json={**said, "domain": "shipping"})
    foreign = await site.post(f"{TOOLS}/book/publish")
    assert "'shipping' is not allowed; allowed are sales, service" in error_of(foreign)["message"]
    await site.ask("PATCH", f"{TOOLS}/book", json=said)
    assert (await site.post(f"{TOOLS}/book/publish")).json()["status"] == "active"


async def test_tools_in_force_stay_so_but_are_reported(site: Site) -> None:
    await stock(site, a_tool(), a_tool("good", owner="crm", domain="sales", tags=("daily",)))
    await site.ask("PUT", PATH, json=STRICT)
    assert (await site.get("/api/mcp/tools")).json()["total"] == 2
    found = (await site.get(f"{PATH}/violations", "developer")).json()
    assert (found["total"], found["checked"]) == (3, 2)
    assert found["violations"][0] == {
        "tool": "book",
        "version": "1.0.0",
        "bundle": "shop",
        "status": "active",
        "field": "owner",
        "message": "owner is required",
    }


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"required": ["ownr"]}, "body.required.0"),
        ({"requierd": []}, "did you mean required?"),
        ({"minimum_tags": -1}, "greater than or equal to 0"),
        ({"allowed": {"title": ["x"]}}, "not for title"),
        ({"allowed": {"tags": ["a"]}, "minimum_tags": 2}, "only 1 tags are allowed"),
        ({"allowed": {"owner": []}}, "at least 1 item"),
    ],
)
async def test_a_standard_that_makes_no_sense_is_refused(
    site: Site, body: dict[str, object], says: str
) -> None:
    before = contents(site)
    response = await site.ask("PUT", PATH, json=body)
    assert (response.status_code, says in error_of(response)["message"]) == (400, True)
    assert contents(site) == before


async def test_who_writes_tools_does_not_write_the_standard(site: Site) -> None:
    assert (await site.ask("PUT", PATH, "developer", json=STRICT)).status_code == 403


async def test_only_what_is_in_force_is_reported(site: Site) -> None:
    await stock(
        site,
        a_tool(version="1.0.0", status=ToolStatus.DEPRECATED),
        a_tool(version="2.0.0", owner="crm", domain="sales", tags=("daily",)),
        a_tool("draft", status=ToolStatus.DRAFT),
        a_tool("off", status=ToolStatus.INACTIVE),
        a_tool("old", status=ToolStatus.DEPRECATED),
    )
    await site.ask("PUT", PATH, json=STRICT)
    found = (await site.get(f"{PATH}/violations")).json()
    assert {one["tool"] for one in found["violations"]} == {"old"}
    assert (found["total"], found["checked"]) == (3, 2)
