"""Values as parts of a multipart body (OpenAPI Encoding Object; RFC 7578)."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple, cast

import msgspec

from bascule.gateway.tool import RestBody, RestPart
from bascule.upstreams.rest.clashes import NOBODYS, Names
from bascule.upstreams.rest.files import OCTETS, File, default_type, read_file
from bascule.upstreams.rest.media import essence, is_json
from bascule.upstreams.rest.multipart import Part, assemble, disposition
from bascule.upstreams.rest.queries import plain_pairs
from bascule.upstreams.rest.values import UNWRITABLE, Unwritable, blame, to_text

Headers = Sequence[tuple[str, str]]

_PLAIN: Final = RestPart()
_TEXT: Final = "text/plain; charset=utf-8"
_TRANSFER_ENCODING: Final = "Content-Transfer-Encoding"
_encoder = msgspec.json.Encoder()


class _Content(NamedTuple):
    """What is in a part; a `media_type` of "" is text as forms send it."""

    media_type: str
    content: bytes


def named_parts(
    name: str, part: RestPart, value: object, headers: Headers = (), taken: Names = NOBODYS
) -> Iterator[Part]:
    """The parts called `name`: one for each item of an array, none for null.

    An object whose members would be parts with a name that is `taken` is refused.
    """
    if part.style:
        for key, text in plain_pairs(name, part, taken)(value):
            yield Part([disposition("form-data", {"name": key}), *headers], text.encode())
        return
    for one in cast("list[object]", value) if isinstance(value, list) else [value]:
        if one is None:
            continue
        if part.is_file:
            file = read_file(one, part.content_types)
            names = {"name": name, "filename": file.name or name}
            content = _Content(file.content_type, file.content)
        else:
            names = {"name": name}
            content = _content_of(one, part)
        yield _part([disposition("form-data", names)], content, part, headers)


def unnamed_part(part: RestPart, value: object) -> Part:
    """One part of a body whose parts go by their order."""
    if part.is_file:
        file = read_file(value, part.content_types)
        return _part(_attachment(file), _Content(file.content_type, file.content), part, ())
    content = _content_of(value, part)
    return _part([], content._replace(media_type=content.media_type or _TEXT), part, ())


def parts_of_object(value: object, parts: Mapping[str, RestPart]) -> Iterator[Part]:
    """The parts that an object makes, by the names of its members."""
    if not isinstance(value, dict):
        raise Unwritable("must be an object, as its members become parts")
    for name, member in cast("dict[str, object]", value).items():
        with_name = named_parts(name, parts.get(name, _PLAIN), member)
        yield from blamed(name, with_name)


def parts_of_array(value: object, body: RestBody | RestPart) -> Iterator[Part]:
    """The parts that an array makes, by their order."""
    if not isinstance(value, list):
        raise Unwritable("must be an array, as its items become parts")
    for index, item in enumerate(cast("list[object]", value)):
        part = body.items[index] if index < len(body.items) else body.rest or _PLAIN
        yield unnamed_part(part, item)


def blamed(argument: str, parts: Iterable[Part]) -> Iterator[Part]:
    """`parts`, with `argument` named where one cannot be written."""
    try:
        yield from parts
    except UNWRITABLE as error:
        raise blame(error, argument) from None


def _part(first: Headers, content: _Content, part: RestPart, headers: Headers) -> Part:
    lines = list(first)
    if content.media_type:
        lines.append(("Content-Type", content.media_type))
    if part.transfer_encoding:
        lines.append((_TRANSFER_ENCODING, part.transfer_encoding))
    return Part([*lines, *headers], content.content)


def _attachment(file: File) -> Headers:
    return [disposition("attachment", {"filename": file.name})] if file.name else []


def _content_of(value: object, part: RestPart) -> _Content:
    """The value as its declared media type asks for, or as its own type does."""
    if part.transfer_encoding:
        return _Content(default_type(part.content_types, OCTETS), to_text(value).encode("ascii"))
    is_compound = isinstance(value, dict | list)
    declared = default_type(part.content_types, "application/json" if is_compound else "")
    kind = essence(declared)
    if kind.startswith("multipart/"):
        return _nested(value, part, declared)
    if is_json(kind):
        return _Content(declared, _encoder.encode(value))
    if is_compound:
        raise Unwritable(f"must be text, as it is sent as {kind}")
    return _Content(declared, to_text(value).encode())


def _nested(value: object, part: RestPart, media_type: str) -> _Content:
    boundary, content = assemble(_inner(value, part, is_object=isinstance(value, dict)))
    return _Content(f"{media_type}; boundary={boundary}", content)


def _inner(value: object, part: RestPart, *, is_object: bool) -> Iterator[Part]:
    return parts_of_object(value, part.parts) if is_object else parts_of_array(value, part)
