"""Schemas that stand for bytes are told from those that do not."""

from typing import Any

import pytest

from bascule.catalogue.openapi.context import Context
from bascule.catalogue.openapi.document import Document, Node
from bascule.catalogue.openapi.files import as_files, file_schema, properties_of, types_in

BINARY = {"type": "string", "format": "binary"}


def rewritten(schema: Any, *content_types: str, is_3_0: bool = False, **others: Any) -> Any:
    context = Context(Document({"s": schema, **others}), ignores_ref_siblings=is_3_0)
    found = as_files(Node(schema, ("s",)), content_types, context)
    return None if found is None else found.value


def is_file(schema: Any) -> bool:
    return isinstance(schema, dict) and "data" in schema.get("properties", {})


@pytest.mark.parametrize(
    "schema",
    [
        BINARY, {"type": ["string", "null"], "format": "binary"}, {"format": "binary"},
        {"type": "string", "contentMediaType": "application/octet-stream"},
        {"contentMediaType": "image/png"}, {}, {"description": "x", "x-y": 1, "maxLength": 5}, True,
        {"type": "file"}, {"$ref": "#/File"}, {"allOf": [{"$ref": "#/File"}]},
        {"anyOf": [BINARY, {"type": "null"}]},
    ],
)  # fmt: skip
def test_bytes_are_a_file(schema: object) -> None:
    assert is_file(rewritten(schema, File=BINARY))


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "string"}, {"type": "string", "format": "byte"}, {"type": "object"}, False, "x",
        {"type": "string", "contentEncoding": "base64", "contentMediaType": "image/png"},
        {"type": "string", "contentMediaType": "application/json"}, {"enum": ["a"]},
        {"type": "object", "properties": {"file": BINARY}}, {"$ref": "#/gone"},
        {"type": "array", "items": {"type": "string"}}, {"type": "array"},
        {"anyOf": [{"type": "string"}, {"type": "integer"}]},
    ],
)  # fmt: skip
def test_anything_else_is_not(schema: object) -> None:
    assert rewritten(schema) is None


def test_what_is_declared_decides_where_the_schema_does_not() -> None:
    assert is_file(rewritten({"type": "string"}, "image/png"))
    assert is_file(rewritten({}, "image/*"))
    assert rewritten({}, "application/json") is None
    assert rewritten({"type": "object"}, "image/png") is None
    assert is_file(rewritten(BINARY, "text/csv"))


def test_in_3_0_a_schema_that_says_nothing_is_no_file() -> None:
    assert rewritten({}, is_3_0=True) is None
    assert is_file(rewritten({}, "image/png", is_3_0=True))
    assert is_file(rewritten(BINARY, is_3_0=True))


def test_files_in_arrays_and_alternatives_are_found() -> None:
    several = rewritten({"type": "array", "items": BINARY, "maxItems": 3, "description": "Some."})
    assert is_file(several.pop("items"))
    assert several == {"type": "array", "maxItems": 3, "description": "Some."}

    choices = [BINARY, {"type": "array", "items": BINARY}, {"type": "string"}]
    either = rewritten({"description": "One or more.", "oneOf": choices})
    assert is_file(either["anyOf"][0])
    assert is_file(either["anyOf"][1]["items"])
    assert either["anyOf"][2] == {"type": "string"}
    assert either["description"] == "One or more."


def test_a_description_stays_before_what_to_give() -> None:
    schema = rewritten({**BINARY, "description": "Your picture."})

    assert schema["description"].startswith("Your picture. A file: give its content")


@pytest.mark.parametrize(
    ("content_types", "media_type"),
    [
        ((), {"type": "string", "description": "Its media type, such as image/png."}),
        (("image/png",), None),
        (("image/png", "image/png", "a/b"), {"type": "string", "enum": ["image/png", "a/b"]}),
        (
            ("image/png", "text/*"),
            {"type": "string", "description": "Its media type, one of image/png, text/*."},
        ),
    ],
)
def test_a_media_type_is_asked_for_where_there_is_a_choice(
    content_types: tuple[str, ...], media_type: object
) -> None:
    properties: Any = file_schema(content_types)["properties"]

    assert properties.get("content_type") == media_type


def test_schemas_that_lead_to_each_other_end() -> None:
    loop = {"anyOf": [{"$ref": "#/s"}]}

    assert rewritten(loop) is None


def test_properties_of_parts_and_alternatives_are_found() -> None:
    schema = {
        "properties": {"a": {}},
        "allOf": [{"properties": {"b": {}}}, {"$ref": "#/gone"}],
        "oneOf": [{"properties": {"a": {"type": "string"}, "c": {}}}],
    }
    context = Context(Document({}), ignores_ref_siblings=False)

    found = properties_of(Node(schema, ()), context)

    assert {name: node.value for name, node in found.items()} == {"a": {}, "b": {}, "c": {}}


def test_null_is_no_type_of_its_own() -> None:
    assert types_in(Node({"type": ["string", "null"]}, ())) == ["string"]
    assert types_in(Node({"type": "null"}, ())) == []
    assert types_in(Node({}, ())) == []
