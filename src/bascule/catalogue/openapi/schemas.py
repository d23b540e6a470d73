"""OpenAPI schemas as JSON Schema 2020-12: self-contained, and such that they compile."""

from collections.abc import Iterable
from typing import Final

from bascule.catalogue.openapi import keywords
from bascule.catalogue.openapi.context import Context
from bascule.catalogue.openapi.definitions import Definitions, Schema, Translated
from bascule.catalogue.openapi.document import Node
from bascule.catalogue.openapi.modernise import annotations_of, modernise
from bascule.catalogue.openapi.shapes import JsonObject, as_list
from bascule.catalogue.openapi.visibility import Direction, hidden_properties

_NOTHING: Final[frozenset[str]] = frozenset()
_HAS_PROPERTIES: Final = frozenset({"properties", "required", "allOf"})


class Schemas:
    """Translates the schemas of one document for one direction.

    Only keywords of JSON Schema with usable values are kept. In the result every reference
    reads `#/$defs/NAME`; `definitions` gives what it then needs.
    """

    def __init__(self, direction: Direction, context: Context) -> None:
        self.direction = direction
        self._context = context
        self._definitions = Definitions(self.translate, context.budget)

    def translate(self, schema: Node) -> Translated:
        """Translate the schema at a node.

        Raises:
            Unconvertible: a reference in it leads nowhere or out of the document.
        """
        refs: set[str] = set()
        return Translated(self._translate(schema, refs), frozenset(refs))

    def translate_inline(self, schema: Node) -> Translated:
        """Like `translate`, but a reference at the top is replaced by what it names."""
        if "$ref" not in schema.members:
            return self.translate(schema)
        return self._definitions.get(self._definitions.name(self._context.document.follow(schema)))

    def definitions(self, refs: Iterable[str]) -> JsonObject:
        """The `$defs` of a schema with these `refs`.

        Raises:
            Unconvertible: one of them cannot be translated, or together they are too large.
        """
        return self._definitions.closure(refs)

    def _translate(self, node: Node, refs: set[str], hidden: frozenset[str] = _NOTHING) -> Schema:
        self._context.budget.spend()
        if isinstance(node.value, bool):
            return node.value
        if not isinstance(node.value, dict):
            self._remark(node, "Not a schema, so anything is accepted here.")
            return {}
        schema = modernise(node.members)
        result: JsonObject = {}
        if "$ref" in schema:
            name = self._definitions.name(self._context.document.find(schema["$ref"], node.pointer))
            refs.add(name)
            result["$ref"] = f"#/$defs/{name}"
            if self._context.ignores_ref_siblings:
                schema = annotations_of(schema)
        if not _HAS_PROPERTIES.isdisjoint(schema):
            hidden |= hidden_properties(node, self.direction, self._context)
        for keyword, part in Node(schema, node.pointer).children():
            kept = self._keyword(keyword, part, refs, hidden)
            if kept is not None:
                result[keyword] = kept[0]
        return result

    def _keyword(
        self, keyword: str, node: Node, refs: set[str], hidden: frozenset[str]
    ) -> tuple[object] | None:
        """What becomes of one keyword, as a tuple of one; None where it is left out."""
        kept: object = None
        if keyword in keywords.PLAIN:
            return self._plain(keyword, node, hidden)
        if keyword in keywords.SCHEMA:
            # A list of schemas was how tuples were described before 2020-12.
            if isinstance(node.value, bool | dict):
                kept = self._translate(node, refs)
        elif keyword in keywords.SCHEMA_LIST:
            inherited = hidden if keyword == "allOf" else _NOTHING
            kept = [self._translate(part, refs, inherited) for part in node.items()] or None
        elif keyword in keywords.SCHEMA_MAP:
            kept = self._schema_map(keyword, node, refs, hidden)
        else:
            return None
        return (kept,) if kept is not None else self._ignore(keyword, node)

    def _plain(self, keyword: str, node: Node, hidden: frozenset[str]) -> tuple[object] | None:
        if not keywords.PLAIN[keyword](node.value):
            return self._ignore(keyword, node)
        if keyword == "required":
            return ([name for name in as_list(node.value) or () if name not in hidden],)
        if keyword == "pattern" and not self._is_linear(str(node.value), node):
            return None
        return (node.value,)

    def _schema_map(
        self, keyword: str, node: Node, refs: set[str], hidden: frozenset[str]
    ) -> JsonObject | None:
        if not isinstance(node.value, dict):
            return None
        members = node.children()
        if keyword == "properties":
            members = (one for one in members if one[0] not in hidden)
        elif keyword == "patternProperties":
            members = (one for one in members if self._is_linear(*one))
        return {name: self._translate(part, refs) for name, part in members}

    def _is_linear(self, pattern: str, node: Node) -> bool:
        verdict = self._context.patterns.run_in_linear_time(pattern)
        if not verdict:
            self._remark(
                node,
                f"The pattern {pattern[:100]!r} is not checked: look-around, back-references "
                "and the like cannot be matched in bounded time.",
            )
        return verdict

    def _ignore(self, keyword: str, node: Node) -> None:
        self._remark(node, f"`{keyword}` has an unusable value and is ignored.")

    def _remark(self, node: Node, message: str) -> None:
        self._context.remarks.add(node.pointer, message)
