"""The journal as the gateway uses it."""

import asyncio
import errno
import gc
import json
import os
from datetime import timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from bascule.audit.config import JournalConfig
from bascule.audit.disk import Disk
from bascule.audit.journal import open_journal
from bascule.audit.lines import MAX_RECORD_BYTES
from bascule.audit.lock import JournalLocked
from bascule.audit.recovery import JournalDamaged
from bascule.audit.verify import verify
from bascule.gateway.errors import RecordingFailed


def event_ids(directory: Path) -> list[str]:
    return [str(member["event_id"]) for member in lines(directory)]


def lines(directory: Path) -> list[dict[str, object]]:
    paths = sorted(directory.glob("*.jsonl"))
    found = [json.loads(line) for path in paths for line in path.read_bytes().splitlines()]
    return [line for line in found if "heads" not in line]


def config(directory: Path, **fields: object) -> JournalConfig:
    probes = {"probe_after": timedelta(milliseconds=1), "probe_at_most": timedelta(milliseconds=20)}
    return JournalConfig(directory, **(probes | fields))  # type: ignore[arg-type]


async def test_record_is_on_disk_when_its_future_is_done(tmp_path: Path, make_record) -> None:
    async with asyncio.timeout(5), open_journal(config(tmp_path)) as journal:
        for n in range(1, 6):
            await journal.append(make_record(n))

            assert event_ids(tmp_path) == [f"event-{m}" for m in range(1, n + 1)]
            assert journal.head.seq == n


async def test_records_of_one_turn_share_one_sync(tmp_path: Path, make_record, slow_disk) -> None:
    slow_disk.release.set()
    disk = Disk(sync=slow_disk.sync)
    async with asyncio.timeout(5), open_journal(config(tmp_path), disk=disk) as journal:
        await asyncio.gather(*(journal.append(make_record(n)) for n in range(50)))

    assert slow_disk.syncs == 1


async def test_records_gather_while_a_commit_is_in_flight(
    tmp_path: Path, make_record, slow_disk
) -> None:
    disk = Disk(sync=slow_disk.sync)
    async with asyncio.timeout(5), open_journal(config(tmp_path), disk=disk) as journal:
        first = journal.append(make_record(0))
        await asyncio.to_thread(slow_disk.entered.wait, 5)
        others = [journal.append(make_record(n)) for n in range(1, 40)]
        assert not first.done()

        slow_disk.release.set()
        await asyncio.gather(first, *others)

    assert slow_disk.syncs == 2
    assert event_ids(tmp_path) == [f"event-{n}" for n in range(40)]


async def test_cancelled_waiter_takes_nobody_with_it(
    tmp_path: Path, make_record, slow_disk
) -> None:
    disk = Disk(sync=slow_disk.sync)
    async with asyncio.timeout(5), open_journal(config(tmp_path), disk=disk) as journal:
        futures = [journal.append(make_record(n)) for n in range(3)]
        await asyncio.to_thread(slow_disk.entered.wait, 5)
        futures[1].cancel()
        slow_disk.release.set()

        await futures[0]
        await futures[2]
        assert futures[1].cancelled()

    assert event_ids(tmp_path) == ["event-0", "event-1", "event-2"]


async def test_cancelled_waiter_of_a_failed_record_takes_nobody_with_it(
    tmp_path: Path, make_record, small_disk
) -> None:
    small_disk.capacity = 0
    disk = Disk(write=small_disk.write)
    async with asyncio.timeout(5), open_journal(config(tmp_path), disk=disk) as journal:
        futures = [journal.append(make_record(n)) for n in range(3)]
        futures[1].cancel()
        await asyncio.wait(futures)

        assert isinstance(futures[2].exception(), RecordingFailed)
        small_disk.capacity = 100_000
        await journal.until_recovered()

    assert event_ids(tmp_path)[:3] == ["event-0", "event-1", "event-2"]


async def test_probes_of_a_failed_disk_become_rarer_down_to_a_limit(
    tmp_path: Path, make_record, monkeypatch
) -> None:
    loop = asyncio.get_running_loop()
    delays: list[float] = []
    call_later = loop.call_later

    def at_once(delay: float, *work) -> asyncio.TimerHandle:
        delays.append(delay)
        return call_later(0, *work)

    failures = [OSError(errno.EIO, "broken")] * 8

    def write(descriptor: int, content: bytes, offset: int) -> int:
        if failures:
            raise failures.pop()
        return os.pwrite(descriptor, content, offset)

    monkeypatch.setattr(loop, "call_later", at_once)
    patience = JournalConfig(tmp_path)
    async with asyncio.timeout(5), open_journal(patience, disk=Disk(write)) as journal:
        await asyncio.wait([journal.append(make_record(1))])
        await journal.until_recovered()

    assert delays == [0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0, 5.0]


