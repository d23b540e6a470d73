"""The parameters of an operation: where each travels, and how it is written there."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from bascule.catalogue.openapi.context import Context
from bascule.catalogue.openapi.document import Node
from bascule.catalogue.openapi.encodings import read_form_part
from bascule.catalogue.openapi.files import properties_of, types_in
from bascule.catalogue.openapi.findings import Unconvertible
from bascule.catalogue.openapi.media import choose
from bascule.catalogue.openapi.operations import Operation
from bascule.catalogue.openapi.styles import EXPLODED, JSON_STYLE, STYLES, TEXT_STYLE, is_token
from bascule.gateway.tool import BodyKind, ParameterLocation, RestPart

# OpenAPI 3.1.1, Parameter Object: these "SHALL be ignored".
_DESCRIBED_ELSEWHERE: Final = frozenset({"accept", "content-type", "authorization"})
_NARROWS: Final = frozenset({"enum", "const", "minLength", "pattern", "$ref", "allOf", "oneOf"})
_QUERY: Final = "query"
"""What the argument for a whole query string is called where the document gives no name."""

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
    allow_reserved: bool = False
    allow_empty: bool = False
    parts: Mapping[str, RestPart] | None = None


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
    _settle_query(found, operation, context)
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
    location = ParameterLocation(str(node.members["in"]))
    in_path = location is ParameterLocation.PATH
    required = node.flag("required") is True or in_path
    try:
        form = _form(node, location, context)
    except Unconvertible as problem:
        if required:
            raise
        context.remarks.add(problem.pointer, f"Parameter left out: {problem.reason}")
        return None
    explode = node.flag("explode")
    allow_empty = node.flag("allowEmptyValue") is True and location is ParameterLocation.QUERY
    return Parameter(
        str(node.members.get("name") or _QUERY),
        location,
        form.style,
        form.style in EXPLODED if explode is None else explode,
        required,
        _with_nothing(form.schema, context) if allow_empty else form.schema,
        node,
        allow_reserved=node.flag("allowReserved") is True and not form.is_content,
        allow_empty=allow_empty,
        parts=form.parts,
    )


def _with_nothing(schema: Node | None, context: Context) -> Node | None:
    """`schema`, or an empty text where it would not let one through (`allowEmptyValue`)."""
    if schema is None:
        return None
    found = context.document.follow(schema)
    kinds = types_in(found)
    is_open = kinds in ([], ["string"]) and _NARROWS.isdisjoint(found.members)
    if is_open or kinds in (["array"], ["object"]):
        return schema
    return Node({"anyOf": [schema.value, {"const": ""}]}, schema.pointer)


def _settle_query(
    found: dict[tuple[str, str], Parameter], operation: Operation, context: Context
) -> None:
    """A whole query string goes with no parts of one, and there is only one (OpenAPI 3.2)."""
    whole = [key for key, one in found.items() if one.location is ParameterLocation.QUERYSTRING]
    has_parts = any(one.location is ParameterLocation.QUERY for one in found.values())
    for key in whole if has_parts else whole[1:]:
        surplus = found.pop(key)
        reason = "The whole query string cannot be given beside other parameters of the query."
        if surplus.required:
            raise Unconvertible(surplus.node.pointer, reason)
        context.remarks.add(surplus.node.pointer, f"Parameter left out: {reason}")


def _objection(node: Node, operation: Operation) -> str | None:
    name, location = node.members.get("name"), node.members.get("in")
    is_whole_query = location == ParameterLocation.QUERYSTRING
    if not is_whole_query and (not isinstance(name, str) or not name):
        return "Parameter left out: it has no name."
    if location not in list(ParameterLocation):
        return f"Parameter left out: {str(location)[:40]!r} is not a place for a parameter."
    name = str(name)
    if location == ParameterLocation.PATH and name not in operation.variables:
        return f"Parameter left out: the path has no {{{name[:80]}}}."
    if location == ParameterLocation.HEADER:
        return _header_objection(name)
    if location == ParameterLocation.COOKIE and not is_token(name):
        return f"Parameter left out: {name[:80]!r} is not a cookie name."
    return None


def _header_objection(name: str) -> str | None:
    if name.lower() in _DESCRIBED_ELSEWHERE:
        return f"The header {name} is ignored: OpenAPI describes it elsewhere."
    if name.lower() in _SET_BY_GATEWAY:
        return f"The header {name} is left out: the gateway sets it."
    return None if is_token(name) else f"{name[:80]!r} is not a header name; left out."


class _Form(NamedTuple):
    """How a value is written, and what it may be."""

    style: str
    schema: Node | None
    parts: Mapping[str, RestPart] | None = None
    is_content: bool = True


def _form(node: Node, location: ParameterLocation, context: Context) -> _Form:
    content = node.get("content")
    if content is not None and content.members:
        return _content_form(content, location, context)
    if location is ParameterLocation.QUERYSTRING:
        raise Unconvertible(node.pointer, "A whole query string must be described by `content`.")
    schema = node.get("schema")
    if schema is None:
        context.remarks.add(node.pointer, "The parameter has no schema; any text is taken.")
    default, *_ = styles = STYLES[location]
    style = node.members.get("style", default)
    if style not in styles:
        context.remarks.add(
            node.pointer, f"The style {str(style)[:40]!r} is not one for {location}; {default} is."
        )
        style = default
    return _Form(str(style), schema, is_content=False)


def _content_form(content: Node, location: ParameterLocation, context: Context) -> _Form:
    """A value of one media type: JSON, text, and for a whole query string a form as well."""
    kinds = [BodyKind.JSON, BodyKind.TEXT]
    if location is ParameterLocation.QUERYSTRING:
        kinds.insert(0, BodyKind.FORM)
    chosen = choose(content, *kinds, BodyKind.BYTES)
    if chosen is None:
        offers = ", ".join(content.members)[:100]
        raise Unconvertible(content.pointer, f"A value as {offers} is not supported.")
    kind, media_type, reference = chosen
    media = context.document.follow(reference)
    schema = media.get("schema")
    if kind is BodyKind.JSON:
        return _Form(JSON_STYLE, schema)
    if kind is BodyKind.FORM:
        return _Form("form", schema, _parts(media, context))
    found = context.document.follow(schema) if schema else None
    if found is not None and types_in(found) == ["string"]:
        return _Form(TEXT_STYLE, schema)
    if kind is BodyKind.BYTES:
        raise Unconvertible(content.pointer, f"A value as {media_type[:100]} is not supported.")
    said = (
        {key: found.members[key] for key in ("title", "description") if key in found.members}
        if found
        else {}
    )
    return _Form(TEXT_STYLE, Node({**said, "type": "string"}, media.pointer))


def _parts(media: Node, context: Context) -> Mapping[str, RestPart]:
    schema, encodings = media.get("schema"), media.get("encoding")
    named = properties_of(schema, context) if schema else {}
    parts = {
        name: read_form_part(encodings.get(name) if encodings else None, context) for name in named
    }
    return {name: part for name, part in parts.items() if part != RestPart()}
