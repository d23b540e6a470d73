"""Parameters and body merged into the one flat object that a tool takes."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import Final, cast

from bascule.catalogue.openapi.bodies import Body
from bascule.catalogue.openapi.context import Context
from bascule.catalogue.openapi.definitions import Schema, Translated
from bascule.catalogue.openapi.document import Node
from bascule.catalogue.openapi.operations import Operation
from bascule.catalogue.openapi.parameters import Parameter
from bascule.catalogue.openapi.samples import read_samples
from bascule.catalogue.openapi.schemas import Schemas
from bascule.catalogue.openapi.shapes import JsonObject, as_list, as_object
from bascule.catalogue.openapi.wording import spoken
from bascule.gateway.tool import BodyKind, ParameterLocation, RestBody, RestParameter

_BODY: Final = "body"
_MOST_SAMPLES: Final = 3
# Any other keyword says something about the body as a whole.
_SPREADABLE: Final = frozenset(
    {"type", "properties", "required", "title", "description", "examples", "default", "deprecated",
     "additionalProperties"}
)  # fmt: skip
_OBJECT_TYPES: Final[tuple[object, ...]] = ("object", ["object"])
# Where a name is in several places, the first of these keeps it as it is.
_ORDER: Final = {location: rank for rank, location in enumerate(ParameterLocation)}


@dataclass(frozen=True, slots=True)
class Slot:
    """One argument: its name, its place on the wire, and what it may be.

    `name` is the argument, `wire` the name upstream ("" for a body that is one argument).
    `holder` is the Media Type Object of such a body, where its examples are; None otherwise.
    """

    name: str
    wire: str
    location: str
    schema: JsonObject
    required: bool
    holder: Node | None


@dataclass(frozen=True, slots=True)
class Arguments:
    """What a tool takes, and how it becomes a request."""

    slots: tuple[Slot, ...]
    schema: JsonObject
    parameters: tuple[RestParameter, ...]
    body: RestBody | None


@dataclass(frozen=True, slots=True)
class _Entry:
    """A slot before its name is settled."""

    wish: str
    wire: str
    location: str
    schema: Translated
    required: bool
    holder: Node | None


def merge(
    operation: Operation, parameters: list[Parameter], body: Body | None, schemas: Schemas,
    context: Context,
) -> Arguments:  # fmt: skip
    """Merge everything an operation takes."""
    parameters = sorted(parameters, key=lambda one: _ORDER[one.location])
    entries = [_parameter_entry(one, schemas, context) for one in parameters]
    entries += _body_entries(body, schemas) if body else []
    needed = [one.wish for one in entries if one.location == _BODY and one.required]
    if needed and _may_be_left_out(operation, context):
        entries = [replace(one, required=one.required and one.location != _BODY) for one in entries]
    else:
        needed = []
    slots = tuple(_settle(entries, operation, context))
    refs = frozenset[str]().union(*(one.schema.refs for one in entries))
    tame = all(one.schema.tame for one in entries)
    whole = {**_object_schema(slots), **_together(slots, needed)}
    schema = schemas.complete(whole, Translated(whole, refs, tame), operation.node.pointer)
    wired = zip(slots, parameters, strict=False)  # the slots of the body come after
    return Arguments(
        slots,
        schema,
        tuple(_wire(slot, parameter) for slot, parameter in wired),
        _rest_body(body, [slot for slot in slots if slot.location == _BODY]) if body else None,
    )


def _may_be_left_out(operation: Operation, context: Context) -> bool:
    """Does the document say so? Where it says nothing, what the body requires is required."""
    declared = operation.node.get("requestBody")
    return declared is not None and context.document.follow(declared).flag("required") is False


def _together(slots: tuple[Slot, ...], needed: list[str]) -> JsonObject:
    """Of a body that may be left out: what has to be given as soon as any of it is."""
    body = [slot for slot in slots if slot.location == _BODY and slot.wire]
    names = [slot.name for slot in body if slot.wire in needed]
    asked = {slot.name: [name for name in names if name != slot.name] for slot in body}
    asked = {name: others for name, others in asked.items() if others}
    return {"dependentRequired": asked} if asked else {}


def _object_schema(slots: tuple[Slot, ...]) -> JsonObject:
    schema: JsonObject = {
        "type": "object",
        "properties": {slot.name: slot.schema for slot in slots},
    }
    required = [slot.name for slot in slots if slot.required]
    if required:
        schema["required"] = required
    schema["additionalProperties"] = False
    return schema


def _parameter_entry(parameter: Parameter, schemas: Schemas, context: Context) -> _Entry:
    if parameter.schema is None:
        translated = Translated({"type": "string"}, frozenset())
    else:
        translated = schemas.translate(parameter.schema)
    schema = _described(translated.schema, _said(parameter.node, context))
    if parameter.node.flag("deprecated"):
        schema["deprecated"] = True
    samples = list(islice(read_samples(parameter.node, context), _MOST_SAMPLES))
    if samples:
        schema["examples"] = samples
    return _Entry(
        parameter.name, parameter.name, parameter.location.value,
        replace(translated, schema=schema), parameter.required, None,
    )  # fmt: skip


def _body_entries(body: Body, schemas: Schemas) -> list[_Entry]:
    if body.properties is None:
        return _spread(body, schemas) or [_whole_body(body, schemas)]
    return [
        _Entry(one.name, one.name, _BODY, schemas.translate(one.schema), one.required, None)
        for one in body.properties
    ]


def _spread(body: Body, schemas: Schemas) -> list[_Entry]:
    """The properties of a JSON body that is an object once its parts are composed, or nothing."""
    if body.kind is not BodyKind.JSON or body.schema is None:
        return []
    translated = schemas.translate_inline(body.schema)
    schema = as_object(translated.schema) or {}
    members = as_object(schema.get("properties")) or {}
    if not schema.keys() <= _SPREADABLE or schema.get("type", "object") not in _OBJECT_TYPES:
        return []
    if schema.get("additionalProperties", False) is not False or "" in members:
        return []
    required = set(as_list(schema.get("required")) or ())
    return [
        _Entry(
            name, name, _BODY, replace(translated, schema=cast("Schema", member)), name in required,
            None,
        )
        for name, member in members.items()
    ]  # fmt: skip


def _whole_body(body: Body, schemas: Schemas) -> _Entry:
    if body.schema is None:
        translated = Translated({}, frozenset())
    else:
        translated = schemas.translate(body.schema)
    schema = _described(translated.schema, body.description)
    return _Entry(_BODY, "", _BODY, replace(translated, schema=schema), body.required, body.media)


def _said(node: Node, context: Context) -> str | None:
    text = node.text("description")
    if text is None:
        return None
    return spoken(text, Node(text, (*node.pointer, "description")), context)


def _described(schema: bool | JsonObject, description: str | None) -> JsonObject:  # noqa: FBT001 - a JSON Schema
    if isinstance(schema, bool):
        schema = {} if schema else {"not": {}}
    return {**schema, "description": description} if description else dict(schema)


def _settle(entries: list[_Entry], operation: Operation, context: Context) -> Iterator[Slot]:
    """Give each argument a name of its own."""
    taken: set[str] = set()
    for entry in entries:
        name = entry.wish
        while name in taken:
            name = f"{name}__{entry.location}"
        if name != entry.wish:
            context.remarks.add(
                operation.node.pointer,
                f"{entry.wish!r} is in several places; in the {entry.location} it is {name!r}.",
            )
        taken.add(name)
        schema = _described(entry.schema.schema, None)
        yield Slot(name, entry.wire, entry.location, schema, entry.required, entry.holder)


def _wire(slot: Slot, parameter: Parameter) -> RestParameter:
    return RestParameter(
        argument=slot.name,
        name=parameter.name,
        location=parameter.location,
        style=parameter.style,
        explode=parameter.explode,
        required=parameter.required,
        allow_reserved=parameter.allow_reserved,
        allow_empty=parameter.allow_empty,
        parts=parameter.parts,
    )


def _rest_body(body: Body, slots: list[Slot]) -> RestBody:
    if body.properties is None and not slots[0].wire:
        return replace(body.wire, argument=slots[0].name)
    return replace(
        body.wire,
        properties={slot.name: slot.wire for slot in slots},
        # OpenAPI bodies are optional unless stated, and authors forget: one that requires
        # something of its content is taken as required.
        required=body.required or any(slot.required for slot in slots),
    )
