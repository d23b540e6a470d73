"""Schemas that cannot ask much of a validator, told apart without reckoning it through.

Almost all schemas of real documents are of one of two kinds: wherever they branch, at most one
branch goes on; or they would not be large with every reference written out. `protocol.schemas`
reckons exactly for the rest.
"""

from collections.abc import Callable, Iterator
from typing import Final

from bascule.catalogue.openapi.shapes import JsonObject, as_list, as_object
from bascule.protocol.schemas import MOST_VISITS

_LISTS: Final = ("allOf", "anyOf", "oneOf", "prefixItems")
_MAPS: Final = ("properties", "patternProperties", "dependentSchemas")
_SINGLES: Final = (
    "not", "if", "then", "else", "items", "contains", "additionalProperties", "propertyNames",
    "unevaluatedItems", "unevaluatedProperties",
)  # fmt: skip
_UNEVALUATED: Final = frozenset({"unevaluatedItems", "unevaluatedProperties"})
_DEEPEST: Final = 100
MOST_LEVELS: Final = 60
"""Of nesting; beyond it a schema is compiled, to see whether it can be."""
_BRANCHES: Final = ("allOf", "anyOf", "oneOf")
_CONDITIONS: Final = ("not", "if", "then", "else")
_OVERLAPPING: Final = frozenset(
    {"contains", "dependentSchemas", "patternProperties", "unevaluatedItems",
     "unevaluatedProperties"}
)  # fmt: skip
_GOES_ON: Final = frozenset(
    (*_BRANCHES, *_CONDITIONS, *_OVERLAPPING, "$ref", "additionalProperties", "items",
     "prefixItems", "properties", "propertyNames")
)  # fmt: skip
_MOST_BRANCHES: Final = 200


def is_tame(schema: JsonObject) -> bool:
    """Is each value checked against one schema that goes on, at most? One level is looked at."""
    if not _OVERLAPPING.isdisjoint(schema):
        return False
    branches = list[object]()
    for keyword in _BRANCHES:
        if keyword in schema:
            branches += as_list(schema[keyword]) or ()
    branches += [schema[keyword] for keyword in _CONDITIONS if keyword in schema]
    if not branches:
        return True
    if len(branches) > _MOST_BRANCHES:
        return False
    onward = [one for one in branches if not _GOES_ON.isdisjoint(as_object(one) or ())]
    return len(onward) + ("$ref" in schema) <= 1


def is_tame_throughout(schema: JsonObject) -> bool:
    """Is every level of `schema` tame, as far as it is written out?"""
    pending: list[object] = [schema]
    while pending:
        members = as_object(pending.pop())
        if members is None:
            continue
        if not is_tame(members):
            return False
        pending += _children(members)
    return True


def next_reference(schema: JsonObject) -> str | None:
    """The definition that a tame schema applies to the same value, if any."""
    while True:
        reference = schema.get("$ref")
        if isinstance(reference, str):
            return reference.removeprefix("#/$defs/")
        onward = _onward(schema)
        if onward is None:
            return None
        schema = onward


def _onward(schema: JsonObject) -> JsonObject | None:
    branches = [part for keyword in _BRANCHES for part in as_list(schema.get(keyword)) or ()]
    branches += [schema.get(keyword) for keyword in _CONDITIONS]
    for branch in branches:
        members = as_object(branch)
        if members is not None and not _GOES_ON.isdisjoint(members):
            return members
    return None


class Weights:
    """Counts the schemas there would be with every reference written out."""

    def __init__(self, lookup: Callable[[str], JsonObject]) -> None:
        self._lookup = lookup
        self._known: dict[str, int] = {}
        self._depth = 0

    def weigh(self, schema: object, level: int = 0) -> int:
        """How many schemas `schema` is; too many where they go in a circle, or too deep."""
        if level > MOST_LEVELS:
            return MOST_VISITS + 1
        members = as_object(schema)
        if members is None or _GOES_ON.isdisjoint(members):
            return 1
        weight = sum(self.weigh(child, level + 1) for child in _children(members))
        reference = members.get("$ref")
        if isinstance(reference, str):
            weight += self._weigh_definition(reference.removeprefix("#/$defs/"))
        # What evaluates is asked once more, for what it has evaluated.
        factor = 1 if _UNEVALUATED.isdisjoint(members) else 2
        return min(1 + factor * weight, MOST_VISITS + 1)

    def _weigh_definition(self, name: str) -> int:
        weight = self._known.get(name)
        if weight is None:
            self._known[name] = MOST_VISITS + 1  # for what leads back here
            if self._depth < _DEEPEST:
                self._depth += 1
                self._known[name] = self.weigh(self._lookup(name))
                self._depth -= 1
            weight = self._known[name]
        return weight


def _children(schema: JsonObject) -> Iterator[object]:
    for keyword in _LISTS:
        if keyword in schema:
            yield from as_list(schema[keyword]) or ()
    for keyword in _MAPS:
        if keyword in schema:
            yield from (as_object(schema[keyword]) or {}).values()
    for keyword in _SINGLES:
        if keyword in schema:
            yield schema[keyword]
