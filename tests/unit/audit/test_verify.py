"""Whatever was changed is found, and named."""

from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bascule.audit.lines import MAX_LINE_BYTES, Problem
from bascule.audit.verify import verify
from bascule.gateway.errors import NotFound


def test_untouched_journal_is_good_and_counted(tmp_path: Path, write_journal) -> None:
    paths = write_journal(tmp_path, 7, per_segment=3)

    checked = verify(tmp_path)

    assert (checked.records, checked.segments, checked.first_bad) == (7, 3, None)
    assert checked.read_bytes == sum(path.stat().st_size for path in paths)
    assert checked.warnings == ()
    assert checked.records_per_second > 0
    assert checked.megabytes_per_second > 0


def test_every_flipped_byte_is_found_in_the_record_that_holds_it(
    tmp_path: Path, write_journal
) -> None:
    paths = write_journal(tmp_path, 6, per_segment=2)
    for path in paths:
        good = path.read_bytes()
        for position in range(len(good)):
            altered = bytearray(good)
            altered[position] ^= 0x20
            path.write_bytes(altered)

            bad = verify(tmp_path).first_bad

            assert bad, position
            assert bad.file == path
            assert bad.line == good[:position].count(b"\n") + 1
        path.write_bytes(good)


@given(at=st.floats(0, 1, exclude_max=True), flip=st.integers(1, 255))
@settings(max_examples=150, deadline=None)
def test_any_flip_of_any_byte_is_found(at: float, flip: int, write_journal) -> None:
    with TemporaryDirectory() as name:
        paths = write_journal(Path(name), 6, per_segment=2)
        content = b"".join(path.read_bytes() for path in paths)
        position = int(at * len(content))
        records = sum(b'"heads"' not in line for line in content[:position].split(b"\n")[:-1])
        path = next(p for p in reversed(paths) if content.find(p.read_bytes()) <= position)
        offset = position - content.find(path.read_bytes())
        altered = bytearray(path.read_bytes())
        line = altered[:offset].count(b"\n") + 1
        altered[offset] ^= flip
        path.write_bytes(altered)

        checked = verify(Path(name))

        if position == len(content) - 1 and altered[offset] == 0:
            # A zero for the very last newline is what a crash may leave, so it is a warning.
            assert "unfinished write" in checked.warnings[0]
            assert checked.records == 5
        else:
            assert checked.first_bad
            assert (checked.first_bad.file, checked.first_bad.line) == (path, line)
            assert checked.records == records


def test_bad_record_is_named_in_full(tmp_path: Path, write_journal) -> None:
    _, path = write_journal(tmp_path, 5, per_segment=3)
    path.write_bytes(path.read_bytes().replace(b"alice", b"mallo", 1))

    bad = verify(tmp_path).first_bad

    assert bad
    assert (bad.file, bad.line, bad.seq, bad.event_id) == (path, 2, 4, "event-4")
    assert bad.problem is Problem.HASH


def test_removed_record_is_a_sequence_gap(tmp_path: Path, write_journal) -> None:
    (path,) = write_journal(tmp_path, 5)
    kept = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(kept[:1] + kept[2:]))

    bad = verify(tmp_path).first_bad

    assert bad
    assert (bad.line, bad.seq, bad.problem) == (2, 3, Problem.GAP)


def test_repeated_record_is_a_sequence_gap(tmp_path: Path, write_journal) -> None:
    (path,) = write_journal(tmp_path, 3)
    kept = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([kept[0], kept[0], *kept[1:]]))

    bad = verify(tmp_path).first_bad

    assert bad
    assert (bad.line, bad.problem) == (2, Problem.GAP)


def test_record_sealed_anew_breaks_the_link_of_the_next(tmp_path: Path, write_journal) -> None:
    (path,) = write_journal(tmp_path, 5)
    kept = path.read_bytes().splitlines(keepends=True)
    forged = sealed_anew(kept[1].replace(b"alice", b"mallo"), b',"tenant_hash":"', b',"hash":"')
    path.write_bytes(kept[0] + forged + b"".join(kept[2:]))

    bad = verify(tmp_path).first_bad

    assert bad
    assert (bad.line, bad.seq, bad.problem) == (3, 3, Problem.LINK)


