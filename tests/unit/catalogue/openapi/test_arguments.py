"""Parameters and body become one flat object."""

from bascule.catalogue.openapi.arguments import Arguments, merge
from bascule.catalogue.openapi.bodies import read_body
from bascule.catalogue.openapi.context import Context
from bascule.catalogue.openapi.document import Document
from bascule.catalogue.openapi.operations import list_operations
from bascule.catalogue.openapi.parameters import list_parameters
from bascule.catalogue.openapi.schemas import Schemas
from bascule.catalogue.openapi.validators import compile_schema
from bascule.catalogue.openapi.visibility import Direction
from bascule.gateway.tool import RestBody


def merged(operation: object, path: str = "/a", **others: object) -> tuple[Arguments, list[str]]:
    root = {"paths": {path: {"post": operation}}, **others}
    context = Context(Document(root), ignores_ref_siblings=True)
    (found,) = list_operations(context)
    arguments = merge(
        found,
        list_parameters(found, context),
        read_body(found, context),
        Schemas(Direction.INPUT, context),
        context,
    )
    return arguments, [one.message for one in context.remarks.findings({})]


def json_body(schema: object, *, required: bool = False) -> dict[str, object]:
    return {"required": required, "content": {"application/json": {"schema": schema}}}


def test_everything_a_call_needs_is_one_closed_object() -> None:
    arguments, remarks = merged(
        {
            "parameters": [
                {"name": "q", "in": "query", "schema": {"type": "string"}, "description": "Query."},
                {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}},
            ],
            "requestBody": json_body(
                {"type": "object", "required": ["n"], "properties": {"n": {"type": "integer"}}},
                required=True,
            ),
        },
        path="/a/{id}",
    )

    assert arguments.schema == {
        "type": "object",
        "properties": {
            "id": {"type": "string"},
            "q": {"type": "string", "description": "Query."},
            "n": {"type": "integer"},
        },
        "required": ["id", "n"],
        "additionalProperties": False,
    }
    assert arguments.body == RestBody("application/json", {"n": "n"}, required=True)
    assert remarks == []


def test_a_name_in_several_places_is_told_apart_and_said() -> None:
    arguments, remarks = merged(
        {
            "parameters": [
                {"name": "id", "in": "query", "schema": {}},
                {"name": "id", "in": "path", "required": True, "schema": {}},
                {"name": "id__query", "in": "header", "schema": {}},
            ],
            "requestBody": json_body({"properties": {"id": {}}}),
        },
        path="/a/{id}",
    )

    assert [(one.argument, one.name, one.location) for one in arguments.parameters] == [
        ("id", "id", "path"),
        ("id__query", "id", "query"),
        ("id__query__header", "id__query", "header"),
    ]
    assert arguments.body is not None
    assert arguments.body.properties == {"id__body": "id"}
    assert len(remarks) == 3


def test_a_body_that_is_no_object_is_one_argument() -> None:
    body = json_body({"type": "array", "items": {"type": "integer"}}, required=True)
    body["description"] = "The numbers."

    arguments, _ = merged({"requestBody": body})

    assert arguments.schema["properties"] == {
        "body": {"type": "array", "items": {"type": "integer"}, "description": "The numbers."}
    }
    assert arguments.schema["required"] == ["body"]
    assert arguments.body == RestBody("application/json", argument="body", required=True)


def test_a_body_that_requires_something_is_required_where_nothing_is_said() -> None:
    media = {"schema": {"required": ["a"], "properties": {"a": {}}}}
    arguments, _ = merged({"requestBody": {"content": {"application/json": media}}})

    assert arguments.schema["required"] == ["a"]
    assert arguments.body is not None
    assert arguments.body.required


def test_a_body_that_may_be_left_out_is_whole_or_not_there() -> None:
    schema = {"required": ["a", "b"], "properties": {"a": {}, "b": {}, "c": {}}}
    arguments, _ = merged({"requestBody": json_body(schema, required=False)})

    assert arguments.body is not None
    assert not arguments.body.required
    validator = compile_schema(arguments.schema)
    assert validator.is_valid({})
    assert validator.is_valid({"a": 1, "b": 1})
    assert not validator.is_valid({"a": 1})
    assert not validator.is_valid({"c": 1})


def test_parts_that_describe_the_same_property_become_one_argument() -> None:
    base = {"type": "object", "required": ["a"], "properties": {"a": {"type": "integer"}}}
    own = {"properties": {"a": {"minimum": 3}, "b": {"type": "string"}}}
    arguments, _ = merged(
        {"requestBody": json_body({"allOf": [{"$ref": "#/c/Base"}, own]}, required=True)},
        c={"Base": base},
    )

    assert arguments.schema["properties"] == {
        "a": {"type": "integer", "minimum": 3}, "b": {"type": "string"},
    }  # fmt: skip
    assert arguments.schema["required"] == ["a"]
    assert arguments.body == RestBody(
        "application/json", properties={"a": "a", "b": "b"}, required=True
    )


def test_a_body_with_conditions_stays_one_argument() -> None:
    schema = {"properties": {"a": {}, "b": {}}, "anyOf": [{"required": ["a"]}, {"required": ["b"]}]}
    arguments, _ = merged({"requestBody": json_body(schema, required=True)})

    assert list(arguments.schema["properties"]) == ["body"]


def test_definitions_come_along() -> None:
    arguments, _ = merged(
        {"requestBody": json_body({"properties": {"a": {"$ref": "#/c/A"}}})},
        c={"A": {"type": "object", "properties": {"b": {"$ref": "#/c/B"}}}, "B": {}, "C": {}},
    )

    assert arguments.schema["$defs"] == {
        "A": {"type": "object", "properties": {"b": {"$ref": "#/$defs/B"}}},
        "B": {},
    }


def test_a_text_body_is_a_string() -> None:
    arguments, _ = merged({"requestBody": {"content": {"text/markdown": {}}}})

    assert arguments.schema["properties"] == {"body": {"type": "string"}}
    assert arguments.body == RestBody("text/markdown", argument="body")


def test_what_the_parameter_says_is_kept_beside_its_schema() -> None:
    parameter = {
        "name": "q", "in": "query", "schema": {"$ref": "#/c/Q"}, "description": "D",
        "deprecated": True, "example": "x",
    }  # fmt: skip

    arguments, _ = merged({"parameters": [parameter]}, c={"Q": {"type": "string"}})

    assert arguments.schema["properties"] == {
        "q": {"$ref": "#/$defs/Q", "description": "D", "deprecated": True, "examples": ["x"]}
    }


def test_boolean_schemas_become_objects() -> None:
    arguments, _ = merged({"requestBody": json_body({"properties": {"a": True, "b": False}})})

    assert arguments.schema["properties"] == {"a": {}, "b": {"not": {}}}
