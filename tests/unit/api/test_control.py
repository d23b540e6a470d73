"""A change is recorded, then committed, then in force; or nothing of it is."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import httpx2
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
from unit.api.changes import CHANGES, DEEDS, seed
from unit.api.equipment import equipped
from unit.api.site import Site, altered, contents, error_of, open_site
from unit.api.uses import Route

ANN = Caller(Principal("default", "ann", frozenset({"admin"})), "c-1")

EACH = pytest.mark.parametrize("route", CHANGES, ids=" ".join)


Seeded = tuple[Path, Mapping[str, str]]


@pytest.fixture(scope="session")
def seeded(prepared_database: Path, tmp_path_factory: pytest.TempPathFactory) -> Seeded:
    """A database with what the changes are about, and the ids of that."""

    async def fill(file: Path) -> Mapping[str, str]:
        async with open_site(file) as opened, equipped(opened) as site:
            return await seed(site)

    file = Path(shutil.copy(prepared_database, tmp_path_factory.mktemp("seeded")))
    return file, asyncio.run(fill(file))


@pytest.fixture
async def whole(seeded: Seeded, tmp_path: Path) -> AsyncIterator[Site]:
    """The API on a copy of that, with all it may work with."""
    file = Path(shutil.copy(seeded[0], tmp_path))
    async with open_site(file) as opened, equipped(opened) as site:
        yield site


async def make_change(site: Site, route: Route, seeded: Seeded) -> httpx2.Response:
    change, (method, template) = CHANGES[route], route
    path = change.path(template, seeded[1])
    return await site.ask(method, path, change.role, **change.options)


def rows_of(site: Site) -> dict[str, list[tuple[Any, ...]]]:
    """All but the counter, which any transaction moves."""
    return {name: rows for name, rows in contents(site).items() if name != "change_counter"}


def test_every_route_that_changes_something_is_among_these(site: Site) -> None:
    paths = site.app.openapi()["paths"]
    routes = {(verb.upper(), path) for path, item in paths.items() for verb in item}
    changing = {(method, path) for method, path in routes if method != "GET"}
    assert DEEDS.keys() <= changing
    assert changing - DEEDS.keys() == CHANGES.keys()


@EACH
async def test_a_change_is_recorded_with_its_author_and_target(
    whole: Site, seeded: Seeded, route: Route
) -> None:
    change = CHANGES[route]
    version = whole.control.snapshot().version
    response = await make_change(whole, route, seeded)
    assert response.is_success, response.text
    (record,) = whole.recorder.records
    assert (record.event_type, record.action) == (EventType.ADMIN_ACTION, change.action)
    assert (record.status, record.user, record.tenant) == (Status.SUCCESS, change.role, "default")
    assert record.correlation_id == response.headers["x-correlation-id"]
    assert record.metadata["target"]
    assert record.snapshot_version == version
    assert whole.control.snapshot().version == version + 1


@EACH
async def test_a_change_that_cannot_be_recorded_does_not_happen(
    whole: Site, seeded: Seeded, route: Route
) -> None:
    before, snapshot = contents(whole), whole.control.snapshot()
    whole.recorder.fails = True
    response = await make_change(whole, route, seeded)
    assert (response.status_code, error_of(response)["code"]) == (503, "E5004")
    assert contents(whole) == before
    assert whole.control.snapshot() is snapshot


@EACH
async def test_a_change_waits_until_its_record_is_durable(
    whole: Site, seeded: Seeded, route: Route
) -> None:
    before, snapshot = rows_of(whole), whole.control.snapshot()
    whole.recorder.holds = True
    whole.recorder.appended.clear()
    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        answer = group.create_task(make_change(whole, route, seeded))
        await whole.recorder.appended.wait()
        assert rows_of(whole) == before
        assert whole.control.snapshot() is snapshot
        assert not answer.done()
        whole.recorder.release()
    assert answer.result().is_success
    assert rows_of(whole) != before
    assert whole.control.snapshot() is not snapshot


async def test_a_record_names_the_agent_and_the_key_that_a_change_came_by(site: Site) -> None:
    by_agent = Principal("default", "ann", frozenset(), key_id="key-1", agent="a robot")
    async with site.control.change(Caller(by_agent, "c-1"), "thing.create", "it"):
        pass
    (record,) = site.recorder.records
    assert (record.user, record.agent, record.key_id) == ("ann", "a robot", "key-1")


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
