"""JSON as it comes from elsewhere, read without trust: objects, lists, and paths into them."""

from collections.abc import Sequence
from typing import cast

from bascule.chat.parts import JsonObject

EACH = "*"
"""The step of a path that stands for every item of an array."""


def as_object(value: object) -> JsonObject | None:
    """`value` where it is an object."""
    return cast("JsonObject", value) if isinstance(value, dict) else None


def as_list(value: object) -> list[object]:
    """`value` where it is an array, else an empty one."""
    return cast("list[object]", value) if isinstance(value, list) else []


def as_text(value: object) -> str:
    """`value` where it is a string, else an empty one."""
    return value if isinstance(value, str) else ""


def at_path(value: object, path: Sequence[str]) -> object | None:
    """What is at `path`, which has no `EACH`; None where there is nothing."""
    for step in path:
        found = as_object(value)
        if found is None or step not in found:
            return None
        value = found[step]
    return value


def assemble(values: Sequence[tuple[Sequence[str], object]]) -> JsonObject:
    """An object of values by their paths."""
    whole: JsonObject = {}
    for path, value in values:
        inner = whole
        for step in path[:-1]:
            found = as_object(inner.get(step))
            if found is None:
                found = dict[str, object]()
                inner[step] = found
            inner = found
        inner[path[-1]] = value
    return whole
