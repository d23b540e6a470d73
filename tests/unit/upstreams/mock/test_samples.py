"""Samples fit their schemas, and are always the same."""

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bascule.upstreams.mock.samples import sample


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"type": "string"}, "sample"),
        ({"type": "string", "format": "date"}, "2026-01-15"),
        ({"type": "string", "minLength": 8}, "samplexx"),
        ({"type": "string", "maxLength": 3}, "sam"),
        ({"type": "integer"}, 1),
        ({"type": "integer", "minimum": 5}, 5),
        ({"type": "integer", "maximum": -2}, -2),
        ({"type": "integer", "exclusiveMinimum": 5}, 6),
        ({"type": "integer", "exclusiveMaximum": 1}, 0),
        ({"type": "integer", "minimum": 3, "multipleOf": 5}, 5),
        ({"type": "number"}, 1.5),
        ({"type": "boolean"}, True),
        ({"type": "null"}, None),
        ({}, None),
        ({"const": 7}, 7),
        ({"enum": ["b", "a"]}, "b"),
        ({"type": "string", "example": "Pune", "default": "x"}, "Pune"),
        ({"type": "string", "examples": ["Pune", "x"]}, "Pune"),
        ({"type": "string", "examples": []}, "sample"),
        ({"type": ["null", "integer"]}, 1),
        ({"type": ["null"]}, None),
        ({"anyOf": [{"type": "null"}, {"type": "integer"}]}, 1),
        ({"oneOf": [{"type": "string", "format": "email"}]}, "sample@example.com"),
        ({"anyOf": [{"type": "null"}]}, None),
        ({"items": {"type": "integer"}}, [1]),
        ({"type": "array", "items": {"type": "integer"}, "minItems": 3}, [1, 1, 1]),
        ({"type": "array", "maxItems": 0, "items": {}}, []),
        ({"type": "object", "required": ["a"]}, {"a": None}),
        ({"required": ["a"], "properties": {"a": {"type": "integer"}}}, {"a": 1}),
        (True, None),
    ],
)
def test_a_schema_has_its_sample(schema, value) -> None:
    whole = {"type": "object", "properties": {"x": schema}}
    assert sample(whole) == {"x": value}
    assert sample(whole) == sample(whole)


def test_parts_are_put_together() -> None:
    schema = {
        "$defs": {
            "base": {"type": "object", "properties": {"id": {"type": "integer"}},
                     "required": ["id"]},
        },
        "allOf": [
            {"$ref": "#/$defs/base"},
            {"properties": {"name": {"type": "string"}}, "required": ["name"]},
        ],
        "properties": {"at": {"$ref": "#/$defs/none"}},
    }  # fmt: skip
    assert sample(schema) == {"at": None, "id": 1, "name": "sample"}


def test_a_schema_within_itself_comes_to_an_end() -> None:
    node = {
        "type": "object",
        "required": ["id"],
        "properties": {
            "id": {"type": "integer"},
            "next": {"$ref": "#/$defs/node"},
            "many": {"type": "array", "items": {"$ref": "#/$defs/node"}},
        },
    }
    schema = {"$ref": "#/$defs/node", "$defs": {"node": node}}
    assert jsonschema_rs.is_valid(schema, sample(schema))


def test_a_reference_to_itself_and_parts_within_parts_come_to_an_end() -> None:
    loop = {"$defs": {"a": {"$ref": "#/$defs/a"}}, "$ref": "#/$defs/a"}
    assert sample(loop) is None
    part: dict = {"type": "object", "properties": {"x": {"type": "integer"}}}
    for _ in range(30):
        part = {"allOf": [part]}
    sample(part)
    again = {"$defs": {"a": {"allOf": [{"$ref": "#/$defs/a"}]}}, "$ref": "#/$defs/a"}
    sample(again)


_LEAVES = st.sampled_from(
    [{"type": "string"}, {"type": "integer", "minimum": 3}, {"type": "boolean"},
     {"type": "number", "maximum": 0}, {"enum": [None, 1]}, {"type": "string", "format": "uuid"}]
)  # fmt: skip
_SCHEMAS = st.recursive(
    _LEAVES,
    lambda inner: st.one_of(
        inner.map(lambda one: {"type": "array", "items": one, "minItems": 1}),
        st.dictionaries(st.text(max_size=4), inner, max_size=4).map(
            lambda members: {
                "type": "object", "properties": members, "required": sorted(members),
                "additionalProperties": False,
            }
        ),
        inner.map(lambda one: {"anyOf": [{"type": "null"}, one]}),
    ),
    max_leaves=8,
)  # fmt: skip


@given(_SCHEMAS)
def test_a_sample_fits_its_schema(schema) -> None:
    assert jsonschema_rs.is_valid(schema, sample(schema))
