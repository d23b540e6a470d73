"""Multipart bodies: named parts from arguments, or parts in their order from one array."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from bascule.gateway.tool import ParameterLocation, RestBody, RestParameter, RestPart
from bascule.upstreams.rest.clashes import Names, names_taken
from bascule.upstreams.rest.escapes import is_token
from bascule.upstreams.rest.failures import unusable
from bascule.upstreams.rest.multipart import Part, assemble
from bascule.upstreams.rest.parts import blamed, named_parts, parts_of_array, parts_of_object
from bascule.upstreams.rest.styles import Writer, writer_for
from bascule.upstreams.rest.values import UNWRITABLE, blame
from bascule.upstreams.rest.written import (
    Arguments,
    BodyWriter,
    Written,
    ordered_properties,
    whole_body,
)

_FORM_DATA: Final = "multipart/form-data"
_DESCRIBED_ELSEWHERE: Final = frozenset(
    {"content-type", "content-disposition", "content-transfer-encoding", "content-length"}
)


@dataclass(frozen=True, slots=True)
class _Header:
    argument: str
    name: str
    write: Writer

    def text(self, arguments: Arguments) -> str | None:
        value = arguments.get(self.argument)
        try:
            return None if value is None else self.write(value)
        except UNWRITABLE as error:
            raise blame(error, self.argument) from None


@dataclass(frozen=True, slots=True)
class _Field:
    """One property, and the headers that its parts have."""

    argument: str
    name: str
    part: RestPart
    headers: tuple[_Header, ...]
    taken: Names

    def parts(self, arguments: Arguments) -> Iterator[Part]:
        lines = [(header.name, header.text(arguments)) for header in self.headers]
        headers = [(name, text) for name, text in lines if text is not None]
        value = arguments.get(self.argument)
        return blamed(self.argument, named_parts(self.name, self.part, value, headers, self.taken))


def plan_upload(body: RestBody) -> BodyWriter:
    """Compile a multipart body.

    Raises:
        UnusableOperation: a part has a header that it cannot have.
    """
    media_type = _FORM_DATA if "*" in body.media_type else body.media_type
    if body.argument is not None:
        return whole_body(body, lambda value: _assemble(media_type, _parts(value, body)))
    fields, required = _fields(body), body.required

    def write(arguments: Arguments) -> Written | None:
        parts = [part for field in fields for part in field.parts(arguments)]
        return _assemble(media_type, iter(parts)) if parts or required else None

    return write


def _assemble(media_type: str, parts: Iterator[Part]) -> Written:
    boundary, content = assemble(parts)
    return f"{media_type}; boundary={boundary}", content


def _parts(value: object, body: RestBody) -> Iterator[Part]:
    if isinstance(value, list):
        return parts_of_array(value, body)  # pyright: ignore[reportUnknownArgumentType]
    return parts_of_object(value, body.parts)


def _fields(body: RestBody) -> list[_Field]:
    by_wire = {wire: argument for argument, wire in body.properties.items()}
    of_headers = {header.key for part in body.parts.values() for header in part.headers}
    return [
        _Field(argument, wire, part, _headers(part, by_wire), names_taken(by_wire, wire))
        for argument, wire in ordered_properties(body)
        if wire not in of_headers
        for part in (body.parts.get(wire) or RestPart(),)
    ]


def _headers(part: RestPart, by_wire: dict[str, str]) -> tuple[_Header, ...]:
    headers: list[_Header] = []
    for header in part.headers:
        if header.key not in by_wire:
            continue
        if header.name.lower() in _DESCRIBED_ELSEWHERE or not is_token(header.name):
            raise unusable(f"a part cannot have the header {header.name[:80]!r}")
        parameter = RestParameter(
            header.name, header.name, ParameterLocation.HEADER, "simple", header.explode
        )
        headers.append(_Header(by_wire[header.key], header.name, writer_for(parameter)))
    return tuple(headers)
