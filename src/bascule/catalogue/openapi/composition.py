"""The parts of `allOf` made one schema, wherever that says the same and is easier to read. Pure."""

from dataclasses import dataclass
from typing import Final, TypeAlias

from bascule.catalogue.openapi.modernise import annotations_of
from bascule.catalogue.openapi.shapes import JsonObject, as_list, as_number, as_object

Schema: TypeAlias = bool | JsonObject

_UNEVALUATED: Final = frozenset({"unevaluatedItems", "unevaluatedProperties"})
_MEMBERS: Final = frozenset({"properties", "patternProperties"})
# Keywords that speak of each other: a schema has all of them from one part, or none.
_GROUPS: Final = (
    frozenset({"items", "prefixItems"}),
    frozenset({"contains", "minContains", "maxContains"}),
    frozenset({"if", "then", "else"}),
)
# What makes it worth while to write out the one schema that `allOf` refers to.
_HOLDS_MEMBERS: Final = _MEMBERS | {"$ref", "required", "additionalProperties"}
_LOWEST: Final = frozenset({"maximum", "maxLength", "maxItems", "maxProperties"})
_HIGHEST: Final = frozenset({"minimum", "minLength", "minItems", "minProperties"})
_WORDS: Final = ("title", "description", "deprecated")


@dataclass(frozen=True, slots=True)
class Part:
    """One part of `allOf`. `target` is what it refers to, where it is a mere reference."""

    schema: Schema
    target: JsonObject | None = None


def compose(own: JsonObject, parts: list[Part]) -> tuple[JsonObject, list[int]]:
    """`own` with as many of `parts` put into it as may be, and the indices of those that were not.

    The others stay under `allOf`. Nothing that describes is lost: the words of `own` come first,
    then those of parts written out, then those of parts referred to.
    """
    only = as_object(parts[0].schema) if len(parts) == 1 else None
    if only is not None and parts[0].target is not None and not _HOLDS_MEMBERS & own.keys():
        return {**only, **own}, [0]
    merged = own
    kept: list[int] = []
    for index, part in enumerate(parts):
        source = part.schema if part.target is None else part.target
        folded = _fold_part(merged, source)
        if folded is None:
            kept.append(index)
        else:
            merged = folded
    merged = _worded(own, merged, [part for n, part in enumerate(parts) if n not in kept])
    if kept:
        inner = as_list(merged.get("allOf")) or []
        merged = {**merged, "allOf": [*inner, *(parts[index].schema for index in kept)]}
    return merged, kept


def _fold_part(base: JsonObject, source: Schema) -> JsonObject | None:
    if isinstance(source, bool):
        return base if source else None
    said = annotations_of(source)
    return fold(base, {key: value for key, value in source.items() if key not in said})


def _worded(own: JsonObject, merged: JsonObject, parts: list[Part]) -> JsonObject:
    """`merged` with the words of `own` or else of the first part that has some."""
    written = [as_object(part.schema) or {} for part in parts]
    # What another schema is called is not what this one is called.
    referred = [{**(part.target or {}), "title": None} for part in parts]
    words = dict[str, object]()
    for source in (own, *written, *referred):
        for word in _WORDS:
            if word not in words and source.get(word) is not None:
                words[word] = source[word]
    return {**words, **{key: value for key, value in merged.items() if key not in words}}


def fold(left: JsonObject, right: JsonObject) -> JsonObject | None:
    """One schema that accepts what both accept; None where that cannot be written as one."""
    if not left or not right:
        return left or right
    if _is_closed(left, right) or _is_closed(right, left) or _UNEVALUATED & right.keys():
        return None
    for group in _GROUPS:
        if group & left.keys() and group & right.keys() and _differ(left, right, group):
            return None
    merged = dict(left)
    for keyword, value in right.items():
        if keyword not in merged or merged[keyword] == value:
            merged[keyword] = value
            continue
        both = _both(keyword, merged[keyword], value)
        if both is None:
            return None
        merged[keyword] = both[0]
    return merged


def _is_closed(schema: JsonObject, other: JsonObject) -> bool:
    """Does `schema` say which members there may be, so that those of `other` change that?"""
    if schema.get("additionalProperties", True) is True:
        return False
    return not (_MEMBERS | {"additionalProperties"}).isdisjoint(other)


def _differ(left: JsonObject, right: JsonObject, keys: frozenset[str]) -> bool:
    return any((key in left, left.get(key)) != (key in right, right.get(key)) for key in keys)


def _both(keyword: str, left: object, right: object) -> tuple[object] | None:
    """What `keyword` says where two schemas said different things, as a tuple of one."""
    if keyword in _MEMBERS:
        return (_members(as_object(left) or {}, as_object(right) or {}),)
    if keyword == "required":
        return (list(dict.fromkeys([*(as_list(left) or ()), *(as_list(right) or ())])),)
    if keyword == "type":
        return _types(left, right)
    if keyword in _WORDS or keyword in ("examples", "default"):
        return (left,)
    return _tighter(keyword, as_number(left), as_number(right))


def _tighter(keyword: str, left: float | None, right: float | None) -> tuple[object] | None:
    if left is None or right is None or keyword not in _LOWEST | _HIGHEST:
        return None
    return (min(left, right) if keyword in _LOWEST else max(left, right),)


def _members(left: JsonObject, right: JsonObject) -> JsonObject:
    merged = dict(left)
    for name, schema in right.items():
        merged[name] = _member(left[name], schema) if name in left else schema
    return merged


def _member(left: object, right: object) -> object:
    if left == right:
        return left
    ours, theirs = as_object(left), as_object(right)
    folded = None
    if ours is not None and theirs is not None and _UNEVALUATED.isdisjoint(ours):
        folded = fold(ours, theirs)
    return {"allOf": [left, right]} if folded is None else folded


def _types(left: object, right: object) -> tuple[object] | None:
    ours, theirs = _kinds(left), _kinds(right)
    common = [kind for kind in ours if kind in theirs or (kind == "integer" and "number" in theirs)]
    if "number" in ours and "integer" in theirs and "integer" not in common:
        common.append("integer")
    if not common:
        return None
    return (common[0] if len(common) == 1 else common,)


def _kinds(value: object) -> list[object]:
    return [value] if isinstance(value, str) else as_list(value) or []
