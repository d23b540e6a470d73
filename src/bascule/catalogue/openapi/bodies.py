"""The request body of an operation."""

from dataclasses import dataclass

from bascule.catalogue.openapi.context import Context
from bascule.catalogue.openapi.document import Node
from bascule.catalogue.openapi.findings import Unconvertible
from bascule.catalogue.openapi.flattening import Property, flatten
from bascule.catalogue.openapi.media import MediaKind, choose
from bascule.catalogue.openapi.operations import Operation


@dataclass(frozen=True, slots=True)
class Body:
    """A body that can be built from arguments.

    `properties` are its arguments; None means that the whole body is one argument. `media` is
    the Media Type Object, where examples are.
    """

    kind: MediaKind
    media_type: str
    required: bool
    description: str | None
    media: Node
    schema: Node | None
    properties: list[Property] | None


def read_body(operation: Operation, context: Context) -> Body | None:
    """The body of `operation`; None where it has none.

    Raises:
        Unconvertible: the body is required and no way to send it is supported.
    """
    declared = operation.node.get("requestBody")
    if declared is None:
        return None
    node = context.document.follow(declared)
    if operation.method in ("GET", "HEAD"):
        context.remarks.add(
            declared.pointer, f"The body is left out: on {operation.method} it has no meaning."
        )
        return None
    content = node.get("content")
    required = node.flag("required") is True
    chosen = choose(content, MediaKind.JSON, MediaKind.FORM, MediaKind.TEXT)
    if chosen is None:
        return _unsupported(content or node, context, required=required)
    kind, media_type, media = chosen
    schema = media.get("schema")
    properties = flatten(schema, context) if schema and kind is not MediaKind.TEXT else None
    if kind is MediaKind.FORM and properties is None:
        return _unsupported(media, context, required=required)
    return Body(kind, media_type, required, node.text("description"), media, schema, properties)


def _unsupported(content: Node, context: Context, *, required: bool) -> None:
    offers = ", ".join(content.members)[:200] or "nothing"
    reason = f"Only JSON, plain form and text bodies are supported, not {offers}."
    if required:
        raise Unconvertible(content.pointer, reason)
    context.remarks.add(content.pointer, f"The optional body is left out. {reason}")
