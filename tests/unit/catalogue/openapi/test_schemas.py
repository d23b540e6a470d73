"""Schemas become JSON Schema 2020-12 that compiles."""

import pytest

from bascule.catalogue.openapi.context import Context
from bascule.catalogue.openapi.definitions import Translated
from bascule.catalogue.openapi.document import Document, Node
from bascule.catalogue.openapi.schemas import Schemas
from bascule.catalogue.openapi.validators import compile_schema
from bascule.catalogue.openapi.visibility import Direction


def make_context(root: object, *, is_3_0: bool = False) -> Context:
    return Context(Document(root), ignores_ref_siblings=is_3_0)


def closed(schemas: Schemas, translated: Translated) -> dict[str, object]:
    """A translated schema with what it refers to."""
    closure = schemas.definitions.closure(translated.refs, 1_000_000)
    assert closure is not None
    assert isinstance(translated.schema, dict)
    return {**translated.schema, "$defs": closure.definitions}


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
        "$anchor": "a", "x-nullable": False,
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

    assert translate(schema)[0] == {"properties": {"name": {}}, "required": ["name"]}


def test_a_circular_schema_becomes_definitions_that_validate() -> None:
    node = {
        "type": "object",
        "properties": {"kids": {"type": "array", "items": {"$ref": "#/c/Node"}}},
    }
    schemas = Schemas(Direction.INPUT, make_context({"c": {"Node": node}}))

    translated = schemas.translate(Node({"$ref": "#/c/Node"}, ()))

    assert translated.schema == {"$ref": "#/$defs/Node"}
    validator = compile_schema(closed(schemas, translated))
    assert validator.is_valid({"kids": [{"kids": []}]})
    assert not validator.is_valid({"kids": [{"kids": [5]}]})


def test_references_that_only_lead_to_each_other_neither_hang_nor_crash() -> None:
    schemas = Schemas(
        Direction.INPUT, make_context({"a": {"$ref": "#/b"}, "b": {"allOf": [{"$ref": "#/a"}]}})
    )
    reference = schemas.translate(Node({"$ref": "#/a"}, ()))
    with pytest.raises(ValueError, match="more than 10,000 subschemas"):
        compile_schema(closed(schemas, reference))

    argument = {"type": "object", "properties": {"p": reference.schema}}
    schema = schemas.complete(argument, reference, ())

    assert schema["properties"] == {"p": {"$ref": "#/$defs/a"}}
    assert compile_schema(schema).is_valid({"p": 5})


def test_a_long_chain_of_references_costs_no_stack() -> None:
    length = 3_000
    chain: dict[str, object] = {f"s{n}": {"items": {"$ref": f"#/s{n + 1}"}} for n in range(length)}
    schemas = Schemas(Direction.INPUT, make_context({**chain, f"s{length}": {}}))

    translated = schemas.translate(Node({"$ref": "#/s0"}, ()))

    assert len(closed(schemas, translated)["$defs"]) == length + 1
    assert compile_schema(schemas.complete({}, translated, ())).is_valid([[]])


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
        validator = compile_schema(closed(schemas, translated))

        assert validator.is_valid(None)
        assert validator.is_valid("x")
        assert not validator.is_valid(5)


def test_a_reference_at_the_top_can_be_written_out() -> None:
    schemas = Schemas(
        Direction.OUTPUT, make_context({"a": {"$ref": "#/b"}, "b": {"type": "object"}})
    )

    assert schemas.translate_inline(Node({"$ref": "#/a"}, ())).schema == {"type": "object"}


@pytest.mark.parametrize("reference", ["http://127.0.0.1:1/x", "other.yaml", "#/gone", 5])
def test_a_reference_that_leads_nowhere_accepts_anything_and_is_said(reference: object) -> None:
    schema, (remark,) = translate({"properties": {"a": {"$ref": reference, "title": "A"}}})

    assert schema == {"properties": {"a": {"title": "A"}}}
    assert "Anything is accepted" in remark


@pytest.mark.parametrize(("value", "expected"), [(True, True), (False, False), (5, {}), (None, {})])
def test_what_is_no_object_is_a_boolean_schema_or_accepts_anything(
    value: object, expected: object
) -> None:
    assert translate(value)[0] == expected


