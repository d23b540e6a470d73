"""What a tool gives back, as far as the document promises it."""

import re
from dataclasses import dataclass
from typing import Final

import msgspec

from bascule.catalogue.openapi.context import Context
from bascule.catalogue.openapi.definitions import Translated
from bascule.catalogue.openapi.document import Node
from bascule.catalogue.openapi.files import types_in
from bascule.catalogue.openapi.findings import Unconvertible
from bascule.catalogue.openapi.flattening import is_object
from bascule.catalogue.openapi.media import choose
from bascule.catalogue.openapi.modernise import annotations_of
from bascule.catalogue.openapi.negotiation import is_sequence
from bascule.catalogue.openapi.operations import Operation
from bascule.catalogue.openapi.schemas import Schemas
from bascule.catalogue.openapi.shapes import JsonObject, as_object
from bascule.gateway.tool import BodyKind

_SUCCESS: Final = re.compile(r"2(\d\d|XX)")


@dataclass(frozen=True, slots=True)
class Output:
    """`schema` describes structured content; `wraps` it as `{"result": BODY}`, or the body."""

    schema: JsonObject | None
    wraps: bool = False


NOTHING: Final = Output(None)


def read_output(operation: Operation, schemas: Schemas, context: Context) -> Output:
    """The output schema, where every answer of success is JSON that the document describes.

    A client may reject a result without structured content once a schema is declared, so an
    answer without a body, of another media type, or that is a file, rules it out. What is surely
    an object is described as it is; anything else under `result`.
    """
    try:
        bodies = _success_bodies(operation, context)
        if not bodies:
            return NOTHING
        wraps = not all(is_object(body, context) for body in bodies)
        translate = schemas.translate if wraps else schemas.translate_inline
        content = _union([translate(body) for body in bodies])
        schema = _assemble(content, wraps=wraps)
        if schema is not None:
            schema = schemas.complete(schema, content, operation.node.pointer)
    except Unconvertible as problem:
        context.remarks.add(problem.pointer, f"No output schema: {problem.reason}")
        return NOTHING
    return Output(schema, wraps=wraps and schema is not None)


def _success_bodies(operation: Operation, context: Context) -> list[Node]:
    """The schemas of the answers of success, each once; empty where one is not JSON."""
    responses = operation.node.get("responses")
    if responses is None or operation.method == "HEAD":
        return []
    found: dict[object, Node] = {}
    missing = False
    for status, reference in sorted(responses.children(), key=lambda one: one[0]):
        if not _SUCCESS.fullmatch(status.upper()):
            continue
        node = context.document.follow(reference)
        content = node.get("content")
        chosen = choose(content, BodyKind.JSON)
        schema = context.document.follow(chosen[2]).get("schema") if chosen else None
        is_told = bool(content) and any(map(is_sequence, content.members))
        if schema is None or is_told or _is_file(schema, context):
            missing = True
            continue
        found.setdefault(msgspec.json.encode(schema.value), schema)
    if missing and found:
        context.remarks.add(
            operation.node.pointer,
            "No output schema: not every answer of success has a JSON body that is described.",
        )
    return [] if missing else list(found.values())


def _is_file(schema: Node, context: Context) -> bool:
    """Is it bytes, whatever the media type says?

    Generators put `format: binary` under `application/json` or `*/*`; no JSON comes from there.
    """
    schema = context.document.follow(schema)
    kinds = types_in(schema)
    is_binary = schema.members.get("format") == "binary" and kinds in ([], ["string"])
    return is_binary or kinds == ["file"]


def _union(parts: list[Translated]) -> Translated:
    if len(parts) == 1:
        return parts[0]
    refs = frozenset[str]().union(*(part.refs for part in parts))
    return Translated({"anyOf": [part.schema for part in parts]}, refs, tame=False)


def _assemble(content: Translated, *, wraps: bool) -> JsonObject | None:
    described = as_object(content.schema)
    if described is None or described == annotations_of(described):
        return None  # a schema that accepts anything promises nothing
    if wraps:
        schema: JsonObject = {
            "type": "object",
            "properties": {"result": described},
            "required": ["result"],
            "additionalProperties": False,
        }
    else:
        schema = {"type": "object", **described}
    return schema
