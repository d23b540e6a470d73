"""Discriminators: which value of a property chooses which branch of `oneOf` or `anyOf`."""

from typing import Final

from bascule.catalogue.openapi.context import Context
from bascule.catalogue.openapi.document import Node
from bascule.catalogue.openapi.findings import Unconvertible
from bascule.catalogue.openapi.pointers import Pointer
from bascule.catalogue.openapi.shapes import JsonObject, as_object, as_text

_MOST_PARTS: Final = 50


def branch_marks(union: Node, keyword: str, context: Context) -> list[JsonObject]:
    """What to say in addition of each branch under `keyword`; {} where nothing is to be said.

    A branch that the mapping names gets the values that choose it, and the property is required
    in it, as OpenAPI demands. Where the branch itself lists values for it, those are kept. Names
    that the document implies are not enforced: many documents mean other values.
    """
    branches = list((union.get(keyword) or Node([], ())).items())
    discriminator = union.get("discriminator")
    name = discriminator.text("propertyName") if discriminator else None
    if discriminator is None or name is None:
        return [{} for _ in branches]
    chosen = _mapping(discriminator, context)
    return [_mark(branch, name, chosen, context) for branch in branches]


def _mapping(discriminator: Node, context: Context) -> dict[Pointer, list[str]]:
    """The values that choose each schema, by its place."""
    found: dict[Pointer, list[str]] = {}
    mapping = discriminator.get("mapping")
    for value, node in mapping.children() if mapping else ():
        target = _target(node, context)
        if target is not None:
            found.setdefault(target, []).append(value)
    return found


def _target(node: Node, context: Context) -> Pointer | None:
    """The place that an entry of a mapping means: a reference, or the bare name of a schema."""
    text = as_text(node.value)
    if text is None:
        return None
    spellings = [text] if "#" in text or "/" in text else [f"#/components/schemas/{text}", text]
    for spelling in spellings:
        try:
            return context.document.find(spelling, node.pointer).pointer
        except Unconvertible:
            continue
    context.remarks.add(node.pointer, f"The discriminator maps to {text[:80]!r}, which is nothing.")
    return None


def _mark(
    branch: Node, name: str, chosen: dict[Pointer, list[str]], context: Context
) -> JsonObject:
    try:
        target = context.document.find(branch.members.get("$ref"), branch.pointer)
        values = chosen.get(target.pointer)
        if not values or _lists_values(target, name, context, [_MOST_PARTS]):
            return {}
    except Unconvertible:
        return {}
    choice: JsonObject = {"const": values[0]} if len(values) == 1 else {"enum": values}
    return {"properties": {name: choice}, "required": [name]}


def _lists_values(schema: Node, name: str, context: Context, left: list[int]) -> bool:
    """Does the schema, or a part of its `allOf`, say itself which values `name` may have?"""
    left[0] -= 1
    if left[0] < 0:
        return False
    schema = context.document.follow(schema)
    own = (schema.get("properties") or Node({}, ())).get(name)
    if own is not None:
        members = as_object(context.document.follow(own).value) or {}
        if "enum" in members or "const" in members:
            return True
    parts = schema.get("allOf")
    return any(
        _lists_values(part, name, context, left) for part in (parts.items() if parts else ())
    )