def test_a_broken_reference_at_the_top_accepts_anything() -> None:
    schemas = Schemas(Direction.OUTPUT, make_context({}))

    assert schemas.translate_inline(Node({"$ref": "#/gone"}, ())).schema == {}


@pytest.mark.parametrize("keyword", ["$ref", "$dynamicRef"])
def test_anchors_are_followed(keyword: str) -> None:
    root = {
        "tree": {
            "$dynamicAnchor": "node",
            "type": "object",
            "properties": {"kids": {"type": "array", "items": {keyword: "#node"}}},
        }
    }
    schemas = Schemas(Direction.INPUT, make_context(root))

    validator = compile_schema(closed(schemas, schemas.translate(Node({keyword: "#node"}, ()))))

    assert validator.is_valid({"kids": [{"kids": []}]})
    assert not validator.is_valid({"kids": [5]})


def test_a_base_and_what_it_hides_are_written_as_one_schema() -> None:
    base = {
        "type": "object",
        "properties": {"id": {"type": "string"}, "name": {"$ref": "#/Name"}},
        "required": ["id", "name"],
    }
    root = {"Base": base, "Name": {"type": "string"}}
    node = Node({"allOf": [{"$ref": "#/Base"}, {"properties": {"id": {"readOnly": True}}}]}, ())
    schemas = Schemas(Direction.INPUT, make_context(root))

    translated = schemas.translate(node)

    assert translated.schema == {
        "type": "object", "properties": {"name": {"$ref": "#/$defs/Name"}}, "required": ["name"],
    }  # fmt: skip
    assert translated.refs == {"Name"}


def test_what_a_branch_hides_is_not_required_beside_it() -> None:
    schema = {
        "required": ["id", "name"],
        "oneOf": [{"properties": {"id": {"readOnly": True}}}, {"properties": {"name": {}}}],
    }

    translated, _ = translate(schema)

    assert translated["required"] == ["name"]


PETS = {
    "Cat": {"type": "object", "properties": {"kind": {"type": "string"}, "lives": {}}},
    "Dog": {"type": "object", "properties": {"kind": {"type": "string"}, "tricks": {}}},
}
PET = {
    "oneOf": [{"$ref": "#/Cat"}, {"$ref": "#/Dog"}],
    "discriminator": {"propertyName": "kind", "mapping": {"cat": "#/Cat", "dog": "#/Dog"}},
}


def test_a_discriminator_says_which_value_chooses_which_branch() -> None:
    schemas = Schemas(Direction.INPUT, make_context(PETS))

    translated = schemas.translate(Node(PET, ()))

    assert translated.schema == {
        "oneOf": [
            {"$ref": f"#/$defs/{name}", "properties": {"kind": {"const": value}},
             "required": ["kind"]}
            for name, value in (("Cat", "cat"), ("Dog", "dog"))
        ]
    }  # fmt: skip
    validator = compile_schema(closed(schemas, translated))
    assert validator.is_valid({"kind": "dog", "lives": 9})
    assert not validator.is_valid({"kind": "cow"})


def test_an_answer_may_fit_several_branches_of_a_discriminator() -> None:
    schemas = Schemas(Direction.OUTPUT, make_context(PETS))

    validator = compile_schema(closed(schemas, schemas.translate(Node(PET, ()))))

    assert validator.is_valid({"kind": "kitten"})


def test_hidden_characters_are_taken_out_of_what_a_model_reads() -> None:
    schema, remarks = translate({"description": "Size\u200b of it.\x07", "title": "a\u202eb"})

    assert schema == {"description": "Size of it.", "title": "ab"}
    assert len(remarks) == 2


def test_parts_that_meet_deep_down_are_not_taken_for_tame() -> None:
    schemas_of: dict[str, object] = {
        f"A{n}": {
            "allOf": [
                {"$ref": f"#/A{n + 1}"}, {"properties": {"x": {"$ref": f"#/A{n + 1}"}}},
            ]
        }
        for n in range(60)
    }  # fmt: skip
    schemas = Schemas(Direction.INPUT, make_context({**schemas_of, "A60": {"type": "object"}}))
    translated = schemas.translate(Node({"$ref": "#/A0"}, ()))

    root = {"type": "object", "properties": {"p": translated.schema}}

    compile_schema(schemas.complete(root, translated, ()))
