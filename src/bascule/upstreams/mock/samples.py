"""A value that fits a JSON Schema: always the same, and out of its examples where it has any."""

import math
from collections.abc import Callable, Mapping
from typing import Any, Final, cast

Schema = Mapping[str, Any]

_DEEPEST: Final = 8
"""Beyond, members that may be left out are, so that a schema within itself comes to an end."""
_MOST_ITEMS: Final = 20
_LONGEST: Final = 10_000
_FORMATS: Final = {
    "date-time": "2026-01-15T09:30:00Z",
    "date": "2026-01-15",
    "time": "09:30:00Z",
    "duration": "PT30M",
    "email": "sample@example.com",
    "hostname": "example.com",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "uri": "https://example.com/sample",
    "uri-reference": "/sample",
    "uuid": "00000000-0000-4000-8000-000000000000",
    "byte": "c2FtcGxl",
}
_NOTHING: Final[Schema] = {}


def sample(schema: Schema) -> object:
    """A value for `schema`; one that has no `type` and says nothing else gets null.

    Patterns are not solved, nor is what several keywords demand together: give such schemas an
    `example`.
    """
    return _Sampler(cast("Schema", schema.get("$defs") or _NOTHING)).value(schema, 0)


class _Sampler:
    def __init__(self, definitions: Schema) -> None:
        self._definitions = definitions

    def value(self, given: object, depth: int) -> object:
        schema = self._resolved(given, depth)
        for keyword in ("const", "example", "default"):
            if keyword in schema:
                return schema[keyword]
        for keyword in ("examples", "enum"):
            listed = schema.get(keyword)
            if isinstance(listed, list) and listed:
                return cast("list[object]", listed)[0]
        return self._made(schema, depth)

    def _made(self, schema: Schema, depth: int) -> object:
        kind = _kind(schema)
        if kind == "object":
            return self._object(schema, depth)
        if kind == "array":
            return self._array(schema, depth)
        return _SIMPLE.get(kind, _nothing)(schema)

    def _object(self, schema: Schema, depth: int) -> dict[str, object]:
        required = cast("list[str]", schema.get("required") or [])
        members = cast("Schema", schema.get("properties") or _NOTHING)
        wanted = [name for name in members if depth < _DEEPEST or name in required]
        made = {name: self.value(members[name], depth + 1) for name in wanted}
        return {**made, **{name: None for name in required if name not in made}}

    def _array(self, schema: Schema, depth: int) -> list[object]:
        fewest = _count(schema.get("minItems"), 0 if depth >= _DEEPEST else 1)
        most = _count(schema.get("maxItems"), _MOST_ITEMS)
        item = self.value(schema.get("items", _NOTHING), depth + 1) if most else None
        return [item] * min(fewest, most, _MOST_ITEMS)

    def _resolved(self, given: object, depth: int) -> Schema:
        """`given` with its reference followed, its parts put together, and one alternative."""
        schema = cast("Schema", given) if isinstance(given, Mapping) else _NOTHING
        for _ in range(_DEEPEST):
            if "$ref" in schema:
                name = str(schema["$ref"]).removeprefix("#/$defs/")
                schema = {**_mapping(self._definitions.get(name)), **_without(schema, "$ref")}
            elif "allOf" in schema:
                schema = self._merged(schema, depth)
            elif branch := schema.get("oneOf") or schema.get("anyOf"):
                rest = _without(schema, "oneOf", "anyOf")
                schema = _joined(rest, self._chosen(cast("list[object]", branch)))
            else:
                break
        return schema

    def _merged(self, schema: Schema, depth: int) -> Schema:
        whole = _without(schema, "allOf")
        for part in cast("list[object]", schema["allOf"]):
            whole = _joined(whole, self._resolved(part, depth + 1) if depth < _DEEPEST else part)
        return whole

    def _chosen(self, branches: list[object]) -> object:
        """The first alternative that is more than null."""
        return next((one for one in branches if _mapping(one).get("type") != "null"), branches[0])


def _joined(first: Schema, second: object) -> Schema:
    other = _mapping(second)
    joined = {**first, **other}
    for keyword in ("properties", "required"):
        if keyword in first and keyword in other:
            both = first[keyword], other[keyword]
            joined[keyword] = (
                {**both[0], **both[1]} if keyword == "properties" else [*both[0], *both[1]]
            )
    return joined


def _mapping(value: object) -> Schema:
    return cast("Schema", value) if isinstance(value, Mapping) else _NOTHING


def _without(schema: Schema, *names: str) -> dict[str, Any]:
    return {name: value for name, value in schema.items() if name not in names}


def _kind(schema: Schema) -> str:
    kind = schema.get("type")
    if isinstance(kind, list):
        kinds = cast("list[str]", kind)
        return next((one for one in kinds if one != "null"), "null")
    if isinstance(kind, str):
        return kind
    if "properties" in schema or "required" in schema:
        return "object"
    return "array" if "items" in schema else "null"


def _text(schema: Schema) -> str:
    text = _FORMATS.get(str(schema.get("format")), "sample")
    shortest = min(_count(schema.get("minLength"), 0), _LONGEST)
    longest = _count(schema.get("maxLength"), _LONGEST)
    return (text + "x" * (shortest - len(text)))[:longest]


def _number(schema: Schema, usual: float) -> float:
    value = usual
    if (low := _bound(schema, "minimum")) is not None:
        value = max(value, low)
    if (above := _bound(schema, "exclusiveMinimum")) is not None and value <= above:
        value = above + 1
    if (high := _bound(schema, "maximum")) is not None:
        value = min(value, high)
    if (below := _bound(schema, "exclusiveMaximum")) is not None and value >= below:
        value = below - 1
    step = _bound(schema, "multipleOf")
    return math.ceil(value / step) * step if step is not None and step > 0 else value


def _bound(schema: Schema, keyword: str) -> float | None:
    value = schema.get(keyword)
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _count(value: object, usual: int) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else usual


def _nothing(_: Schema) -> None:
    return None


_SIMPLE: Final[Mapping[str, Callable[[Schema], object]]] = {
    "string": _text,
    "integer": lambda schema: int(_number(schema, 1)),
    "number": lambda schema: _number(schema, 1.5),
    "boolean": lambda _: True,
}