async def test_full_disk_refuses_and_tells_the_operator_what_to_do(
    tmp_path: Path, make_record, small_disk
) -> None:
    disk = Disk(write=small_disk.write)
    async with asyncio.timeout(5), open_journal(config(tmp_path), disk=disk) as journal:
        await journal.append(make_record(1))

        with pytest.raises(RecordingFailed, match="free space on the audit volume") as failed:
            await asyncio.gather(*(journal.append(make_record(n)) for n in range(2, 6)))

        assert "No space left on device" in failed.value.private
        assert not journal.healthy
        assert event_ids(tmp_path) == ["event-1"]
        small_disk.capacity = 100_000
        await journal.until_recovered()


async def test_journal_recovers_by_itself_and_writes_what_it_owes(
    tmp_path: Path, make_record, small_disk
) -> None:
    disk = Disk(write=small_disk.write)
    async with asyncio.timeout(5), open_journal(config(tmp_path), disk=disk) as journal:
        await journal.append(make_record(1))
        futures = [journal.append(make_record(n)) for n in (2, 3)]
        await asyncio.wait(futures)
        refused = journal.append(make_record(4))
        assert refused.done()

        small_disk.capacity = 100_000
        await journal.until_recovered()
        assert journal.healthy
        await journal.append(make_record(5))

    *kept, recovered, after = lines(tmp_path)
    assert [line["event_id"] for line in kept] == [f"event-{n}" for n in range(1, 5)]
    assert [line.get("metadata") for line in kept] == [None, *[{"written_late": True}] * 3]
    assert recovered["action"] == "journal.recovered"
    facts = recovered["metadata"]
    assert isinstance(facts, dict)
    assert (facts["late_records"], facts["lost_records"]) == (3, 0)
    assert "No space left on device" in facts["cause"]
    assert after["event_id"] == "event-5"
    assert verify(tmp_path).first_bad is None


