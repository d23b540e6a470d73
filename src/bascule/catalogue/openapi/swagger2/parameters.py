"""Parameters of Swagger 2.0 that are no bodies: one schema, `style` and `explode`."""

from typing import Final

from bascule.catalogue.openapi.document import Node
from bascule.catalogue.openapi.pointers import Pointer
from bascule.catalogue.openapi.shapes import JsonObject, as_object
from bascule.catalogue.openapi.swagger2.shared import Shared

_OF_SCHEMA: Final = (
    "type", "format", "items", "default", "enum", "maximum", "exclusiveMaximum", "minimum",
    "exclusiveMinimum", "maxLength", "minLength", "pattern", "maxItems", "minItems",
    "uniqueItems", "multipleOf", "x-nullable", "title", "readOnly",
)  # fmt: skip
_OF_PARAMETER: Final = ("name", "in", "description", "required", "allowEmptyValue", "deprecated")
_DELIMITED: Final = {"ssv": "spaceDelimited", "pipes": "pipeDelimited", "tsv": "tabDelimited"}
"""Formats with a style each; that of tabs, and any in a path or header, are not in OpenAPI 3."""


def upgrade_parameter(node: Node, place: Pointer, shared: Shared) -> JsonObject:
    """A parameter in the path, the query or a header, which will be at `place`."""
    shared.note(place, node)
    members = node.members
    upgraded: JsonObject = {key: members[key] for key in _OF_PARAMETER if key in members}
    upgraded |= {key: value for key, value in members.items() if key.startswith("x-")}
    upgraded["schema"] = value_schema(node, (*place, "schema"), shared)
    for key in ("x-example", "example"):
        if key in members:
            upgraded["example"] = members[key]
    if members.get("type") == "array":
        upgraded["style"], upgraded["explode"] = style_of(node, str(members.get("in")), shared)
    return upgraded


def value_schema(node: Node, place: Pointer, shared: Shared) -> object:
    """The schema of a parameter's value, whose keywords stand beside its name."""
    declared = node.get("schema")
    if declared is not None:  # not allowed, but clear
        return shared.schemas.upgrade(declared, place)
    members = node.members
    keywords = {key: members[key] for key in _OF_SCHEMA if key in members}
    return shared.schemas.upgrade(Node(keywords, node.pointer), place)


def style_of(node: Node, location: str, shared: Shared) -> tuple[str, bool]:
    """`style` and `explode` of an array, as its `collectionFormat` asks for."""
    if (as_object(node.members.get("items")) or {}).get("type") == "array":
        shared.context.remarks.add(
            node.pointer, "An array within an array has no form in OpenAPI 3; it may arrive wrong."
        )
    written = str(node.members.get("collectionFormat", "csv"))
    if written in _DELIMITED:
        return _DELIMITED[written], False
    in_query = location == "query"
    if written != "csv" and not (written == "multi" and in_query):
        shared.context.remarks.add(
            node.pointer, f"`{written[:40]}` has no meaning here; the items are joined by commas."
        )
    return ("form", written == "multi") if in_query else ("simple", False)
