"""Encoding Objects: how one property of a form, or one part of a multipart body, is written."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from bascule.catalogue.openapi.context import Context
from bascule.catalogue.openapi.document import Node
from bascule.catalogue.openapi.files import as_files, types_in
from bascule.catalogue.openapi.media import kind_of, split_types
from bascule.catalogue.openapi.shapes import JsonObject
from bascule.catalogue.openapi.styles import EXPLODED, STYLES, is_token
from bascule.gateway.tool import BodyKind, ParameterLocation, PartHeader, RestPart

_STYLE_WORDS: Final = ("style", "explode", "allowReserved")
_DESCRIBED_ELSEWHERE: Final = frozenset(
    {"content-type", "content-disposition", "content-transfer-encoding", "content-length"}
)
_OCTETS: Final = "application/octet-stream"
_TRANSFER_ENCODINGS: Final = frozenset({"base64", "quoted-printable"})
_ANYTHING: Final = True
"""A schema."""


@dataclass(frozen=True, slots=True)
class Header:
    """A header of a part: the key of its argument, and what that may be."""

    key: str
    schema: Node | None
    required: bool


@dataclass(frozen=True, slots=True)
class Encoded:
    """How a part is written, and what a caller gives for it; `schema` None is anything."""

    part: RestPart
    schema: Node | None
    headers: tuple[Header, ...] = ()


def read_form_part(encoding: Node | None, context: Context) -> RestPart:
    """How a property of an `application/x-www-form-urlencoded` body is written."""
    if encoding is None:
        return RestPart()
    node = context.document.follow(encoding)
    return _styled(node, context) or RestPart(_content_types(node, context))


def read_part(name: str, schema: Node | None, encoding: Node | None, context: Context) -> Encoded:
    """How a part of a multipart body is written; `name` is "" where it goes by its place."""
    node = context.document.follow(encoding) if encoding else Node({}, ())
    # Before 3.1 styles were for urlencoded forms only (OpenAPI 3.0.4, Encoding Object).
    if name and not context.ignores_ref_siblings:
        styled = _styled(node, context)
        if styled is not None:
            return Encoded(styled, schema)
    part = RestPart(_content_types(node, context))
    if part.content_types and kind_of(part.content_types[0]) is BodyKind.MULTIPART:
        return _nested(part, schema, node, context)
    encoded = _value(part, schema, node, context)
    if not name:
        return encoded
    found = list(_headers(name, node, context))
    return replace(
        encoded,
        part=replace(encoded.part, headers=tuple(header for header, _ in found)),
        headers=tuple(argument for _, argument in found),
    )


@dataclass(frozen=True, slots=True)
class EncodedArray:
    """How the parts of an array are written, and the schema of that array."""

    items: tuple[RestPart, ...]
    rest: RestPart
    schema: Node


def read_array(schema: Node | None, holder: Node, context: Context) -> EncodedArray:
    """Parts by their order; `holder` is the Media Type or Encoding Object that describes them."""
    array = context.document.follow(schema) if schema else Node({}, holder.pointer)
    item = array.get("items") or holder.get("itemSchema")
    schemas, encodings = _nodes(array, "prefixItems"), _nodes(holder, "prefixEncoding")
    of_rest = read_part("", item, holder.get("itemEncoding"), context)
    firsts = [
        read_part(
            "",
            schemas[index] if index < len(schemas) else item,
            encodings[index] if index < len(encodings) else holder.get("itemEncoding"),
            context,
        )
        for index in range(max(len(schemas), len(encodings)))
    ]
    value: JsonObject = {key: one for key, one in array.members.items() if key not in _REPLACED}
    value |= {"type": "array", "items": _schema_value(of_rest)}
    if firsts:
        value["prefixItems"] = [_schema_value(one) for one in firsts]
    items = tuple(one.part for one in firsts)
    return EncodedArray(items, of_rest.part, Node(value, array.pointer))


_REPLACED: Final = frozenset({"type", "items", "prefixItems", "$ref"})


def _nested(part: RestPart, schema: Node | None, node: Node, context: Context) -> Encoded:
    """A part that is a multipart body itself: an array, or an object whose members are parts."""
    found = context.document.follow(schema) if schema else None
    if found is not None and "array" not in types_in(found) and found.get("properties"):
        properties, encodings = found.get("properties"), node.get("encoding")
        parts = {
            name: read_part(name, one, encodings.get(name) if encodings else None, context)
            for name, one in (properties.children() if properties else ())
        }
        value = {
            **found.members,
            "properties": {name: _schema_value(one) for name, one in parts.items()},
        }
        inner = {name: replace(one.part, headers=()) for name, one in parts.items()}
        return Encoded(replace(part, parts=inner), Node(value, found.pointer))
    array = read_array(schema, node, context)
    return Encoded(replace(part, items=array.items, rest=array.rest), array.schema)


def _schema_value(encoded: Encoded) -> object:
    return _ANYTHING if encoded.schema is None else encoded.schema.value


def _nodes(holder: Node, member: str) -> list[Node]:
    found = holder.get(member)
    return list(found.items()) if found else []


def _value(part: RestPart, schema: Node | None, node: Node, context: Context) -> Encoded:
    """A file, text that stands for bytes, text, or a value as it is."""
    declared = kind_of(part.content_types[0]) if part.content_types else None
    whole = schema or Node(_ANYTHING, node.pointer)
    file = as_files(whole, part.content_types, context)
    if file is not None:
        return Encoded(replace(part, is_file=True), file)
    if schema is None:
        return Encoded(part, None)
    encoding = _transfer_encoding(schema, context)
    if encoding is not None:
        types = part.content_types or (_OCTETS,)
        known = encoding if encoding in _TRANSFER_ENCODINGS else ""
        return Encoded(replace(part, content_types=types, transfer_encoding=known), schema)
    return Encoded(part, _as_text(schema, context) if declared is BodyKind.TEXT else schema)


def _transfer_encoding(schema: Node, context: Context) -> str | None:
    """In what encoding the argument is, where it is text that stands for bytes."""
    node = context.document.follow(schema)
    items = node.get("items")
    if items is not None and "array" in types_in(node):
        node = context.document.follow(items)
    if types_in(node) not in ([], ["string"]):
        return None
    if node.members.get("format") == "byte" and context.ignores_ref_siblings:
        return "base64"
    return node.text("contentEncoding")


def _as_text(schema: Node, context: Context) -> Node:
    """`schema`, or a string where it describes something that has to be text here, such as XML."""
    node = context.document.follow(schema)
    kinds = types_in(node)
    if kinds == ["array"]:
        items = node.get("items")
        inner = _as_text(items, context).value if items else {"type": "string"}
        return Node({**node.members, "items": inner}, node.pointer)
    if set(kinds) <= {"string", "number", "integer", "boolean"} and not node.get("properties"):
        return schema
    said = {key: node.members[key] for key in ("title", "description") if key in node.members}
    return Node({**said, "type": "string"}, node.pointer)


def _styled(node: Node, context: Context) -> RestPart | None:
    """One written like a query parameter; None where nothing says so."""
    if all(node.members.get(word) is None for word in _STYLE_WORDS):
        return None
    known = STYLES[ParameterLocation.QUERY]
    style = node.members.get("style", known[0])
    if style not in known:
        context.remarks.add(
            node.pointer, f"The style {str(style)[:40]!r} is not one for forms; {known[0]} is."
        )
        style = known[0]
    explode = node.flag("explode")
    return RestPart(
        style=str(style),
        explode=style in EXPLODED if explode is None else explode,
        allow_reserved=node.flag("allowReserved") is True,
    )


def _content_types(node: Node, context: Context) -> tuple[str, ...]:
    stated = node.text("contentType")
    types = split_types(stated) if stated else ()
    if stated and not types:
        context.remarks.add(node.pointer, f"{stated[:80]!r} is not a media type; it is ignored.")
    return types


def _headers(name: str, node: Node, context: Context) -> Iterator[tuple[PartHeader, Header]]:
    declared = node.get("headers")
    for header, reference in declared.children() if declared else ():
        if header.lower() in _DESCRIBED_ELSEWHERE:
            continue
        if not is_token(header):
            context.remarks.add(reference.pointer, f"{header[:80]!r} is not a header name.")
            continue
        found = context.document.follow(reference)
        schema = found.get("schema")
        content = found.get("content")
        for _, media in content.children() if content else ():
            schema = media.get("schema")
        key = f"{name}__{header}"
        explode, required = found.flag("explode") is True, found.flag("required") is True
        yield PartHeader(header, key, explode), Header(key, schema, required)
