"""The same rows for people, for pipes and for programs."""

import json
from contextlib import redirect_stdout
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis.strategies import dictionaries, lists, text

from bascule.cli.output import Format, print_rows, print_structured, print_value
from unit.cli.shell import Stream

ROWS: list[dict[str, Any]] = [
    {"name": "a", "risk_level": "read", "tags": ["x", "y"], "on": True, "left": None},
    {"name": "longer", "risk_level": "write", "tags": [], "on": False, "left": 1.5},
]
COLUMNS = ("name", "risk_level", "tags", "on", "left")


def rows_printed(rows: Any, *, terminal: bool = False, columns: Any = COLUMNS) -> str:
    stream = Stream(terminal=terminal)
    with redirect_stdout(stream):
        print_rows(rows, columns, Format.TABLE)
    return stream.getvalue()


def value_printed(value: object, *, terminal: bool = False, output: Format = Format.TABLE) -> str:
    stream = Stream(terminal=terminal)
    with redirect_stdout(stream):
        print_value(value, output)
    return stream.getvalue()


@pytest.fixture(autouse=True)
def terminal_of_60_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setenv("TERM", "xterm")


def test_a_pipe_gets_plain_aligned_columns_under_the_names_of_the_members() -> None:
    assert rows_printed(ROWS) == (
        "name    risk_level  tags  on   left\n"
        "a       read        x, y  yes\n"
        "longer  write             no   1.5\n"
    )


def test_a_terminal_gets_a_table_with_readable_headings() -> None:
    printed = rows_printed(ROWS, terminal=True)
    assert "\x1b[1m" in printed
    assert "risk level" in printed
    assert "risk_level" not in printed


def test_a_terminal_without_colour_gets_the_table_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    printed = rows_printed(ROWS, terminal=True)
    assert "\x1b" not in printed
    assert "risk level" in printed


def test_no_rows_are_a_heading_in_a_pipe_and_people_are_told(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert rows_printed([]) == "name  risk_level  tags  on  left\n"
    assert capsys.readouterr().err == "nothing found\n"
    assert rows_printed([], terminal=True) == ""
    assert capsys.readouterr().err == "nothing found\n"


def test_no_rows_are_an_answer_to_a_program(capsys: pytest.CaptureFixture[str]) -> None:
    print_rows([], COLUMNS, Format.JSON, {"rows": [], "total": 0})
    shown = capsys.readouterr()
    assert (json.loads(shown.out), shown.err) == ({"rows": [], "total": 0}, "")


def test_a_pipe_gets_every_column_and_one_line_a_row() -> None:
    row = {f"column_{number}": "x" * 50 for number in range(20)}
    printed = rows_printed([row], columns=tuple(row))
    assert printed.count("\n") == 2
    assert printed.count("x" * 50) == 20


def test_a_narrow_terminal_folds_every_column_but_the_first() -> None:
    row = {"name": "n" * 36, "title": "t" * 60}
    printed = rows_printed([row], terminal=True, columns=("name", "title"))
    assert "n" * 36 in printed
    assert "t" * 60 not in printed
    assert printed.count("t" * 5) > 3


@pytest.mark.parametrize("terminal", [True, False])
def test_what_looks_like_markup_or_a_command_is_only_text(terminal: bool) -> None:
    row = {"name": "[bold]x[/] [/nope] :smile: \x1b[2J\r", "title": "a\nb\tc"}
    printed = rows_printed([row], terminal=terminal, columns=("name", "title"))
    assert "[bold]x[/] [/nope] :smile: \\x1b[2J\\x0d" in printed
    assert "a b c" in printed


def test_wide_characters_keep_the_columns_aligned() -> None:
    printed = rows_printed([{"a": "予約", "b": "x"}, {"a": "abcd", "b": "y"}], columns=("a", "b"))
    assert printed.splitlines() == ["a     b", "予約  x", "abcd  y"]


@pytest.mark.parametrize("moment", ["2026-05-01T12:00:00.123456Z", "2026-05-01T12:00:00.1+00:00"])
def test_a_time_is_shown_to_the_second(moment: str) -> None:
    assert rows_printed([{"at": moment}], columns=("at",)) == "at\n2026-05-01T12:00:00Z\n"


def test_members_are_listed_below_each_other_and_rows_as_tables() -> None:
    value = {"id": "x", "customer": {"city": "Pune"}, "slots": [{"at": 9}, {"free": True}], "n": []}
    assert value_printed(value) == (
        'id        x\ncustomer  {"city": "Pune"}\nn\nslots:\nat  free\n9\n    yes\n'
    )


def test_an_object_without_members_and_a_list_without_rows_are_printed_too() -> None:
    assert value_printed({}) == ""
    assert value_printed([]) == "\n"
    assert value_printed([1, "a"]) == "1, a\n"
    assert value_printed(None) == "\n"
    assert value_printed(7) == "7\n"


def test_a_text_is_piped_as_it_is_and_harmless_on_a_terminal() -> None:
    text = "line 1\nline  2\t\x1b[2J"
    assert value_printed(text) == text + "\n"
    assert value_printed(text, terminal=True) == "line 1\nline  2\t\\x1b[2J\n"


@pytest.mark.parametrize("terminal", [True, False])
@pytest.mark.parametrize("output", [Format.JSON, Format.YAML])
def test_structured_formats_are_the_same_everywhere(terminal: bool, output: Format) -> None:
    printed = value_printed(ROWS, terminal=terminal, output=output)
    assert "\x1b" not in printed
    assert yaml.safe_load(printed) == ROWS


def test_structured_formats_print_the_whole_answer() -> None:
    stream = Stream(terminal=False)
    with redirect_stdout(stream):
        print_rows(ROWS, COLUMNS, Format.JSON, {"rows": ROWS, "total": 2})
        print_rows(ROWS, COLUMNS, Format.YAML)
    document, _, rest = stream.getvalue().partition("}\n- ")
    assert json.loads(document + "}") == {"rows": ROWS, "total": 2}
    assert yaml.safe_load("- " + rest) == ROWS


def test_an_empty_whole_is_not_mistaken_for_none() -> None:
    stream = Stream(terminal=False)
    with redirect_stdout(stream):
        print_rows(ROWS, COLUMNS, Format.JSON, [])
    assert json.loads(stream.getvalue()) == []


@given(dictionaries(text(), lists(text(), max_size=2), max_size=3))
def test_json_says_exactly_what_it_was_given_and_commands_no_terminal(value: Any) -> None:
    stream = Stream(terminal=True)
    with redirect_stdout(stream):
        print_structured(value, Format.JSON)
    printed = stream.getvalue()
    assert json.loads(printed) == value
    printed.encode()
    assert not [one for one in printed if (ord(one) < 32 and one != "\n") or 127 <= ord(one) < 160]


def test_yaml_can_hold_what_utf_8_cannot() -> None:
    printed = value_printed({"a": "\ud800\x9b"}, output=Format.YAML)
    printed.encode()
    assert "\x9b" not in printed
