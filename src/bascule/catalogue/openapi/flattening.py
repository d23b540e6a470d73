"""Bodies whose properties can be arguments of their own, with nothing lost."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from bascule.catalogue.openapi.context import Context
from bascule.catalogue.openapi.document import Node
from bascule.catalogue.openapi.findings import Unconvertible
from bascule.catalogue.openapi.pointers import Pointer
from bascule.catalogue.openapi.shapes import as_list
from bascule.catalogue.openapi.visibility import Direction, hidden_properties, is_hidden

_MOST_PARTS: Final = 200
_OBJECT_TYPES: Final[tuple[object, ...]] = ("object", ["object"], ["object", "null"])
# A schema with any other keyword says something about the body as a whole.
_HARMLESS: Final = frozenset(
    {
        "type", "properties", "required", "allOf", "title", "description", "example", "examples",
        "nullable", "externalDocs", "xml", "deprecated", "default", "$schema", "$id", "$comment",
        "readOnly", "writeOnly", "additionalProperties",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Property:
    """One property of a body."""

    name: str
    schema: Node
    required: bool


@dataclass(slots=True)
class _Gathered:
    properties: dict[str, Node] = field(default_factory=dict[str, Node])
    required: set[object] = field(default_factory=set[object])
    parts: set[Pointer] = field(default_factory=set[Pointer])


def flatten(schema: Node, context: Context) -> list[Property] | None:
    """The properties of an object schema, the parts of its `allOf` merged.

    None where the body must stay whole: not an object, open to further properties, bound by
    conditions across properties, two parts that describe the same property, or a reference that
    leads nowhere.
    """
    gathered = _Gathered()
    try:
        if not _gather(schema, gathered, context) or not gathered.properties:
            return None
    except Unconvertible:
        return None  # said where the schema is translated
    hidden = hidden_properties(context.document.follow(schema), Direction.INPUT, context)
    return [
        Property(name, node, name in gathered.required)
        for name, node in gathered.properties.items()
        if name not in hidden and not is_hidden(node, Direction.INPUT, context)
    ]


def _gather(schema: Node, into: _Gathered, context: Context) -> bool:
    """Collect properties; False where the schema is more than a list of them."""
    schema = context.document.follow(schema)
    context.budget.spend()
    if schema.pointer in into.parts or len(into.parts) > _MOST_PARTS or not _is_plain(schema):
        return False
    into.parts.add(schema.pointer)
    properties = schema.get("properties")
    for name, node in properties.children() if properties else ():
        if not name or name in into.properties:
            return False
        into.properties[name] = node
    names = as_list(schema.members.get("required")) or []
    into.required.update(name for name in names if isinstance(name, str))
    return all(_gather(part, into, context) for part in _parts(schema, "allOf"))


def _is_plain(schema: Node) -> bool:
    members = schema.members
    if members.get("type", "object") not in _OBJECT_TYPES:
        return False
    if members.get("additionalProperties", False) is not False:
        return False
    if not any(keyword in members for keyword in ("properties", "allOf", "required")):
        return False
    return all(keyword in _HARMLESS or keyword.startswith("x-") for keyword in members)


def is_object(schema: Node, context: Context) -> bool:
    """Does the schema accept objects, and nothing else?

    Raises:
        Unconvertible: a reference leads nowhere or out of the document.
    """
    return _is_object(schema, context, {})


def _is_object(schema: Node, context: Context, known: dict[Pointer, bool]) -> bool:
    schema = context.document.follow(schema)
    if schema.pointer not in known:
        context.budget.spend()
        known[schema.pointer] = False  # what leads back here adds nothing
        deep = len(known) > _MOST_PARTS
        known[schema.pointer] = not deep and _decide(schema, context, known)
    return known[schema.pointer]


def _decide(schema: Node, context: Context, known: dict[Pointer, bool]) -> bool:
    members = schema.members
    if members.get("nullable") is True:
        return False
    if "type" in members:
        return members["type"] in ("object", ["object"])
    if members.get("properties"):
        return True
    if any(_is_object(part, context, known) for part in _parts(schema, "allOf")):
        return True
    return any(
        (parts := list(_parts(schema, keyword)))
        and all(_is_object(part, context, known) for part in parts)
        for keyword in ("oneOf", "anyOf")
    )


def _parts(schema: Node, keyword: str) -> Iterator[Node]:
    parts = schema.get(keyword)
    return parts.items() if parts else iter(())
