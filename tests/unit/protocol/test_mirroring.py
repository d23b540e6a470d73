from typing import Any

import pytest

from bascule.protocol.mirroring import (
    InvalidAnnotation,
    Mirror,
    find_mirrors,
    mirrored_headers,
)


def schema(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


def field(header: object = "X", kind: object = "string") -> dict[str, Any]:
    return {"type": kind, "x-mcp-header": header}


def test_schema_without_annotations_mirrors_nothing() -> None:
    assert find_mirrors(schema(a={"type": "string"})) == ()
    assert find_mirrors({}) == ()


def test_annotations_are_found_through_nested_properties() -> None:
    found = find_mirrors(schema(a=field("A"), b=schema(c=field("C", "integer"))))
    assert found == (Mirror(("a",), "Mcp-Param-A"), Mirror(("b", "c"), "Mcp-Param-C"))


@pytest.mark.parametrize(
    "bad",
    [
        schema(a=field("")),
        schema(a=field("a b")),
        schema(a=field("a\r\nx: y")),
        schema(a=field("ä")),
        schema(a=field(7)),
        schema(a=field("A", "number")),
        schema(a=field("A", "object")),
        schema(a=field("A", ["string", "null"])),
        schema(a={"x-mcp-header": "A"}),
        schema(a=field("A"), b=field("a")),
        schema(a={"type": "array", "items": field("A")}),
        schema(a={"oneOf": [field("A")]}),
        schema(a={"anyOf": [schema(b=field("A"))]}),
        schema(a={"$ref": "#/$defs/b"}) | {"$defs": {"b": field("A")}},
        schema() | {"if": schema(a=field("A"))},
        schema() | {"patternProperties": {"^a": field("A")}},
        schema() | {"x-mcp-header": "A"},
    ],
)
def test_annotation_that_breaks_a_rule_makes_the_schema_invalid(bad: dict[str, Any]) -> None:
    with pytest.raises(InvalidAnnotation):
        find_mirrors(bad)


def test_property_that_is_named_like_the_annotation_is_no_annotation() -> None:
    assert find_mirrors(schema(**{"x-mcp-header": {"type": "string"}})) == ()


def test_annotation_within_an_example_is_no_annotation() -> None:
    assert find_mirrors(schema(a={"type": "object", "default": field(), "enum": [field()]})) == ()


def test_nesting_without_end_is_refused() -> None:
    properties: dict[str, Any] = {}
    lists: Any = {}
    for _ in range(300):
        properties = schema(a=properties)
        lists = {"items": [lists]}
    for deep in (properties, lists):
        with pytest.raises(InvalidAnnotation):
            find_mirrors(deep)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("us-west1", "us-west1"),
        ("", ""),
        (42, "42"),
        (-7, "-7"),
        (42.0, "42"),
        (True, "true"),
        (False, "false"),
        ("Hello, 世界", "=?base64?SGVsbG8sIOS4lueVjA==?="),
        (" padded ", "=?base64?IHBhZGRlZCA=?="),
        ("line1\nline2", "=?base64?bGluZTEKbGluZTI=?="),
        ("=?base64?literal?=", "=?base64?PT9iYXNlNjQ/bGl0ZXJhbD89?="),
    ],
)
def test_values_are_encoded_for_a_header(value: object, text: str) -> None:
    assert mirrored_headers((Mirror(("a",), "Mcp-Param-A"),), {"a": value}) == (
        ("Mcp-Param-A", text),
    )


@pytest.mark.parametrize(
    "arguments", [{}, {"a": None}, {"a": {"b": None}}, {"a": [1]}, {"a": {"b": 2**53}}, {"a": 1.5}]
)
def test_absent_null_or_unfit_values_give_no_header(arguments: dict[str, Any]) -> None:
    assert mirrored_headers((Mirror(("a", "b"), "H"),), arguments) == ()
    if arguments.get("a") != {"b": 2**53}:
        assert mirrored_headers((Mirror(("a",), "H"),), arguments) == ()
