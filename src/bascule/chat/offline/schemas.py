"""The parameters that a tool takes, and the fields of what it gives, from their JSON Schemas."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from bascule.chat.models import ModelTool
from bascule.chat.offline.shapes import EACH, as_list, as_object, as_text
from bascule.chat.offline.words import name_stems, nouns, spoken_name
from bascule.chat.parts import JsonObject

_MOST_LEAVES: Final = 200
_MOST_FIELDS: Final = 200
_INPUT_DEPTH: Final = 3
_OUTPUT_DEPTH: Final = 5
_MOST_HOPS: Final = 8
_WRAPPERS: Final = nouns("results items data list rows records content values entries")
"""Names that say nothing of what is in them."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """A parameter that is no object itself; `path` leads to it through the objects around it."""

    path: tuple[str, ...]
    schema: JsonObject
    required: bool
    items: JsonObject = field(default_factory=dict[str, object])
    """The schema of its items, where it is an array."""

    @property
    def name(self) -> str:
        """Its own name, without the objects around it."""
        return self.path[-1]

    @property
    def stems(self) -> tuple[str, ...]:
        """The stems of its name."""
        return name_stems(self.name)

    @property
    def description(self) -> str:
        """Its description, of which no more is read than anybody would."""
        return as_text(self.schema.get("description"))[:600]

    @property
    def label(self) -> str:
        """What a person calls it."""
        title = as_text(self.schema.get("title")).strip()
        return spoken_name(title if 0 < len(title) <= 60 else self.name) or self.name

    @property
    def kind(self) -> str:
        """Its JSON type; `string` where nothing is said."""
        return kind_of(self.schema)

    @property
    def is_free(self) -> bool:
        """Whether any text would do."""
        return self.kind == "string" and not {"enum", "format", "const"} & self.schema.keys()


@dataclass(frozen=True, slots=True)
class Field:
    """A value in what a tool gives. `entities` are the stems of what it is a property of."""

    path: tuple[str, ...]
    schema: JsonObject
    entities: frozenset[str]

    @property
    def stems(self) -> tuple[str, ...]:
        """The stems of its name; those of the array, where it is an item without a name."""
        named = [step for step in self.path if step != EACH]
        return name_stems(named[-1]) if named else ()

    @property
    def is_listed(self) -> bool:
        """Whether there may be many of it."""
        return EACH in self.path

    @property
    def is_item(self) -> bool:
        """Whether it is an item of an array of plain values."""
        return self.path[-1] == EACH


def kind_of(schema: JsonObject) -> str:
    """The JSON type of a resolved schema; the first one beside null."""
    named = schema.get("type")
    several = [one for one in as_list(named) if isinstance(one, str) and one != "null"]
    if several:
        return several[0]
    if isinstance(named, str):
        return named
    if "properties" in schema:
        return "object"
    return "array" if "items" in schema else "string"


def resolved(schema: object, root: JsonObject) -> JsonObject:
    """A schema with its reference followed and its null taken away, one level deep."""
    found = as_object(schema) or {}
    for _ in range(_MOST_HOPS):
        reference = as_text(found.get("$ref"))
        if reference:
            target = _target(reference, root)
            found = {**target, **{key: one for key, one in found.items() if key != "$ref"}}
            continue
        chosen = next(
            (_narrow(found, key) for key in ("anyOf", "oneOf", "allOf") if key in found), None
        )
        if chosen is None:
            break
        found = chosen
    return found


def _target(reference: str, root: JsonObject) -> JsonObject:
    value: object = root
    for step in reference.removeprefix("#/").split("/") if reference.startswith("#/") else ():
        value = (as_object(value) or {}).get(step.replace("~1", "/").replace("~0", "~"))
    return as_object(value) or {}


def _narrow(schema: JsonObject, key: str) -> JsonObject:
    """`schema` with the first of its branches that is not null; with `allOf`, all of them."""
    rest = {name: one for name, one in schema.items() if name != key}
    branches = [one for one in map(as_object, as_list(schema[key])) if one is not None]
    branches = [one for one in branches if one.get("type") != "null"]
    if key != "allOf":
        return {**(branches[0] if branches else {}), **rest}
    merged: JsonObject = {}
    for branch in branches:
        both = {
            **(as_object(merged.get("properties")) or {}),
            **(as_object(branch.get("properties")) or {}),
        }
        merged = {**merged, **branch, **({"properties": both} if both else {})}
    return {**merged, **rest}


def leaves_of(tool: ModelTool) -> list[Leaf]:
    """The parameters of `tool`, those that it requires first."""
    root = tool.input_schema
    found: list[Leaf] = []
    for leaf in _leaves(resolved(root, root), root, (), needed=True):
        found.append(leaf)
        if len(found) >= _MOST_LEAVES:
            break
    return sorted(found, key=lambda one: not one.required)


def _leaves(
    schema: JsonObject, root: JsonObject, path: tuple[str, ...], *, needed: bool
) -> Iterator[Leaf]:
    required = as_list(schema.get("required"))
    for name, raw in (as_object(schema.get("properties")) or {}).items():
        inner = resolved(raw, root)
        is_needed = needed and name in required
        at = (*path, name)
        if kind_of(inner) == "object" and inner.get("properties") and len(at) < _INPUT_DEPTH:
            yield from _leaves(inner, root, at, needed=is_needed)
        elif inner.get("readOnly") is not True:
            items = resolved(inner.get("items"), root) if kind_of(inner) == "array" else {}
            yield Leaf(at, inner, is_needed, items)


def fields_of(tool: ModelTool) -> list[Field]:
    """The fields of what `tool` gives, as far as its output schema tells."""
    root = tool.output_schema
    if not root:
        return []
    schema = resolved(root, root)
    entities = nouns(as_text(schema.get("title"))) or nouns(tool.name, tool.title)
    found: list[Field] = []
    for one in _fields(schema, root, (), entities):
        found.append(one)
        if len(found) >= _MOST_FIELDS:
            break
    return found


def _fields(
    schema: JsonObject, root: JsonObject, path: tuple[str, ...], entities: frozenset[str]
) -> Iterator[Field]:
    """Plain values first, so that what lies deep is cut off first."""
    deeper: list[tuple[JsonObject, tuple[str, ...], frozenset[str]]] = []
    for name, raw in (as_object(schema.get("properties")) or {}).items():
        inner = resolved(raw, root)
        steps, inner = _through_arrays(inner, root)
        at = (*path, name, *steps)
        if kind_of(inner) != "object":
            yield Field(at, inner, entities)
        elif len(at) < _OUTPUT_DEPTH:
            titled = nouns(as_text(inner.get("title")))
            deeper.append((inner, at, titled | (nouns(name) - _WRAPPERS)))
    for inner, at, around in deeper:
        yield from _fields(inner, root, at, around if path or around else entities)


def _through_arrays(schema: JsonObject, root: JsonObject) -> tuple[Sequence[str], JsonObject]:
    """The item at the bottom of arrays, with the description of the array where it has none."""
    steps: list[str] = []
    while kind_of(schema) == "array" and len(steps) < 2:
        steps.append(EACH)
        item = resolved(schema.get("items"), root)
        told = {key: schema[key] for key in ("description",) if key in schema}
        schema = {**told, **item} if item else {**told, "type": "string"}
    return steps, schema
