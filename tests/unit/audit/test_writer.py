"""The blocking writer: durable or gone, never in between."""

import errno
import json
import os
from pathlib import Path

import pytest

from bascule.audit.disk import Disk
from bascule.audit.lines import GENESIS, MAX_RECORD_BYTES
from bascule.audit.segments import Segment
from bascule.audit.verify import verify
from bascule.audit.writer import MAX_WRITE_BYTES, ChainWriter, Position


def open_writer(directory: Path, *, max_segment_bytes: int = 10_000, disk: Disk | None = None):
    start = Position(Segment(directory, "gateway", 1), 0, GENESIS)
    return ChainWriter(start, max_segment_bytes, disk or Disk())


def fields(*numbers: int, size: int = 10) -> list[bytes]:
    return [b'"event_id":"event-%d","text":"%b"' % (number, b"x" * size) for number in numbers]


def event_ids(directory: Path) -> list[str]:
    paths = sorted(directory.glob("*.jsonl"))
    return [
        json.loads(line)["event_id"] for path in paths for line in path.read_bytes().splitlines()
    ]


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
    writer = open_writer(tmp_path, max_segment_bytes=1000)
    for n in range(1, 13):
        writer.commit(fields(n, size=100))
    writer.close()

    sizes = [path.stat().st_size for path in sorted(tmp_path.glob("*.jsonl"))]
    assert len(sizes) == 3
    assert all(1000 <= size < 1300 for size in sizes[:-1])
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
