"""Parameters have their defaults resolved, and only usable ones are kept."""

import pytest

from bascule.catalogue.openapi.context import Context
from bascule.catalogue.openapi.document import Document
from bascule.catalogue.openapi.findings import Unconvertible
from bascule.catalogue.openapi.operations import list_operations
from bascule.catalogue.openapi.parameters import Parameter, list_parameters
from bascule.gateway.tool import RestPart


def read(
    *parameters: object, path: str = "/a", shared: object = (), **others: object
) -> tuple[list[Parameter], list[str]]:
    item = {"get": {"parameters": list(parameters)}, "parameters": shared}
    context = Context(Document({"paths": {path: item}, **others}), ignores_ref_siblings=True)
    (operation,) = list_operations(context)
    found = list_parameters(operation, context)
    return found, [one.message for one in context.remarks.findings({})]


@pytest.mark.parametrize(
    ("location", "style", "explode"),
    [("path", "simple", False), ("query", "form", True), ("header", "simple", False),
     ("cookie", "form", True)],
)  # fmt: skip
def test_defaults_depend_on_the_location(location: str, style: str, explode: bool) -> None:
    (one,), remarks = read(
        {"name": "x", "in": location, "schema": {}}, path="/a/{x}" if location == "path" else "/a"
    )

    assert (one.style, one.explode, one.required) == (style, explode, location == "path")
    assert remarks == []


def test_explode_defaults_to_false_for_other_styles() -> None:
    (one,), _ = read({"name": "x", "in": "query", "style": "pipeDelimited", "schema": {}})

    assert (one.style, one.explode) == ("pipeDelimited", False)


def test_a_style_of_another_location_is_replaced_and_said() -> None:
    (one,), remarks = read({"name": "x", "in": "query", "style": "matrix", "schema": {}})

    assert one.style == "form"
    assert "matrix" in remarks[0]


def test_the_operation_overrides_the_path_item() -> None:
    shared = [
        {"name": "x", "in": "query", "schema": {}},
        {"name": "y", "in": "query", "schema": {}},
    ]

    found, _ = read({"name": "x", "in": "query", "required": True, "schema": {}}, shared=shared)

    assert [(one.name, one.required) for one in found] == [("x", True), ("y", False)]


def test_a_parameter_may_be_a_reference() -> None:
    (one,), _ = read({"$ref": "#/p/x"}, p={"x": {"name": "x", "in": "query", "schema": {}}})

    assert one.name == "x"


def test_a_variable_that_nothing_describes_is_still_an_argument() -> None:
    (one,), remarks = read(path="/a/{id}")

    assert (one.name, one.location, one.required, one.schema) == ("id", "path", True, None)
    assert "{id}" in remarks[0]


def test_a_content_parameter_is_one_json_text() -> None:
    (one,), _ = read(
        {
            "name": "x",
            "in": "query",
            "content": {"application/json": {"schema": {"type": "object"}}},
        }
    )

    assert one.style == "json"
    assert one.schema is not None
    assert one.schema.value == {"type": "object"}


@pytest.mark.parametrize(
    "parameter",
    [
        {"in": "query"},
        {"name": "", "in": "query"},
        {"name": 5, "in": "query"},
        {"name": "x", "in": "body"},
        {"name": "x", "in": ["query"]},
        {"name": "x"},
        {"name": "other", "in": "path"},
        {"name": "Accept", "in": "header"},
        {"name": "content-type", "in": "header"},
        {"name": "Authorization", "in": "header"},
        {"name": "Content-Length", "in": "header"},
        {"name": "Transfer-Encoding", "in": "header"},
        {"name": "Host", "in": "header"},
        {"name": "Cookie", "in": "header"},
        {"name": "X-Correlation-ID", "in": "header"},
        {"name": "a b", "in": "header"},
        {"name": "a\r\nb", "in": "header"},
        {"name": "a;b", "in": "cookie"},
        {"name": "x", "in": "query", "content": {"image/png": {}}},
        {"name": "x", "in": "query", "content": {"nonsense": {}}},
        {"in": "querystring", "schema": {}},
        {"in": "querystring", "content": {"multipart/form-data": {}}},
        "text",
    ],
)
def test_what_cannot_be_a_parameter_is_left_out_and_said(parameter: object) -> None:
    found, remarks = read(parameter)

    assert found == []
    assert len(remarks) == 1


def test_an_idempotency_key_stays_an_argument() -> None:
    (one,), remarks = read({"name": "Idempotency-Key", "in": "header", "schema": {}})

    assert (one.name, one.location) == ("Idempotency-Key", "header")
    assert remarks == []


