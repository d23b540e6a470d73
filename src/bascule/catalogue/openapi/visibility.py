"""Which properties travel in which direction: `readOnly` not in, `writeOnly` not out."""

from collections.abc import Iterator
from enum import Enum
from typing import Final

from bascule.catalogue.openapi.context import Context
from bascule.catalogue.openapi.document import Node
from bascule.catalogue.openapi.findings import Unconvertible
from bascule.catalogue.openapi.pointers import Pointer

_MOST_PARTS: Final = 200


class Direction(Enum):
    """What a schema is for; `value` is the flag of what does not travel that way."""

    INPUT = "readOnly"
    OUTPUT = "writeOnly"


def hidden_properties(schema: Node, direction: Direction, context: Context) -> frozenset[str]:
    """Names of properties that do not travel, those of the parts of `allOf` included."""
    found: set[str] = set()
    seen: set[Pointer] = set()
    pending = [schema]
    while pending and len(seen) < _MOST_PARTS:
        part = pending.pop()
        if part.pointer in seen:
            continue
        seen.add(part.pointer)
        context.budget.spend()
        properties = part.get("properties")
        for name, node in properties.children() if properties else ():
            if is_hidden(node, direction, context):
                found.add(name)
        pending += _parts(part, context)
    return frozenset(found)


def is_hidden(schema: Node, direction: Direction, context: Context) -> bool:
    """Is the schema, or the one it refers to, flagged as not travelling?"""
    if schema.flag(direction.value):
        return True
    if "$ref" not in schema.members:
        return False
    try:
        return bool(context.document.follow(schema).flag(direction.value))
    except Unconvertible:
        return False  # said where the reference itself is translated


def _parts(schema: Node, context: Context) -> Iterator[Node]:
    parts = schema.get("allOf")
    for part in parts.items() if parts else ():
        try:
            yield context.document.follow(part)
        except Unconvertible:
            continue  # as above