async def test_full_disk_does_not_fill_the_memory(tmp_path: Path, make_record, small_disk) -> None:
    small_disk.capacity = 1
    disk = Disk(write=small_disk.write)
    big = {"arguments": {"text": "x" * (MAX_RECORD_BYTES // 2)}}
    async with asyncio.timeout(5), open_journal(config(tmp_path), disk=disk) as journal:
        for n in range(100):
            future = journal.append(make_record(n, **big))
            await asyncio.wait([future])

        small_disk.capacity = 100_000_000
        await journal.until_recovered()

    late = [line["event_id"] for line in lines(tmp_path) if line["event_type"] == "tool_call"]
    lost = sum(
        line["metadata"]["lost_records"]  # type: ignore[index]
        for line in lines(tmp_path)
        if line["action"] == "journal.recovered"
    )
    assert late == [f"event-{n}" for n in range(len(late))]
    assert len(late) >= 8 * 1024 * 1024 // MAX_RECORD_BYTES
    assert (lost > 0, len(late) + lost) == (True, 100)


async def test_failed_sync_is_a_failed_record_and_never_a_lost_one(
    tmp_path: Path, make_record, forgetful_disk
) -> None:
    disk = Disk(sync=forgetful_disk.sync)
    async with asyncio.timeout(5), open_journal(config(tmp_path), disk=disk) as journal:
        await journal.append(make_record(1))
        forgetful_disk.failures = 5
        with pytest.raises(RecordingFailed):
            await journal.append(make_record(2))
        await journal.until_recovered()
        await journal.append(make_record(3))

    ids = event_ids(tmp_path)
    assert [ids[0], ids[1], ids[-1]] == ["event-1", "event-2", "event-3"]
    assert verify(tmp_path).first_bad is None


async def test_dropped_future_of_a_failed_record_is_not_reported_as_forgotten(
    tmp_path: Path, make_record, small_disk
) -> None:
    complaints: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
    small_disk.capacity = 0
    disk = Disk(write=small_disk.write)
    async with asyncio.timeout(5), open_journal(config(tmp_path), disk=disk) as journal:
        await asyncio.wait([journal.append(make_record(1))])
        journal.append(make_record(2))
        gc.collect()
        small_disk.capacity = 100_000
        await journal.until_recovered()

    assert complaints == []


async def test_disk_that_does_not_answer_makes_the_journal_unhealthy(
    tmp_path: Path, make_record, slow_disk
) -> None:
    disk, patience = Disk(sync=slow_disk.sync), config(tmp_path, stall_after=timedelta(0))
    async with asyncio.timeout(5), open_journal(patience, disk=disk) as journal:
        future = journal.append(make_record(1))
        await asyncio.to_thread(slow_disk.entered.wait, 5)
        assert not journal.healthy

        slow_disk.release.set()
        await future
        assert journal.healthy


async def test_disk_that_is_too_slow_turns_records_away_and_writes_them_late(
    tmp_path: Path, make_record, slow_disk
) -> None:
    disk = Disk(sync=slow_disk.sync)
    async with asyncio.timeout(5), open_journal(config(tmp_path), disk=disk) as journal:
        journal.append(make_record(1))
        await asyncio.to_thread(slow_disk.entered.wait, 5)
        waiting = journal.append(make_record(2, request_size=64 * 1024 * 1024))
        with pytest.raises(RecordingFailed) as refused:
            await journal.append(make_record(3))

        slow_disk.release.set()
        await waiting
        assert journal.healthy

    assert "faster than the disk" in refused.value.private
    assert event_ids(tmp_path)[:2] == ["event-1", "event-3"]
    assert (event_ids(tmp_path)[3], verify(tmp_path).records) == ("event-2", 4)


async def test_closing_waits_for_everything_that_was_appended(tmp_path: Path, make_record) -> None:
    async with asyncio.timeout(5):
        async with open_journal(config(tmp_path)) as journal:
            futures = [journal.append(make_record(n)) for n in range(100)]
        assert all(future.done() and future.exception() is None for future in futures)

    assert verify(tmp_path).records == 100


async def test_closing_a_failed_journal_tries_once_more(
    tmp_path: Path, make_record, small_disk
) -> None:
    small_disk.capacity = 0
    patience = config(tmp_path, probe_after=timedelta(hours=1))
    async with asyncio.timeout(5), open_journal(patience, disk=Disk(small_disk.write)) as journal:
        await asyncio.wait([journal.append(make_record(1))])
        small_disk.capacity = 100_000

    assert event_ids(tmp_path)[0] == "event-1"


async def test_closing_on_a_full_disk_ends_and_says_what_is_missing(
    tmp_path: Path, make_record, small_disk
) -> None:
    small_disk.capacity = 0
    with capture_logs() as logs:
        async with (
            asyncio.timeout(5),
            open_journal(config(tmp_path), disk=Disk(small_disk.write)) as journal,
        ):
            await asyncio.wait([journal.append(make_record(1))])

    assert {
        "event": "journal.closed_incomplete",
        "log_level": "critical",
        "unwritten_records": 1,
    } in logs


async def test_record_after_closing_is_refused(tmp_path: Path, make_record) -> None:
    async with asyncio.timeout(5):
        async with open_journal(config(tmp_path)) as journal:
            pass
        assert not journal.healthy
        with pytest.raises(RecordingFailed):
            await journal.append(make_record(1))


async def test_chain_goes_on_where_the_last_process_left_it(tmp_path: Path, make_record) -> None:
    small = config(tmp_path, max_segment_bytes=1000)
    async with asyncio.timeout(5):
        for run in range(4):
            async with open_journal(small) as journal:
                await asyncio.gather(*(journal.append(make_record(run)) for _ in range(3)))

    checked = verify(tmp_path)
    assert (checked.records, checked.first_bad) == (12, None)
    assert checked.segments > 1


async def test_directory_and_files_are_for_this_user_alone(tmp_path: Path, make_record) -> None:
    directory = tmp_path / "var" / "audit"
    async with asyncio.timeout(5), open_journal(config(directory)) as journal:
        await journal.append(make_record(1))

    assert directory.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in directory.iterdir()} == {0o600}


async def test_second_journal_of_a_writer_is_refused_by_name(tmp_path: Path) -> None:
    async with asyncio.timeout(5), open_journal(config(tmp_path)):
        with pytest.raises(JournalLocked, match=f"process {os.getpid()} "):
            async with open_journal(config(tmp_path)):
                raise AssertionError


async def test_writers_share_a_directory_with_a_chain_each(tmp_path: Path, make_record) -> None:
    async with (
        asyncio.timeout(5),
        open_journal(config(tmp_path, writer="a")) as one,
        open_journal(config(tmp_path, writer="b")) as two,
    ):
        await asyncio.gather(*(journal.append(make_record(1)) for journal in (one, two, one)))

    assert {name: head.seq for name, head in verify(tmp_path).heads.items()} == {"a": 2, "b": 1}


async def test_torn_end_is_repaired_and_the_repair_is_on_record(
    tmp_path: Path, write_journal
) -> None:
    (path,) = write_journal(tmp_path, 3)
    path.write_bytes(path.read_bytes()[:-20])

    with capture_logs() as logs:
        async with asyncio.timeout(5), open_journal(config(tmp_path)) as journal:
            assert journal.healthy

    last = lines(tmp_path)[-1]
    assert (last["seq"], last["event_type"], last["action"]) == (3, "lifecycle", "journal.repaired")
    facts = last["metadata"]
    assert isinstance(facts, dict)
    assert facts["moved_bytes"] == (tmp_path / str(facts["moved_to"])).stat().st_size
    assert [entry["event"] for entry in logs] == ["journal.repaired"]


async def test_damaged_journal_is_not_opened_and_its_lock_not_kept(
    tmp_path: Path, write_journal
) -> None:
    (path,) = write_journal(tmp_path, 3)
    good = path.read_bytes()
    path.write_bytes(good.replace(b"alice", b"mallo"))

    with pytest.raises(JournalDamaged):
        async with open_journal(config(tmp_path)):
            raise AssertionError
    path.write_bytes(good)
    async with asyncio.timeout(5), open_journal(config(tmp_path)) as journal:
        assert journal.healthy


async def test_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(RecordingFailed, match=r"audit directory .*file/audit cannot be written"):
        async with open_journal(config(tmp_path / "file" / "audit")):
            raise AssertionError


async def test_record_that_is_no_json_does_not_fail_its_neighbours(
    tmp_path: Path, make_record
) -> None:
    async with asyncio.timeout(5), open_journal(config(tmp_path)) as journal:
        await asyncio.gather(
            journal.append(make_record(1)),
            journal.append(make_record(2, metadata={"value": object()})),
            journal.append(make_record(3)),
        )

    assert event_ids(tmp_path) == ["event-1", "event-2", "event-3"]


async def test_batched_journal_answers_at_once_and_is_durable_when_closed(
    tmp_path: Path, make_record, slow_disk
) -> None:
    batched = config(tmp_path, mode="batched", flush_after=timedelta(hours=1))
    slow_disk.release.set()
    async with asyncio.timeout(5):
        async with open_journal(batched, disk=Disk(sync=slow_disk.sync)) as journal:
            assert all(journal.append(make_record(n)).done() for n in range(50))
            assert slow_disk.syncs == 0

    assert slow_disk.syncs == 1
    assert verify(tmp_path).records == 50


async def test_batched_journal_does_not_wait_for_the_clock_when_much_has_gathered(
    tmp_path: Path, make_record, slow_disk
) -> None:
    batched = config(tmp_path, mode="batched", flush_after=timedelta(hours=1))
    disk = Disk(sync=slow_disk.sync)
    async with asyncio.timeout(5), open_journal(batched, disk=disk) as journal:
        journal.append(make_record(1))
        journal.append(make_record(2, request_size=1024 * 1024))

        assert await asyncio.to_thread(slow_disk.entered.wait, 5)
        slow_disk.release.set()


async def test_batched_journal_flushes_without_being_asked(
    tmp_path: Path, make_record, slow_disk
) -> None:
    batched = config(tmp_path, mode="batched", flush_after=timedelta(milliseconds=1))
    disk = Disk(sync=slow_disk.sync)
    async with asyncio.timeout(5), open_journal(batched, disk=disk) as journal:
        journal.append(make_record(1))

        assert await asyncio.to_thread(slow_disk.entered.wait, 5)
        slow_disk.entered.clear()
        journal.append(make_record(2))
        slow_disk.release.set()

        assert await asyncio.to_thread(slow_disk.entered.wait, 5)

    assert verify(tmp_path).records == 2
