"""Definitions that mean the same to everybody who reads them."""

import json
from typing import Any, Final

DEEPEST: Final = 200
"""Levels of nesting. Schemas of real tools stay far below; beyond it readers begin to fail."""


def check_members(definition: bytes) -> None:
    """See that no object in `definition` has a member twice, and that it does not nest too deep.

    Of two members of one name some readers take the first and some the last (RFC 8259 section
    4), so what was looked at might not be what a model is told.

    Raises:
        ValueError: one has, or it does; says which.
        RecursionError: it nests so deep that it cannot be read.
    """
    pending: list[tuple[Any, int]] = [(json.loads(definition, object_pairs_hook=_distinct), 0)]
    while pending:
        value, depth = pending.pop()
        if depth > DEEPEST:
            raise ValueError(f"it nests more than {DEEPEST} levels deep")
        if isinstance(value, dict):
            pending += [(one, depth + 1) for one in value.values()]  # pyright: ignore[reportUnknownVariableType]
        elif isinstance(value, list):
            pending += [(one, depth + 1) for one in value]  # pyright: ignore[reportUnknownVariableType]


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"it has the member {twice[:100]!r} twice")
    return members
