"""The JSON Schema keywords that are kept, and what a usable value of each looks like. Pure."""

from collections.abc import Callable
from typing import Final, TypeGuard

from bascule.catalogue.openapi.shapes import as_list, as_number, as_object

Check = Callable[[object], bool]

SCHEMA: Final = frozenset(
    {
        "additionalProperties", "contains", "contentSchema", "else", "if", "items", "not",
        "propertyNames", "then", "unevaluatedItems", "unevaluatedProperties",
    }
)  # fmt: skip
"""Keywords whose value is one schema."""

SCHEMA_LIST: Final = frozenset({"allOf", "anyOf", "oneOf", "prefixItems"})
"""Keywords whose value is a list of schemas, not empty."""

SCHEMA_MAP: Final = frozenset({"properties", "patternProperties", "dependentSchemas"})
"""Keywords whose value is an object of schemas."""

_TYPES: Final = frozenset({"array", "boolean", "integer", "null", "number", "object", "string"})


def _is_text(value: object) -> TypeGuard[str]:
    return isinstance(value, str)


def _is_flag(value: object) -> bool:
    return isinstance(value, bool)


def _is_number(value: object) -> bool:
    return as_number(value) is not None


def _is_positive(value: object) -> bool:
    number = as_number(value)
    return number is not None and number > 0


def _is_count(value: object) -> bool:
    number = as_number(value)
    return number is not None and number >= 0 and number == int(number)


def _is_type(value: object) -> bool:
    if isinstance(value, str):
        return value in _TYPES
    several = as_list(value) or []
    return bool(several) and _are_names(several) and _TYPES.issuperset(several)


def _are_names(value: object) -> bool:
    names = as_list(value)
    if names is None:
        return False
    texts = [name for name in names if isinstance(name, str)]
    return len(set(texts)) == len(names)


def _are_choices(value: object) -> bool:
    return bool(as_list(value))


def _is_list(value: object) -> bool:
    return isinstance(value, list)


def _are_dependencies(value: object) -> bool:
    members = as_object(value)
    return members is not None and all(_are_names(names) for names in members.values())


def _is_anything(_value: object) -> bool:
    return True


PLAIN: Final[dict[str, Check]] = {
    "title": _is_text, "description": _is_text, "format": _is_text, "pattern": _is_text,
    "contentEncoding": _is_text, "contentMediaType": _is_text,
    "deprecated": _is_flag, "uniqueItems": _is_flag,
    "minimum": _is_number, "maximum": _is_number,
    "exclusiveMinimum": _is_number, "exclusiveMaximum": _is_number, "multipleOf": _is_positive,
    "minLength": _is_count, "maxLength": _is_count, "minItems": _is_count, "maxItems": _is_count,
    "minProperties": _is_count, "maxProperties": _is_count,
    "minContains": _is_count, "maxContains": _is_count,
    "type": _is_type, "required": _are_names, "dependentRequired": _are_dependencies,
    "enum": _are_choices, "const": _is_anything, "default": _is_anything, "examples": _is_list,
}  # fmt: skip
"""Keywords copied as they are where the value passes the check."""
