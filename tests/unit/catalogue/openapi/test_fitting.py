"""Schemas are completed, and what does not fit is let go a step at a time."""

from typing import Any

from bascule.catalogue.openapi.budget import Budget
from bascule.catalogue.openapi.definitions import Definitions, Translated
from bascule.catalogue.openapi.document import Node
from bascule.catalogue.openapi.fitting import Fit, Fitted, fit
from bascule.catalogue.openapi.validators import compile_schema

LONG = "word " * 400


def fitted(root: dict[str, Any], limit: int, /, tame: bool = True, **known: Any) -> Fitted:
    def translate(node: Node) -> Translated:
        schema, refs = known[node.pointer[-1]]
        return Translated(schema, frozenset(refs), tame)

    definitions = Definitions(translate, Budget())
    names = [definitions.name(Node({}, (name,))) for name in known]
    return fit(Translated(root, frozenset(names), tame), definitions, limit, Budget())


ROOT = {"type": "object", "properties": {"a": {"$ref": "#/$defs/A"}}}


def test_what_fits_is_whole() -> None:
    result = fitted(ROOT, 1_000, A=({"type": "string"}, []))

    assert (result.schema, result.fit) == ({**ROOT, "$defs": {"A": {"type": "string"}}}, Fit.WHOLE)


def test_prose_goes_first() -> None:
    result = fitted(ROOT, 1_000, A=({"type": "string", "description": LONG, "minLength": 3}, []))

    assert result.fit is Fit.BRIEF
    assert result.cause == "it has more than 1,000 bytes"
    assert result.schema["$defs"]["A"]["minLength"] == 3


def test_depth_goes_next() -> None:
    properties = {f"p{n}": {"type": "string", "minLength": n} for n in range(200)}
    result = fitted(ROOT, 1_000, A=({"type": "object", "properties": properties}, []))

    assert result.fit is Fit.PRUNED
    assert result.schema["$defs"]["A"]["type"] == "object"
    assert "properties" not in result.schema["$defs"]["A"]


def test_what_could_not_be_checked_is_let_go_of() -> None:
    again = {"$ref": "#/$defs/A"}
    result = fitted(ROOT, 1_000, False, A=({"anyOf": [again, again]}, ["A"]))

    assert result.fit is Fit.PRUNED
    assert "10,000 subschemas" in result.cause
    assert compile_schema(result.schema).is_valid({"a": 1})


def test_names_are_left_where_nothing_else_compiles() -> None:
    properties = {**ROOT["properties"], "b": {"pattern": "("}}
    root = {**ROOT, "properties": properties, "required": ["a"], "additionalProperties": False}

    result = fitted(root, 1_000, False, A=({"items": {"$ref": "#/$defs/A"}}, ["A"]))

    assert result.fit is Fit.BARE
    assert result.schema == {**root, "properties": {"a": {}, "b": {}}}


def test_a_light_schema_that_is_not_tame_is_whole() -> None:
    branches = {"oneOf": [{"properties": {"a": {}}}, {"items": {}}]}

    assert fitted(ROOT, 1_000, False, A=(branches, [])).fit is Fit.WHOLE