def test_record_sealed_anew_for_the_journal_alone_breaks_its_tenants_chain(
    tmp_path: Path, write_journal
) -> None:
    (path,) = write_journal(tmp_path, 5)
    kept = path.read_bytes().splitlines(keepends=True)
    forged = sealed_anew(kept[-1].replace(b"alice", b"mallo"), b',"hash":"')
    path.write_bytes(b"".join(kept[:-1]) + forged)

    bad = verify(tmp_path).first_bad

    assert bad
    assert (bad.line, bad.seq, bad.event_id) == (5, 5, "event-5")
    assert bad.problem is Problem.TENANT
    assert bad.detail == "in the chain of tenant '': the line was changed after it was written"


def sealed_anew(line: bytes, *members: bytes) -> bytes:
    """`line` with a right hash in these members."""
    for member in members:
        before, _, after = line.partition(member)
        line = before + member + sha256(before).hexdigest().encode() + after[64:]
    return line


def test_missing_segment_in_the_middle_is_named(tmp_path: Path, write_journal) -> None:
    paths = write_journal(tmp_path, 6, per_segment=2)
    paths[1].unlink()

    checked = verify(tmp_path)

    assert checked.records == 2
    assert checked.first_bad
    assert checked.first_bad.problem is Problem.MISSING_SEGMENT
    assert checked.first_bad.detail == "no gateway-00000002.jsonl"


def test_renamed_segments_do_not_hide_a_missing_one(tmp_path: Path, write_journal) -> None:
    paths = write_journal(tmp_path, 6, per_segment=2)
    paths[2].replace(paths[1])

    bad = verify(tmp_path).first_bad

    assert bad
    assert (bad.file, bad.line, bad.problem) == (paths[1], 1, Problem.GAP)


def test_later_segments_alone_are_verified_with_a_warning(tmp_path: Path, write_journal) -> None:
    paths = write_journal(tmp_path, 6, per_segment=2)
    paths[0].unlink()

    checked = verify(tmp_path)

    assert (checked.records, checked.first_bad) == (4, None)
    assert "verified from record 3" in checked.warnings[0]


def test_first_segment_that_is_not_the_beginning_is_bad(tmp_path: Path, write_journal) -> None:
    paths = write_journal(tmp_path, 6, per_segment=2)
    paths[1].replace(paths[0])
    paths[2].unlink()

    bad = verify(tmp_path).first_bad

    assert bad
    assert bad.problem is Problem.GAP


@pytest.mark.parametrize("zeros", [0, 700, 3_000_000])
def test_unfinished_write_at_the_very_end_is_a_warning(
    tmp_path: Path, write_journal, zeros: int
) -> None:
    (path,) = write_journal(tmp_path, 3)
    path.write_bytes(path.read_bytes()[:-100] + bytes(zeros))

    checked = verify(tmp_path)

    assert (checked.records, checked.first_bad) == (2, None)
    assert "ends in" in checked.warnings[0]


def test_unfinished_write_in_an_earlier_segment_is_bad(tmp_path: Path, write_journal) -> None:
    first, _ = write_journal(tmp_path, 4, per_segment=2)
    first.write_bytes(first.read_bytes()[:-100])

    bad = verify(tmp_path).first_bad

    assert bad
    assert (bad.file, bad.line, bad.problem) == (first, 2, Problem.UNREADABLE)


def test_endless_line_is_bad_and_not_read_into_memory(tmp_path: Path, write_journal) -> None:
    (path,) = write_journal(tmp_path, 2)
    with path.open("ab") as file:
        file.write(b"x" * (8 * MAX_LINE_BYTES))

    bad = verify(tmp_path).first_bad

    assert bad
    assert (bad.line, bad.problem) == (3, Problem.UNREADABLE)


def test_bad_writer_does_not_hide_behind_a_good_one(tmp_path: Path, write_journal) -> None:
    write_journal(tmp_path, 3, writer="a")
    (path,) = write_journal(tmp_path, 3, writer="b")
    path.write_bytes(path.read_bytes().replace(b"alice", b"mallo", 1))

    checked = verify(tmp_path)

    assert checked.first_bad
    assert checked.first_bad.file == path
    assert checked.records == 3
    assert verify(tmp_path, writer="a").first_bad is None


def test_cut_at_a_line_shows_in_the_head_alone(tmp_path: Path, write_journal) -> None:
    (path,) = write_journal(tmp_path, 5)
    noted = verify(tmp_path).heads["gateway"]
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:3]))

    checked = verify(tmp_path)

    assert checked.first_bad is None
    assert checked.heads["gateway"] != noted
    assert checked.heads["gateway"].seq == 3


def test_absent_journal_is_not_a_good_one(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no journal of any writer"):
        verify(tmp_path)
    with pytest.raises(NotFound, match="no journal of other"):
        verify(tmp_path, "other")
