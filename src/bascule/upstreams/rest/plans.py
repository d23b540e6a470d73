"""Operations compiled into plans: everything that does not depend on arguments is done once."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple
from urllib.parse import parse_qsl, quote, unquote

from bascule.gateway.errors import InvalidArgument
from bascule.gateway.tool import ParameterLocation, RestParameter, RestSource
from bascule.upstreams.http1 import Origin
from bascule.upstreams.rest.bodies import plan_body
from bascule.upstreams.rest.clashes import Names, names_taken
from bascule.upstreams.rest.escapes import climbs, is_dots, is_token
from bascule.upstreams.rest.failures import invalid, unusable
from bascule.upstreams.rest.styles import Writer, writer_for
from bascule.upstreams.rest.values import UNWRITABLE, Unwritable, blame
from bascule.upstreams.rest.written import Arguments, BodyWriter, Written

_VARIABLE: Final = re.compile(r"\{([^{}/]+)\}")
_PATH_SAFE: Final = "/%:@!$&'()*+,;=~-._"
# What an API description may write behind a path (RFC 3986 section 3.4), escapes included.
_QUERY_SAFE: Final = "!$&'()*+,;=:@/?%"
_NOT_SENT: Final = frozenset({"CONNECT", "TRACE"})
_LONGEST_METHOD: Final = 40
# How a message is delimited and where it goes is for the client alone to say.
_FRAMING: Final = frozenset(
    {
        "connection", "content-length", "content-type", "cookie", "expect", "host", "keep-alive",
        "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade",
    }
)  # fmt: skip


class RequestParts(NamedTuple):
    """What a call adds up to. `target` is path and query, encoded; header names as declared."""

    target: str
    headers: list[tuple[str, str]]
    body: bytes


@dataclass(frozen=True, slots=True)
class _Field:
    """One argument and its writer. `name` is that of a header, unused elsewhere.

    `empty` is what null is, where it can be sent.
    """

    argument: str
    name: str
    write: Writer
    required: bool
    empty: str | None = None

    def text(self, arguments: Arguments) -> str | None:
        """The text on the wire; None where the argument is not given or has nothing in it."""
        value = arguments.get(self.argument)
        if value is None:
            if self.empty is not None and self.argument in arguments:
                return self.empty
            if self.required:
                raise Unwritable("is required")
            return None
        return self.write(value)


@dataclass(frozen=True, slots=True)
class _Segment:
    """A path segment with variables: fixed text and fields, in turn."""

    parts: tuple[str | _Field, ...]
    first: str

    def text(self, arguments: Arguments) -> str:
        """The segment, with a slash before it, never empty and never a dot segment."""
        text = ""
        for part in self.parts:
            if isinstance(part, str):
                text += part
                continue
            try:
                written = part.text(arguments)
            except UNWRITABLE as error:
                raise _invalid(error, part.argument) from None
            if not written:
                raise invalid(part.argument, "must not be empty, as it is part of the path")
            text += written
        if "." in text and climbs(unquote(text)):
            raise invalid(self.first, "must not make the path segment '.' or '..'")
        return "/" + text


class OperationPlan:
    """An operation of one upstream, ready to be filled with arguments. Immutable."""

    __slots__ = ("_body", "_cookies", "_fixed", "_fixed_query", "_headers", "_query", "_segments",
                 "method", "origin")  # fmt: skip

    def __init__(self, source: RestSource, base_url: str) -> None:
        """See `compile_operation`."""
        self.method = _checked_method(source.method)
        self.origin, base_path = _origin(base_url)
        template, mark, fixed_query = source.path.partition("?")
        fields = _fields(source.parameters, fixed_query)
        path = fields[ParameterLocation.PATH]
        self._fixed, self._segments = _path(base_path, template, path)
        self._fixed_query = mark + quote(fixed_query, safe=_QUERY_SAFE)
        self._query = fields[ParameterLocation.QUERY] + fields[ParameterLocation.QUERYSTRING]
        self._headers = fields[ParameterLocation.HEADER]
        self._cookies = fields[ParameterLocation.COOKIE]
        self._body: BodyWriter | None = plan_body(source.body) if source.body else None

    def build(self, arguments: Arguments) -> RequestParts:
        """Put `arguments` in their places.

        Raises:
            InvalidArgument: an argument is missing or cannot be sent; `details` names it.
        """
        target = self._fixed
        for segment in self._segments:
            target += segment if isinstance(segment, str) else segment.text(arguments)
        target += self._fixed_query
        query = _texts(self._query, arguments) if self._query else None
        if query:
            mark = "&" if self._fixed_query else "?"
            target = f"{target}{mark}{'&'.join(query)}"
        headers = _headers(self._headers, arguments) if self._headers else []
        cookies = _texts(self._cookies, arguments) if self._cookies else None
        if cookies:
            headers.append(("cookie", "; ".join(cookies)))
        written = _write_body(self._body, arguments) if self._body else None
        if written is None:
            return RequestParts(target, headers, b"")
        content_type, body = written
        headers.append(("content-type", content_type))
        return RequestParts(target, headers, body)


def compile_operation(source: RestSource, base_url: str) -> OperationPlan:
    """Compile `source` for the upstream at `base_url`; once per snapshot, not per call.

    Raises:
        UnusableOperation: a variable of the path without parameter, an unknown style, a header
            that cannot be chosen, or a base URL that is none.
        UnsupportedMedia: the body is of a type that is not built here.
    """
    return OperationPlan(source, base_url)


def _write_body(write: BodyWriter, arguments: Arguments) -> Written | None:
    try:
        return write(arguments)
    except UNWRITABLE as error:
        raise _invalid(error, "body") from None


def _invalid(error: Exception, argument: str) -> InvalidArgument:
    blamed = blame(error, argument)
    return invalid(blamed.argument, str(blamed))


def _texts(fields: Sequence[_Field], arguments: Arguments) -> list[str]:
    texts: list[str] = []
    for field in fields:
        try:
            text = field.text(arguments)
        except UNWRITABLE as error:
            raise _invalid(error, field.argument) from None
        if text is not None:
            texts.append(text)
    return texts


def _headers(fields: Sequence[_Field], arguments: Arguments) -> list[tuple[str, str]]:
    return [(field.name, text) for field in fields for text in _texts((field,), arguments)]


def _dots_decoded(segment: str) -> str:
    # Encoded by the author of the document, a dot is still a dot (RFC 3986 section 6.2.2.2).
    return segment.lower().replace("%2e", ".") if "%2" in segment else segment


def _checked_method(method: str) -> str:
    is_known = is_token(method) and len(method) <= _LONGEST_METHOD
    if not is_known or method.upper() in _NOT_SENT:
        raise unusable(f"{method[:40]!r} is not a method that is sent")
    return method


def _origin(base_url: str) -> tuple[Origin, str]:
    try:
        return Origin.parse(base_url)
    except ValueError as error:
        raise unusable(f"base URL: {error}") from None


def _fields(
    parameters: Sequence[RestParameter], fixed_query: str
) -> dict[ParameterLocation, list[_Field]]:
    fields: dict[ParameterLocation, list[_Field]] = {place: [] for place in ParameterLocation}
    for parameter in parameters:
        _check_name(parameter)
        try:
            write = writer_for(parameter, _taken(parameter, parameters, fixed_query))
        except LookupError:
            raise unusable(
                f"{parameter.name!r}: no style {parameter.style!r} in the {parameter.location}"
            ) from None
        required = parameter.required or parameter.location is ParameterLocation.PATH
        fields[parameter.location].append(
            _Field(parameter.argument, parameter.name, write, required, _empty(parameter))
        )
    return fields


def _taken(
    parameter: RestParameter, parameters: Sequence[RestParameter], fixed_query: str
) -> Names:
    """The names of what else goes to the place of `parameter`."""
    place, own = parameter.location, parameter.name
    if place is ParameterLocation.QUERYSTRING:
        place, own = ParameterLocation.QUERY, ""  # it is there, but under no name of its own
    names = [one.name for one in parameters if one.location is place]
    if fixed_query and place is ParameterLocation.QUERY:
        names += [name for name, _ in parse_qsl(fixed_query, keep_blank_values=True)]
    return names_taken(names, own)


def _empty(parameter: RestParameter) -> str | None:
    """What null is sent as, where OpenAPI lets a parameter be empty (`allowEmptyValue`)."""
    if not parameter.allow_empty or parameter.location is not ParameterLocation.QUERY:
        return None
    return writer_for(replace(parameter, style="form"))("")


def _check_name(parameter: RestParameter) -> None:
    if parameter.location not in (ParameterLocation.HEADER, ParameterLocation.COOKIE):
        return
    if not is_token(parameter.name):
        raise unusable(f"{parameter.name[:80]!r} is not the name of a {parameter.location}")
    if parameter.location is ParameterLocation.HEADER and parameter.name.lower() in _FRAMING:
        raise unusable(f"the header {parameter.name!r} cannot be an argument")


def _path(
    base_path: str, path: str, fields: Sequence[_Field]
) -> tuple[str, tuple[str | _Segment, ...]]:
    """The fixed beginning of the path, and what follows it."""
    by_name = {field.name: field for field in fields}
    if not path.startswith("/"):
        raise unusable(f"the path {path[:80]!r} does not begin with a slash")
    segments: list[str | _Segment] = []
    for raw in path[1:].split("/"):
        segment = _segment(raw, by_name)
        if isinstance(segment, str) and segments and isinstance(segments[-1], str):
            segments[-1] += segment
        else:
            segments.append(segment)
    first = segments.pop(0) if isinstance(segments[0], str) else ""
    return base_path + str(first), tuple(segments)


def _segment(raw: str, fields: Mapping[str, _Field]) -> str | _Segment:
    pieces = _VARIABLE.split(raw)  # fixed text and variable names in turn
    parts: list[str | _Field] = []
    for index, piece in enumerate(pieces):
        if index % 2:
            if piece not in fields:
                raise unusable(f"no parameter fills {{{piece[:80]}}} of the path")
            parts.append(fields[piece])
        elif piece:
            parts.append(quote(piece, safe=_PATH_SAFE))
    names = [part.argument for part in parts if not isinstance(part, str)]
    if names:
        return _Segment(tuple(parts), names[0])
    text = "".join(str(part) for part in parts)
    if is_dots(_dots_decoded(text)):
        raise unusable("the path holds a dot segment")
    return "/" + text
