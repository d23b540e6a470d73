"""The blocking writer: durable or gone, never in between."""

import errno
import json
import os
from pathlib import Path

import pytest

from bascule.audit.disk import Disk
from bascule.audit.heads import HEADS_EVERY_BYTES
from bascule.audit.lines import GENESIS, MAX_RECORD_BYTES, Entry, Head
from bascule.audit.segments import Segment
from bascule.audit.verify import verify
from bascule.audit.writer import MAX_WRITE_BYTES, ChainWriter, Position


def open_writer(directory: Path, *, max_segment_bytes: int = 10_000, disk: Disk | None = None):
    start = Position(Segment(directory, "gateway", 1), 0, GENESIS)
    return ChainWriter(start, max_segment_bytes, disk or Disk())


def fields(*numbers: int, size: int = 10) -> list[Entry]:
    text = b"x" * size
    return [Entry("", b'"event_id":"event-%d","text":"%b"' % (one, text)) for one in numbers]


def event_ids(directory: Path) -> list[str]:
    return [str(line["event_id"]) for line in lines_of(directory) if "heads" not in line]


def lines_of(directory: Path) -> list[dict[str, object]]:
    paths = sorted(directory.glob("*.jsonl"))
    return [json.loads(line) for path in paths for line in path.read_bytes().splitlines()]


def test_committed_records_are_in_the_file_and_verify(tmp_path: Path) -> None:
    writer = open_writer(tmp_path)

    done = writer.commit(fields(1, 2, 3))

    writer.close()
    assert (done.durable, done.failure) == (3, None)
    assert event_ids(tmp_path) == ["event-1", "event-2", "event-3"]
    assert verify(tmp_path).heads == {"gateway": writer.head}


def test_batch_costs_one_write_and_one_sync(tmp_path: Path) -> None:
    calls: list[str] = []

    def write(descriptor: int, content: bytes, offset: int) -> int:
        calls.append("write")
        return os.pwrite(descriptor, content, offset)

    writer = open_writer(tmp_path, disk=Disk(write, lambda _: calls.append("sync")))
    writer.commit(fields(*range(100)))
    writer.close()

    assert calls == ["write", "sync"]


def test_empty_batch_touches_nothing(tmp_path: Path) -> None:
    def fail(descriptor: int) -> None:
        raise AssertionError

    writer = open_writer(tmp_path, disk=Disk(sync=fail))

    assert writer.commit([]) == (0, None)
    writer.close()


def test_segment_ends_once_it_has_passed_its_size_and_the_chain_goes_on(tmp_path: Path) -> None:
    writer = open_writer(tmp_path, max_segment_bytes=2000)
    for n in range(1, 13):
        writer.commit(fields(n, size=100))
    writer.close()

    sizes = [path.stat().st_size for path in sorted(tmp_path.glob("*.jsonl"))]
    assert len(sizes) == 3
    assert all(2000 <= size < 2500 for size in sizes[:-1])
    checked = verify(tmp_path)
    assert (checked.records, checked.segments, checked.first_bad) == (12, 3, None)


def test_files_are_for_this_user_alone(tmp_path: Path) -> None:
    writer = open_writer(tmp_path, max_segment_bytes=1)
    writer.commit(fields(1))
    writer.commit(fields(2))
    writer.close()

    assert [path.stat().st_mode & 0o777 for path in tmp_path.glob("*.jsonl")] == [0o600, 0o600]


def test_full_disk_leaves_nothing_of_the_batch_behind(tmp_path: Path, small_disk) -> None:
    writer = open_writer(tmp_path, disk=Disk(write=small_disk.write))
    assert writer.commit(fields(1)).failure is None
    before = (tmp_path / "gateway-00000001.jsonl").read_bytes()

    done = writer.commit(fields(2, 3, 4, 5, 6, 7))

    assert done.durable == 0
    assert isinstance(done.failure, OSError)
    assert done.failure.errno == errno.ENOSPC
    assert (tmp_path / "gateway-00000001.jsonl").read_bytes() == before
    writer.close()


def test_chain_goes_on_when_there_is_space_again(tmp_path: Path, small_disk) -> None:
    writer = open_writer(tmp_path, disk=Disk(write=small_disk.write))
    writer.commit(fields(1))
    writer.commit(fields(2, 3, 4, 5, 6, 7))
    small_disk.capacity = 100_000

    assert writer.commit(fields(8, 9)) == (2, None)

    writer.close()
    assert event_ids(tmp_path) == ["event-1", "event-8", "event-9"]
    assert verify(tmp_path).first_bad is None


