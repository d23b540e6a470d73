"""Data on stdout: a table for people, JSON or YAML for programs; plain where it is piped."""

import json
import re
import sys
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Annotated, Any, Final, cast

import msgspec
import typer
import yaml
from rich.cells import cell_len

from bascule.cli.tables import print_fitted
from bascule.cli.terminal import harmless

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
    """Print `rows` under `columns`; the structured formats print `whole` (or the rows) instead.

    The columns are in the order of their weight: a narrow terminal leaves the last ones out, a
    pipe gets all. Where there is no row, people are told so beside the output.
    """
    if output is not Format.TABLE:
        print_structured(rows if whole is None else whole, output)
        return
    if rows or not sys.stdout.isatty():
        _print_table(rows, columns)
    if not rows:
        print("nothing found", file=sys.stderr)


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
    text = _indented(value)
    if output is Format.YAML:
        text = yaml.safe_dump(json.loads(text), sort_keys=False, allow_unicode=True)
        sys.stdout.write(text)
    else:
        # JSON need not escape these (RFC 8259, section 7), but terminals obey some of them,
        # and UTF-8 has no form for the others.
        escaped = _JSON_CONTROL.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
        sys.stdout.write(escaped + "\n")


def _indented(value: object) -> str:
    try:
        return msgspec.json.format(msgspec.json.encode(value, enc_hook=str), indent=2).decode()
    except UnicodeEncodeError:  # a lone surrogate, which the standard library lets through
        return json.dumps(value, indent=2, default=str, ensure_ascii=False)


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
    headings = [harmless(column.replace("_", " ")) for column in columns]
    print_fitted(headings, [[_cell(row.get(column)) for column in columns] for row in rows])


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
