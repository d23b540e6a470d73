"""Schemas of Swagger 2.0 as schemas of OpenAPI 3.0, their references into `components`."""

from typing import Final

from bascule.catalogue.openapi.context import Context
from bascule.catalogue.openapi.document import Node
from bascule.catalogue.openapi.findings import Unconvertible
from bascule.catalogue.openapi.naming import clean
from bascule.catalogue.openapi.pointers import Pointer, file_of, last_name, to_fragment
from bascule.catalogue.openapi.shapes import JsonObject, as_object
from bascule.catalogue.openapi.swagger2.origins import Origins

_PLACE: Final = ("components", "schemas")
_DEFINITIONS: Final = "definitions"
_LONGEST_NAME: Final = 200

_ONE: Final = frozenset({"items", "additionalProperties", "not"})
_SEVERAL: Final = frozenset({"items", "allOf", "anyOf", "oneOf"})
_BY_NAME: Final = frozenset({"properties", "patternProperties"})


class SchemaUpgrade:
    """Upgrades schemas; `components` are those that were referred to, each upgraded once."""

    def __init__(self, context: Context, origins: Origins) -> None:
        self.components: JsonObject = {}
        self._context = context
        self._origins = origins
        self._pending: list[tuple[str, Node]] = []
        self._by_target: dict[Pointer, str] = {}
        definitions = context.document.root.get(_DEFINITIONS)
        for name, node in definitions.children() if definitions else ():
            self._by_target[node.pointer] = name
        self._taken = set(self._by_target.values())

    def upgrade(self, node: Node, place: Pointer) -> object:
        """The schema at `node`, which will be at `place` of the new document."""
        self._origins.note(place, node.pointer)
        return self._upgrade(node)

    def complete(self) -> JsonObject:
        """Everything that the schemas upgraded so far refer to, by name."""
        while self._pending:
            name, target = self._pending.pop()
            self.components[name] = self.upgrade(target, (*_PLACE, name))
        return self.components

    def _upgrade(self, node: Node) -> object:
        self._context.budget.spend()
        if as_object(node.value) is None:
            return node.value
        if "$ref" in node.members:
            return self._reference(node)
        upgraded: JsonObject = {}
        for keyword, part in node.children():
            self._keyword(keyword, part, upgraded)
        return upgraded

    def _keyword(self, keyword: str, node: Node, into: JsonObject) -> None:
        value = node.value
        if keyword in _ONE and isinstance(value, dict):
            into[keyword] = self._upgrade(node)
        elif keyword in _SEVERAL and isinstance(value, list):
            into[keyword] = [self._upgrade(part) for part in node.items()]
        elif keyword in _BY_NAME and isinstance(value, dict):
            into[keyword] = {name: self._upgrade(part) for name, part in node.children()}
        elif keyword == "x-nullable":
            into["nullable"] = value
        elif keyword == "discriminator" and isinstance(value, str):
            into["discriminator"] = {"propertyName": value}
        elif keyword == "type" and value == "file":
            into |= {"type": "string", "format": "binary"}
        else:
            into[keyword] = value

    def _reference(self, node: Node) -> JsonObject:
        try:
            target = self._context.document.find(node.members["$ref"], node.pointer)
        except Unconvertible as problem:
            if not file_of(node.pointer):
                return {"$ref": node.members["$ref"]}
            self._context.remarks.add(problem.pointer, problem.reason)
            return {"$ref": "#/nowhere"}
        name = self._by_target.get(target.pointer)
        if name is None:
            name = self._by_target[target.pointer] = self._new_name(target)
        if name not in self.components:
            self.components[name] = {}
            self._pending.append((name, target))
        # What stands beside a reference constrains nothing, but it may describe.
        beside = {key: value for key, value in node.members.items() if key != "$ref"}
        if "x-nullable" in beside:
            beside["nullable"] = beside.pop("x-nullable")
        return {**beside, "$ref": to_fragment((*_PLACE, name))}

    def _new_name(self, target: Node) -> str:
        wish = name = clean(last_name(target.pointer), _LONGEST_NAME) or "schema"
        number = 1
        while name in self._taken:
            number += 1
            name = f"{wish}_{number}"
        self._taken.add(name)
        return name