def test_batch_larger_than_one_write_is_durable_as_far_as_it_came(
    tmp_path: Path, small_disk
) -> None:
    small_disk.capacity = MAX_WRITE_BYTES + 500_000
    writer = open_writer(tmp_path, max_segment_bytes=10_000_000, disk=Disk(write=small_disk.write))

    done = writer.commit(fields(*range(1, 21), size=MAX_RECORD_BYTES // 2))

    writer.close()
    assert done.failure is not None
    assert done.durable == len(event_ids(tmp_path)) == 8
    assert verify(tmp_path).records == 8


@pytest.mark.parametrize("failures", [1, 2, 3])
def test_failed_sync_is_never_taken_for_durable_when_the_next_one_succeeds(
    tmp_path: Path, forgetful_disk, failures: int
) -> None:
    writer = open_writer(tmp_path, disk=Disk(sync=forgetful_disk.sync))
    writer.commit(fields(1, 2))
    forgetful_disk.failures = failures

    outcomes = [writer.commit(fields(n)) for n in range(3, 8)]

    writer.close()
    durable = [f"event-{n}" for n, done in enumerate(outcomes, 3) if done.durable]
    assert event_ids(tmp_path) == ["event-1", "event-2", *durable]
    assert len(durable) >= 5 - failures
    assert verify(tmp_path).first_bad is None


def test_failed_sync_sends_what_follows_to_a_fresh_segment(tmp_path: Path, forgetful_disk) -> None:
    writer = open_writer(tmp_path, disk=Disk(sync=forgetful_disk.sync))
    writer.commit(fields(1))
    forgetful_disk.failures = 1
    writer.commit(fields(2))

    writer.commit(fields(3))

    writer.close()
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["gateway-00000001.jsonl", "gateway-00000002.jsonl"]
    assert event_ids(tmp_path) == ["event-1", "event-3"]


def test_failing_syncs_do_not_litter_the_directory_with_segments(
    tmp_path: Path, forgetful_disk
) -> None:
    writer = open_writer(tmp_path, disk=Disk(sync=forgetful_disk.sync))
    writer.commit(fields(1))
    forgetful_disk.failures = 20

    for n in range(2, 40):
        writer.commit(fields(n))

    writer.close()
    assert len(list(tmp_path.iterdir())) == 2
    assert verify(tmp_path).first_bad is None


def test_cut_is_durable_before_anything_is_written_after_it(tmp_path: Path, small_disk) -> None:
    calls: list[tuple[str, int]] = []

    def write(descriptor: int, content: bytes, offset: int) -> int:
        calls.append(("write at", offset))
        return small_disk.write(descriptor, content, offset)

    def sync(descriptor: int) -> None:
        calls.append(("sync of", os.fstat(descriptor).st_size))

    writer = open_writer(tmp_path, disk=Disk(write, sync))
    writer.commit(fields(1))
    good = (tmp_path / "gateway-00000001.jsonl").stat().st_size
    writer.commit(fields(2, size=2000))
    small_disk.capacity = 100_000
    writer.commit(fields(3))
    writer.close()

    cut = calls.index(("sync of", good), 2)
    assert calls[:2] == [("write at", 0), ("sync of", good)]
    assert [call for call, _ in calls[2:cut]] == ["write at"] * (cut - 2)
    assert calls[cut + 1][:2] == ("write at", good)


def test_cut_that_fails_is_made_before_the_next_write(tmp_path: Path, forgetful_disk) -> None:
    writer = open_writer(tmp_path, disk=Disk(sync=forgetful_disk.sync))
    writer.commit(fields(1))
    forgetful_disk.failures = 3  # the sync, the cut, the second attempt at the cut

    writer.commit(fields(2))
    done = writer.commit(fields(3))

    assert done.durable == 0
    assert event_ids(tmp_path) == ["event-1"]
    writer.close()


def test_segment_that_cannot_be_created_fails_the_batch_and_not_the_chain(tmp_path: Path) -> None:
    writer = open_writer(tmp_path, max_segment_bytes=1)
    writer.commit(fields(1))
    obstacle = tmp_path / "gateway-00000002.jsonl"
    obstacle.write_bytes(b"not ours")

    assert isinstance(writer.commit(fields(2)).failure, FileExistsError)

    assert obstacle.read_bytes() == b"not ours"
    obstacle.write_bytes(b"")
    assert writer.commit(fields(3)) == (1, None)
    writer.close()
    assert event_ids(tmp_path) == ["event-1", "event-3"]


def of(tenant: str, number: int) -> Entry:
    return Entry(tenant, b'"event_id":"event-%d","tenant":"%b"' % (number, tenant.encode()))


def test_each_record_continues_the_chain_of_its_tenant(tmp_path: Path) -> None:
    writer = open_writer(tmp_path)
    writer.commit([of("acme", 1), of("eve", 2), of("acme", 3)])
    writer.commit([of("eve", 4), of("acme", 5)])
    writer.close()

    lines = lines_of(tmp_path)
    assert [line["seq"] for line in lines] == [1, 2, 3, 4, 5]
    assert [line["tenant_seq"] for line in lines] == [1, 1, 2, 2, 3]
    for earlier, later in ((0, 2), (2, 4), (1, 3)):
        assert lines[later]["tenant_prev"] == lines[earlier]["tenant_hash"]
    assert lines[0]["tenant_prev"] == lines[1]["tenant_prev"] == "0" * 64


@pytest.mark.parametrize("failures", [1, 2, 3])
def test_failed_sync_takes_the_heads_of_tenants_back(
    tmp_path: Path, forgetful_disk, failures: int
) -> None:
    writer = open_writer(tmp_path, disk=Disk(sync=forgetful_disk.sync))
    writer.commit([of("acme", 1)])
    forgetful_disk.failures = failures
    while writer.commit([of("acme", 2), of("new", 3)]).failure:
        pass
    writer.commit([of("acme", 4)])
    writer.close()

    own = [line for line in lines_of(tmp_path) if line.get("tenant") == "acme"]
    assert [line["tenant_seq"] for line in own] == [1, 2, 3]
    assert verify(tmp_path).first_bad is None


def test_part_of_a_batch_that_is_durable_moves_the_heads_of_tenants(
    tmp_path: Path, small_disk
) -> None:
    small_disk.capacity = MAX_WRITE_BYTES + 500_000
    writer = open_writer(tmp_path, max_segment_bytes=10_000_000, disk=Disk(write=small_disk.write))
    text = b'"tenant":"acme","text":"%b"' % (b"x" * (MAX_RECORD_BYTES // 2))
    assert writer.commit([Entry("acme", text)] * 20).durable == 8
    small_disk.capacity = 10_000_000

    writer.commit([of("acme", 21)])

    writer.close()
    assert lines_of(tmp_path)[-1]["tenant_seq"] == 9


def test_every_segment_but_the_first_begins_with_the_heads_of_all_tenants(tmp_path: Path) -> None:
    writer = open_writer(tmp_path, max_segment_bytes=1)
    for number, tenant in enumerate(["acme", "eve", "acme"], 1):
        writer.commit([of(tenant, number)])
    writer.close()

    lines = lines_of(tmp_path)
    assert ["heads" in line for line in lines] == [False, True, False, True, False]
    assert lines[3]["heads"] == {
        "acme": [1, lines[0]["tenant_hash"]],
        "eve": [1, lines[2]["tenant_hash"]],
    }
    assert (lines[3]["seq"], lines[4]["seq"]) == (2, 3)
    assert verify(tmp_path).records == 3


def test_heads_come_again_within_a_long_segment(tmp_path: Path) -> None:
    writer = open_writer(tmp_path, max_segment_bytes=100_000_000)
    record = Entry("", b'"text":"%b"' % (b"x" * (MAX_RECORD_BYTES // 2)))
    for _ in range(100):
        writer.commit([record])
    writer.close()

    places = [n for n, line in enumerate(lines_of(tmp_path)) if "heads" in line]
    apart = HEADS_EVERY_BYTES // (MAX_RECORD_BYTES // 2)
    assert places == [apart, 2 * apart + 1, 3 * apart + 2]
    assert verify(tmp_path).first_bad is None


def test_heads_that_could_not_be_written_are_written_before_the_next_record(
    tmp_path: Path,
) -> None:
    tenants = {f"tenant-{n:05}": Head(n + 1, b"d" * 64) for n in range(10_000)}
    start = Position(Segment(tmp_path, "gateway", 2), 0, Head(9, b"a" * 64), tenants, 0)
    failing = iter([False, True, False, False] + [False] * 20)

    def sync(descriptor: int) -> None:
        if next(failing):
            raise OSError(errno.EIO, os.strerror(errno.EIO))

    writer = ChainWriter(start, 100_000_000, Disk(sync=sync))

    assert writer.commit([of("tenant-00007", 1)]).failure is not None
    assert writer.commit([of("tenant-00007", 2)]).durable == 1

    writer.close()
    lines = lines_of(tmp_path)
    parts = [line["part"] for line in lines if "heads" in line]
    assert parts == [1, *range(1, 2 + len(parts) - 2)]
    assert (lines[-1]["seq"], lines[-1]["tenant_seq"]) == (10, 9)
    assert len(list(tmp_path.iterdir())) == 2
    assert verify(tmp_path).first_bad is None
