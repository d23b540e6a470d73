"""OpenAPI schemas as JSON Schema 2020-12: self-contained, and such that they compile."""

from dataclasses import dataclass, field
from typing import Final

from bascule.catalogue.openapi import keywords
from bascule.catalogue.openapi.composition import Part, compose
from bascule.catalogue.openapi.context import Context
from bascule.catalogue.openapi.definitions import Definitions, Schema, Translated
from bascule.catalogue.openapi.document import Node
from bascule.catalogue.openapi.findings import Unconvertible
from bascule.catalogue.openapi.fitness import drop_misfits
from bascule.catalogue.openapi.fitting import Fit, Fitted, fit
from bascule.catalogue.openapi.modernise import annotations_of, modernise
from bascule.catalogue.openapi.pointers import Pointer
from bascule.catalogue.openapi.shapes import JsonObject, as_list, as_object
from bascule.catalogue.openapi.stubs import encode
from bascule.catalogue.openapi.tameness import MOST_LEVELS, is_tame, is_tame_throughout
from bascule.catalogue.openapi.unions import branch_marks
from bascule.catalogue.openapi.visibility import Direction, hidden_properties, optional_names
from bascule.catalogue.openapi.wording import spoken

_NOTHING: Final[frozenset[str]] = frozenset()
_HAS_PROPERTIES: Final = frozenset({"properties", "required", "allOf"})
_MERE_REFERENCE: Final = frozenset({"$ref", "title", "description", "deprecated"})
_UNIONS: Final = ("anyOf", "oneOf")


@dataclass(slots=True)
class _Gathered:
    """What is learnt of a schema on the way through it."""

    refs: set[str] = field(default_factory=set[str])
    tame: bool = True

    def add(self, translated: Translated) -> None:
        self.refs |= translated.refs
        self.tame = self.tame and translated.tame


