"""The responses of a Swagger 2.0 operation: a schema for each media type it produces."""

from typing import Final

from bascule.catalogue.openapi.document import Node
from bascule.catalogue.openapi.pointers import Pointer, to_fragment
from bascule.catalogue.openapi.shapes import JsonObject
from bascule.catalogue.openapi.swagger2.shared import Shared, unresolved

_PLACE: Final = ("components", "responses")
_ANYTHING: Final = "*/*"
_BINARY: Final = "application/octet-stream"


def upgrade_responses(
    responses: Node, produces: tuple[str, ...], place: Pointer, shared: Shared
) -> JsonObject:
    """The Responses Object at `place`; what it refers to goes into `shared.responses`."""
    upgraded: JsonObject = {}
    for status, reference in responses.children():
        if status.startswith("x-"):
            continue
        # Whoever reads the response looks at each of its media types.
        shared.context.budget.spend(1 + len(produces))
        node = shared.follow(reference)
        if node is None:
            upgraded[status] = unresolved(reference)
        elif node is not reference:
            upgraded[status] = _component(node, produces, shared)
        else:
            upgraded[status] = _response(node, produces, (*place, status), shared)
    return upgraded


def _component(node: Node, produces: tuple[str, ...], shared: Shared) -> JsonObject:
    """A reference to a shared response, which is another one for other media types."""
    key = (node.pointer, produces)
    name = shared.response_names.get(key)
    if name is None:
        name = shared.response_names[key] = str(len(shared.response_names))
        shared.responses[name] = _response(node, produces, (*_PLACE, name), shared)
    return {"$ref": to_fragment((*_PLACE, name))}


def _response(node: Node, produces: tuple[str, ...], place: Pointer, shared: Shared) -> JsonObject:
    shared.note(place, node)
    kept = ("description", "headers")
    upgraded = {key: node.members[key] for key in kept if key in node.members}
    schema = node.get("schema")
    examples = node.get("examples")
    if schema is None and examples is None:
        return upgraded
    is_file = schema is not None and schema.members.get("type") == "file"
    offered = produces or ((_BINARY,) if is_file else _named(examples) or (_ANYTHING,))
    media: JsonObject = {}
    if schema is not None:
        media["schema"] = shared.schemas.upgrade(schema, (*place, "schema"))
    content: JsonObject = {}
    for media_type in offered:
        at = (*place, "content", media_type)
        example = examples.get(media_type) if examples else None
        shared.note(at, example or node)
        if schema is not None:
            shared.note((*at, "schema"), schema)
        content[media_type] = {**media, "example": example.value} if example else media
    return {**upgraded, "content": content}


def _named(examples: Node | None) -> tuple[str, ...]:
    """Media types that examples are given for."""
    return tuple(name for name in examples.members if "/" in name) if examples else ()
