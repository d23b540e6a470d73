"""Parameters have their defaults resolved, and only usable ones are kept."""

import pytest

from bascule.catalogue.openapi.context import Context
from bascule.catalogue.openapi.document import Document
from bascule.catalogue.openapi.findings import Unconvertible
from bascule.catalogue.openapi.operations import list_operations
from bascule.catalogue.openapi.parameters import Parameter, list_parameters


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
        {"name": "x", "in": "query", "content": {"application/xml": {}}},
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
        {"name": "x", "in": "query", "required": True, "content": {"application/xml": {}}},
    ],
)
def test_a_parameter_that_may_be_needed_cannot_be_left_out(parameter: object) -> None:
    with pytest.raises(Unconvertible):
        read(parameter)


def test_a_parameter_without_schema_takes_text_and_is_said() -> None:
    (one,), remarks = read({"name": "x", "in": "query"})

    assert one.schema is None
    assert "no schema" in remarks[0]


def test_reserved_characters_are_always_encoded() -> None:
    _, remarks = read({"name": "x", "in": "query", "allowReserved": True, "schema": {}})

    assert "allowReserved" in remarks[0]
