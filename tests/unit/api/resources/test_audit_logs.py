"""What happened, read back from the real journal."""

import json
import shutil
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bascule.audit.config import JournalConfig
from bascule.audit.export import verify_export
from bascule.audit.journal import open_journal
from bascule.gateway.record import AuditRecord, EventType, Recorder, Status
from unit.api.site import Site, error_of, open_site

PATH = "/api/admin/audit-logs"
NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


@pytest.fixture
async def recorded(prepared_database: Path, tmp_path: Path) -> AsyncIterator[Site]:
    """A site whose journal is real and holds a few calls of two tenants."""
    file = Path(shutil.copy(prepared_database, tmp_path))
    async with open_journal(JournalConfig(tmp_path / "audit")) as journal:
        await write(journal, "1", tool_name="get_slots", user="ann")
        await write(journal, "2", tool_name="book", user="bob", status=Status.DENIED)
        await write(journal, "3", tool_name="get_slots", user="bob", correlation_id="c-3")
        await write(journal, "4", tool_name="get_slots", tenant="acme", user="eve")
        async with open_site(file, journal) as site:
            yield site


async def write(journal: Recorder, event_id: str, **members: Any) -> None:
    record: dict[str, Any] = {
        "timestamp": NOON + timedelta(minutes=int(event_id)),
        "event_type": EventType.TOOL_CALL,
        "action": "tools/call",
        "status": Status.SUCCESS,
        "correlation_id": f"c-{event_id}",
        "tenant": "default",
        **members,
    }
    await journal.append(AuditRecord(event_id=event_id, **record))


async def found(site: Site, role: str = "operator", **params: Any) -> list[str]:
    tenant = params.pop("tenant", "default")
    response = await site.get(PATH, role, tenant=tenant, params=params)
    assert response.status_code == 200, response.text
    assert response.json()["total"] == len(response.json()["logs"])
    return [log["event_id"] for log in response.json()["logs"]]


async def test_the_newest_record_comes_first(recorded: Site) -> None:
    assert await found(recorded) == ["3", "2", "1"]
    assert await found(recorded, limit=2) == ["3", "2"]


async def test_a_record_comes_as_it_stands_in_the_journal(recorded: Site) -> None:
    log = (await recorded.get(PATH, "system_admin", params={"limit": 1})).json()["logs"][0]
    assert (log["tool_name"], log["user"], log["status"]) == ("get_slots", "bob", "success")
    assert log["timestamp"] == "2026-05-01T12:03:00Z"
    assert log["seq"] == 3
    assert len(log["hash"]) == len(log["prev"]) == 64


async def test_the_roles_and_groups_of_the_caller_are_shown(recorded: Site) -> None:
    await write(recorded.control.recorder, "5", roles=("clerk", "user"), groups=("/desk",))
    log = (await recorded.get(PATH, params={"limit": 1})).json()["logs"][0]
    assert (log["roles"], log["groups"]) == (["clerk", "user"], ["/desk"])
    older = (await recorded.get(PATH, params={"limit": 2})).json()["logs"][1]
    assert not {"roles", "groups"} & older.keys()


async def test_a_tenant_is_not_told_what_counts_everybodys_records(recorded: Site) -> None:
    whole = (await recorded.get(PATH, "system_admin", params={"limit": 1})).json()["logs"][0]
    log = (await recorded.get(PATH, params={"limit": 1})).json()["logs"][0]
    assert whole.keys() - log.keys() == {"seq", "prev", "hash"}
    assert {key: whole[key] for key in log} == log


async def test_a_tenant_exports_its_records_and_proves_them(recorded: Site) -> None:
    await write(recorded.control.recorder, "5", snapshot_version=7)
    answer = await recorded.get(f"{PATH}/export")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/jsonl"
    assert answer.headers["content-disposition"] == 'attachment; filename="audit.jsonl"'
    *logs, end = [json.loads(line) for line in answer.content.splitlines()]
    assert [log["event_id"] for log in logs] == ["1", "2", "3", "5"]
    assert not any({"seq", "prev", "hash", "snapshot_version"} & log.keys() for log in logs)
    assert end["end_of_chain"]["records"] == 4
    verified = verify_export(answer.content.splitlines(keepends=True), "default")
    assert (verified.records, verified.first_bad, verified.warnings) == (4, None, ())


async def test_an_export_is_of_the_tenant_the_caller_acts_in_alone(recorded: Site) -> None:
    for caller in (
        {"tenant": "acme"},
        {"role": "system_admin", "headers": {"X-Bascule-Tenant": "acme"}},
        {"tenant": "acme", "params": {"tenant": "default", "all_tenants": True}},
    ):
        answer = await recorded.get(f"{PATH}/export", **caller)
        (log, end) = [json.loads(line) for line in answer.content.splitlines()]
        assert (log["event_id"], log["tenant"]) == ("4", "acme")
        assert end["end_of_chain"]["tenant"] == "acme"
        assert b"default" not in answer.content


