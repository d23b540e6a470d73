"""Request bodies from arguments."""

from collections.abc import Callable, Iterable
from typing import Final, cast

import msgspec

from bascule.gateway.tool import BodyKind, RestBody, RestPart
from bascule.upstreams.rest.clashes import names_taken
from bascule.upstreams.rest.failures import unsupported_media, unusable
from bascule.upstreams.rest.files import read_file
from bascule.upstreams.rest.forms import join_pairs, pair_writer, plan_form
from bascule.upstreams.rest.media import charset_of, essence, is_json, is_xml, with_parameter
from bascule.upstreams.rest.queries import QUERY_STYLES
from bascule.upstreams.rest.uploads import plan_upload
from bascule.upstreams.rest.values import Unwritable, to_text
from bascule.upstreams.rest.written import (
    Arguments,
    BodyWriter,
    Written,
    ordered_properties,
    whole_body,
)

_FORM: Final = "application/x-www-form-urlencoded"
_RECORD_SEPARATOR: Final = b"\x1e"  # RFC 7464 section 2.2
_PLAIN: Final = RestPart()
_encoder = msgspec.json.Encoder()


def plan_body(body: RestBody) -> BodyWriter:
    """Compile `body`.

    Raises:
        UnsupportedMedia: its media type is not built here.
        UnusableOperation: a part of it has a style that there is not.
    """
    kind = body.kind or _guess(body)
    if kind is None:
        raise unsupported_media(body.media_type)
    _check(body.parts.values(), body.media_type)
    _check([*body.items, *([body.rest] if body.rest else [])])
    return _PLANNERS[kind](body)


def _guess(body: RestBody) -> BodyKind | None:
    kind = essence(body.media_type)
    if is_json(kind):
        return BodyKind.JSON
    if kind == _FORM:
        return BodyKind.FORM
    return BodyKind.TEXT if kind.startswith("text/") and body.argument is not None else None


def _check(parts: Iterable[RestPart], *media_types: str) -> None:
    """See that nothing from the document breaks a line, and that each style is one."""
    for part in parts:
        if part.style and part.style not in QUERY_STYLES:
            raise unusable(f"a part has the style {part.style[:40]!r}")
        _check((*part.parts.values(), *part.items, *([part.rest] if part.rest else [])))
        media_types += (*part.content_types, part.transfer_encoding)
    for media_type in media_types:
        if not (media_type.isascii() and media_type.isprintable()):
            raise unusable(f"{media_type[:100]!r} is not a media type")


def _json(body: RestBody) -> BodyWriter:
    if body.argument is None:
        return _json_members(body)
    media_type = body.media_type
    return whole_body(body, lambda value: (media_type, _encoder.encode(value)), null_is_value=True)


def _json_members(body: RestBody) -> BodyWriter:
    properties, required = tuple(body.properties.items()), body.required
    media_type = body.media_type

    def write(arguments: Arguments) -> Written | None:
        members = {wire: arguments[name] for name, wire in properties if name in arguments}
        return (media_type, _encoder.encode(members)) if members or required else None

    return write


def _lines(body: RestBody) -> BodyWriter:
    separator = _RECORD_SEPARATOR if essence(body.media_type).endswith("json-seq") else b""

    def write(value: object) -> Written:
        if not isinstance(value, list):
            raise Unwritable("must be an array, as each item is sent as a line")
        lines = [separator + _encoder.encode(one) + b"\n" for one in cast("list[object]", value)]
        return body.media_type, b"".join(lines)

    return whole_body(body, write)


def _text(body: RestBody) -> BodyWriter:
    media_type, charset = body.media_type, charset_of(body.media_type)
    kind = essence(media_type)
    if not charset and (kind.startswith("text/") or is_xml(kind)):
        media_type = with_parameter(media_type, "charset", "utf-8")

    def write(value: object) -> Written:
        try:
            return media_type, to_text(value).encode(charset or "utf-8")
        except UnicodeEncodeError:
            if not charset:
                raise
            raise Unwritable(f"holds characters that {charset} does not have") from None

    return whole_body(body, write)


def _bytes(body: RestBody) -> BodyWriter:
    offered = body.content_types or (body.media_type,)

    def write(value: object) -> Written:
        file = read_file(value, offered)
        return file.content_type, file.content

    return whole_body(body, write)


def _form(body: RestBody) -> BodyWriter:
    if body.argument is not None:
        write_form = plan_form(body.parts)
        return whole_body(body, lambda value: (_FORM, write_form(value).encode()))
    wires = body.properties.values()
    properties = tuple(
        (argument, pair_writer(wire, body.parts.get(wire, _PLAIN), names_taken(wires, wire)))
        for argument, wire in ordered_properties(body)
    )
    required = body.required

    def write(arguments: Arguments) -> Written | None:
        form = join_pairs((name, put, arguments.get(name)) for name, put in properties)
        return (_FORM, form.encode()) if form or required else None

    return write


_PLANNERS: Final[dict[BodyKind, Callable[[RestBody], BodyWriter]]] = {
    BodyKind.JSON: _json,
    BodyKind.LINES: _lines,
    BodyKind.FORM: _form,
    BodyKind.MULTIPART: plan_upload,
    BodyKind.TEXT: _text,
    BodyKind.BYTES: _bytes,
}
