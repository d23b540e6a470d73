"""Which files belong to a journal, and in what order."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bascule.audit.lines import MAX_LINE_BYTES
from bascule.audit.segments import (
    Segment,
    is_writer_name,
    lines_backwards,
    lines_forwards,
    list_segments,
    open_segment,
)
from bascule.gateway.errors import Forbidden, NotFound


def test_segments_are_listed_by_writer_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    for name in ("a-00000002.jsonl", "a-100000000.jsonl", "a-00000001.jsonl", "b-1-00000007.jsonl"):
        (tmp_path / name).touch()

    found = list_segments(tmp_path)

    assert {name: [segment.number for segment in found[name]] for name in found} == {
        "a": [1, 2, 100000000],
        "b-1": [7],
    }


def test_other_files_are_no_segments(tmp_path: Path) -> None:
    names = (
        "a.lock",
        "a-00000001.jsonl.torn-1",
        "a-1.jsonl",
        "a-000000001.jsonl",
        "-00000001.jsonl",
    )
    for name in names:
        (tmp_path / name).touch()

    assert list_segments(tmp_path) == {}


def test_only_the_asked_writer_is_listed(tmp_path: Path) -> None:
    for name in ("a-00000001.jsonl", "b-00000001.jsonl"):
        (tmp_path / name).touch()

    assert list_segments(tmp_path, "b") == {"b": [Segment(tmp_path, "b", 1)]}


def test_missing_directory_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"no audit directory .*nowhere"):
        list_segments(tmp_path / "nowhere")


def test_next_segment_has_the_next_number(tmp_path: Path) -> None:
    assert Segment(tmp_path, "gateway", 9).next().path == tmp_path / "gateway-00000010.jsonl"


@pytest.mark.parametrize("name", ["gateway", "gateway-1", "g.1_2"])
def test_plain_names_name_a_writer(name: str) -> None:
    assert is_writer_name(name)


@pytest.mark.parametrize("name", ["", "../x", "a/b", "A", "-a", ".a", "a\n", "a" * 101])
def test_names_that_lead_elsewhere_name_no_writer(name: str) -> None:
    assert not is_writer_name(name)


@contextmanager
def ordinary_user() -> Iterator[None]:
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_unreadable_segment_says_whom_to_run_as(tmp_path: Path) -> None:
    segment = Segment(tmp_path, "gateway", 1)
    segment.path.touch(mode=0o000)

    with ordinary_user(), pytest.raises(Forbidden, match="gateway's user"):
        open_segment(segment)


def test_lines_are_read_in_either_direction(tmp_path: Path) -> None:
    path = tmp_path / "file"
    lines = [b"%d" % n * (n * 977 % 5000) + b"\n" for n in range(1, 201)]
    path.write_bytes(b"".join(lines) + b"being written")

    with path.open("rb") as file:
        assert list(lines_forwards(file)) == [*lines, b"being written"]
        assert [line + b"\n" for line in lines_backwards(file)] == lines[::-1]
        end = len(b"".join(lines[:50]))
        assert [line + b"\n" for line in lines_backwards(file, end)] == lines[49::-1]
        assert list(lines_backwards(file, 0)) == []


def test_endless_line_is_read_in_pieces_of_a_permitted_length(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x" * (3 * MAX_LINE_BYTES))

    with path.open("rb") as file:
        assert {len(line) for line in lines_forwards(file)} == {MAX_LINE_BYTES}
        assert list(lines_backwards(file)) == []
