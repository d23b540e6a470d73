"""Arguments mirrored into HTTP headers, where a tool's schema asks for it.

Source: specification 2026-07-28, basic/transports/streamable-http "Custom Headers from Tool
Parameters".
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, cast

from bascule.protocol.headers import HeaderMismatch, decode_value, encode_value

_ANNOTATION: Final = "x-mcp-header"
_TOKEN: Final = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_PRIMITIVES: Final = frozenset({"string", "integer", "boolean"})
_KEYED_BY_NAME: Final = frozenset(
    {"properties", "patternProperties", "$defs", "definitions", "dependentSchemas"}
)
_NOT_SCHEMAS: Final = frozenset({"const", "default", "enum", "examples"})
_NUMBER: Final = re.compile(r"-?[0-9]{1,16}(?:\.0{1,16})?")
_SAFE_INTEGER: Final = 2**53 - 1
_DEEPEST: Final = 64


class InvalidAnnotation(Exception):
    """An `x-mcp-header` breaks a rule, which makes the whole tool definition invalid."""


@dataclass(frozen=True, slots=True)
class Mirror:
    """One argument to repeat in a header: the property path to it, and the header's name."""

    path: tuple[str, ...]
    header: str


def find_mirrors(schema: Mapping[str, object]) -> tuple[Mirror, ...]:
    """Find what `schema` wants mirrored.

    Raises:
        InvalidAnnotation: says which annotation breaks which rule.
    """
    mirrors = tuple(_walk(schema, (), 0))
    if len(mirrors) != _count_annotations(schema, 0):
        raise InvalidAnnotation("an x-mcp-header is not reached through properties alone")
    seen: set[str] = set()
    for mirror in mirrors:
        if mirror.header.lower() in seen:
            raise InvalidAnnotation(f"the header {mirror.header!r} is named twice")
        seen.add(mirror.header.lower())
    return mirrors


def mirrored_headers(
    mirrors: tuple[Mirror, ...], arguments: Mapping[str, object]
) -> tuple[tuple[str, str], ...]:
    """The headers for `arguments`; an absent, null or unfit value gives none."""
    headers: list[tuple[str, str]] = []
    for mirror in mirrors:
        text = _to_text(_value_at(arguments, mirror.path))
        if text is not None:
            headers.append((mirror.header, encode_value(text)))
    return tuple(headers)


def check_mirrors(
    mirrors: tuple[Mirror, ...], arguments: Mapping[str, object], headers: Mapping[bytes, bytes]
) -> None:
    """Hold the headers of a request against its arguments; header names are in lower case.

    An argument that is absent or null needs no header, and one that came anyway means nothing.

    Raises:
        HeaderMismatch: names the header, and what is wrong with it.
    """
    for mirror in mirrors:
        value = _value_at(arguments, mirror.path)
        if value is None:
            continue
        raw = headers.get(mirror.header.lower().encode())
        if raw is None:
            raise HeaderMismatch(f"the required header {mirror.header} is missing")
        text = raw.decode("latin-1").strip(" \t")
        if not (text.isascii() and text.replace("\t", " ").isprintable()):
            raise HeaderMismatch(f"header {mirror.header} must be base64 encoded")
        if not _agrees(decode_value(text), value):
            raise HeaderMismatch(f"header {mirror.header} says something else than the body")


def _agrees(text: str, value: object) -> bool:
    expected = _to_text(value)
    if expected is None:
        return False
    if text == expected or isinstance(value, str | bool):
        return text == expected
    return _NUMBER.fullmatch(text) is not None and float(text) == float(expected)


def _walk(schema: Mapping[str, object], path: tuple[str, ...], depth: int) -> Iterator[Mirror]:
    if depth > _DEEPEST:
        raise InvalidAnnotation(f"the schema is nested deeper than {_DEEPEST} levels")
    for name, value in (_members(schema.get("properties")) or {}).items():
        inner = _members(value)
        if inner is None:
            continue
        if _ANNOTATION in inner:
            yield Mirror((*path, name), f"Mcp-Param-{_check(name, inner)}")
        yield from _walk(inner, (*path, name), depth + 1)


def _check(name: str, schema: Mapping[str, object]) -> str:
    header, kind = schema[_ANNOTATION], schema.get("type")
    if not isinstance(header, str) or not _TOKEN.fullmatch(header):
        raise InvalidAnnotation(f"the x-mcp-header of {name!r} is not a header name")
    if not isinstance(kind, str) or kind not in _PRIMITIVES:
        raise InvalidAnnotation(f"{name!r} has an x-mcp-header but is no string, integer, boolean")
    return header


def _count_annotations(node: object, depth: int) -> int:
    """Annotations anywhere, but not properties that happen to have that name."""
    if depth > 4 * _DEEPEST:
        raise InvalidAnnotation("the schema is nested too deep")
    if isinstance(node, list | tuple):
        return sum(_count_annotations(one, depth + 1) for one in cast("list[object]", node))
    total = 0
    for key, value in (_members(node) or {}).items():
        if key == _ANNOTATION:
            total += 1
        elif key in _KEYED_BY_NAME:
            inner = (_members(value) or {}).values()
            total += sum(_count_annotations(one, depth + 1) for one in inner)
        elif key not in _NOT_SCHEMAS:
            total += _count_annotations(value, depth + 1)
    return total


def _value_at(arguments: Mapping[str, object], path: tuple[str, ...]) -> object:
    value: object = arguments
    for name in path:
        value = (_members(value) or {}).get(name)
    return value


def _members(value: object) -> Mapping[str, object] | None:
    return cast("Mapping[str, object]", value) if isinstance(value, Mapping) else None


def _to_text(value: object) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, int) and abs(value) <= _SAFE_INTEGER:
        return str(value)
    return None
