"""An input schema as it looks where some arguments are not the caller's to give."""

from collections.abc import Collection, Mapping
from typing import Any, Final, cast

_DEEPEST: Final = 16
_LISTS: Final = ("allOf", "anyOf", "oneOf")
_SINGLES: Final = ("then", "else")
_BY_NAME: Final = ("properties", "dependentRequired", "dependentSchemas")


def without_arguments(schema: Mapping[str, object], names: Collection[str]) -> dict[str, object]:
    """`schema` less the arguments `names`, also where its alternatives mention them.

    For show: what a call must fit is the whole schema, once the arguments are in.
    """
    return _less(cast("Mapping[str, Any]", schema), frozenset(names), 0)


def _less(schema: Mapping[str, Any], names: frozenset[str], depth: int) -> dict[str, Any]:
    less = dict(schema)
    if depth > _DEEPEST:
        return less
    for keyword in _BY_NAME:
        if isinstance(less.get(keyword), Mapping):
            less[keyword] = {key: value for key, value in less[keyword].items() if key not in names}
    required = less.get("required")
    if isinstance(required, list):
        less["required"] = [one for one in cast("list[Any]", required) if one not in names]
    for keyword in _LISTS:
        branches = less.get(keyword)
        if isinstance(branches, list):
            less[keyword] = [_of_branch(one, names, depth) for one in cast("list[Any]", branches)]
    for keyword in _SINGLES:
        if keyword in less:
            less[keyword] = _of_branch(less[keyword], names, depth)
    return less


def _of_branch(branch: Any, names: frozenset[str], depth: int) -> Any:
    if not isinstance(branch, Mapping):
        return branch
    return _less(cast("Mapping[str, Any]", branch), names, depth + 1)
