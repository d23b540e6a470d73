"""Definitions that wait are listed, shown with what they change, and decided about."""

import json

from bascule.gateway.tool import Upstream, UpstreamKind
from bascule.storage.repositories.pins import Definition, Pins
from bascule.storage.repositories.tenants import Tenants
from bascule.storage.repositories.upstreams import Upstreams
from unit.api.site import Site, error_of

PATH = "/api/admin/pins"
OLD = {"name": "a/b", "description": "Old.", "inputSchema": {"type": "object"}}
NEW = {**OLD, "description": "New."}


def definition(tool: dict[str, object], mark: bytes) -> Definition:
    return Definition(mark * 32, json.dumps(tool).encode())


async def seen(site: Site, *tools: Definition) -> None:
    async with site.control.database.change(author="first seen") as session:
        tenant = (await Tenants(session).get("default")).id
        server = Upstream("words", UpstreamKind.MCP_HTTP, url="http://127.0.0.1:1/mcp")
        await Upstreams(session, tenant).upsert(server)
        for one in tools:
            await Pins(session, tenant).note("words", {"a/b": one}, trust_new=True)


async def test_what_waits_is_listed_and_shown_with_its_changes(site: Site) -> None:
    await seen(site, definition(OLD, b"o"), definition(NEW, b"n"))
    listed = (await site.get(f"{PATH}?waiting=true&server=words")).json()
    assert listed["total"] == 1
    [pin] = listed["pins"]
    assert (pin["tool"], pin["status"], pin["digest"]) == ("a/b", "changed", (b"n" * 32).hex())
    shown = (await site.get(f"{PATH}/words/a/b")).json()
    assert (shown["approved"], shown["waiting"]) == (OLD, NEW)
    assert [(one["severity"], one["place"]) for one in shown["changes"]] == [
        ("risky", "description")
    ]


async def test_an_approval_is_for_the_definition_it_names(site: Site) -> None:
    await seen(site, definition(OLD, b"o"), definition(NEW, b"n"))
    decision = {"server": "words", "tool": "a/b", "digest": (b"x" * 32).hex()}
    refused = await site.post(f"{PATH}/approve", json={"pins": [decision]})
    assert refused.status_code == 409
    assert error_of(refused)["details"] == {"digest": (b"n" * 32).hex()}
    decision["digest"] = (b"n" * 32).hex()
    approved = await site.post(f"{PATH}/approve", json={"pins": [decision]})
    assert [one["status"] for one in approved.json()["pins"]] == ["approved"]
    assert (await site.get(f"{PATH}?waiting=true")).json() == {"pins": [], "total": 0}


async def test_one_that_changed_since_keeps_all_from_being_approved(site: Site) -> None:
    await seen(site, definition(OLD, b"o"), definition(NEW, b"n"))
    good = {"server": "words", "tool": "a/b", "digest": (b"n" * 32).hex()}
    bad = {**good, "tool": "missing"}
    refused = await site.post(f"{PATH}/approve", json={"pins": [good, bad]})
    assert refused.status_code == 404
    assert (await site.get(f"{PATH}?waiting=true")).json()["total"] == 1


async def test_a_rejected_definition_waits_no_more(site: Site) -> None:
    await seen(site, definition(OLD, b"o"), definition(NEW, b"n"))
    decision = {"server": "words", "tool": "a/b", "digest": (b"n" * 32).hex()}
    rejected = await site.post(f"{PATH}/reject", json={"pins": [decision]})
    assert [one["status"] for one in rejected.json()["pins"]] == ["rejected"]


async def test_decisions_are_for_those_who_manage_servers(site: Site) -> None:
    decision = {"server": "words", "tool": "a", "digest": "0" * 64}
    refused = await site.post(f"{PATH}/approve", "user", json={"pins": [decision]})
    assert refused.status_code == 403
    assert (await site.get(PATH, "user")).status_code == 403


async def test_a_tool_nobody_saw_is_not_found(site: Site) -> None:
    assert (await site.get(f"{PATH}/words/nothing")).status_code == 404


async def test_a_digest_that_is_none_is_named(site: Site) -> None:
    decision = {"server": "words", "tool": "a", "digest": "short"}
    refused = await site.post(f"{PATH}/approve", json={"pins": [decision]})
    assert refused.status_code == 400
    assert "digest" in json.dumps(error_of(refused))
