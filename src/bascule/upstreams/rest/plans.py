"""Operations compiled into plans: everything that does not depend on arguments is done once."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple
from urllib.parse import quote, unquote

from bascule.gateway.tool import ParameterLocation, RestParameter, RestSource
from bascule.upstreams.http1 import Origin
from bascule.upstreams.rest.bodies import BodyPlan, plan_body
from bascule.upstreams.rest.failures import invalid, unusable
from bascule.upstreams.rest.styles import Writer, writer_for
from bascule.upstreams.rest.values import Unwritable, is_dots

Arguments = Mapping[str, object]

_VARIABLE: Final = re.compile(r"\{([^{}/]+)\}")
_PATH_SAFE: Final = "/%:@!$&'()*+,;=~-._"
_TOKEN: Final = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_METHODS: Final = frozenset({"GET", "PUT", "POST", "DELETE", "OPTIONS", "HEAD", "PATCH"})
# How a message is delimited and where it goes is for the client alone to say.
_FRAMING: Final = frozenset(
    {
        "connection", "content-length", "content-type", "cookie", "expect", "host", "keep-alive",
        "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade",
    }
)  # fmt: skip

_SEPARATORS: Final = re.compile(r"[/\\]")


class RequestParts(NamedTuple):
    """What a call adds up to. `target` is path and query, encoded; header names as declared."""

    target: str
    headers: list[tuple[str, str]]
    body: bytes


@dataclass(frozen=True, slots=True)
class _Field:
    """One argument and its writer. `name` is that of a header, unused elsewhere."""

    argument: str
    name: str
    write: Writer
    required: bool

    def text(self, arguments: Arguments) -> str:
        """The text on the wire; "" where the argument is not given or has nothing in it."""
        value = arguments.get(self.argument)
        if value is None:
            if self.required:
                raise Unwritable("is required")
            return ""
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
            except (ValueError, OverflowError, RecursionError) as error:
                raise invalid(part.argument, _reason(error)) from None
            if not written:
                raise invalid(part.argument, "must not be empty, as it is part of the path")
            text += written
        if "." in text and _has_dots(text):
            raise invalid(self.first, "must not make the path segment '.' or '..'")
        return "/" + text


class OperationPlan:
    """An operation of one upstream, ready to be filled with arguments. Immutable."""

    __slots__ = ("_body", "_cookies", "_fixed", "_headers", "_query", "_segments", "method",
                 "origin")  # fmt: skip

    def __init__(self, source: RestSource, base_url: str) -> None:
        """See `compile_operation`."""
        self.method = _checked_method(source.method)
        self.origin, base_path = _origin(base_url)
        fields = _fields(source.parameters)
        path = fields[ParameterLocation.PATH]
        self._fixed, self._segments = _path(base_path, source.path, path)
        self._query = fields[ParameterLocation.QUERY]
        self._headers = fields[ParameterLocation.HEADER]
        self._cookies = fields[ParameterLocation.COOKIE]
        self._body: BodyPlan | None = plan_body(source.body) if source.body else None

    def build(self, arguments: Arguments) -> RequestParts:
        """Put `arguments` in their places.

        Raises:
            InvalidValue: an argument is missing or cannot be sent; `details` names it.
        """
        target = self._fixed
        for segment in self._segments:
            target += segment if isinstance(segment, str) else segment.text(arguments)
        query = _texts(self._query, arguments)
        if query:
            target = f"{target}?{'&'.join(text for _, text in query)}"
        headers = _texts(self._headers, arguments)
        cookies = _texts(self._cookies, arguments)
        if cookies:
            headers.append(("cookie", "; ".join(text for _, text in cookies)))
        body = self._write_body(self._body, arguments) if self._body else None
        if body is None or self._body is None:
            return RequestParts(target, headers, b"")
        headers.append(("content-type", self._body.content_type))
        return RequestParts(target, headers, body)

    @staticmethod
    def _write_body(plan: BodyPlan, arguments: Arguments) -> bytes | None:
        try:
            return plan.write(arguments)
        except (ValueError, OverflowError, RecursionError) as error:
            raise invalid("body", _reason(error)) from None


def compile_operation(source: RestSource, base_url: str) -> OperationPlan:
    """Compile `source` for the upstream at `base_url`; once per snapshot, not per call.

    Raises:
        UnusableOperation: a variable of the path without parameter, an unknown style, a header
            that cannot be chosen, or a base URL that is none.
        UnsupportedMedia: the body is of a type that is not built here.
    """
    return OperationPlan(source, base_url)


def _texts(fields: Sequence[_Field], arguments: Arguments) -> list[tuple[str, str]]:
    texts: list[tuple[str, str]] = []
    for field in fields:
        try:
            text = field.text(arguments)
        except (ValueError, OverflowError, RecursionError) as error:
            raise invalid(field.argument, _reason(error)) from None
        if text:
            texts.append((field.name, text))
    return texts


def _has_dots(segment: str) -> bool:
    """Whether a server that decodes before it splits the path would find a dot segment."""
    return any(is_dots(part) for part in _SEPARATORS.split(unquote(segment)))


def _dots_decoded(segment: str) -> str:
    # Encoded by the author of the document, a dot is still a dot (RFC 3986 section 6.2.2.2).
    return segment.lower().replace("%2e", ".") if "%2" in segment else segment


def _reason(error: Exception) -> str:
    if isinstance(error, Unwritable):
        return str(error)
    if isinstance(error, UnicodeError):
        return "holds half of a surrogate pair, which is not a character"
    if isinstance(error, RecursionError):
        return "is nested too deeply"
    return "holds a number that cannot be sent"


def _checked_method(method: str) -> str:
    if method not in _METHODS:
        raise unusable(f"{method[:40]!r} is not a method that is sent")
    return method


def _origin(base_url: str) -> tuple[Origin, str]:
    try:
        return Origin.parse(base_url)
    except ValueError as error:
        raise unusable(f"base URL: {error}") from None


def _fields(parameters: Sequence[RestParameter]) -> dict[ParameterLocation, list[_Field]]:
    fields: dict[ParameterLocation, list[_Field]] = {place: [] for place in ParameterLocation}
    for parameter in parameters:
        _check_name(parameter)
        try:
            write = writer_for(parameter)
        except LookupError:
            raise unusable(
                f"{parameter.name!r}: no style {parameter.style!r} in the {parameter.location}"
            ) from None
        required = parameter.required or parameter.location is ParameterLocation.PATH
        fields[parameter.location].append(
            _Field(parameter.argument, parameter.name, write, required)
        )
    return fields


def _check_name(parameter: RestParameter) -> None:
    if parameter.location not in (ParameterLocation.HEADER, ParameterLocation.COOKIE):
        return
    if not _TOKEN.fullmatch(parameter.name):
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