class Schemas:
    """Translates the schemas of one document for one direction.

    Only keywords of JSON Schema with usable values are kept. In the result every reference
    reads `#/$defs/NAME`; `definitions` holds what it then needs.
    """

    def __init__(self, direction: Direction, context: Context) -> None:
        self.direction = direction
        self.definitions = Definitions(self.translate, context.budget)
        self._context = context
        self._depth = 0
        self._shortened: dict[bytes, Fitted] = {}

    def translate(self, schema: Node) -> Translated:
        """Translate the schema at a node. A reference that leads nowhere accepts anything."""
        return self._translated(schema, _NOTHING)

    def translate_inline(self, schema: Node) -> Translated:
        """Like `translate`, but a reference at the top is replaced by what it names."""
        if "$ref" not in schema.members:
            return self.translate(schema)
        try:
            target = self._context.document.follow(schema)
        except Unconvertible:
            return self.translate(schema)  # which says so
        return self.definitions.get(self.definitions.name(target))

    def complete(self, schema: JsonObject, parts: Translated, at: Pointer) -> JsonObject:
        """`schema` with the definitions that `parts`, which it was made of, refer to.

        Shortened, with a remark on the place `at`, where it is too large or does not compile.
        """
        limits = self._context.limits
        is_input = self.direction is Direction.INPUT
        limit_bytes = limits.input_bytes if is_input else limits.output_bytes
        text = encode(schema)
        fitted = self._shortened.get(text)
        if fitted is None:
            top = Translated(schema, parts.refs, parts.tame)
            fitted = fit(top, self.definitions, limit_bytes, self._context.budget)
        if fitted.fit is not Fit.WHOLE:
            self._shortened[text] = fitted  # many tools answer with the same
            kind = "input" if is_input else "output"
            self._context.remarks.add(
                at, f"The {kind} schema {fitted.fit.value}, for {fitted.cause}."
            )
        return fitted.schema

    def _translated(self, node: Node, hidden: frozenset[str]) -> Translated:
        gathered = _Gathered()
        schema = self._translate(node, gathered, hidden)
        return Translated(schema, frozenset(gathered.refs), gathered.tame)

    def _translate(
        self, node: Node, into: _Gathered, hidden: frozenset[str] = _NOTHING
    ) -> Schema:  # fmt: skip
        self._context.budget.spend()
        self._depth += 1
        into.tame = into.tame and self._depth <= MOST_LEVELS
        schema = self._translate_level(node, into, hidden)
        self._depth -= 1
        return schema

    def _translate_level(self, node: Node, into: _Gathered, hidden: frozenset[str]) -> Schema:
        if isinstance(node.value, bool):
            return node.value
        if not isinstance(node.value, dict):
            self._remark(node, "Not a schema, so anything is accepted here.")
            return {}
        result: JsonObject = {}
        schema = self._refer_if_need_be(modernise(node.members), node, result, into)
        here = Node(schema, node.pointer)
        hidden, unrequired = self._hidden(node, here, hidden)
        for keyword, part in here.children():
            if keyword != "allOf":
                away = unrequired if keyword == "required" else hidden
                kept = self._keyword(keyword, part, into, away)
                if kept is not None:
                    result[keyword] = kept[0]
        if "discriminator" in schema:
            self._distinguish(here, result)
        if "allOf" in schema:
            result = self._composed(here, result, into, hidden)
        for reason in drop_misfits(result):
            self._remark(here, reason)
        into.tame = into.tame and is_tame(result)
        return result

    def _hidden(
        self, node: Node, here: Node, inherited: frozenset[str]
    ) -> tuple[frozenset[str], frozenset[str]]:
        """The properties that do not travel, and with them those that cannot be required."""
        hidden = inherited
        if not _HAS_PROPERTIES.isdisjoint(here.members):
            hidden |= hidden_properties(node, self.direction, self._context)
        if "required" not in here.members:
            return hidden, hidden
        return hidden, hidden | optional_names(here, self.direction, self._context)

    def _refer_if_need_be(
        self, schema: JsonObject, node: Node, result: JsonObject, into: _Gathered
    ) -> JsonObject:
        """Follow a reference; what of `schema` counts beside it."""
        reference = "$ref" if "$ref" in schema else "$dynamicRef"
        if reference not in schema:
            return schema
        self._refer(Node(schema[reference], node.pointer), result, into)
        return annotations_of(schema) if self._context.ignores_ref_siblings else schema

    def _refer(self, reference: Node, result: JsonObject, into: _Gathered) -> None:
        try:
            target = self._context.document.find(reference.value, reference.pointer)
        except Unconvertible as problem:
            self._remark(reference, f"Anything is accepted here: {problem.reason}")
            return
        name = self.definitions.name(target)
        into.refs.add(name)
        result["$ref"] = f"#/$defs/{name}"

    def _composed(
        self, node: Node, own: JsonObject, into: _Gathered, hidden: frozenset[str]
    ) -> JsonObject:
        """`own` with what the parts of `allOf` add to it."""
        declared = node.get("allOf")
        translated = [
            self._translated(part, hidden) for part in (declared.items() if declared else ())
        ]
        if not translated:
            self._ignore("allOf", declared or node)
            return own
        parts: list[Part] = []
        for index, part in enumerate(translated):
            target = self._target(part)
            whole = as_object(target.schema) if target else None
            if target is None or whole is None:
                parts.append(Part(part.schema))
                continue
            stripped = _stripped(whole, hidden)
            if stripped != whole:  # the definition would require what this schema hides
                translated[index] = Translated(stripped, target.refs, target.tame)
                parts.append(Part(stripped))
            else:
                parts.append(Part(part.schema, whole))
        composed, kept = compose(own, parts)
        self._context.budget.spend(len(as_object(composed.get("properties")) or ()))
        # Where parts met, there are levels that nobody has looked at.
        into.tame = into.tame and is_tame_throughout(composed)
        for index, part in enumerate(parts):
            target = self._target(translated[index]) if part.target is not None else None
            into.add(target if target and index not in kept else translated[index])
        return composed

    def _target(self, part: Translated) -> Translated | None:
        """What a part of `allOf` refers to, where it does nothing else."""
        members = as_object(part.schema)
        if members is None or "$ref" not in members or not members.keys() <= _MERE_REFERENCE:
            return None
        return self.definitions.peek(str(members["$ref"]).removeprefix("#/$defs/"))

    def _distinguish(self, node: Node, result: JsonObject) -> None:
        """Let the discriminator choose among the branches, as the document says it does."""
        if self.direction is Direction.OUTPUT:
            # An answer is told apart by its reader; it may well fit two branches.
            if "anyOf" not in result and "oneOf" in result:
                result["anyOf"] = result.pop("oneOf")
            return
        for keyword in _UNIONS:
            if keyword in result:
                marks = branch_marks(node, keyword, self._context)
                branches = zip(as_list(result[keyword]) or [], marks, strict=True)
                result[keyword] = [_marked(branch, mark) for branch, mark in branches]

    def _keyword(
        self, keyword: str, node: Node, into: _Gathered, hidden: frozenset[str]
    ) -> tuple[object] | None:
        """What becomes of one keyword, as a tuple of one; None where it is left out."""
        kept: object = None
        if keyword in keywords.PLAIN:
            return self._plain(keyword, node, hidden)
        if keyword in keywords.SCHEMA:
            # A list of schemas was how tuples were described before 2020-12.
            if isinstance(node.value, bool | dict):
                kept = self._translate(node, into)
        elif keyword in keywords.SCHEMA_LIST:
            kept = [self._translate(part, into) for part in node.items()] or None
        elif keyword in keywords.SCHEMA_MAP:
            kept = self._schema_map(keyword, node, into, hidden)
        else:
            return None
        return (kept,) if kept is not None else self._ignore(keyword, node)

    def _plain(self, keyword: str, node: Node, hidden: frozenset[str]) -> tuple[object] | None:
        if not keywords.PLAIN[keyword](node.value):
            return self._ignore(keyword, node)
        if keyword == "required":
            return ([name for name in as_list(node.value) or () if name not in hidden],)
        if keyword in ("title", "description"):
            return (spoken(str(node.value), node, self._context),)
        if keyword == "pattern" and not self._is_linear(str(node.value), node):
            return None
        return (node.value,)

    def _schema_map(
        self, keyword: str, node: Node, into: _Gathered, hidden: frozenset[str]
    ) -> JsonObject | None:
        if not isinstance(node.value, dict):
            return None
        members = node.children()
        if keyword == "properties":
            members = (one for one in members if one[0] not in hidden)
        elif keyword == "patternProperties":
            members = (one for one in members if self._is_linear(*one))
        return {name: self._translate(part, into) for name, part in members}

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


def _marked(branch: object, mark: JsonObject) -> object:
    members = as_object(branch)
    return branch if members is None or not mark.keys().isdisjoint(members) else {**members, **mark}


def _stripped(schema: JsonObject, hidden: frozenset[str]) -> JsonObject:
    """What is referred to, less what another part hides."""
    if not hidden:
        return schema
    stripped = dict(schema)
    if "properties" in schema:
        members = as_object(schema["properties"]) or {}
        stripped["properties"] = {n: one for n, one in members.items() if n not in hidden}
    if "required" in schema:
        names = as_list(schema["required"]) or []
        stripped["required"] = [name for name in names if name not in hidden]
    return stripped
