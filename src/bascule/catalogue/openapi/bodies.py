"""The request body of an operation."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

from bascule.catalogue.openapi.context import Context
from bascule.catalogue.openapi.document import Node
from bascule.catalogue.openapi.encodings import Encoded, read_array, read_form_part, read_part
from bascule.catalogue.openapi.files import as_files, file_schema, properties_of, types_in
from bascule.catalogue.openapi.findings import Unconvertible
from bascule.catalogue.openapi.flattening import Property, flatten
from bascule.catalogue.openapi.media import choose, essence, types_of
from bascule.catalogue.openapi.operations import Operation
from bascule.gateway.tool import BodyKind, RestBody, RestPart

_PREFERENCE: Final = (
    BodyKind.JSON, BodyKind.FORM, BodyKind.MULTIPART, BodyKind.TEXT, BodyKind.LINES,
    BodyKind.BYTES,
)  # fmt: skip
_PLAIN: Final = RestPart()
_TEXT: Final = {"type": "string"}
_OBJECT: Final = {"type": "object"}
_OCTETS: Final = "application/octet-stream"
_ANY_TYPE: Final = ("*/*",)
"""Declared as this, only what says that it is bytes is a file."""
_FORM_DATA: Final = "multipart/form-data"
_OF_SEQUENCES: Final = ("itemSchema", "prefixEncoding", "itemEncoding")
_BODILESS: Final = ("GET", "HEAD")


@dataclass(frozen=True, slots=True)
class Body:
    """A body that can be built from arguments.

    `properties` are its arguments; None means that the whole body is one argument. `media` is
    the Media Type Object, where examples are. `wire` is how it is sent, its arguments aside.
    """

    kind: BodyKind
    media_type: str
    required: bool
    description: str | None
    media: Node
    schema: Node | None
    properties: list[Property] | None
    wire: RestBody


class _Offer(NamedTuple):
    """The entry of `content` that is taken; `key` is what it stands under."""

    media_type: str
    key: str
    media: Node
    schema: Node | None
    content: Node
    description: str | None


class _Form(NamedTuple):
    """What a reader makes of an offer. `is_described`: the schema says what the body is."""

    schema: Node | None
    properties: list[Property] | None
    wire: RestBody
    is_described: bool = False


def read_body(operation: Operation, context: Context) -> Body | None:
    """The body of `operation`; None where it has none.

    Raises:
        Unconvertible: the body is required and no way to send it is supported.
    """
    declared = operation.node.get("requestBody")
    if declared is None:
        return None
    node = context.document.follow(declared)
    if operation.method in _BODILESS:
        context.remarks.add(
            declared.pointer, f"The body is left out: on {operation.method} it has no meaning."
        )
        return None
    content = node.get("content") or Node({}, node.pointer)
    required, description = node.flag("required") is True, node.text("description")
    chosen = choose(content, *_order(content, context))
    if chosen is None:
        return _unsupported(content, context, required=required)
    kind, media_type, reference = chosen
    media = context.document.follow(reference)
    key = reference.pointer[-1]
    offer = _Offer(media_type, key, media, media.get("schema"), content, description)
    form = _READERS[kind](offer, context)
    if form is None:
        return _unsupported(content, context, required=required)
    return Body(
        form.wire.kind or kind, form.wire.media_type, required,
        None if form.is_described else description,
        media, form.schema, form.properties, replace(form.wire, required=required),
    )  # fmt: skip


def _order(content: Node, context: Context) -> tuple[BodyKind, ...]:
    """What is preferred: parts where there are files, as those have no good place elsewhere."""
    parts = choose(content, BodyKind.MULTIPART)
    schema = context.document.follow(parts[2]).get("schema") if parts else None
    if schema is None:
        return _PREFERENCE
    properties = properties_of(schema, context).values()
    if any(as_files(one, _ANY_TYPE, context) for one in properties):
        return BodyKind.MULTIPART, *_PREFERENCE
    return _PREFERENCE


def _unsupported(content: Node, context: Context, *, required: bool) -> None:
    offers = ", ".join(content.members)[:200] or "nothing"
    reason = f"The body cannot be built from arguments: it is offered as {offers}."
    if required:
        raise Unconvertible(content.pointer, reason)
    context.remarks.add(content.pointer, f"The optional body is left out. {reason}")


def _read_json(offer: _Offer, context: Context) -> _Form | None:
    schema = offer.schema
    if schema is not None and "*" in offer.key and as_files(schema, _ANY_TYPE, context):
        return _read_bytes(offer._replace(media_type=_OCTETS), context)
    properties = flatten(schema, context) if schema else None
    return _Form(schema, properties, RestBody(offer.media_type))


def _read_lines(offer: _Offer, _context: Context) -> _Form:
    schema, item = offer.schema, offer.media.get("itemSchema")
    if schema is None:
        value = {"type": "array"} if item is None else {"type": "array", "items": item.value}
        schema = Node(value, offer.media.pointer)
    return _Form(schema, None, RestBody(offer.media_type, kind=BodyKind.LINES))


def _read_text(offer: _Offer, context: Context) -> _Form:
    found = context.document.follow(offer.schema) if offer.schema else None
    schema = found if found and types_in(found) == ["string"] else Node(_TEXT, offer.media.pointer)
    kind = None if offer.media_type.lower().startswith("text/") else BodyKind.TEXT
    return _Form(schema, None, RestBody(offer.media_type, kind=kind))


def _read_bytes(offer: _Offer, _context: Context) -> _Form:
    types = tuple(types_of(offer.content, BodyKind.BYTES)) or ("*/*",)
    schema = Node(file_schema(types, offer.description, is_named=False), offer.media.pointer)
    wire = RestBody(offer.media_type, kind=BodyKind.BYTES, content_types=types)
    return _Form(schema, None, wire, is_described=True)


def _read_form(offer: _Offer, context: Context) -> _Form | None:
    encodings = offer.media.get("encoding")
    properties = flatten(offer.schema, context) if offer.schema else None
    if properties is not None:
        named = {one.name: one.schema for one in properties}
    elif _may_be_object(offer.schema, context):
        named = properties_of(offer.schema, context) if offer.schema else {}
    else:
        return None
    parts = {
        name: part
        for name in named
        if (part := read_form_part(encodings.get(name) if encodings else None, context)) != _PLAIN
    }
    schema = offer.schema or Node(_OBJECT, offer.media.pointer)
    wire = RestBody(offer.media_type, parts=parts, order=_names(properties or ()))
    return _Form(schema, properties, wire)


def _may_be_object(schema: Node | None, context: Context) -> bool:
    found = context.document.follow(schema) if schema else None
    return found is None or types_in(found) in ([], ["object"])


def _read_parts(offer: _Offer, context: Context) -> _Form | None:
    media = offer.media
    wire = RestBody(offer.media_type, kind=BodyKind.MULTIPART)
    found = context.document.follow(offer.schema) if offer.schema else None
    is_array = found is not None and "array" in types_in(found)
    if is_array or any(media.get(word) for word in _OF_SEQUENCES):
        if essence(offer.media_type) == _FORM_DATA:
            return None  # its parts need names
        array = read_array(offer.schema, media, context)
        return _Form(array.schema, None, replace(wire, items=array.items, rest=array.rest))
    properties = flatten(offer.schema, context) if offer.schema else None
    if properties is not None:
        encoded = _encode({one.name: one.schema for one in properties}, media, context)
        fields = list(_fields(properties, encoded))
        wire = replace(wire, parts=_parts(encoded), order=_names(properties))
        return _Form(offer.schema, fields, wire)
    if not _may_be_object(offer.schema, context):
        return None
    named = properties_of(found, context) if found else {}
    encoded = _encode(named, media, context, has_headers=False)
    schema = Node(_with_files(found, encoded), found.pointer if found else media.pointer)
    return _Form(schema, None, replace(wire, parts=_parts(encoded)))


def _encode(
    named: dict[str, Node], media: Node, context: Context, *, has_headers: bool = True
) -> dict[str, Encoded]:
    """How each property is written. Headers have arguments only beside those of properties."""
    encodings = media.get("encoding")
    found: dict[str, Encoded] = {}
    for name, schema in named.items():
        one = read_part(name, schema, encodings.get(name) if encodings else None, context)
        if one.headers and (not has_headers or any(each.key in named for each in one.headers)):
            context.remarks.add(
                media.pointer, f"The headers of the part {name[:80]!r} cannot be given."
            )
            one = replace(one, part=replace(one.part, headers=()), headers=())
        found[name] = one
    return found


def _names(properties: Iterable[Property]) -> tuple[str, ...]:
    """Their order, where there is one to keep: parts may have to come in it."""
    names = tuple(one.name for one in properties)
    return names if len(names) > 1 else ()


def _parts(encoded: dict[str, Encoded]) -> dict[str, RestPart]:
    return {name: one.part for name, one in encoded.items() if one.part != _PLAIN}


def _fields(properties: list[Property], encoded: dict[str, Encoded]) -> Iterator[Property]:
    """The arguments: one for each property, and one for each header of its parts."""
    for one in properties:
        found = encoded[one.name]
        yield replace(one, schema=found.schema or one.schema)
        for header in found.headers:
            schema = header.schema or Node(_TEXT, one.schema.pointer)
            yield Property(header.key, schema, header.required and one.required)


def _with_files(schema: Node | None, encoded: dict[str, Encoded]) -> dict[str, object]:
    """An object schema whose own properties are what a caller gives for them."""
    if schema is None:
        return dict(_OBJECT)
    properties = schema.get("properties")
    given = {
        name: one.value if (found := encoded.get(name)) is None or found.schema is None
        else found.schema.value
        for name, one in (properties.children() if properties else ())
    }  # fmt: skip
    return {**schema.members, "properties": given} if given else schema.members


_READERS: Final[dict[BodyKind, Callable[[_Offer, Context], _Form | None]]] = {
    BodyKind.JSON: _read_json,
    BodyKind.FORM: _read_form,
    BodyKind.MULTIPART: _read_parts,
    BodyKind.TEXT: _read_text,
    BodyKind.LINES: _read_lines,
    BodyKind.BYTES: _read_bytes,
}
