"""Heads of tenants' chains, written down now and then and found again."""

from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bascule.audit.heads import (
    HEADS_EVERY_BYTES,
    Found,
    Group,
    find_heads,
    heads_budget,
    heads_lines,
)
from bascule.audit.lines import GENESIS, MAX_LINE_BYTES, Entry, Head, check, seal
from bascule.audit.segments import Segment

DIGEST = b"d" * 64
MANY = {f"tenant-{n:05}-of-a-long-name": Head(n + 1, DIGEST) for n in range(10_000)}
ONE = {"acme": Head(3, DIGEST)}


def group(heads: dict[str, Head]) -> list[bytes]:
    return [line for line, _ in heads_lines(heads, GENESIS)]


def record(tenant: str, seq: int) -> bytes:
    fields = b'"tenant":%b' % msgspec.json.encode(tenant)
    return seal(Entry(tenant, fields), GENESIS, Head(seq - 1, DIGEST))[0]


def own_head(line: bytes) -> Head:
    members = msgspec.json.decode(line)
    return Head(members["tenant_seq"], members["tenant_hash"].encode())


def segment(directory: Path, number: int, *lines: bytes) -> Segment:
    one = Segment(directory, "gateway", number)
    one.path.write_bytes(b"".join(lines))
    return one


def find(*segments: Segment) -> Found | None:
    return find_heads(list(segments), segments[-1].path.stat().st_size)


names = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


@given(st.dictionaries(names, st.integers(1, 10**9).map(lambda seq: Head(seq, DIGEST)), max_size=9))
def test_heads_are_read_as_they_were_written(heads: dict[str, Head]) -> None:
    (line,) = group(heads)

    assert line.count(b"\n") == 1
    assert Group().add(line) == heads


def test_lines_of_a_group_follow_each_other_and_count_no_record() -> None:
    head = Head(7, DIGEST)
    for line, after in heads_lines(MANY, head):
        assert check(line, head) == after
        head = after

    assert head.seq == 7


def test_ten_thousand_tenants_take_several_lines_of_a_permitted_length() -> None:
    lines = group(MANY)

    assert 2 <= len(lines) < 10
    assert max(len(line) for line in lines) <= MAX_LINE_BYTES
    gathered = Group()
    assert [gathered.add(line) for line in lines] == [None] * (len(lines) - 1) + [MANY]
    assert gathered.bytes == sum(map(len, lines))


def test_the_longest_name_a_record_can_hold_fits_a_line() -> None:
    heads = {letter * 262_000: Head(10**9, DIGEST) for letter in "ab"}

    assert [len(line) <= MAX_LINE_BYTES for line in group(heads)] == [True, True]


def test_group_is_whole_against_the_order_of_the_journal_too() -> None:
    gathered = Group()

    assert [gathered.add(line) for line in reversed(group(MANY))][-1] == MANY


def test_beginning_of_a_group_counts_for_nothing_when_it_is_written_anew() -> None:
    lines = group(MANY)
    for again in (lines[:2] + lines, lines[:1] + lines):
        for order in (again, again[::-1]):
            gathered = Group()
            found = [heads for line in order if (heads := gathered.add(line))]
            assert found == [MANY]


def test_group_with_another_line_in_it_is_not_whole() -> None:
    first, *others = group(MANY)
    gathered = Group()
    gathered.add(first)
    gathered.interrupt()

    assert [gathered.add(line) for line in others] == [None] * len(others)


@pytest.mark.parametrize(
    "line",
    [
        b'{"heads":{"acme":[0,"%b"]},"part":1,"parts":1}' % DIGEST,
        b'{"heads":{"acme":[1,"short"]},"part":1,"parts":1}',
        b'{"heads":{},"part":1}',
        b'{"heads":[]}',
    ],
    ids=["number", "hash", "parts", "heads"],
)
def test_line_of_another_form_is_refused(line: bytes) -> None:
    with pytest.raises(msgspec.MsgspecError):
        Group().add(line)


def test_heads_are_rare_however_many_tenants_there_are() -> None:
    assert heads_budget(100) == HEADS_EVERY_BYTES
    length = sum(map(len, group(MANY)))
    assert length < heads_budget(length) / 30


def test_latest_word_about_each_tenant_counts(tmp_path: Path) -> None:
    acme, other, again = record("acme", 4), record("other", 1), record("acme", 5)
    lines = [record("acme", 3), *group({"acme": Head(3, DIGEST), "idle": Head(9, DIGEST)})]
    one = segment(tmp_path, 1, *lines, acme, other, again)

    found = find(one)

    assert found
    assert found.heads == {
        "acme": own_head(again),
        "other": own_head(other),
        "idle": Head(9, DIGEST),
    }
    assert HEADS_EVERY_BYTES - 2000 < found.until_heads_bytes < HEADS_EVERY_BYTES


def test_lines_after_the_end_are_not_read(tmp_path: Path) -> None:
    good = record("acme", 1)
    one = segment(tmp_path, 1, good, b"\xff torn", bytes(100))

    assert find_heads([one], len(good)) == (
        {"acme": own_head(good)},
        HEADS_EVERY_BYTES - len(good),
    )


def test_first_segment_needs_no_heads(tmp_path: Path) -> None:
    assert find(segment(tmp_path, 1)) == ({}, HEADS_EVERY_BYTES)


def test_segment_without_a_whole_group_is_read_together_with_the_one_before(tmp_path: Path) -> None:
    first = segment(tmp_path, 1, record("acme", 1))
    second = segment(tmp_path, 2, *group(MANY)[:2])
    heads = {"acme": own_head(first.path.read_bytes())}

    assert find(first, second) == (heads, 0)
    assert find(first, segment(tmp_path, 2)) == (heads, 0)


def test_whole_group_at_the_end_of_the_segment_before_is_found(tmp_path: Path) -> None:
    first = segment(tmp_path, 4, record("acme", 1), *group(MANY))
    second = segment(tmp_path, 5, *group(MANY)[:2])

    assert find(first, second) == (MANY, 0)


def test_parts_of_two_segments_are_no_group(tmp_path: Path) -> None:
    """They may be cut differently, so that together they would leave tenants out."""
    heads = dict(list(MANY.items())[:4000])
    whole, torn = group(heads), group(dict(reversed(heads.items())))
    assert len(whole) == len(torn) == 2
    before, last = segment(tmp_path, 1, *whole), segment(tmp_path, 2, torn[0])

    found = find(before, last)

    assert found
    assert found.heads == heads


def test_heads_in_a_segment_that_is_not_here_are_not_made_up(tmp_path: Path) -> None:
    first = segment(tmp_path, 1, record("acme", 1))
    third = segment(tmp_path, 3, record("acme", 3))

    assert find(third) is None
    assert find(first, third) is None


def test_lines_from_before_tenants_had_chains_end_the_search(tmp_path: Path, old_lines) -> None:
    old = old_lines(2)
    own = record("acme", 1)

    assert find(segment(tmp_path, 8, *old)) == ({}, 0)
    assert find(segment(tmp_path, 8, *old, own)) == ({"acme": own_head(own)}, 0)


@pytest.mark.parametrize("line", [b'{"tenant_seq":"x"}\n', b"\xff\n", b'{"tenant_seq":1}\n'])
def test_line_that_cannot_be_read_is_an_error(tmp_path: Path, line: bytes) -> None:
    with pytest.raises((msgspec.MsgspecError, UnicodeDecodeError)):
        find(segment(tmp_path, 1, line))
