from typing import Any

import httpx2
import pytest

from bascule.gateway.record import Status
from bascule.gateway.tool import Tool, ToolStatus, Upstream, UpstreamKind
from bascule.storage.repositories.tools import Tools
from bascule.storage.repositories.upstreams import Upstreams
from unit.api.shelf import a_tool, stock
from unit.api.site import Site, contents, error_of

PATH = "/api/admin/bundles"


async def test_a_bundle_is_made_and_listed(site: Site) -> None:
    made = await site.post(PATH, json={"name": "shop", "description": "What shops need."})
    assert made.status_code == 201
    bundle = made.json()
    assert (bundle["name"], bundle["owner"], bundle["status"]) == ("shop", "admin", "active")
    assert (await site.get(PATH)).json() == {"bundles": [bundle], "total": 1}


async def test_an_owner_may_be_named(site: Site) -> None:
    made = await site.post(PATH, json={"name": "shop", "owner": "sales"})
    assert made.json()["owner"] == "sales"


async def test_bundles_are_listed_by_name(site: Site) -> None:
    for name in ("c", "a", "b"):
        assert (await site.post(PATH, json={"name": name})).is_success
    found = (await site.get(PATH)).json()
    assert [bundle["name"] for bundle in found["bundles"]] == ["a", "b", "c"]


async def test_a_name_that_is_taken_is_a_conflict(site: Site) -> None:
    await site.post(PATH, json={"name": "shop", "owner": "first"})
    response = await site.post(PATH, json={"name": "shop", "owner": "second"})
    assert (response.status_code, error_of(response)["code"]) == (409, "E2012")
    assert (await site.get(PATH)).json()["bundles"][0]["owner"] == "first"


async def test_a_name_that_no_url_could_hold_is_refused(
    site: Site, subtests: pytest.Subtests
) -> None:
    for name in ["", "a/b", "..", "-x", "a b", "x" * 101, None, 7]:
        with subtests.test(repr(name)):
            before = contents(site)
            response = await site.post(PATH, json={"name": name})
            error = error_of(response)
            assert (response.status_code, error["code"]) == (400, "E2004")
            assert error["details"]["errors"][0]["location"] == "body.name"
            assert contents(site) == before


async def test_text_that_cannot_be_stored_is_refused(site: Site) -> None:
    response = await site.post(PATH, json={"name": "b", "description": "a\0b"})
    assert (response.status_code, error_of(response)["code"]) == (400, "E2004")
    assert (await site.get(PATH)).json()["total"] == 0


async def borrow(site: Site, **member: object) -> httpx2.Response:
    return await site.post(f"{PATH}/desk/members", "developer", json={"tool": "book", **member})


async def desk(site: Site, *tools: Tool) -> None:
    """A bundle of developers, who may call everything and so may lend it."""
    await stock(site, *tools)
    rule = {"name": "developers", "effect": "allow", "roles": ["developer"]}
    assert (await site.post("/api/admin/policies", json=rule)).status_code == 201
    assert (await site.post(PATH, "developer", json={"name": "desk"})).status_code == 201


async def seen(site: Site, bundle: str = "desk", role: str = "admin") -> dict[str, dict[str, Any]]:
    found = (await site.get("/api/mcp/tools", role, params={"bundle": bundle})).json()
    return {one["name"]: one for one in found["tools"]}


async def test_a_bundle_borrows_a_tool_in_its_own_words(site: Site) -> None:
    await desk(site)
    made = await borrow(
        site, name="reserve", description="Reserves at our shop.", defaults={"dealer": 7}
    )
    assert made.status_code == 201
    assert made.json()["members"] == [
        {
            "name": "reserve",
            "tool": "book",
            "server": "",
            "bundle": "shop",
            "version": "",
            "risk_level": "read",
            "description": "Reserves at our shop.",
            "defaults": {"dealer": 7},
            "problem": "",
        }
    ]
    tool = (await seen(site))["reserve"]
    assert tool["description"] == "Reserves at our shop."
    assert list(tool["input_schema"]["properties"]) == ["day"]
    assert list(await seen(site, "shop")) == ["book"]


async def test_what_a_bundle_fixes_is_hidden_from_who_calls_it(site: Site) -> None:
    await desk(site)
    await borrow(site, defaults={"dealer": 7})
    for role in ("user", "viewer"):
        found = (await site.get(PATH, role)).json()["bundles"]
        assert {one["name"]: one["members"] for one in found} == {"desk": [], "shop": []}
        assert (await site.get(f"{PATH}/desk", role)).status_code == 403


