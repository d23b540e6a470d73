"""Data on stdout: a table for people, JSON or YAML for programs; plain where it is piped."""

import json
import sys
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Annotated, Any, cast

import typer
import yaml
from rich.console import Console
from rich.table import Table


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
    """Print one value: members below each other, lists of objects as tables."""
    if output is not Format.TABLE:
        print_structured(value, output)
    elif isinstance(value, dict):
        _print_members(cast("dict[str, Any]", value))
    elif _is_rows(value):
        rows = cast("list[dict[str, Any]]", value)
        _print_table(rows, _columns(rows))
    else:
        print(_cell(value))


def print_structured(value: object, output: Format) -> None:
    """Print `value` as JSON or YAML."""
    if output is Format.YAML:
        plain = json.loads(json.dumps(value, default=str))
        sys.stdout.write(yaml.safe_dump(plain, sort_keys=False, allow_unicode=True))
    else:
        sys.stdout.write(json.dumps(value, indent=2, default=str, ensure_ascii=False) + "\n")


def _print_members(members: Mapping[str, Any]) -> None:
    simple = {key: value for key, value in members.items() if not _is_rows(value)}
    if simple:
        width = max(len(key) for key in simple)
        for key, value in simple.items():
            print(f"{key.ljust(width)}  {_cell(value)}".rstrip())
    for key, value in members.items():
        if _is_rows(value):
            print(f"{key}:")
            _print_table(value, _columns(value))


def _print_table(rows: Rows, columns: Sequence[str]) -> None:
    if not sys.stdout.isatty():
        _print_plain(rows, columns)
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column.replace("_", " "), overflow="fold")
    for row in rows:
        table.add_row(*(_cell(row.get(column)) for column in columns))
    Console(soft_wrap=True).print(table)


def _print_plain(rows: Rows, columns: Sequence[str]) -> None:
    cells = [list(columns)] + [[_cell(row.get(column)) for column in columns] for row in rows]
    widths = [max(len(line[index]) for line in cells) for index in range(len(columns))]
    for line in cells:
        padded = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        print("  ".join(padded).rstrip())


def _is_rows(value: object) -> bool:
    if not isinstance(value, list) or not value:
        return False
    return all(isinstance(item, dict) for item in cast("list[object]", value))


def _columns(rows: Rows) -> list[str]:
    first = rows[0]
    return [key for key, value in first.items() if not isinstance(value, dict)][:8]


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list) and not _is_rows(value):  # pyright: ignore[reportUnknownArgumentType]
        return ", ".join(_cell(item) for item in cast("list[object]", value))
    if isinstance(value, dict | list):
        return json.dumps(value, default=str, ensure_ascii=False)
    return " ".join(str(value).split()) if "\n" in str(value) else str(value)
