"""What a change of one JSON Schema keyword does to the set of values that it lets through."""

from collections.abc import Collection, Mapping
from enum import StrEnum
from typing import Final, TypeAlias, cast

import msgspec

Schema: TypeAlias = Mapping[str, object]


class Effect(StrEnum):
    """What became of the values that pass. `STEERS`: none, but a model reads it."""

    WIDENS = "widens"
    NARROWS = "narrows"
    SHIFTS = "shifts"
    """Some that passed do not any more, others do now."""
    STEERS = "steers"
    UNKNOWN = "unknown"


_TYPES: Final = frozenset({"null", "boolean", "object", "array", "string", "number", "integer"})
_LOWER: Final = (
    "minimum",
    "exclusiveMinimum",
    "minLength",
    "minItems",
    "minProperties",
)
_UPPER: Final = (
    "maximum",
    "exclusiveMaximum",
    "maxLength",
    "maxItems",
    "maxProperties",
)
BOUNDS: Final = (*_LOWER, *_UPPER)
_LONGEST_VALUE: Final = 60


def type_effect(old: Schema, new: Schema) -> Effect | None:
    """What a change of `type` does."""
    return set_effect(_types(old), _types(new))


def enum_effect(old: Schema, new: Schema) -> Effect | None:
    """What a change of `enum` or `const` does; None, too, where neither has one."""
    before, after = _choices(old), _choices(new)
    if before is None and after is None:
        return None
    if before is None:
        return Effect.NARROWS
    return Effect.WIDENS if after is None else set_effect(before, after)


def set_effect(old: Collection[str], new: Collection[str]) -> Effect | None:
    """What it does that `new` are let through in place of `old`."""
    lost, gained = set(old) - set(new), set(new) - set(old)
    if lost and gained:
        return Effect.SHIFTS
    if lost:
        return Effect.NARROWS
    return Effect.WIDENS if gained else None


def bound_effect(keyword: str, old: Schema, new: Schema) -> Effect | None:
    """What a change of one of the `BOUNDS` does."""
    before, after = _number(old.get(keyword)), _number(new.get(keyword))
    if before == after:
        return None
    if before is None:
        return Effect.NARROWS
    if after is None:
        return Effect.WIDENS
    is_tighter = after > before if keyword in _LOWER else after < before
    return Effect.NARROWS if is_tighter else Effect.WIDENS


def multiple_effect(old: Schema, new: Schema) -> Effect | None:
    """What a change of `multipleOf` does; only whole numbers can be judged."""
    before, after = _number(old.get("multipleOf")), _number(new.get("multipleOf"))
    if before == after:
        return None
    if before is None:
        return Effect.NARROWS
    if after is None:
        return Effect.WIDENS
    is_whole = isinstance(before, int) and isinstance(after, int) and after > 0
    return Effect.WIDENS if is_whole and before % after == 0 else Effect.SHIFTS


def flag_effect(keyword: str, old: Schema, new: Schema) -> Effect | None:
    """What it does that a restriction such as `uniqueItems` is switched on or off."""
    before, after = old.get(keyword) is True, new.get(keyword) is True
    if before == after:
        return None
    return Effect.NARROWS if after else Effect.WIDENS


def text_effect(keyword: str, old: Schema, new: Schema) -> Effect | None:
    """What a change of a restriction does of which only equality can be judged: `pattern`."""
    if old.get(keyword) == new.get(keyword):
        return None
    if keyword not in old:
        return Effect.NARROWS
    return Effect.WIDENS if keyword not in new else Effect.SHIFTS


def canonical(value: object) -> bytes:
    """One JSON text for the same value, in whatever order its members stand."""
    return msgspec.json.encode(value, order="deterministic")


def shown(value: object) -> str:
    """`value` as a person would write it, and not at length."""
    text = msgspec.json.encode(value).decode()
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}…"


def shown_types(schema: Schema) -> str:
    """The types that `schema` allows, in words."""
    given = schema.get("type")
    if isinstance(given, str):
        return given
    if isinstance(given, list):
        return " or ".join(str(one) for one in cast("list[object]", given))
    return "anything"


def _types(schema: Schema) -> frozenset[str]:
    given = schema.get("type")
    if isinstance(given, str):
        found = {given}
    elif isinstance(given, list):
        found = {str(one) for one in cast("list[object]", given)}
    else:
        return _TYPES
    # Whatever is an integer is a number as well (JSON Schema core, 4.2.3).
    return frozenset(found | {"integer"}) if "number" in found else frozenset(found)


def _choices(schema: Schema) -> frozenset[str] | None:
    choices: set[str] | None = None
    if isinstance(schema.get("enum"), list):
        choices = {_same_for_equals(one) for one in cast("list[object]", schema["enum"])}
    if "const" in schema:
        only = {_same_for_equals(schema["const"])}
        choices = only if choices is None else choices & only
    return None if choices is None else frozenset(choices)


def _same_for_equals(value: object) -> str:
    """One text for values that JSON Schema takes for equal: 1 and 1.0, but not true."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return canonical(value).decode()


def _number(value: object) -> int | float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value
