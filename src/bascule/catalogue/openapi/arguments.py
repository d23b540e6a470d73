"""Parameters and body merged into the one flat object that a tool takes."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final

import msgspec

from bascule.catalogue.openapi.bodies import Body
from bascule.catalogue.openapi.context import Context
from bascule.catalogue.openapi.definitions import MAX_SCHEMA_BYTES, Translated, too_large
from bascule.catalogue.openapi.document import Node
from bascule.catalogue.openapi.media import MediaKind
from bascule.catalogue.openapi.operations import Operation
from bascule.catalogue.openapi.parameters import Parameter
from bascule.catalogue.openapi.samples import read_samples
from bascule.catalogue.openapi.schemas import Schemas
from bascule.catalogue.openapi.shapes import JsonObject
from bascule.gateway.tool import ParameterLocation, RestBody, RestParameter

_BODY: Final = "body"
_MOST_SAMPLES: Final = 3
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
    """Merge everything an operation takes.

    Raises:
        Unconvertible: a schema has no translation, or all together are too large.
    """
    parameters = sorted(parameters, key=lambda one: _ORDER[one.location])
    entries = [_parameter_entry(one, schemas, context) for one in parameters]
    entries += _body_entries(body, schemas) if body else []
    slots = tuple(_settle(entries, operation, context))
    refs = frozenset[str]().union(*(one.schema.refs for one in entries))
    schema = _object_schema(slots, schemas.definitions(refs))
    if len(msgspec.json.encode(schema)) > MAX_SCHEMA_BYTES:
        raise too_large(operation.node.pointer)
    wired = zip(slots, parameters, strict=False)  # the slots of the body come after
    return Arguments(
        slots,
        schema,
        tuple(_wire(slot, parameter) for slot, parameter in wired),
        _rest_body(body, [slot for slot in slots if slot.location == _BODY]) if body else None,
    )


def _object_schema(slots: tuple[Slot, ...], definitions: JsonObject) -> JsonObject:
    schema: JsonObject = {
        "type": "object",
        "properties": {slot.name: slot.schema for slot in slots},
    }
    required = [slot.name for slot in slots if slot.required]
    if required:
        schema["required"] = required
    schema["additionalProperties"] = False
    if definitions:
        schema["$defs"] = definitions
    return schema


def _parameter_entry(parameter: Parameter, schemas: Schemas, context: Context) -> _Entry:
    if parameter.schema is None:
        translated = Translated({"type": "string"}, frozenset())
    else:
        translated = schemas.translate(parameter.schema)
    schema = _described(translated.schema, parameter.node.text("description"))
    if parameter.node.flag("deprecated"):
        schema["deprecated"] = True
    samples = list(islice(read_samples(parameter.node, context), _MOST_SAMPLES))
    if samples:
        schema["examples"] = samples
    return _Entry(
        parameter.name, parameter.name, parameter.location.value,
        Translated(schema, translated.refs), parameter.required, None,
    )  # fmt: skip


def _body_entries(body: Body, schemas: Schemas) -> list[_Entry]:
    if body.properties is None:
        return [_whole_body(body, schemas)]
    return [
        _Entry(one.name, one.name, _BODY, schemas.translate(one.schema), one.required, None)
        for one in body.properties
    ]


def _whole_body(body: Body, schemas: Schemas) -> _Entry:
    if body.kind is MediaKind.TEXT:
        translated = Translated({"type": "string"}, frozenset())
    elif body.schema is None:
        translated = Translated({}, frozenset())
    else:
        translated = schemas.translate(body.schema)
    schema = _described(translated.schema, body.description)
    return _Entry(_BODY, "", _BODY, Translated(schema, translated.refs), body.required, body.media)


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
    )


def _rest_body(body: Body, slots: list[Slot]) -> RestBody:
    if body.properties is None:
        return RestBody(body.media_type, argument=slots[0].name, required=body.required)
    return RestBody(
        body.media_type,
        properties={slot.name: slot.wire for slot in slots},
        # OpenAPI bodies are optional unless stated, and authors forget: one that requires
        # something of its content is taken as required.
        required=body.required or any(slot.required for slot in slots),
    )
