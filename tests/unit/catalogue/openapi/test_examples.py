"""Examples are complete and valid, or they are not examples."""

import json

from bascule.catalogue.openapi.conversion import convert


def examples(operation: dict[str, object], path: str = "/a") -> tuple[list[object], list[str]]:
    document = {
        "openapi": "3.0.3",
        "info": {"title": "t", "version": "1"},
        "servers": [{"url": "http://127.0.0.1"}],
        "paths": {path: {"post": {"responses": {"200": {"description": "ok"}}, **operation}}},
        "components": {"schemas": {"Id": {"type": "string", "example": "X1"}}},
    }
    conversion = convert(json.dumps(document).encode())
    return list(conversion.tools[0].examples), [
        one.message for one in conversion.warnings if "Nothing refers" not in one.message
    ]


def body(media: dict[str, object]) -> dict[str, object]:
    return {"requestBody": {"required": True, "content": {"application/json": media}}}


def test_parameter_and_body_examples_are_put_together() -> None:
    operation = body(
        {
            "schema": {"properties": {"n": {"type": "integer"}}},
            "examples": {"one": {"value": {"n": 1}}, "two": {"value": {"n": 2}}},
        }
    )
    operation["parameters"] = [
        {"name": "id", "in": "path", "required": True, "example": "A", "schema": {"type": "string"}}
    ]

    assert examples(operation, "/a/{id}") == ([{"id": "A", "n": 1}, {"id": "A", "n": 2}], [])


def test_examples_of_single_properties_do_where_the_body_has_none() -> None:
    schema = {
        "required": ["id", "kind", "size"],
        "properties": {
            "id": {"$ref": "#/components/schemas/Id"},
            "kind": {"enum": ["a", "b"]},
            "size": {"default": 5},
            "note": {"type": "string"},
        },
    }

    assert examples(body({"schema": schema})) == ([{"id": "X1", "kind": "a", "size": 5}], [])


def test_a_whole_body_has_examples_too() -> None:
    assert examples(body({"schema": {"type": "array"}, "example": [1]})) == ([{"body": [1]}], [])


def test_no_example_is_better_than_one_that_is_incomplete() -> None:
    schema = {"required": ["a", "b"], "properties": {"a": {"example": 1}, "b": {"type": "integer"}}}

    assert examples(body({"schema": schema})) == ([], [])


def test_an_example_that_the_schema_refuses_is_said() -> None:
    schema = {"properties": {"n": {"type": "integer"}}}

    found, remarks = examples(body({"schema": schema, "example": {"n": "five"}}))

    assert found == []
    assert "does not fit" in remarks[0]


def test_an_example_with_surplus_members_is_said() -> None:
    schema = {"properties": {"n": {"type": "integer"}}}

    found, remarks = examples(body({"schema": schema, "example": {"n": 5, "zz": 1}}))

    assert found == []
    assert "'zz'" in remarks[0]
