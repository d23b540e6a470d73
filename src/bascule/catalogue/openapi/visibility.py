"""Which properties travel in which direction: `readOnly` not in, `writeOnly` not out."""

from collections.abc import Iterator
from enum import Enum
from typing import Final

from bascule.catalogue.openapi.context import Context
from bascule.catalogue.openapi.document import Node
from bascule.catalogue.openapi.findings import Unconvertible
from bascule.catalogue.openapi.pointers import Pointer

_MOST_PARTS: Final = 200
_ALL_OF: Final = ("allOf",)
_BRANCHES: Final = frozenset({"anyOf", "oneOf"})


class Direction(Enum):
    """What a schema is for; `value` is the flag of what does not travel that way."""

    INPUT = "readOnly"
    OUTPUT = "writeOnly"


def hidden_properties(schema: Node, direction: Direction, context: Context) -> frozenset[str]:
    """Names of properties that do not travel, those of the parts of `allOf` included."""
    found = _flagged(schema, direction, context)
    if "allOf" in schema.members:
        for part in _reached(schema, _ALL_OF, context):
            found |= _flagged(part, direction, context)
    return frozenset(found)


def _flagged(schema: Node, direction: Direction, context: Context) -> set[str]:
    properties = schema.get("properties")
    return {
        name
        for name, node in (properties.children() if properties else ())
        if is_hidden(node, direction, context)
    }


def is_hidden(schema: Node, direction: Direction, context: Context) -> bool:
    """Is the schema, the one it refers to, or a part of its `allOf` flagged as not travelling?"""
    members = schema.members
    if "$ref" not in members and "allOf" not in members:
        return members.get(direction.value) is True
    return any(part.flag(direction.value) for part in (schema, *_reached(schema, _ALL_OF, context)))


def optional_names(schema: Node, direction: Direction, context: Context) -> frozenset[str]:
    """Names that cannot be required: those that a branch of `anyOf` or `oneOf` hides."""
    if _BRANCHES.isdisjoint(schema.members):
        return frozenset()
    found: set[str] = set()
    for part in _reached(schema, (*_ALL_OF, "anyOf", "oneOf"), context):
        found |= _flagged(part, direction, context)
    return frozenset(found)


def _reached(
    schema: Node, keywords: tuple[str, ...], context: Context
) -> Iterator[Node]:  # fmt: skip
    """What `schema` refers to, and the parts that it has under `keywords`, each once."""
    seen: set[Pointer] = {schema.pointer}
    pending = [schema]
    while pending and len(seen) < _MOST_PARTS:
        part = pending.pop()
        for child in _parts(part, keywords, context):
            if child.pointer not in seen:
                context.budget.spend()
                seen.add(child.pointer)
                pending.append(child)
                yield child


def _parts(schema: Node, keywords: tuple[str, ...], context: Context) -> Iterator[Node]:
    if "$ref" in schema.members:
        try:
            yield context.document.follow(schema)
        except Unconvertible:
            return  # said where the reference itself is translated
    for keyword in keywords:
        parts = schema.get(keyword)
        yield from parts.items() if parts else ()
