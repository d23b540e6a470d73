"""A table is readable on any terminal, or says what it left out."""

import re
from contextlib import redirect_stdout

import pytest
from hypothesis import given
from hypothesis.strategies import integers, lists, text, tuples
from rich.cells import cell_len

from bascule.cli.tables import elide, fit, print_fitted
from unit.cli.shell import Stream

HEADINGS = ("id", "status", "header names", "created at", "title")
ROW = ("0b7c" * 9, "draft", "Authorization, X-Key", "2026-05-01T12:00:00Z", "A long title " * 5)


def printed(columns: int, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("TERM", "xterm")
    stream = Stream(terminal=True)
    with redirect_stdout(stream):
        print_fitted(HEADINGS, [ROW])
    return re.sub(r"\x1b\[[0-9;]*m", "", stream.getvalue()).splitlines()


def test_columns_that_do_not_fit_are_left_out_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    heading, row, rest = printed(80, monkeypatch)
    assert re.split("  +", heading.strip()) == ["id", "status", "header names"]
    assert re.split("  +", row.strip()) == list(ROW[:3])
    assert rest == "2 more columns do not fit: -o json has all."
    assert printed(100, monkeypatch)[-1] == "1 more column does not fit: -o json has all."


def test_where_all_fit_nothing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = printed(200, monkeypatch)
    assert len(shown) == 2
    assert ROW[-1].strip() in shown[1]


def test_on_a_terminal_narrower_than_an_id_it_is_shortened(monkeypatch: pytest.MonkeyPatch) -> None:
    _, row, rest = printed(21, monkeypatch)
    assert row == "0b7c0b7c0b\N{HORIZONTAL ELLIPSIS}7c0b7c0b7c"[:21]
    assert rest.startswith("4 more columns")


columns = lists(
    tuples(integers(1, 60), integers(1, 20)).map(lambda pair: (max(pair), min(pair))),
    min_size=1,
    max_size=12,
)


@given(columns, integers(1, 200))
def test_no_column_is_narrower_than_its_heading_nor_the_table_wider_than_the_terminal(
    columns: list[tuple[int, int]], width: int
) -> None:
    lengths, headings = zip(*columns, strict=True)
    widths = fit(lengths, headings, width)
    assert 1 <= len(widths) <= len(columns)
    assert sum(widths) + 2 * (len(widths) - 1) <= max(width, 1)
    assert all(one <= length for one, length in zip(widths, lengths, strict=False))
    assert all(one >= least for one, least in zip(widths[1:], headings[1:], strict=False))


def test_room_that_is_left_goes_to_the_first() -> None:
    assert fit([70, 40], [4, 5], 80) == [58, 20]
    assert fit([10, 40], [4, 5], 80) == [10, 40]
    assert fit([10, 90, 90], [4, 5, 5], 80) == [10, 46, 20]


@given(text(alphabet="ab予約e", max_size=40), integers(0, 30))
def test_what_is_shortened_fits_and_keeps_both_its_ends(given_text: str, width: int) -> None:
    shown = elide(given_text, width)
    assert cell_len(shown) <= width
    if cell_len(given_text) <= width:
        assert shown == given_text
    elif width >= 5:
        assert (shown[0], shown[-1]) == (given_text[0], given_text[-1])