async def test_a_bundle_is_made_with_what_it_borrows(site: Site) -> None:
    await stock(site)
    wanted = {"name": "desk", "version": "2.0.0", "members": [{"tool": "book", "name": "reserve"}]}
    made = (await site.post(PATH, json=wanted)).json()
    assert (made["version"], [one["name"] for one in made["members"]]) == ("2.0.0", ["reserve"])
    wanted = {"name": "other", "members": [{"tool": "boook"}]}
    response = await site.post(PATH, json=wanted)
    assert (response.status_code, error_of(response)["code"]) == (404, "E2011")
    assert (await site.get(f"{PATH}/other")).status_code == 404, "nothing is made by halves"


@pytest.mark.parametrize(
    ("member", "status", "field", "says"),
    [
        ({"tool": "boook"}, 404, "tool", "Did you mean book?"),
        ({"tool": "old"}, 404, "tool", "not in force"),
        ({"version": "2"}, 404, "version", "there are 1.0.0"),
        ({"name": "hours"}, 409, "name", "tool of its own named hours"),
        (
            {"defaults": {"shop": 1}},
            400,
            "defaults",
            "takes no argument shop. It takes day, dealer",
        ),
        ({"defaults": {"dealer": "x"}}, 400, "defaults.dealer", 'not of type "integer"'),
    ],
)
async def test_what_cannot_be_borrowed_is_refused_by_its_field(
    site: Site, member: dict[str, object], status: int, field: str, says: str
) -> None:
    await desk(
        site,
        a_tool(),
        a_tool("hours", bundle="desk0"),
        a_tool("old", status=ToolStatus.INACTIVE),
    )
    async with site.rows() as (session, tenant_id):
        await Tools(session, tenant_id).upsert(a_tool("hours", bundle="desk"))
    response = await borrow(site, **member)
    error = error_of(response)
    assert (response.status_code, error["details"]["field"]) == (status, field)
    assert says in error["message"]


async def test_a_name_is_given_once_in_a_bundle(site: Site) -> None:
    await desk(site, a_tool(), a_tool("hours"))
    await borrow(site)
    taken = await borrow(site, tool="hours", name="book")
    assert (taken.status_code, error_of(taken)["details"]) == (409, {"field": "name"})
    await borrow(site, tool="hours")
    path = f"{PATH}/desk/members/hours"
    renamed = await site.ask("PATCH", path, json={"name": "book"})
    assert renamed.status_code == 409


async def test_a_member_is_changed_and_let_go(site: Site) -> None:
    await desk(site)
    await borrow(site, name="reserve", defaults={"dealer": 7})
    path = f"{PATH}/desk/members/reserve"
    changed = await site.ask("PATCH", path, json={"name": "reserve2", "description": "New."})
    member = changed.json()["members"][0]
    assert (member["name"], member["description"]) == ("reserve2", "New.")
    assert member["defaults"] == {"dealer": 7}
    gone = await site.delete(path)
    assert (gone.status_code, error_of(gone)["code"]) == (404, "E2011")
    assert "Did you mean reserve2?" in error_of(gone)["message"]
    left = await site.delete(f"{PATH}/desk/members/reserve2")
    assert left.json()["members"] == []
    assert await seen(site) == {}


async def test_a_member_whose_tool_is_gone_says_so(site: Site) -> None:
    await desk(site)
    await borrow(site, version="1")
    await site.post("/api/admin/tools/book/status", json={"status": "inactive"})
    member = (await site.get(f"{PATH}/desk")).json()["members"][0]
    assert member["problem"] == "version 1 of book is not in force"
    assert await seen(site) == {}


async def test_an_unknown_bundle_is_told_with_the_one_that_may_be_meant(site: Site) -> None:
    await desk(site)
    response = await site.get(f"{PATH}/dessk")
    assert error_of(response)["message"] == "There is no bundle named dessk. Did you mean desk?"


async def test_a_bundle_is_changed_by_field_and_switched_off(site: Site) -> None:
    await stock(site)
    changed = await site.ask(
        "PATCH", f"{PATH}/shop", json={"owner": "crm", "version": "1.1.0", "status": "inactive"}
    )
    bundle = changed.json()
    assert (bundle["owner"], bundle["version"], bundle["status"]) == ("crm", "1.1.0", "inactive")
    assert bundle["description"] == ""
    assert await seen(site, "shop") == {}
    nothing = await site.ask("PATCH", f"{PATH}/shop", json={})
    assert (nothing.status_code, error_of(nothing)["code"]) == (400, "E2004")
    wrong = await site.ask("PATCH", f"{PATH}/shop", json={"version": "1.1"})
    assert "three numbers" in error_of(wrong)["message"]


