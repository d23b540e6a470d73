"""Values that their schema cannot mean are told, with the reason."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bascule.catalogue.openapi.fitness import drop_misfits, misfit
from bascule.catalogue.openapi.validators import compile_schema


@pytest.mark.parametrize(
    ("value", "schema", "reason"),
    [
        ("false", {"type": "boolean"}, "is not of the type boolean"),
        (True, {"type": ["integer", "string"]}, "is not of the type integer or string"),
        (None, {"type": "string"}, "is not of the type string"),
        ("c", {"enum": ["a", "b"]}, "is not one of its values"),
        (2, {"const": 1}, "is not the only value"),
        ("abc", {"maxLength": 2}, "longer than 2 characters"),
        ("", {"minLength": 1}, "shorter than 1 characters"),
        (0, {"minimum": 1}, "less than 1"),
        (1, {"exclusiveMinimum": 1}, "not more than 1"),
        (9, {"maximum": 8.5}, "more than 8.5"),
        (9, {"exclusiveMaximum": 9}, "not less than 9"),
        ({}, {"required": ["id"]}, "'id' is missing"),
        ({"a": 5}, {"properties": {"a": {"type": "string"}}}, "at 'a', '5' is not"),
    ],
)
def test_the_reason_is_said(value: object, schema: dict[str, Any], reason: str) -> None:
    assert reason in misfit(value, schema)


@pytest.mark.parametrize(
    ("value", "schema"),
    [(5.0, {"type": "integer"}), (5, {"type": "number"}), ([1], {"type": "array"}),
     ({"a": 1}, {"properties": {"a": True}}), ("x", {}), (None, {"type": ["string", "null"]})],
)  # fmt: skip
def test_what_fits_is_let_be(value: object, schema: dict[str, Any]) -> None:
    assert misfit(value, schema) == ""


SCHEMAS = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(["string", "integer", "number", "object", ["string", "null"]]),
        "enum": st.lists(st.sampled_from(["a", 1, None]), min_size=1, max_size=2, unique=True),
        "minimum": st.integers(0, 3),
        "exclusiveMaximum": st.integers(0, 3),
        "maxLength": st.integers(0, 2),
        "required": st.just(["a"]),
        "properties": st.just({"a": {"type": "string"}}),
    },
)
VALUES = st.sampled_from([None, True, 0, 1, 2.0, 2.5, "a", "aaaa", {}, {"a": "x"}, {"a": 1}, []])


@given(VALUES, SCHEMAS)
def test_what_is_said_not_to_fit_does_not(value: object, schema: dict[str, Any]) -> None:
    if misfit(value, schema):
        assert not compile_schema(schema).is_valid(value)


def test_what_does_not_fit_is_taken_out_and_said() -> None:
    schema: dict[str, Any] = {"type": "string", "default": 5, "examples": ["a", 5, 6]}

    said = drop_misfits(schema)

    assert schema == {"type": "string", "examples": ["a"]}
    assert said == [
        "The default is left out: '5' is not of the type string.",
        "An example is left out: '5' is not of the type string.",
    ]


def test_no_examples_are_left_where_none_fits() -> None:
    schema: dict[str, Any] = {"type": "string", "examples": [5]}

    drop_misfits(schema)

    assert schema == {"type": "string"}
