"""JSON text to values: strict, without duplicate keys, errors with line and column."""

import json
import re
from collections.abc import Iterator
from typing import Final, cast

import msgspec

from bascule.catalogue.openapi.findings import DocumentRejected, Finding
from bascule.catalogue.openapi.positions import Event, Kind, find_duplicate
from bascule.catalogue.openapi.shapes import as_list, as_object

MAX_DEPTH: Final = 100
"""Levels of nesting; real documents stay below 30, and validators give up near 250."""

MOST_VALUES: Final = 2_000_000
"""Values in one document, and so the memory it takes; the largest real ones hold half of that."""

_TOKENS: Final = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[{}\[\]]|[^\s{}\[\]:,"]+', re.DOTALL)
_BYTE_OFFSET: Final = re.compile(r" \(byte (\d+)\)$")
_SPAN: Final = 40


class _Duplicate(ValueError):
    """Some object has a key twice."""


def read_json(text: str) -> object:
    """Decode a JSON document.

    Raises:
        DocumentRejected: not JSON, a duplicate key, nested too deeply, or too many values; says
            where.
    """
    # Each value begins an array or object, or follows a comma: no text holds more than that.
    if text.count(",") + text.count("{") + text.count("[") > MOST_VALUES:
        raise too_many_values()
    try:
        root = msgspec.json.decode(text)
        _refuse_duplicates(text)
    except RecursionError:
        raise too_deep() from None
    except msgspec.DecodeError as error:
        raise _malformed(text, str(error)) from None
    except _Duplicate:
        raise _duplicate(text) from None
    _check_depth(root)
    return root


def json_events(text: str) -> Iterator[Event]:
    """The steps through a JSON text that `read_json` has accepted."""
    line, line_start, last = 1, 0, 0
    for match in _TOKENS.finditer(text):
        at = match.start()
        breaks = text.count("\n", last, at)
        if breaks:
            line += breaks
            line_start = text.rfind("\n", 0, at) + 1
        last = at
        word = match.group()
        column = at - line_start + 1
        if word in "{}[]":
            yield Event(cast("Kind", word), word, line, column)
        else:
            yield Event("scalar", _unquoted(word), line, column)


def too_deep() -> DocumentRejected:
    """The error for a document nested beyond `MAX_DEPTH`."""
    return DocumentRejected(
        f"The document is nested more than {MAX_DEPTH} levels deep; no API description needs that."
    )


def too_many_values() -> DocumentRejected:
    """The error for a document of more than `MOST_VALUES` values."""
    return DocumentRejected(
        f"The document holds more than {MOST_VALUES:,} values, YAML aliases expanded. Split it by "
        "tag or by path."
    )


def _unquoted(word: str) -> str:
    if not word.startswith('"'):
        return word
    return json.loads(word) if "\\" in word else word[1:-1]


def _refuse_duplicates(text: str) -> None:
    def check(pairs: list[tuple[str, object]]) -> None:
        if len(dict(pairs)) != len(pairs):
            raise _Duplicate

    # Values are dropped as they are read: only the keys of each object are looked at.
    json.JSONDecoder(object_pairs_hook=check, parse_int=len, parse_float=len).decode(text)


def _check_depth(root: object) -> None:
    layer: list[object] = [root] if isinstance(root, dict | list) else []
    for _ in range(MAX_DEPTH):
        layer = [part for value in layer for part in _below(value)]
        if not layer:
            return
    raise too_deep()


def _below(value: object) -> list[object]:
    """The arrays and objects directly in an array or object."""
    members = as_object(value)
    parts = (as_list(value) or ()) if members is None else members.values()
    return [part for part in parts if isinstance(part, dict | list)]


def _malformed(text: str, complaint: str) -> DocumentRejected:
    match = _BYTE_OFFSET.search(complaint)
    reason = _BYTE_OFFSET.sub("", complaint).removeprefix("JSON is malformed: ")
    # Where no place is given, the text ends too early.
    before = text.encode()[: int(match.group(1))].decode(errors="ignore") if match else text
    line = before.count("\n") + 1
    column = len(before) - before.rfind("\n")
    near = text[len(before) : len(before) + _SPAN].split("\n", maxsplit=1)[0]
    return DocumentRejected(
        f"The document is not valid JSON: {reason} at line {line}, column {column}.",
        [Finding("#", f"{reason} (column {column}, near {near!r})", line)],
    )


def _duplicate(text: str) -> DocumentRejected:
    event = find_duplicate(json_events(text))
    if event is None:
        raise RuntimeError("a duplicate key was seen but cannot be found again")
    return duplicate_key(event.text, event.line, event.column)


def duplicate_key(key: str, line: int, column: int) -> DocumentRejected:
    """The error for the second of two equal keys."""
    message = f"the key {key[:80]!r} appears twice in the same object"
    return DocumentRejected(
        f"The document is ambiguous: {message} (line {line}, column {column}). Remove one.",
        [Finding("#", message, line)],
    )