async def test_a_change_that_was_not_seen_is_not_overwritten(site: Site) -> None:
    await stock(site)
    first = await site.get(f"{PATH}/shop")
    etag = first.headers["etag"]
    done = await site.ask("PATCH", f"{PATH}/shop", json={"owner": "a"}, headers={"if-match": etag})
    assert done.status_code == 200
    stale = await site.ask("PATCH", f"{PATH}/shop", json={"owner": "b"}, headers={"if-match": etag})
    assert (stale.status_code, error_of(stale)["code"]) == (409, "E2012")
    moment = first.json()["updated_at"]
    late = await site.ask("PATCH", f"{PATH}/shop", json={"owner": "b", "updated_at": moment})
    assert late.status_code == 409
    fresh = {"if-match": done.headers["etag"]}
    assert (await site.ask("PATCH", f"{PATH}/shop", json={"owner": "c"}, headers=fresh)).is_success


async def test_a_bundle_with_tools_is_not_deleted_and_an_empty_one_is_whole(site: Site) -> None:
    await desk(site)
    await borrow(site)
    await site.post(f"{PATH}/desk/release", json={"version": "1.0.0"})
    kept = await site.delete(f"{PATH}/shop")
    assert (kept.status_code, error_of(kept)["details"]) == (409, {"tool": "book"})
    gone = await site.delete(f"{PATH}/desk")
    assert gone.json() == {"deleted": "desk"}
    assert (await site.get(f"{PATH}/desk")).status_code == 404
    assert contents(site)["bundle_members"] == contents(site)["bundle_releases"] == []
    assert list(await seen(site, "shop")) == ["book"], "what it borrowed stays where it is"


async def test_a_borrowed_tool_is_not_deleted_under_the_bundle(site: Site) -> None:
    await desk(site)
    await borrow(site)
    response = await site.delete("/api/admin/tools/book")
    assert (response.status_code, error_of(response)["details"]) == (409, {"bundles": ["desk"]})


async def test_a_release_stays_while_the_bundle_goes_on(site: Site) -> None:
    await desk(site, a_tool(), a_tool("hours"))
    await borrow(site, name="reserve")
    made = await site.post(f"{PATH}/desk/release", json={"version": "1.0.0"})
    assert made.status_code == 201
    frozen = {"name": "reserve", "tool": "book", "server": "", "version": "1.0.0", "defaults": {}}
    assert (made.json()["tools"], made.json()["is_served"]) == ([frozen], True)
    await borrow(site, tool="hours")
    assert list(await seen(site)) == ["reserve"], "a served release does not change"
    again = await site.post(f"{PATH}/desk/release", json={"version": "1.1.0"})
    assert again.status_code == 201
    assert list(await seen(site)) == ["hours", "reserve"]
    assert list(await seen(site, "desk@1.0")) == ["reserve"]
    assert list(await seen(site, "desk@1")) == ["hours", "reserve"]
    found = (await site.get(f"{PATH}/desk/releases")).json()
    assert [one["version"] for one in found["releases"]] == ["1.1.0", "1.0.0"]
    bundle = (await site.get(f"{PATH}/desk")).json()
    assert (bundle["serves"], bundle["version"]) == ("1.1.0", "1.1.0")


async def test_a_bundle_goes_back_to_an_earlier_release_or_to_none(site: Site) -> None:
    await desk(site, a_tool(), a_tool("hours"))
    await borrow(site)
    await site.post(f"{PATH}/desk/release", json={"version": "1.0.0"})
    await borrow(site, tool="hours")
    back = f"{PATH}/desk/rollback"
    assert (await site.post(back, json={"version": ""})).json()["serves"] == ""
    assert list(await seen(site)) == ["book", "hours"]
    assert (await site.post(back, json={"version": "1.0.0"})).json()["serves"] == "1.0.0"
    assert list(await seen(site)) == ["book"]
    missing = await site.post(back, json={"version": "3.0.0"})
    assert (missing.status_code, error_of(missing)["details"]["releases"]) == (404, ["1.0.0"])


