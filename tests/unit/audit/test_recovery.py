"""Starting after a crash: torn ends are moved aside, altered ones are not touched."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bascule.audit.disk import Disk
from bascule.audit.lines import GENESIS, MAX_RECORD_BYTES, Entry, encode, seal
from bascule.audit.recovery import JournalDamaged, recover
from bascule.audit.verify import verify
from bascule.audit.writer import MAX_UNFINISHED_BYTES, ChainWriter


def continue_chain(directory: Path, *entries: Entry) -> None:
    position, _ = recover(directory, "gateway")
    writer = ChainWriter(position, 1_000_000_000, Disk())
    assert writer.commit(entries).failure is None
    writer.close()


def test_empty_directory_begins_with_the_first_segment(tmp_path: Path) -> None:
    position, repair = recover(tmp_path, "gateway")

    assert position.segment.path == tmp_path / "gateway-00000001.jsonl"
    assert (position.durable_bytes, position.head, repair) == (0, GENESIS, None)


def test_clean_end_is_continued_and_nothing_is_moved(tmp_path: Path, write_journal) -> None:
    (path,) = write_journal(tmp_path, 3)

    position, repair = recover(tmp_path, "gateway")

    assert (position.durable_bytes, position.head.seq) == (path.stat().st_size, 3)
    assert repair is None
    assert list(tmp_path.iterdir()) == [path]


@given(cut=st.integers(1, 2000), zeros=st.sampled_from([0, 1, 511, 4096, 300_000]))
@settings(max_examples=60, deadline=None)
def test_journal_cut_anywhere_and_filled_with_zeros_is_continued(
    cut: int, zeros: int, write_journal, make_record
) -> None:
    with TemporaryDirectory() as name:
        directory = Path(name)
        (path,) = write_journal(directory, 5)
        whole = path.read_bytes()
        kept = whole[: max(0, len(whole) - cut)]
        good = kept[: kept.rfind(b"\n") + 1]
        path.write_bytes(kept + bytes(zeros))

        _, repair = recover(directory, "gateway")
        continue_chain(directory, encode(make_record(99)))

        torn = kept[len(good) :] + bytes(zeros)
        side_files = [side_file.read_bytes() for side_file in directory.glob("*.torn-*")]
        assert side_files == ([torn] if torn else [])
        assert (repair.moved_bytes if repair else 0) == len(torn)
        assert path.read_bytes().startswith(good)
        checked = verify(directory)
        assert (checked.records, checked.first_bad) == (good.count(b"\n") + 1, None)
        assert checked.warnings == ()


def test_second_torn_end_gets_its_own_side_file(tmp_path: Path, write_journal) -> None:
    (path,) = write_journal(tmp_path, 2)
    for torn in (b'{"seq":3', b'{"se'):
        with path.open("ab") as file:
            file.write(torn)
        recover(tmp_path, "gateway")

    assert (tmp_path / f"{path.name}.torn-1").read_bytes() == b'{"seq":3'
    assert (tmp_path / f"{path.name}.torn-2").read_bytes() == b'{"se'
    assert (tmp_path / f"{path.name}.torn-1").stat().st_mode & 0o777 == 0o600


def test_sectors_lost_inside_the_last_write_are_torn(tmp_path: Path, write_journal) -> None:
    (path,) = write_journal(tmp_path, 40)
    lines = path.read_bytes().splitlines(keepends=True)
    start = len(b"".join(lines[:20])) + 30
    whole = path.read_bytes()
    path.write_bytes(whole[:start] + bytes(4096) + whole[start + 4096 :])

    position, repair = recover(tmp_path, "gateway")

    assert position.head.seq == 20
    assert repair
    assert repair.moved_bytes == len(whole) - len(b"".join(lines[:20]))
    assert verify(tmp_path).records == 20


@pytest.mark.parametrize("line", [0, 1, 2])
def test_altered_record_near_the_end_stops_the_start_and_is_left_alone(
    tmp_path: Path, write_journal, line: int
) -> None:
    (path,) = write_journal(tmp_path, 3)
    lines = path.read_bytes().splitlines(keepends=True)
    lines[line] = lines[line].replace(b"alice", b"mallory")
    path.write_bytes(b"".join(lines))
    before = path.read_bytes()

    with pytest.raises(JournalDamaged, match=r"bascule audit verify .*move the directory aside"):
        recover(tmp_path, "gateway")

    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_altered_last_newline_is_not_taken_for_a_torn_write(tmp_path: Path, write_journal) -> None:
    (path,) = write_journal(tmp_path, 3)
    path.write_bytes(path.read_bytes()[:-1] + b" ")

    with pytest.raises(JournalDamaged):
        recover(tmp_path, "gateway")


def test_removed_record_near_the_end_stops_the_start(tmp_path: Path, write_journal) -> None:
    (path,) = write_journal(tmp_path, 4)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:2] + lines[3:]))

    with pytest.raises(JournalDamaged, match="sequence gap"):
        recover(tmp_path, "gateway")


def test_zeros_over_more_than_one_write_are_not_torn(tmp_path: Path) -> None:
    lines, head, own = b"", GENESIS, GENESIS
    for _ in range(39):
        line, head, own = seal(Entry("", b'"text":"%b"' % (b"x" * 131_072)), head, own)
        lines += line
    assert len(lines) > 2 * MAX_UNFINISHED_BYTES
    path = tmp_path / "gateway-00000001.jsonl"
    hole = len(lines) - MAX_UNFINISHED_BYTES - MAX_RECORD_BYTES
    path.write_bytes(lines[:hole] + bytes(4096) + lines[hole + 4096 :])

    with pytest.raises(JournalDamaged):
        recover(tmp_path, "gateway")


def test_only_the_end_of_a_long_segment_is_read(tmp_path: Path, make_record) -> None:
    continue_chain(tmp_path, *(encode(make_record(n)) for n in range(10_000)))
    (path,) = tmp_path.iterdir()
    content = path.read_bytes()
    assert len(content) > 2 * MAX_UNFINISHED_BYTES
    path.write_bytes(content.replace(b"alice", b"mallo", 1))

    position, _ = recover(tmp_path, "gateway")

    assert position.head.seq == 10_000


def test_empty_last_segment_continues_the_one_before(tmp_path: Path, write_journal) -> None:
    write_journal(tmp_path, 4, per_segment=2)
    (tmp_path / "gateway-00000003.jsonl").touch()

    position, repair = recover(tmp_path, "gateway")

    assert (position.segment.number, position.durable_bytes) == (3, 0)
    assert (position.head.seq, repair) == (4, None)


def test_torn_first_line_of_a_segment_continues_the_one_before(
    tmp_path: Path, write_journal, make_record
) -> None:
    last = write_journal(tmp_path, 4, per_segment=2)[-1]
    last.write_bytes(last.read_bytes()[:100])

    continue_chain(tmp_path, encode(make_record(99)))

    checked = verify(tmp_path)
    assert (checked.records, checked.segments, checked.first_bad) == (3, 2, None)


def test_missing_segment_before_the_last_stops_the_start(tmp_path: Path, write_journal) -> None:
    write_journal(tmp_path, 6, per_segment=2)[1].unlink()

    with pytest.raises(JournalDamaged, match="segment 2 is missing"):
        recover(tmp_path, "gateway")


def test_segment_that_does_not_follow_the_one_before_stops_the_start(
    tmp_path: Path, write_journal
) -> None:
    first, second, third = write_journal(tmp_path, 6, per_segment=2)
    second.write_bytes(third.read_bytes())
    third.unlink()
    assert first.exists()

    with pytest.raises(JournalDamaged):
        recover(tmp_path, "gateway")


def test_unfinished_line_in_an_earlier_segment_stops_the_start(
    tmp_path: Path, write_journal
) -> None:
    first, _ = write_journal(tmp_path, 4, per_segment=2)
    first.write_bytes(first.read_bytes()[:-10])

    with pytest.raises(JournalDamaged, match="unfinished line"):
        recover(tmp_path, "gateway")


def test_journal_whose_older_segments_were_archived_is_continued(
    tmp_path: Path, write_journal, make_record
) -> None:
    paths = write_journal(tmp_path, 6, per_segment=2)
    for path in paths[:2]:
        path.unlink()

    continue_chain(tmp_path, encode(make_record(99)))

    assert verify(tmp_path).heads["gateway"].seq == 7


@pytest.mark.parametrize(
    "content",
    [b"", b'{"seq":5,"prev":"', b'{"seq":5,"prev":"%b","event' % (b"a" * 64), b"hello\n"],
)
def test_lone_segment_without_a_whole_line_stops_the_start(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "gateway-00000003.jsonl").write_bytes(content)

    with pytest.raises(JournalDamaged):
        recover(tmp_path, "gateway")


def of(tenant: str, number: int) -> Entry:
    return Entry(tenant, b'"event_id":"event-%d","tenant":"%b"' % (number, tenant.encode()))


def test_chains_of_tenants_are_continued_by_the_next_process(tmp_path: Path) -> None:
    continue_chain(tmp_path, of("acme", 1), of("eve", 2))
    continue_chain(tmp_path, of("acme", 3))

    position, _ = recover(tmp_path, "gateway")

    assert {name: head.seq for name, head in position.tenants.items()} == {"acme": 2, "eve": 1}
    assert verify(tmp_path).first_bad is None


def test_torn_record_does_not_count_in_the_chain_of_its_tenant(tmp_path: Path) -> None:
    continue_chain(tmp_path, of("acme", 1), of("acme", 2))
    (path,) = tmp_path.iterdir()
    path.write_bytes(path.read_bytes()[:-20])

    position, _ = recover(tmp_path, "gateway")

    assert position.tenants["acme"].seq == 1


def test_ten_thousand_tenants_are_found_in_the_last_segment_alone(tmp_path: Path) -> None:
    tenants = [f"tenant-{n:05}" for n in range(10_000)]
    continue_chain(tmp_path, *(of(tenant, 1) for tenant in tenants))
    position, _ = recover(tmp_path, "gateway")
    full = ChainWriter(position, 1, Disk())
    full.commit([of("tenant-00005", 2)])
    full.close()
    (tmp_path / "gateway-00000001.jsonl").unlink()

    position, _ = recover(tmp_path, "gateway")

    assert len(position.tenants) == 10_000
    assert {name for name, head in position.tenants.items() if head.seq == 2} == {"tenant-00005"}
    assert 20_000_000 < position.until_heads_bytes < 60_000_000
    checked = verify(tmp_path)
    assert (checked.records, checked.first_bad) == (1, None)


@pytest.mark.parametrize("kept", [0, 1, 2])
def test_start_after_a_crash_within_the_heads_writes_them_anew(tmp_path: Path, kept: int) -> None:
    continue_chain(tmp_path, *(of(f"tenant-{n:05}", 1) for n in range(10_000)))
    position, _ = recover(tmp_path, "gateway")
    ChainWriter(position, 1, Disk()).commit([of("tenant-00005", 2)])
    path = tmp_path / "gateway-00000002.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:kept]) + lines[kept][:1000])

    continue_chain(tmp_path, of("tenant-00005", 2))

    parts = [line[-260:].count(b'"parts":') for line in path.read_bytes().splitlines()]
    assert parts == [1] * (kept + len(lines) - 1) + [0]
    assert recover(tmp_path, "gateway")[0].tenants["tenant-00005"].seq == 2
    assert verify(tmp_path).first_bad is None
    (tmp_path / "gateway-00000001.jsonl").unlink()
    assert len(recover(tmp_path, "gateway")[0].tenants) == 10_000
    assert verify(tmp_path).first_bad is None


def test_heads_in_a_segment_that_was_moved_away_too_early_stop_the_start(tmp_path: Path) -> None:
    continue_chain(tmp_path, *(of(f"tenant-{n:05}", 1) for n in range(10_000)))
    position, _ = recover(tmp_path, "gateway")
    ChainWriter(position, 1, Disk()).commit([of("tenant-00005", 2)])
    path = tmp_path / "gateway-00000002.jsonl"
    path.write_bytes(path.read_bytes().splitlines(keepends=True)[0])
    (tmp_path / "gateway-00000001.jsonl").unlink()

    with pytest.raises(JournalDamaged, match="heads of the tenants' chains are in a segment not"):
        recover(tmp_path, "gateway")


def test_journal_of_the_older_format_is_continued_with_chains_apart(
    tmp_path: Path, old_lines
) -> None:
    path = tmp_path / "gateway-00000001.jsonl"
    path.write_bytes(b"".join(old_lines(3)))

    position, _ = recover(tmp_path, "gateway")
    assert (position.head.seq, position.tenants, position.until_heads_bytes) == (3, {}, 0)
    continue_chain(tmp_path, of("acme", 4))
    continue_chain(tmp_path, of("acme", 5))

    lines = path.read_bytes().splitlines()
    assert [line[:9] for line in lines[3:]] == [b'{"heads":', *[b'{"tenant_'] * 2]
    checked = verify(tmp_path)
    assert (checked.records, checked.first_bad) == (5, None)
    (warning,) = checked.warnings
    assert warning.startswith("gateway: 3 records are from before tenants had chains of their own")


def test_later_segments_of_the_older_format_alone_are_continued(tmp_path: Path, old_lines) -> None:
    path = tmp_path / "gateway-00000007.jsonl"
    path.write_bytes(b"".join(old_lines(5)[2:]))

    continue_chain(tmp_path, of("acme", 6))

    checked = verify(tmp_path)
    assert (checked.records, checked.first_bad) == (4, None)


def test_record_that_cannot_be_read_where_the_heads_are_looked_for_stops_the_start(
    tmp_path: Path,
) -> None:
    filler = Entry("", b'"text":"%b"' % (b"x" * (MAX_RECORD_BYTES // 2)))
    continue_chain(tmp_path, of("acme", 1), *[filler] * 20)
    (path,) = tmp_path.iterdir()
    path.write_bytes(path.read_bytes().replace(b'{"tenant_seq":1,', b'{"tenant_seq":x,', 1))

    with pytest.raises(JournalDamaged, match="a record before it cannot be read"):
        recover(tmp_path, "gateway")
