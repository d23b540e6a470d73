"""Examples of answers are held against the schema of answers."""

import json

import pytest

from bascule.catalogue.openapi.conversion import convert


def remarks(schema: object, example: object, status: str = "200") -> list[str]:
    media = {"schema": schema, "example": example}
    responses = {
        "200": {"description": "ok", "content": {"application/json": {"schema": schema}}},
        status: {"description": "ok", "content": {"application/json; charset=utf-8": media}},
    }
    document = {
        "openapi": "3.0.3",
        "info": {"title": "t", "version": "1"},
        "servers": [{"url": "http://127.0.0.1"}],
        "paths": {"/a": {"get": {"responses": responses}}},
    }
    warnings = convert(json.dumps(document).encode()).warnings
    return [one.message for one in warnings if "example" in one.message]


PET = {"type": "object", "properties": {"tags": {"type": "array", "items": {"type": "string"}}}}


def test_an_example_that_does_not_fit_is_said_with_the_place() -> None:
    (remark,) = remarks(PET, {"tags": ["a", 5]})

    assert "does not fit, at '/tags/1'" in remark


@pytest.mark.parametrize(
    ("schema", "example"), [(PET, {"tags": []}), ({"type": "array"}, []), (PET, {"more": 1})]
)
def test_an_example_that_fits_is_let_be(schema: object, example: object) -> None:
    assert remarks(schema, example) == []


def test_examples_of_failures_are_not_looked_at() -> None:
    assert remarks(PET, 5, "404") == []