async def test_a_release_is_made_once_and_of_something(site: Site) -> None:
    await desk(site)
    empty = await site.post(f"{PATH}/desk/release", json={"version": "1.0.0"})
    assert (empty.status_code, error_of(empty)["code"]) == (409, "E2012")
    await borrow(site)
    aside = {"version": "1.0.0", "serve": False}
    assert (await site.post(f"{PATH}/desk/release", json=aside)).json()["is_served"] is False
    twice = await site.post(f"{PATH}/desk/release", json={"version": "1.0.0"})
    assert (twice.status_code, "never changes" in error_of(twice)["message"]) == (409, True)


async def test_a_release_that_is_served_is_not_deleted(site: Site) -> None:
    await desk(site)
    await borrow(site)
    for version in ("1.0.0", "1.1.0"):
        await site.post(f"{PATH}/desk/release", json={"version": version})
    assert (await site.delete(f"{PATH}/desk/releases/1.1.0")).status_code == 409
    assert (await site.delete(f"{PATH}/desk/releases/2.0.0")).status_code == 404
    assert (await site.delete(f"{PATH}/desk/releases/1.0.0")).json() == {"deleted": "desk@1.0.0"}
    assert "desk@1.0" not in site.control.snapshot().tenant("default").bundle_tools


async def test_changes_are_on_record_without_the_values_that_are_fixed(site: Site) -> None:
    await desk(site)
    await borrow(site, name="reserve", defaults={"dealer": 4711})
    record = site.recorder.records[-1]
    assert record.action == "bundle.member.add"
    assert record.metadata == {
        "target": "desk", "tool": "book", "name": "reserve", "fixes": ["dealer"]
    }  # fmt: skip


async def test_a_bundle_of_another_tenant_is_none(site: Site) -> None:
    await desk(site)
    for method, path in [("GET", "/desk"), ("DELETE", "/desk"), ("GET", "/desk/releases")]:
        response = await site.ask(method, f"{PATH}{path}", tenant="acme")
        assert response.status_code == 404
    response = await site.post(f"{PATH}/desk/members", tenant="acme", json={"tool": "book"})
    assert response.status_code == 404


async def test_a_field_that_does_not_exist_is_told_with_the_one_that_may_be_meant(
    site: Site,
) -> None:
    response = await site.post(PATH, json={"name": "desk", "descripton": "x"})
    message = error_of(response)["message"]
    assert "There is no such field; did you mean description?" in message


async def test_nobody_lends_a_tool_that_they_may_not_call(site: Site) -> None:
    await stock(site)
    assert (await site.post(PATH, "developer", json={"name": "desk"})).status_code == 201
    refused = await borrow(site)
    error = error_of(refused)
    assert (refused.status_code, error["code"]) == (403, "E1004")
    assert "allowed to call it yourself" in error["message"]
    assert error["details"] == {"field": "tool", "tool": "book"}
    record = site.recorder.records[-1]
    assert (record.action, record.status, record.metadata) == (
        "bundle.member.add", Status.FAILURE,
        {"target": "desk", "tool": "book", "failure": "Forbidden"},
    )  # fmt: skip
    wanted = {"name": "other", "members": [{"tool": "book"}]}
    assert (await site.post(PATH, "developer", json=wanted)).status_code == 403
    assert site.recorder.records[-1].status is Status.FAILURE
    assert (await site.get(f"{PATH}/other")).status_code == 404
    # An administrator may call everything, and so may lend it.
    made = await site.post(f"{PATH}/desk/members", json={"tool": "book", "defaults": {"dealer": 7}})
    assert made.status_code == 201
    widened = await site.ask(
        "PATCH", f"{PATH}/desk/members/book", "developer", json={"defaults": {}}
    )
    assert widened.status_code == 403
    assert (await site.get(f"{PATH}/desk")).json()["members"][0]["defaults"] == {"dealer": 7}


async def test_what_a_rule_denies_to_its_lender_is_not_lent(site: Site) -> None:
    await desk(site)
    rule = {"name": "no book", "effect": "deny", "roles": ["developer"], "tools": ["book"]}
    assert (await site.post("/api/admin/policies", json=rule)).status_code == 201
    assert (await borrow(site, name="reserve")).status_code == 403


async def test_nothing_is_borrowed_into_the_bundle_of_a_server(site: Site) -> None:
    await stock(site, a_tool())
    await site.post("/api/admin/bundles", json={"name": "notes"})
    async with site.rows() as (session, tenant_id):
        server = Upstream("notes", UpstreamKind.MCP_HTTP, url="http://127.0.0.1:9/mcp")
        await Upstreams(session, tenant_id).upsert(server)
    response = await site.post("/api/admin/bundles/notes/members", json={"tool": "book"})
    assert response.status_code == 409
    assert "notes is an MCP server" in error_of(response)["message"]
