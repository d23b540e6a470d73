"""Example arguments, put together from the examples of parameters and bodies."""

from collections.abc import Iterator
from typing import Final

import jsonschema_rs
import msgspec

from bascule.catalogue.openapi.arguments import Arguments, Slot
from bascule.catalogue.openapi.bodies import Body
from bascule.catalogue.openapi.context import Context
from bascule.catalogue.openapi.document import Node
from bascule.catalogue.openapi.samples import read_samples
from bascule.catalogue.openapi.shapes import JsonObject, as_list, as_object
from bascule.catalogue.openapi.validators import compile_checked

_MOST_EXAMPLES: Final = 3
_MOST_BYTES: Final = 16 * 1024


def assemble(arguments: Arguments, body: Body | None, context: Context) -> tuple[JsonObject, ...]:
    """Up to three examples that the tool accepts; one that it does not is remarked on."""
    base: JsonObject = {}
    for slot in arguments.slots:
        value = _value(slot, arguments, context)
        if value is not None:
            base[slot.name] = value[0]
    variants = list(_bodies(arguments, body, context)) or [{}]
    found: list[JsonObject] = []
    validator = None  # compiled only where there is something to put to it
    for variant in variants[:_MOST_EXAMPLES]:
        example = {**_without_body(base, arguments, variant), **variant}
        if example in found or not _is_complete(example, arguments):
            continue
        validator = validator or compile_checked(arguments.schema)
        if not validator.is_valid(example):
            place = body.media if body and variant else None
            _complain(example, place, validator, context)
        elif len(msgspec.json.encode(example)) <= _MOST_BYTES:
            found.append(example)
    return tuple(found)


def _without_body(base: JsonObject, arguments: Arguments, variant: JsonObject) -> JsonObject:
    """`base`, less what belongs to the body where `variant` is an example of the whole body."""
    if not variant:
        return base
    of_body = {slot.name for slot in arguments.slots if slot.location == "body"}
    return {name: value for name, value in base.items() if name not in of_body}


def _is_complete(example: JsonObject, arguments: Arguments) -> bool:
    required = [slot for slot in arguments.slots if slot.required]
    # A tool without required arguments needs no example of calling it with nothing.
    return bool(example) and all(slot.name in example for slot in required)


def _complain(
    example: JsonObject, place: Node | None, validator: jsonschema_rs.Validator, context: Context
) -> None:
    error = next(validator.iter_errors(example), None)
    if error is None or place is None:
        return
    context.remarks.add(place.pointer, f"The example does not fit: {str(error.message)[:200]}")


def _value(slot: Slot, arguments: Arguments, context: Context) -> tuple[object] | None:
    """An example of one argument, as a tuple of one."""
    for value in read_samples(slot.holder, context) if slot.holder else ():
        return (value,)
    schema = _resolved(slot.schema, arguments)
    listed = as_list(schema.get("examples"))
    if listed:
        return (listed[0],)
    if not slot.required:
        return None
    if "default" in schema:
        return (schema["default"],)
    choices = as_list(schema.get("enum"))
    return (choices[0],) if choices else None


def _resolved(schema: JsonObject, arguments: Arguments) -> JsonObject:
    """What a mere reference stands for."""
    reference = schema.get("$ref")
    if "examples" in schema or not isinstance(reference, str):
        return schema
    definitions = as_object(arguments.schema.get("$defs")) or {}
    return as_object(definitions.get(reference.removeprefix("#/$defs/"))) or schema


def _bodies(arguments: Arguments, body: Body | None, context: Context) -> Iterator[JsonObject]:
    """The examples of the whole body, in terms of arguments."""
    rest = arguments.body
    if body is None or rest is None or not rest.properties:
        return
    by_wire = {wire: argument for argument, wire in rest.properties.items()}
    for value in read_samples(body.media, context):
        members = as_object(value)
        if members and by_wire.keys() >= members.keys():
            yield {by_wire[name]: member for name, member in members.items()}
        elif members:
            surplus = min(members.keys() - by_wire.keys())
            context.remarks.add(
                body.media.pointer, f"The example has {surplus[:80]!r}, which the schema has not."
            )
