"""The parameters of an operation: where each travels, and how it is written there."""

import re
from dataclasses import dataclass
from typing import Final

from bascule.catalogue.openapi.context import Context
from bascule.catalogue.openapi.document import Node
from bascule.catalogue.openapi.findings import Unconvertible
from bascule.catalogue.openapi.media import MediaKind, choose
from bascule.catalogue.openapi.operations import Operation
from bascule.gateway.tool import ParameterLocation

_STYLES: Final = {
    ParameterLocation.PATH: ("simple", "label", "matrix"),
    ParameterLocation.QUERY: ("form", "spaceDelimited", "pipeDelimited", "deepObject"),
    ParameterLocation.HEADER: ("simple",),
    ParameterLocation.COOKIE: ("form",),
}
"""The styles of each location, its default first (OpenAPI 3.1.1, Style Values)."""

JSON_STYLE: Final = "json"
"""Not a style of OpenAPI: a parameter described by `content` is one JSON text."""

_TOKEN: Final = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
# OpenAPI 3.1.1, Parameter Object: these "SHALL be ignored".
_DESCRIBED_ELSEWHERE: Final = frozenset({"accept", "content-type", "authorization"})
_SET_BY_GATEWAY: Final = frozenset(
    {
        "baggage", "connection", "content-length", "cookie", "expect", "host", "keep-alive",
        "proxy-authorization", "proxy-connection", "te", "traceparent", "tracestate", "trailer",
        "transfer-encoding", "upgrade", "user-agent", "x-correlation-id", "x-mcp-risk-level",
        "x-mcp-tool-name",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter with its defaults resolved. `node` is where it is described.

    `schema` is None where the document gives none: any text is accepted.
    """

    name: str
    location: ParameterLocation
    style: str
    explode: bool
    required: bool
    schema: Node | None
    node: Node


def list_parameters(operation: Operation, context: Context) -> list[Parameter]:
    """The parameters that a caller can give, those of the path item included.

    Raises:
        Unconvertible: a parameter that is required cannot be translated.
    """
    found: dict[tuple[str, str], Parameter] = {}
    for owner in (operation.item, operation.node):
        declared = owner.get("parameters")
        for node in declared.items() if declared else ():
            parameter = _read(node, operation, context)
            if parameter is not None:
                found[parameter.location, parameter.name] = parameter
    described = {one.name for one in found.values() if one.location is ParameterLocation.PATH}
    for name in operation.variables:
        if name not in described:
            context.remarks.add(
                operation.node.pointer,
                f"The path names {{{name[:80]}}} but no parameter describes it; any text is taken.",
            )
            found["path", name] = _undescribed(name, operation)
    return list(found.values())


def _undescribed(name: str, operation: Operation) -> Parameter:
    nowhere = Node({}, operation.node.pointer)
    return Parameter(
        name, ParameterLocation.PATH, "simple", explode=False, required=True, schema=None,
        node=nowhere,
    )  # fmt: skip


def _read(reference: Node, operation: Operation, context: Context) -> Parameter | None:
    """A usable parameter; None, with a remark, where it is left out."""
    try:
        node = context.document.follow(reference)
    except Unconvertible as problem:
        # Whether it is required cannot be known, so the operation cannot be trusted to work.
        raise Unconvertible(reference.pointer, problem.reason) from None
    objection = _objection(node, operation)
    if objection:
        context.remarks.add(reference.pointer, objection)
        return None
    name = str(node.members["name"])
    location = ParameterLocation(str(node.members["in"]))
    in_path = location is ParameterLocation.PATH
    required = node.flag("required") is True or in_path
    try:
        style, schema = _form(node, location, context)
    except Unconvertible as problem:
        if required:
            raise
        context.remarks.add(problem.pointer, f"Parameter left out: {problem.reason}")
        return None
    explode = node.flag("explode")
    return Parameter(
        name, location, style, style == "form" if explode is None else explode, required, schema,
        node,
    )  # fmt: skip


def _objection(node: Node, operation: Operation) -> str | None:
    name, location = node.members.get("name"), node.members.get("in")
    if not isinstance(name, str) or not name:
        return "Parameter left out: it has no name."
    if location not in list(ParameterLocation):
        return f"Parameter left out: {str(location)[:40]!r} is not a place for a parameter."
    if location == ParameterLocation.PATH and name not in operation.variables:
        return f"Parameter left out: the path has no {{{name[:80]}}}."
    if location == ParameterLocation.HEADER:
        return _header_objection(name)
    if location == ParameterLocation.COOKIE and not _TOKEN.fullmatch(name):
        return f"Parameter left out: {name[:80]!r} is not a cookie name."
    return None


def _header_objection(name: str) -> str | None:
    if name.lower() in _DESCRIBED_ELSEWHERE:
        return f"The header {name} is ignored: OpenAPI describes it elsewhere."
    if name.lower() in _SET_BY_GATEWAY:
        return f"The header {name} is left out: the gateway sets it."
    return None if _TOKEN.fullmatch(name) else f"{name[:80]!r} is not a header name; left out."


def _form(node: Node, location: ParameterLocation, context: Context) -> tuple[str, Node | None]:
    """Style and schema of a parameter."""
    default, *_ = styles = _STYLES[location]
    content = node.get("content")
    if content is not None and content.members:
        chosen = choose(content, MediaKind.JSON, MediaKind.TEXT)
        if chosen is None:
            offers = ", ".join(content.members)[:100]
            raise Unconvertible(content.pointer, f"A value as {offers} is not supported.")
        kind, _, media = chosen
        return JSON_STYLE if kind is MediaKind.JSON else default, media.get("schema")
    schema = node.get("schema")
    if schema is None:
        context.remarks.add(node.pointer, "The parameter has no schema; any text is taken.")
    style = node.members.get("style", default)
    if style not in styles:
        context.remarks.add(
            node.pointer, f"The style {str(style)[:40]!r} is not one for {location}; {default} is."
        )
        style = default
    if node.flag("allowReserved"):
        context.remarks.add(
            node.pointer, "`allowReserved` is ignored: reserved characters are always encoded."
        )
    return str(style), schema
