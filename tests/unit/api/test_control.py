"""A change is recorded, then committed, then in force; or nothing of it is."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from bascule.api.caller import Caller
from bascule.api.control import Denial
from bascule.gateway.errors import ErrorCode, GatewayError
from bascule.gateway.principal import Principal
from bascule.gateway.record import EventType, Status
from bascule.gateway.tool import Bundle
from bascule.gateway.trickle import STRANGERS_PER_SECOND
from bascule.storage.errors import DatabaseUnreachable
from bascule.storage.repositories.bundles import Bundles
from unit.api.site import Site, altered, contents, document, error_of

ANN = Caller(Principal("default", "ann", frozenset({"admin"})), "c-1")

Change = Callable[[Site], Awaitable[Any]]


async def _seed(site: Site) -> dict[str, str]:
    """A draft, a rule and a key for changes to be about."""
    assert (await site.upload(document("draft"))).is_success
    rule = {"name": "old", "effect": "allow", "roles": ["user"]}
    assert (await site.post("/api/admin/policies", json=rule)).is_success
    server = {"name": "old", "url": "http://127.0.0.1:9/mcp"}
    assert (await site.post("/api/admin/servers", json=server)).is_success
    key = await site.post("/api/admin/keys", json={"name": "old", "roles": ["user"]})
    return {"key_id": key.json()["key_id"]}


UPLOAD: dict[str, Any] = {
    "files": {"file": ("f", json.dumps(document("a", "b")).encode())},
    "data": {"bundle_id": "new"},
}
CHANGES: dict[str, tuple[str, str, dict[str, Any]]] = {
    "openapi.import": ("POST", "/api/admin/openapi", UPLOAD),
    "tool.publish": ("POST", "/api/admin/tools/draft/publish", {}),
    "bundle.create": ("POST", "/api/admin/bundles", {"json": {"name": "new"}}),
    "policy.create": (
        "POST",
        "/api/admin/policies",
        {"json": {"name": "new", "effect": "deny", "roles": ["user"]}},
    ),
    "server.add": (
        "POST",
        "/api/admin/servers",
        {"json": {"name": "new", "url": "http://127.0.0.1:9/mcp"}},
    ),
    "server.remove": ("DELETE", "/api/admin/servers/old", {}),
    "policy.delete": ("DELETE", "/api/admin/policies/old", {}),
    "key.create": ("POST", "/api/admin/keys", {"json": {"name": "new", "roles": ["user"]}}),
    "key.revoke": ("DELETE", "/api/admin/keys/{key_id}", {}),
}


def test_every_route_that_changes_something_is_among_these(site: Site) -> None:
    paths = site.app.openapi()["paths"]
    changing = {(verb.upper(), path) for path, item in paths.items() for verb in item} - {
        ("GET", path) for path in paths
    }
    changing -= {("POST", "/api/admin/servers/{name}/check")}  # it asks, and stores nothing
    assert len(changing) == len(CHANGES)


@pytest.mark.parametrize("action", CHANGES)
async def test_a_change_is_recorded_with_its_author_and_target(site: Site, action: str) -> None:
    names = await _seed(site)
    method, path, options = CHANGES[action]
    version = site.control.snapshot().version
    response = await site.ask(method, path.format(**names), **options)
    assert response.is_success
    record = site.recorder.last
    assert (record.event_type, record.action) == (EventType.ADMIN_ACTION, action)
    assert (record.status, record.user, record.tenant) == (Status.SUCCESS, "admin", "default")
    assert record.correlation_id == response.headers["x-correlation-id"]
    assert record.metadata["target"]
    assert record.snapshot_version == version
    assert site.control.snapshot().version == version + 1


@pytest.mark.parametrize("action", CHANGES)
async def test_a_change_that_cannot_be_recorded_does_not_happen(site: Site, action: str) -> None:
    names = await _seed(site)
    before, snapshot = contents(site), site.control.snapshot()
    site.recorder.fails = True
    method, path, options = CHANGES[action]
    response = await site.ask(method, path.format(**names), **options)
    assert (response.status_code, error_of(response)["code"]) == (503, "E5004")
    assert contents(site) == before
    assert site.control.snapshot() is snapshot


@pytest.mark.parametrize("action", CHANGES)
async def test_a_change_waits_until_its_record_is_durable(site: Site, action: str) -> None:
    names = await _seed(site)
    before, snapshot = contents(site), site.control.snapshot()
    site.recorder.holds = True
    site.recorder.appended.clear()
    method, path, options = CHANGES[action]
    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        answer = group.create_task(site.ask(method, path.format(**names), **options))
        await site.recorder.appended.wait()
        assert contents(site) == before
        assert site.control.snapshot() is snapshot
        assert not answer.done()
        site.recorder.release()
    assert answer.result().is_success
    assert contents(site) != before
    assert site.control.snapshot() is not snapshot


async def test_a_block_that_fails_changes_nothing_and_is_recorded_as_a_failure(site: Site) -> None:
    before = contents(site)

    async def fail() -> None:
        async with site.control.change(ANN, "bundle.create", "b", {"why": "test"}) as rows:
            await Bundles(rows.session, rows.tenant_id).create(Bundle("b"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    assert contents(site) == before
    record = site.recorder.last
    assert (record.status, record.user, record.correlation_id) == (Status.FAILURE, "ann", "c-1")
    assert record.metadata == {"target": "b", "why": "test", "failure": "ZeroDivisionError"}


async def test_a_change_that_is_cancelled_is_undone_and_recorded(site: Site) -> None:
    before = contents(site)
    site.recorder.holds = True
    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        asking = group.create_task(site.post("/api/admin/bundles", json={"name": "b"}))
        await site.recorder.appended.wait()
        asking.cancel()
    assert contents(site) == before
    assert [one.status for one in site.recorder.records] == [Status.SUCCESS, Status.FAILURE]
    assert site.recorder.last.metadata["failure"] == "CancelledError"


async def test_a_change_that_fails_is_recorded_even_where_nobody_hears_of_the_record(
    site: Site,
) -> None:
    site.recorder.fails = True
    response = await site.post("/api/admin/bundles", json={"name": "b"})
    assert response.status_code == 503
    assert [one.status for one in site.recorder.records] == [Status.SUCCESS, Status.FAILURE]


async def test_a_change_that_is_stored_but_not_in_force_says_so(site: Site) -> None:
    async def refresh():
        raise DatabaseUnreachable("The database does not answer.", private="ECONNREFUSED")

    async with altered(site, refresh=refresh) as other:
        response = await other.post("/api/admin/bundles", json={"name": "b"})
    error = error_of(response)
    assert (response.status_code, error["code"]) == (503, "E5004")
    assert "stored, but not in force" in error["message"]
    assert "The database does not answer." in error["message"]
    assert (await site.get("/api/admin/bundles")).json()["total"] == 1


async def test_what_has_to_follow_a_commit_does_so_before_anything_can_fail(site: Site) -> None:
    order: list[str] = []

    async def refresh():
        order.append("refresh")
        raise DatabaseUnreachable("No.")

    async with altered(site, refresh=refresh) as other:
        with pytest.raises(GatewayError):
            async with other.control.change(
                ANN, "bundle.create", "b", then=lambda: order.append("then")
            ):
                pass
    assert order == ["then", "refresh"]


async def test_what_has_to_follow_a_commit_does_not_where_there_is_none(site: Site) -> None:
    order: list[str] = []
    site.recorder.fails = True
    with pytest.raises(GatewayError):
        async with site.control.change(
            ANN, "bundle.create", "b", then=lambda: order.append("then")
        ):
            pass
    assert order == []


async def test_a_caller_whose_tenant_is_gone_can_neither_read_nor_change(site: Site) -> None:
    lost = Caller(Principal("gone", "ann", frozenset()), "c-1")
    with pytest.raises(GatewayError, match="no tenant named gone"):
        async with site.control.read(lost):
            pass
    with pytest.raises(GatewayError, match="no tenant named gone"):
        async with site.control.change(lost, "bundle.create", "b"):
            pass


async def test_changes_at_the_same_time_follow_one_another(site: Site) -> None:
    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        asking = [
            group.create_task(site.post("/api/admin/bundles", json={"name": "same"}))
            for _ in range(4)
        ]
    assert sorted(one.result().status_code for one in asking) == [201, 409, 409, 409]
    version = site.control.snapshot().version
    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        for number in range(4):
            group.create_task(site.post("/api/admin/bundles", json={"name": f"b{number}"}))
    assert site.control.snapshot().version == version + 4


def denial(number: int, user: str = "") -> Denial:
    return Denial("GET /x", f"c-{number}", "127.0.0.1", ErrorCode.FORBIDDEN, "why", user=user)


async def test_strangers_cannot_fill_the_journal_with_their_refusals(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    seconds = [7.0]
    monkeypatch.setattr("bascule.api.control.time.monotonic", lambda: seconds[0])
    for number in range(STRANGERS_PER_SECOND + 10):
        site.control.note_denial(denial(number))
    assert len(site.recorder.records) == STRANGERS_PER_SECOND
    for number in range(5):
        site.control.note_denial(denial(number, "ann"))
    assert len(site.recorder.records) == STRANGERS_PER_SECOND + 5
    seconds[0] = 8.0
    site.control.note_denial(denial(0))
    assert site.recorder.last.metadata == {"held_back": 10}


async def test_access_is_decided_by_the_snapshot_in_force_and_worked_out_once(site: Site) -> None:
    first = site.control.access()
    assert site.control.access() is first
    assert (await site.post("/api/admin/bundles", json={"name": "b"})).is_success
    assert site.control.access() is not first
