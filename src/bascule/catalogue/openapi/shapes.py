"""Narrow values of unknown shape: what a document holds is whatever its author wrote."""

from typing import TypeAlias, cast

JsonObject: TypeAlias = dict[str, object]


def as_object(value: object) -> JsonObject | None:
    """`value` where it is a JSON object."""
    return cast("JsonObject", value) if isinstance(value, dict) else None


def as_list(value: object) -> list[object] | None:
    """`value` where it is a JSON array."""
    return cast("list[object]", value) if isinstance(value, list) else None


def as_text(value: object) -> str | None:
    """`value` where it is a string with more than blanks in it, without those around it."""
    return value.strip() or None if isinstance(value, str) else None


def as_flag(value: object) -> bool | None:
    """`value` where it is true or false."""
    return value if isinstance(value, bool) else None


def as_number(value: object) -> int | float | None:
    """`value` where it is a number; true and false are not."""
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None