@pytest.mark.parametrize(
    "parameter",
    [
        {"$ref": "http://127.0.0.1:1/p"},
        {"$ref": "#/gone"},
        {"name": "x", "in": "query", "required": True, "content": {"image/png": {}}},
        {"in": "querystring", "required": True, "schema": {}},
    ],
)
def test_a_parameter_that_may_be_needed_cannot_be_left_out(parameter: object) -> None:
    with pytest.raises(Unconvertible):
        read(parameter)


def test_a_parameter_without_schema_takes_text_and_is_said() -> None:
    (one,), remarks = read({"name": "x", "in": "query"})

    assert one.schema is None
    assert "no schema" in remarks[0]


def test_reserved_characters_and_empty_values_are_as_the_document_says() -> None:
    (one, two), remarks = read(
        {"name": "x", "in": "query", "allowReserved": True, "allowEmptyValue": True, "schema": {}},
        {"name": "y", "in": "header", "allowEmptyValue": True, "schema": {}},
    )

    assert (one.allow_reserved, one.allow_empty) == (True, True)
    assert (two.allow_reserved, two.allow_empty) == (False, False)
    assert remarks == []


@pytest.mark.parametrize(
    ("content", "style", "schema"),
    [
        ({"text/plain": {"schema": {"type": "string", "maxLength": 5}}}, "text",
         {"type": "string", "maxLength": 5}),
        ({"application/xml": {"schema": {"type": "object", "title": "T"}}}, "text",
         {"type": "string", "title": "T"}),
        ({"text/csv": {}}, "text", {"type": "string"}),
        ({"application/cbor": {"schema": {"type": "string"}}}, "text", {"type": "string"}),
        ({"application/vnd.x+json": {"schema": {}}}, "json", {}),
    ],
)  # fmt: skip
def test_content_of_any_text_is_text(content: object, style: str, schema: object) -> None:
    (one,), _ = read({"name": "x", "in": "query", "content": content})

    assert one.style == style
    assert one.schema is not None
    assert one.schema.value == schema


def test_a_whole_query_string_may_be_a_form_and_needs_no_name() -> None:
    form = {
        "schema": {"type": "object", "properties": {"a": {}, "b": {}}},
        "encoding": {"a": {"style": "form", "explode": False}, "c": {"style": "form"}},
    }

    (one,), remarks = read(
        {"in": "querystring", "content": {"application/x-www-form-urlencoded": form}}
    )

    assert (one.name, one.location, one.style) == ("query", "querystring", "form")
    assert one.parts == {"a": RestPart(style="form")}
    assert remarks == []


def test_a_whole_query_string_goes_with_no_part_of_one() -> None:
    whole = {"name": "q", "in": "querystring", "content": {"application/json": {}}}
    part = {"name": "x", "in": "query", "schema": {}}

    found, remarks = read(whole, part)
    assert [one.name for one in found] == ["x"]
    assert "beside other parameters" in remarks[0]

    found, remarks = read(whole, {**whole, "name": "r"})
    assert [one.name for one in found] == ["q"]
    assert len(remarks) == 1

    with pytest.raises(Unconvertible, match="beside other parameters"):
        read({**whole, "required": True}, part)


def test_styles_of_swagger_are_known() -> None:
    found, remarks = read(
        {"name": "x", "in": "query", "style": "tabDelimited", "schema": {}},
        {"name": "y", "in": "header", "style": "pipeDelimited", "schema": {}},
        {"name": "z", "in": "cookie", "style": "cookie", "schema": {}},
    )

    assert [(one.style, one.explode) for one in found] == [
        ("tabDelimited", False), ("pipeDelimited", False), ("cookie", True),
    ]  # fmt: skip
    assert remarks == []


@pytest.mark.parametrize(
    ("schema", "is_widened"),
    [
        ({"type": "boolean"}, True), ({"type": "string", "enum": ["a"]}, True),
        ({"$ref": "#/n"}, True), ({"type": "string"}, False), ({}, False),
        ({"type": "array"}, False),
    ],
)  # fmt: skip
def test_an_empty_value_is_let_through_where_it_is_allowed(
    schema: object, is_widened: bool
) -> None:
    parameter = {"name": "x", "in": "query", "allowEmptyValue": True, "schema": schema}

    (one,), _ = read(parameter, n={"type": "integer"})

    assert one.schema is not None
    assert one.schema.value == ({"anyOf": [schema, {"const": ""}]} if is_widened else schema)


def test_without_a_schema_an_empty_value_is_text_as_any() -> None:
    (one,), _ = read({"name": "x", "in": "query", "allowEmptyValue": True})

    assert one.schema is None
