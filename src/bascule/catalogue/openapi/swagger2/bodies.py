"""The body of a Swagger 2.0 operation: one parameter in the body, or several in a form."""

from typing import Final

from bascule.catalogue.openapi.document import Node
from bascule.catalogue.openapi.pointers import Pointer
from bascule.catalogue.openapi.shapes import JsonObject, as_object
from bascule.catalogue.openapi.swagger2.parameters import style_of, value_schema
from bascule.catalogue.openapi.swagger2.shared import Shared

_FORM: Final = "application/x-www-form-urlencoded"
_MULTIPART: Final = "multipart/form-data"
_JSON: Final = "application/json"


def upgrade_body(
    parameter: Node, consumes: tuple[str, ...], place: Pointer, shared: Shared
) -> JsonObject:
    """A `body` parameter as a Request Body Object at `place`."""
    shared.note(place, parameter)
    schema = parameter.get("schema")
    samples = parameter.get("x-examples") or Node({}, ())
    media: JsonObject = {}
    if "x-example" in parameter.members:
        media["example"] = parameter.members["x-example"]
    if schema is not None:
        media["schema"] = shared.schemas.upgrade(schema, (*place, "schema"))
    content: JsonObject = {}
    for media_type in consumes or (_JSON,):
        at = (*place, "content", media_type)
        sample = samples.get(media_type)
        shared.note(at, sample or parameter)
        if schema is not None:
            shared.note((*at, "schema"), schema)
        content[media_type] = {**media, "example": sample.value} if sample else media
    return {**_described(parameter), "content": content}


def upgrade_form(
    fields: list[Node], consumes: tuple[str, ...], place: Pointer, shared: Shared
) -> JsonObject:
    """The `formData` parameters of an operation as a Request Body Object at `place`."""
    shared.note(place, fields[0])
    content: JsonObject = {}
    for media_type in _form_types(fields, consumes):
        shared.note((*place, "content", media_type), fields[0])
        shared.note((*place, "content", media_type, "schema"), fields[0])
        content[media_type] = _form(fields, (*place, "content", media_type), shared)
    needed = any(field.flag("required") for field in fields)
    return {"required": needed, "content": content}


def _form_types(fields: list[Node], consumes: tuple[str, ...]) -> list[str]:
    if any(field.members.get("type") == "file" for field in fields):
        return [_MULTIPART]
    offered = [one for one in consumes if one.partition(";")[0].strip() in (_FORM, _MULTIPART)]
    return offered or [_FORM]


def _form(fields: list[Node], place: Pointer, shared: Shared) -> JsonObject:
    properties: JsonObject = {}
    encoding: JsonObject = {}
    for field in fields:
        name = str(field.members.get("name", ""))
        at = (*place, "schema", "properties", name)
        schema = value_schema(field, at, shared)
        if field.members.get("type") == "array":
            style, explode = style_of(field, "query", shared)
            encoding[name] = {"style": style, "explode": explode}
        description = field.text("description")
        described = as_object(schema)
        if description and described is not None:
            schema = {**described, "description": description}
        properties[name] = schema
        shared.note(at, field)
    required = [str(field.members.get("name")) for field in fields if field.flag("required")]
    schema = {"type": "object", "properties": properties}
    media: JsonObject = {"schema": {**schema, "required": required} if required else schema}
    return {**media, "encoding": encoding} if encoding else media


def _described(parameter: Node) -> JsonObject:
    kept = ("description", "required")
    return {key: parameter.members[key] for key in kept if key in parameter.members}
