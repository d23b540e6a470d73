"""Elevation over the REST API: for whoever asks, and for whoever decides."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest

from bascule.gateway.record import EventType
from bascule.gateway.tool import RiskLevel
from fakes.elevations import Elevating
from unit.api.shelf import a_tool, stock
from unit.api.site import Site, add_key, altered, contents, error_of

OWN = "/api/elevations"
ALL = "/api/admin/elevations"


@dataclass
class Room:
    """The API, and what calls see of it. Requests are of `developer`, decisions of `admin`."""

    site: Site
    ground: Elevating

    async def ask(self, role: str = "developer", **changes: Any) -> dict[str, Any]:
        body = {"reason": "Paid twice.", "name": "refund", **changes}
        made = await self.site.post(OWN, role, json=body)
        assert made.status_code == 201, made.text
        return made.json()

    async def decide(self, one: dict[str, Any], action: str, role: str = "admin", **said: Any):
        return await self.site.post(f"{ALL}/{one['elevation_id']}/{action}", role, json=said)

    async def is_covered(self, role: str = "developer", **arguments: Any) -> bool:
        snapshot = self.site.control.snapshot()
        tool = snapshot.tenant("default").tools["refund"]
        found = (one.principal for one in snapshot.keys.values() if one.principal.subject == role)
        who = next(one for one in found if one.tenant == "default")
        return (await self.ground.live.check(who, tool, arguments, continues="")).grant is not None


@pytest.fixture
async def room(site: Site) -> AsyncIterator[Room]:
    rule = {"name": "developers", "effect": "allow", "roles": ["developer"]}
    assert (await site.post("/api/admin/policies", json=rule)).is_success
    await stock(site, a_tool("refund", bundle="pay", risk=RiskLevel.PRIVILEGED))
    ground = Elevating()
    async with altered(site, elevations=ground.live) as other:
        yield Room(other, ground)


async def test_a_request_is_made_decided_about_used_and_ended(room: Room) -> None:
    version = room.site.control.snapshot().version
    made = await room.ask(minutes=30, ticket="INC-7")
    assert (made["status"], made["scope"], made["name"]) == ("pending", "tool", "refund")
    assert (made["user"], made["asked_by"], made["ticket"]) == ("developer", "developer", "INC-7")
    waiting = (await room.site.get(ALL, params={"status": "pending"})).json()
    assert [one["elevation_id"] for one in waiting["elevations"]] == [made["elevation_id"]]
    granted = (await room.decide(made, "approve", minutes=10, comment="Once.")).json()
    assert (granted["status"], granted["minutes"], granted["asked_minutes"]) == ("approved", 10, 30)
    assert granted["approval_reference"].startswith("ELV-")
    assert await room.is_covered()
    mine = (await room.site.get(OWN, "developer")).json()
    assert (mine["total"], mine["elevations"][0]["comment"]) == (1, "Once.")
    ended = (await room.decide(made, "revoke", comment="Enough.")).json()
    assert (ended["status"], ended["ended_by"], ended["end_comment"]) == (
        "revoked",
        "admin",
        "Enough.",
    )
    assert not await room.is_covered()
    steps = [
        one.action for one in room.site.recorder.records if one.event_type is EventType.ELEVATION
    ]
    assert steps == ["elevation.requested", "elevation.approved", "elevation.revoked"]
    assert room.site.control.snapshot().version == version, "no snapshot holds requests"


async def test_a_denial_says_why(room: Room) -> None:
    made = await room.ask()
    assert (await room.decide(made, "deny", comment="Ask the owner.")).status_code == 200
    path = f"{OWN}/{made['elevation_id']}"
    found = (await room.site.get(path, "developer")).json()
    assert (found["status"], found["comment"], found["decided_by"]) == (
        "denied", "Ask the owner.", "admin",
    )  # fmt: skip
    again = await room.decide(made, "approve", "system_admin")
    assert (again.status_code, "already decided by admin" in error_of(again)["message"]) == (
        409,
        True,
    )


async def test_who_asked_cancels_or_gives_back(room: Room) -> None:
    made = await room.ask()
    cancelled = await room.site.post(f"{OWN}/{made['elevation_id']}/cancel", "developer")
    assert cancelled.json()["status"] == "cancelled"
    granted = await room.ask()
    await room.decide(granted, "approve")
    ended = await room.site.post(f"{OWN}/{granted['elevation_id']}/revoke", "developer")
    assert ended.json()["status"] == "revoked"
    assert not await room.is_covered()


async def test_a_link_of_a_refused_call_can_be_given_whole_or_as_its_token(room: Room) -> None:
    snapshot = room.site.control.snapshot()
    tool = snapshot.tenant("default").tools["refund"]
    who = next(
        one.principal for one in snapshot.keys.values()
        if (one.principal.subject, one.principal.tenant) == ("developer", "default")
    )  # fmt: skip
    url = (await room.ground.live.check(who, tool, {"a": 1}, continues="")).url
    body = {"reason": "Paid twice.", "scope": "call"}
    made = await room.site.post(OWN, "developer", json={**body, "link": url})
    assert made.status_code == 201
    assert made.json()["arguments"] == {"a": 1}
    other = {**body, "scope": "tool", "link": url.rpartition("/")[2]}
    assert (await room.site.post(OWN, "developer", json=other)).status_code == 201
    await room.decide(made.json(), "approve")
    assert await room.is_covered(a=1.0)
    foreign = await room.site.post(OWN, "admin", tenant="acme", json={**body, "link": url})
    assert (foreign.status_code, error_of(foreign)["code"]) == (400, "E2015")


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"name": "", "link": ""}, 400),
        ({"link": "x"}, 400),
        ({"name": "", "link": "x", "arguments": {}}, 400),
        ({"name": "", "link": "x"}, 400),
        ({"name": "nothing"}, 404),
        ({"scope": "everything"}, 400),
        ({"reason": "x" * 2001}, 400),
        ({"reason": ""}, 400),
        ({"minutes": 0}, 400),
        ({"minutes": 100_000}, 400),
        ({"minutes": "soon"}, 400),
        ({"arguments": []}, 400),
        ({"scope": "call"}, 400),
        ({"resaon": "x"}, 400),
    ],
)
async def test_a_request_that_makes_no_sense_says_why(
    room: Room, change: dict[str, Any], status: int
) -> None:
    before = contents(room.site)
    body = {"reason": "Paid twice.", "name": "refund", **change}
    refused = await room.site.post(OWN, "developer", json=body)
    assert refused.status_code == status, refused.text
    assert error_of(refused)["message"]
    assert contents(room.site) == before


async def test_hostile_arguments_are_refused_or_shown_harmless(room: Room) -> None:
    deep = "[" * 5_000 + "]" * 5_000
    for odd in ('{"a":' + deep + "}", '{"a":NaN}', '{"a":"\\ud800"}'):
        body = '{"reason":"Paid twice.","name":"refund","scope":"call","arguments":' + odd + "}"
        headers = {"content-type": "application/json"}
        refused = await room.site.post(OWN, "developer", content=body, headers=headers)
        assert 400 <= refused.status_code < 500, (odd[:20], refused.text[:300])
    many = {f"argument {number}": "x" * 500 for number in range(1000)}
    made = await room.ask(scope="call", arguments={**many, "nul\0": "\0 long enough \0"})
    assert len(str(made["arguments"])) < 20_000


async def test_who_may_not_know_of_a_tool_cannot_ask_for_it(room: Room) -> None:
    body = {"reason": "Paid twice.", "name": "refund"}
    hidden = error_of(await room.site.post(OWN, "user", json=body))
    unknown = error_of(await room.site.post(OWN, "user", json={**body, "name": "refunt"}))
    assert hidden["message"].replace("refund", "*") == unknown["message"].replace("refunt", "*")
    assert (hidden["code"], hidden["details"]) == (unknown["code"], unknown["details"])


async def test_nobody_sees_or_ends_what_is_anothers(room: Room) -> None:
    made = await room.ask()
    for path in ("", "/cancel", "/revoke"):
        method = "POST" if path else "GET"
        whole = f"{OWN}/{made['elevation_id']}{path}"
        assert (await room.site.ask(method, whole, "user")).status_code == 404
        assert (await room.site.ask(method, whole, "admin", tenant="acme")).status_code == 404
    assert (await room.site.get(OWN, "user")).json()["total"] == 0
    assert (await room.site.get(ALL, tenant="acme")).json()["total"] == 0
    for action in ("approve", "deny", "revoke"):
        path = f"{ALL}/{made['elevation_id']}/{action}"
        assert (await room.site.post(path, tenant="acme", json={})).status_code == 404
        assert (await room.site.post(path, "developer", json={})).status_code == 403


async def test_nobody_approves_what_they_asked_for(room: Room) -> None:
    made = await room.ask("admin")
    refused = await room.decide(made, "approve")
    assert (refused.status_code, error_of(refused)["code"]) == (403, "E1004")
    async with room.site.rows() as (session, tenant_id):
        await add_key(session, tenant_id, "admin", "bsc_other", name="Admin")
    named_alike = await room.site.post(
        f"{ALL}/{made['elevation_id']}/approve", key="bsc_other", json={}
    )
    assert named_alike.status_code == 403, "a name that differs in case only is the same name"
    assert (await room.decide(made, "approve", "system_admin")).status_code == 200


async def test_approvers_see_how_often_the_same_user_asked(room: Room) -> None:
    await room.decide(await room.ask(), "deny")
    made = await room.ask()
    seen = (await room.site.get(f"{ALL}/{made['elevation_id']}")).json()
    assert seen["history"] == {"denied": 1, "pending": 1}


async def test_lists_are_filtered_and_paged(room: Room) -> None:
    await room.ask()
    await room.ask("admin")
    await room.ask("admin", scope="bundle", name="pay")
    for params, total in [
        ({}, 3),
        ({"user": "admin"}, 2),
        ({"tool": "refund"}, 2),
        ({"status": "approved"}, 0),
        ({"user": "admin", "tool": "refund", "status": "pending"}, 1),
    ]:
        assert (await room.site.get(ALL, params=params)).json()["total"] == total
    page = (await room.site.get(ALL, params={"limit": 2, "page": 2})).json()
    assert (page["total"], page["page"], len(page["elevations"])) == (3, 2, 1)
    for odd in ({"limit": 0}, {"page": 0}, {"limit": 501}):
        assert (await room.site.get(ALL, params=odd)).status_code == 400
        assert (await room.site.get(OWN, "developer", params=odd)).status_code == 400
    assert (await room.site.get(ALL, params={"status": "live"})).status_code == 400


async def test_an_unknown_request_is_not_found(room: Room) -> None:
    for path in (f"{OWN}/{uuid4()}", f"{ALL}/{uuid4()}"):
        assert (await room.site.get(path)).status_code == 404
    assert (await room.site.get(f"{OWN}/7")).status_code == 400


async def test_a_process_without_grants_says_so(site: Site) -> None:
    refused = await site.get(OWN)
    assert (refused.status_code, error_of(refused)["code"]) == (503, "E5004")