async def test_a_long_export_comes_whole(recorded: Site) -> None:
    for number in range(10, 30):
        await write(recorded.control.recorder, str(number), arguments="x" * 50_000)
    answer = await recorded.get(f"{PATH}/export")
    assert len(answer.content) > 1_000_000
    verified = verify_export(answer.content.splitlines(keepends=True))
    assert (verified.records, verified.first_bad) == (23, None)


async def test_a_tenant_has_so_many_exports_at_a_time(recorded: Site) -> None:
    exports = recorded.control.exports
    with exports.place("default"), exports.place("default"):
        refused = await recorded.get(f"{PATH}/export")
        assert (refused.status_code, error_of(refused)["code"]) == (429, "E2016")
        assert (await recorded.get(f"{PATH}/export", tenant="acme")).status_code == 200
    for _ in range(3):
        assert (await recorded.get(f"{PATH}/export")).status_code == 200


async def test_an_export_needs_a_right_and_a_journal(recorded: Site) -> None:
    refused = await recorded.get(f"{PATH}/export", "user")
    assert (refused.status_code, error_of(refused)["code"]) == (403, "E1004")
    shutil.move(recorded.control.journal_directory, recorded.control.journal_directory.parent / "x")
    missing = await recorded.get(f"{PATH}/export")
    assert (missing.status_code, error_of(missing)["code"]) == (404, "E2011")


async def test_records_can_be_narrowed(recorded: Site) -> None:
    assert await found(recorded, tool_name="get_slots") == ["3", "1"]
    assert await found(recorded, user_id="bob") == ["3", "2"]
    assert await found(recorded, status="denied") == ["2"]
    assert await found(recorded, correlation_id="c-3") == ["3"]
    assert await found(recorded, tool_name="get_slots", user_id="ann") == ["1"]
    assert await found(recorded, tool_name="none") == []


async def test_a_range_of_time_includes_its_ends_and_is_utc_unless_it_says_otherwise(
    recorded: Site, subtests: pytest.Subtests
) -> None:
    for suffix in ["", "Z", "+00:00"]:
        with subtests.test(repr(suffix)):
            start, end = f"2026-05-01T12:02:00{suffix}", f"2026-05-01T12:03:00{suffix}"
            assert await found(recorded, start_date=start) == ["3", "2"]
            assert await found(recorded, end_date=start) == ["2", "1"]
            assert await found(recorded, start_date=start, end_date=end) == ["3", "2"]
            assert await found(recorded, start_date="2026-05-01T14:02:00+02:00") == ["3", "2"]


async def test_a_range_may_begin_before_everything(
    recorded: Site, subtests: pytest.Subtests
) -> None:
    for date in ["0001-01-01T00:00:00", "0001-01-01T00:00:00+14:00"]:
        with subtests.test(repr(date)):
            assert await found(recorded, start_date=date) == ["3", "2", "1"]
            assert await found(recorded, start_date=date, tool_name="none") == []
            assert await found(recorded, end_date=date) == []


async def test_a_range_may_end_after_everything(recorded: Site) -> None:
    date = "9999-12-31T23:59:59-12:00"
    assert await found(recorded, end_date=date) == ["3", "2", "1"]
    assert await found(recorded, start_date=date) == []


async def test_a_filter_that_makes_no_sense_is_refused(
    recorded: Site, subtests: pytest.Subtests
) -> None:
    for params in [
        {"limit": 0},
        {"limit": 1001},
        {"status": "maybe"},
        {"start_date": "yesterday"},
        {"end_date": "2026-13-01"},
    ]:
        with subtests.test(str(params)):
            response = await recorded.get(PATH, params=params)
            assert (response.status_code, error_of(response)["code"]) == (400, "E2004")


async def test_a_tenant_reads_its_own_records(recorded: Site) -> None:
    assert await found(recorded, tenant="acme") == ["4"]
    assert await found(recorded, "admin") == ["3", "2", "1"]
    refused = await recorded.get(PATH, params={"all_tenants": True})
    assert (refused.status_code, error_of(refused)["code"]) == (403, "E1004")


async def test_a_system_administrator_reads_those_of_one_tenant_or_of_all(recorded: Site) -> None:
    assert await found(recorded, "system_admin") == ["3", "2", "1"]
    assert await found(recorded, "system_admin", all_tenants=True) == ["4", "3", "2", "1"]
    there = await recorded.get(PATH, "system_admin", headers={"X-Bascule-Tenant": "acme"})
    assert [log["event_id"] for log in there.json()["logs"]] == ["4"]


async def test_a_change_can_be_read_back_as_soon_as_it_is_answered(recorded: Site) -> None:
    made = await recorded.post("/api/admin/bundles", json={"name": "b"})
    logs = (await recorded.get(PATH, params={"user_id": "admin"})).json()["logs"]
    assert [(log["action"], log["metadata"]["target"]) for log in logs] == [("bundle.create", "b")]
    assert logs[0]["correlation_id"] == made.headers["x-correlation-id"]


async def test_a_journal_that_is_gone_is_not_an_empty_one(recorded: Site) -> None:
    shutil.move(recorded.control.journal_directory, recorded.control.journal_directory.parent / "x")
    response = await recorded.get(PATH)
    assert (response.status_code, error_of(response)["code"]) == (404, "E2011")
