"""Data on stdout: a table for people, JSON or YAML for programs; plain where it is piped."""

import json
import re
import sys
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Annotated, Any, Final, cast

import typer
import yaml
from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

from bascule.cli.terminal import console_on, harmless

_JSON_CONTROL: Final = re.compile(r"[\x7f-\x9f\ud800-\udfff]")
_MOMENT: Final = re.compile(r"^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\.\d+(?:Z|\+00:00)$")
"""A time in UTC; people have no use for its microseconds."""


class Format(StrEnum):
    """What `-o` accepts."""

    TABLE = "table"
    JSON = "json"
    YAML = "yaml"


OutputOption = Annotated[
    Format, typer.Option("--output", "-o", help="How to print the result.", case_sensitive=False)
]

Rows = Sequence[Mapping[str, Any]]


def print_rows(rows: Rows, columns: Sequence[str], output: Format, whole: object = None) -> None:
    """Print `rows` under `columns`; the structured formats print `whole` (or the rows) instead."""
    if output is Format.TABLE:
        _print_table(rows, columns)
    else:
        print_structured(rows if whole is None else whole, output)


def print_value(value: object, output: Format) -> None:
    """Print one value: members below each other, lists of objects as tables, a text as it is."""
    if output is not Format.TABLE:
        print_structured(value, output)
    elif isinstance(value, dict):
        _print_members(cast("dict[str, Any]", value))
    elif _is_rows(value):
        rows = cast("list[dict[str, Any]]", value)
        _print_table(rows, _columns(rows))
    elif isinstance(value, str):
        print(harmless(value) if sys.stdout.isatty() else _encodable(value))
    else:
        print(_cell(value))


def print_structured(value: object, output: Format) -> None:
    """Print `value` as JSON or YAML."""
    text = json.dumps(value, indent=2, default=str, ensure_ascii=False)
    if output is Format.YAML:
        text = yaml.safe_dump(json.loads(text), sort_keys=False, allow_unicode=True)
        sys.stdout.write(text)
    else:
        # JSON need not escape these (RFC 8259, section 7), but terminals obey some of them,
        # and UTF-8 has no form for the others.
        escaped = _JSON_CONTROL.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
        sys.stdout.write(escaped + "\n")


def _print_members(members: Mapping[str, Any]) -> None:
    simple = {key: value for key, value in members.items() if not _is_rows(value)}
    width = max((cell_len(harmless(key)) for key in simple), default=0)
    for key, value in simple.items():
        print(f"{_padded(harmless(key), width)}  {_cell(value)}".rstrip())
    for key, value in members.items():
        if _is_rows(value):
            print(f"{harmless(key)}:")
            _print_table(value, _columns(value))


def _print_table(rows: Rows, columns: Sequence[str]) -> None:
    if not sys.stdout.isatty():
        _print_plain(rows, columns)
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for number, column in enumerate(columns):
        # The first says which row it is: a name or an id, to be copied whole.
        heading = Text(harmless(column.replace("_", " ")))
        table.add_column(heading, overflow="fold", no_wrap=number == 0)
    for row in rows:
        # Text, not str: what looks like markup in a name is part of the name.
        table.add_row(*(Text(_cell(row.get(column))) for column in columns))
    console_on(sys.stdout).print(table)


def _print_plain(rows: Rows, columns: Sequence[str]) -> None:
    cells = [[harmless(column) for column in columns]]
    cells += [[_cell(row.get(column)) for column in columns] for row in rows]
    widths = [max(cell_len(line[index]) for line in cells) for index in range(len(columns))]
    for line in cells:
        padded = (_padded(cell, width) for cell, width in zip(line, widths, strict=True))
        print("  ".join(padded).rstrip())


def _padded(text: str, width: int) -> str:
    """`text` filled up to `width` columns of a terminal, of which some characters take two."""
    return text + " " * (width - cell_len(text))


def _encodable(text: str) -> str:
    """`text` as it is, but for lone surrogates, which UTF-8 cannot hold."""
    return text.encode("utf-8", "backslashreplace").decode()


def _is_rows(value: object) -> bool:
    if not isinstance(value, list) or not value:
        return False
    return all(isinstance(item, dict) for item in cast("list[object]", value))


def _columns(rows: Rows) -> list[str]:
    """Every member that any row has, in the order of appearance."""
    return list(dict.fromkeys(key for row in rows for key in row))


def _cell(value: object) -> str:
    """`value` on one line."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list) and not _is_rows(value):  # pyright: ignore[reportUnknownArgumentType]
        return ", ".join(_cell(item) for item in cast("list[object]", value))
    if isinstance(value, dict | list):
        return harmless(json.dumps(value, default=str, ensure_ascii=False))
    text = _MOMENT.sub(r"\1Z", str(value))
    return harmless(" ".join(text.split()) if "\n" in text or "\t" in text else text)
