"""Schemas become JSON Schema 2020-12 that compiles."""

import pytest

from bascule.catalogue.openapi.context import Context
from bascule.catalogue.openapi.document import Document, Node
from bascule.catalogue.openapi.findings import Unconvertible
from bascule.catalogue.openapi.schemas import Schemas
from bascule.catalogue.openapi.validators import compile_schema
from bascule.catalogue.openapi.visibility import Direction


def make_context(root: object, *, is_3_0: bool = False) -> Context:
    return Context(Document(root), ignores_ref_siblings=is_3_0)


def translate(schema: object, direction: Direction = Direction.INPUT) -> tuple[object, list[str]]:
    """The translation of a schema without references, and the remarks made on it."""
    context = make_context({})
    translated = Schemas(direction, context).translate(Node(schema, ("here",)))
    return translated.schema, [one.message for one in context.remarks.findings({})]


def test_what_json_schema_knows_is_kept() -> None:
    schema = {
        "type": "object", "title": "T", "description": "D", "required": ["a"],
        "properties": {"a": {"type": "string", "format": "date", "enum": ["x"], "default": "x",
                             "pattern": "^x$", "minLength": 1}},
        "additionalProperties": {"type": "integer", "minimum": 0},
        "anyOf": [{"type": "object"}, True], "not": {"type": "null"},
    }  # fmt: skip

    assert translate(schema) == (schema, [])


def test_what_only_openapi_knows_is_dropped() -> None:
    schema = {
        "type": "string", "xml": {}, "discriminator": {"propertyName": "t"}, "externalDocs": {},
        "x-internal": 1, "$schema": "http://json-schema.org/draft-04/schema#", "$id": "http://a/b",
        "$anchor": "a", "$dynamicRef": "#a",
    }  # fmt: skip

    assert translate(schema) == ({"type": "string"}, [])


def test_unusable_values_are_dropped_and_said() -> None:
    schema, remarks = translate(
        {"type": "file", "required": True, "items": [{}], "allOf": [], "properties": []}
    )

    assert schema == {}
    assert len(remarks) == 5


def test_a_pattern_without_a_time_bound_is_dropped_and_said() -> None:
    schema, remarks = translate(
        {"pattern": "^(?!x)", "patternProperties": {"^(?=a)": {}, "^b": {"type": "string"}}}
    )

    assert schema == {"patternProperties": {"^b": {"type": "string"}}}
    assert len(remarks) == 2
    assert "not checked" in remarks[0]


def test_a_property_may_have_the_name_of_a_keyword() -> None:
    schema = {"type": "object", "properties": {"$ref": {"type": "string"}, "required": {}}}

    assert translate(schema) == (schema, [])


def test_hidden_properties_and_their_requirement_are_dropped() -> None:
    schema = {
        "required": ["id", "name"],
        "properties": {"id": {"type": "string", "readOnly": True}, "name": {"type": "string"}},
    }

    assert translate(schema)[0] == {
        "required": ["name"], "properties": {"name": {"type": "string"}},
    }  # fmt: skip
    assert translate(schema, Direction.OUTPUT)[0] == {
        "required": ["id", "name"],
        "properties": {"id": {"type": "string"}, "name": {"type": "string"}},
    }


def test_a_part_of_all_of_does_not_require_what_another_part_hides() -> None:
    schema = {
        "allOf": [
            {"properties": {"id": {"readOnly": True}}},
            {"required": ["id", "name"], "properties": {"name": {}}},
        ]
    }

    assert translate(schema)[0] == {
        "allOf": [{"properties": {}}, {"required": ["name"], "properties": {"name": {}}}]
    }


def test_a_circular_schema_becomes_definitions_that_validate() -> None:
    node = {
        "type": "object",
        "properties": {"kids": {"type": "array", "items": {"$ref": "#/c/Node"}}},
    }
    schemas = Schemas(Direction.INPUT, make_context({"c": {"Node": node}}))

    translated = schemas.translate(Node({"$ref": "#/c/Node"}, ()))
    schema = {"$ref": "#/$defs/Node", "$defs": schemas.definitions(translated.refs)}

    assert translated.schema == {"$ref": "#/$defs/Node"}
    validator = compile_schema(schema)
    assert validator.is_valid({"kids": [{"kids": []}]})
    assert not validator.is_valid({"kids": [{"kids": [5]}]})


def test_references_that_only_lead_to_each_other_neither_hang_nor_crash() -> None:
    schemas = Schemas(
        Direction.INPUT, make_context({"a": {"$ref": "#/b"}, "b": {"allOf": [{"$ref": "#/a"}]}})
    )

    translated = schemas.translate(Node({"$ref": "#/a"}, ()))
    with pytest.raises(ValueError, match="more than 10,000 subschemas"):
        compile_schema({**translated.schema, "$defs": schemas.definitions(translated.refs)})


def test_a_long_chain_of_references_costs_no_stack() -> None:
    length = 3_000
    chain: dict[str, object] = {f"s{n}": {"items": {"$ref": f"#/s{n + 1}"}} for n in range(length)}
    schemas = Schemas(Direction.INPUT, make_context({**chain, f"s{length}": {}}))

    translated = schemas.translate(Node({"$ref": "#/s0"}, ()))

    assert len(schemas.definitions(translated.refs)) == length + 1


def test_siblings_of_a_reference_count_only_in_3_1() -> None:
    root = {"a": {"type": "string"}}
    node = Node({"$ref": "#/a", "description": "d", "maxLength": 3}, ())

    old = Schemas(Direction.INPUT, make_context(root, is_3_0=True)).translate(node)
    new = Schemas(Direction.INPUT, make_context(root)).translate(node)

    assert old.schema == {"$ref": "#/$defs/a", "description": "d"}
    assert new.schema == {"$ref": "#/$defs/a", "description": "d", "maxLength": 3}


def test_a_nullable_reference_accepts_null_in_either_version() -> None:
    root = {"a": {"type": "string"}}
    for is_3_0 in (True, False):
        schemas = Schemas(Direction.INPUT, make_context(root, is_3_0=is_3_0))
        translated = schemas.translate(Node({"$ref": "#/a", "nullable": True}, ()))
        validator = compile_schema(
            {**translated.schema, "$defs": schemas.definitions(translated.refs)}
        )

        assert validator.is_valid(None)
        assert validator.is_valid("x")
        assert not validator.is_valid(5)


def test_a_reference_at_the_top_can_be_written_out() -> None:
    schemas = Schemas(
        Direction.OUTPUT, make_context({"a": {"$ref": "#/b"}, "b": {"type": "object"}})
    )

    assert schemas.translate_inline(Node({"$ref": "#/a"}, ())).schema == {"type": "object"}


@pytest.mark.parametrize("reference", ["http://127.0.0.1:1/x", "other.yaml", "#/gone", 5])
def test_a_reference_that_leads_nowhere_has_no_translation(reference: object) -> None:
    schemas = Schemas(Direction.INPUT, make_context({}))

    with pytest.raises(Unconvertible):
        schemas.translate(Node({"properties": {"a": {"$ref": reference}}}, ()))


@pytest.mark.parametrize(("value", "expected"), [(True, True), (False, False), (5, {}), (None, {})])
def test_what_is_no_object_is_a_boolean_schema_or_accepts_anything(
    value: object, expected: object
) -> None:
    assert translate(value)[0] == expected
