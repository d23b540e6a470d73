"""JSON Schemas as they are meant: references followed, members read whatever their shape."""

from collections.abc import Mapping
from typing import Final, cast

from bascule.catalogue.constraints import Schema, shown

_MOST_HOPS: Final = 32
NOTHING: Final[Schema] = {"not": {}}
_DEFINED: Final = ("#/$defs/", "#/definitions/")
TEXTS: Final = ("title", "description", "default", "examples", "deprecated")


def view_of(schema: object, root: Schema) -> Schema:
    """`schema` as an object, references followed; `NOTHING` where it lets nothing through."""
    view = schema
    for _ in range(_MOST_HOPS):
        members = as_object(view)
        if view is False or members == NOTHING:
            return NOTHING
        reference = members.get("$ref")
        if not isinstance(reference, str):
            return members
        target = find(reference, root)
        if target is None:
            return members
        beside = {name: value for name, value in members.items() if name != "$ref"}
        if not beside:
            view = target
        elif beside.keys() <= set(TEXTS) and not isinstance(target, bool):
            view = {**as_object(target), **beside}
        else:
            return {**beside, "allOf": [*as_list(beside.get("allOf")), target]}
    return {"$ref": "without end"}


def find(reference: str, root: Schema) -> object:
    """What a reference within `root` leads to; None where it leads nowhere."""
    if not reference.startswith("#"):
        return None
    node: object = root
    for token in reference[1:].split("/")[1:]:
        key = token.replace("~1", "/").replace("~0", "~")
        members = as_object(node)
        if key not in members:
            return None
        node = members[key]
    return node


def definitions_of(root: Schema) -> tuple[object, object]:
    """What references of `root` usually lead to."""
    return root.get("$defs"), root.get("definitions")


def refers(value: object, *, definitions: bool) -> bool:
    """Whether `value` refers to the rest of its schema, or to the definitions if these count."""
    if isinstance(value, Mapping):
        members = cast("Schema", value)
        target = members.get("$ref") or members.get("$dynamicRef")
        if isinstance(target, str) and (definitions or not target.startswith(_DEFINED)):
            return True
        return any(refers(one, definitions=definitions) for one in members.values())
    items = cast("list[object]", value) if isinstance(value, list) else ()
    return any(refers(one, definitions=definitions) for one in items)


def resembling(schema: object, after: Schema, before: Schema) -> str:
    """A new member with the very schema of one that is gone."""
    new = (name for name in after if name not in before and after[name] == schema)
    return next(new, "") if schema not in ({}, True) else ""


def as_object(value: object) -> Schema:
    """`value` where it is an object, else an empty one."""
    return cast("Schema", value) if isinstance(value, Mapping) else {}


def as_list(value: object) -> list[object]:
    """`value` where it is an array, else an empty one."""
    return cast("list[object]", value) if isinstance(value, list) else []


def as_names(value: object) -> frozenset[str]:
    """The texts in `value` where it is an array."""
    return frozenset(name for name in as_list(value) if isinstance(name, str))


def below(place: str, name: str) -> str:
    """The place of the member `name`."""
    return f"{place}.{name}" if name.replace("-", "_").isidentifier() else f"{place}[{shown(name)}]"


def shown_choices(schema: Schema) -> str:
    """The values that `enum` or `const` allow, for people."""
    given = [schema["const"]] if "const" in schema else as_list(schema.get("enum"))
    return shown(given) if given or "enum" in schema else "not limited"


def moved(keyword: str, old: Schema, new: Schema) -> str:
    """What became of a keyword, for people."""
    if keyword not in old:
        return f"`{keyword}` is new: {shown(new[keyword])}." if keyword in new else ""
    if keyword not in new:
        return f"`{keyword}` is gone; it was {shown(old[keyword])}."
    return f"`{keyword}` was {shown(old[keyword])}, and is {shown(new[keyword])}."
