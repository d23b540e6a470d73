"""Files among the arguments: which schemas stand for bytes, and what a caller gives for them."""

from collections.abc import Iterator, Sequence
from typing import Final

from bascule.catalogue.openapi.context import Context
from bascule.catalogue.openapi.document import Node
from bascule.catalogue.openapi.findings import Unconvertible
from bascule.catalogue.openapi.media import kind_of
from bascule.catalogue.openapi.shapes import JsonObject, as_list, as_object
from bascule.gateway.tool import BodyKind

_DEEPEST: Final = 8
_HOW: Final = "A file: give its content as `text`, or in base64 as `data`."
# A schema with nothing else says nothing of what it describes: bytes (OpenAPI 3.1.1, Encoding
# Object, default of `contentType`).
_SAYS_NOTHING: Final = frozenset(
    {
        "title", "description", "deprecated", "example", "examples", "contentMediaType",
        "maxLength", "minLength", "readOnly", "writeOnly", "$comment", "externalDocs",
    }
)  # fmt: skip
_OF_ARRAYS: Final = frozenset({"minItems", "maxItems", "description", "title", "deprecated"})


def file_schema(
    content_types: Sequence[str] = (), description: str | None = None, *, is_named: bool = True
) -> JsonObject:
    """What a caller gives for a file; `content_types` are those that it may have."""
    properties: JsonObject = {
        "text": {"type": "string", "description": "The content, where it is text."},
        "data": {
            "type": "string",
            "contentEncoding": "base64",
            "description": "The content in base64, where it is not text.",
        },
    }
    if is_named:
        properties["filename"] = {"type": "string", "description": "Its name, without folders."}
    media_type = _media_type_schema(content_types)
    if media_type:
        properties["content_type"] = media_type
    return {
        "type": "object",
        "description": f"{description} {_HOW}" if description else _HOW,
        "properties": properties,
        "additionalProperties": False,
    }


def _media_type_schema(content_types: Sequence[str]) -> JsonObject | None:
    """None where there is nothing to choose."""
    if not content_types:
        return {"type": "string", "description": "Its media type, such as image/png."}
    if all("*" not in one for one in content_types):
        only = len(content_types) == 1
        return None if only else {"type": "string", "enum": list(dict.fromkeys(content_types))}
    listed = ", ".join(content_types)[:200]
    return {"type": "string", "description": f"Its media type, one of {listed}."}


def as_files(schema: Node, content_types: Sequence[str], context: Context) -> Node | None:
    """`schema` with the schema of a file wherever it stands for bytes; None where nowhere.

    Looked for in arrays and alternatives, not within objects.
    """
    return _Rewriting(content_types, context).rewrite(schema, 0)


def properties_of(schema: Node, context: Context) -> dict[str, Node]:
    """The properties of an object, those of its parts and alternatives included."""
    found: dict[str, Node] = {}
    for part in _parts(schema, context, 0):
        properties = part.get("properties")
        for name, node in properties.children() if properties else ():
            found.setdefault(name, node)
    return found


def types_in(schema: Node) -> list[object]:
    """The types that a schema names itself, null aside."""
    stated = schema.members.get("type")
    listed = as_list(stated)
    kinds = listed if listed is not None else [stated]
    return [kind for kind in kinds if kind not in (None, "null")]


def _parts(schema: Node, context: Context, depth: int) -> Iterator[Node]:
    context.budget.spend()
    try:
        node = context.document.follow(schema)
    except Unconvertible:
        return  # said where the schema is translated
    yield node
    if depth >= _DEEPEST:
        return
    for keyword in ("allOf", "anyOf", "oneOf"):
        parts = node.get(keyword)
        for part in parts.items() if parts else ():
            yield from _parts(part, context, depth + 1)


class _Rewriting:
    def __init__(self, content_types: Sequence[str], context: Context) -> None:
        self._types = tuple(content_types)
        self._context = context
        declared = kind_of(self._types[0]) if self._types else None
        self._is_bytes = declared is BodyKind.BYTES

    def rewrite(self, schema: Node, depth: int) -> Node | None:
        self._context.budget.spend()
        try:
            node = self._context.document.follow(schema)
        except Unconvertible:
            return None  # said where the schema is translated
        if self._stands_for_bytes(node):
            return Node(file_schema(self._types, node.text("description")), node.pointer)
        if depth >= _DEEPEST:
            return None
        value = self._array(node, depth) or self._all_of(node, depth) or self._any_of(node, depth)
        return None if value is None else Node(value, node.pointer)

    def _stands_for_bytes(self, node: Node) -> bool:
        if not isinstance(node.value, dict):
            return node.value is True and self._may_say_nothing()
        kinds, members = types_in(node), node.members
        if kinds not in ([], ["string"]) or "contentEncoding" in members:
            return kinds == ["file"]
        if members.get("format") == "binary" or kind_of(_text(members)) is BodyKind.BYTES:
            return True
        if kinds:
            return self._is_bytes
        says_nothing = all(key in _SAYS_NOTHING or key.startswith("x-") for key in members)
        return says_nothing and (self._is_bytes or self._may_say_nothing())

    def _may_say_nothing(self) -> bool:
        # In 3.0 a schema without a type was no way to say bytes.
        return not self._types and not self._context.ignores_ref_siblings

    def _array(self, node: Node, depth: int) -> JsonObject | None:
        items = node.get("items")
        if types_in(node) not in ([], ["array"]) or items is None:
            return None
        inner = self.rewrite(items, depth + 1)
        if inner is None:
            return None
        kept = {key: value for key, value in node.members.items() if key in _OF_ARRAYS}
        return {**kept, "type": "array", "items": inner.value}

    def _all_of(self, node: Node, depth: int) -> JsonObject | None:
        for part in _listed(node, "allOf"):
            inner = self.rewrite(part, depth + 1)
            if inner is not None:
                return inner.members | _described(node)
        return None

    def _any_of(self, node: Node, depth: int) -> JsonObject | None:
        for keyword in ("anyOf", "oneOf"):
            parts = [one for one in _listed(node, keyword) if one.members.get("type") != "null"]
            inners = [self.rewrite(part, depth + 1) for part in parts]
            if not any(inners):
                continue
            if len(inners) == 1:
                return as_object((inners[0] or node).value)
            pairs = zip(inners, parts, strict=True)
            return {"anyOf": [(inner or part).value for inner, part in pairs]} | _described(node)
        return None


def _listed(node: Node, keyword: str) -> list[Node]:
    parts = node.get(keyword)
    return list(parts.items()) if parts else []


def _described(node: Node) -> JsonObject:
    description = node.text("description")
    return {"description": description} if description else {}


def _text(members: JsonObject) -> str:
    stated = members.get("contentMediaType")
    return stated if isinstance(stated, str) else ""
