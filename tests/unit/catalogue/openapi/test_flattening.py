"""Bodies become arguments only where nothing is lost."""

import pytest

from bascule.catalogue.openapi.context import Context
from bascule.catalogue.openapi.document import Document, Node
from bascule.catalogue.openapi.flattening import flatten, is_object


def make_context(root: object | None = None) -> Context:
    return Context(Document(root or {}), ignores_ref_siblings=True)


def flat(schema: object, root: object | None = None) -> dict[str, bool] | None:
    """Property names and whether they are required."""
    found = flatten(Node(schema, ("here",)), make_context(root))
    return None if found is None else {one.name: one.required for one in found}


def test_properties_of_an_object_are_arguments() -> None:
    schema = {"type": "object", "required": ["a"], "properties": {"a": {}, "b": {}}}

    assert flat(schema) == {"a": True, "b": False}


def test_an_object_need_not_say_that_it_is_one() -> None:
    assert flat({"properties": {"a": {}}}) == {"a": False}


def test_parts_of_all_of_are_merged_through_references() -> None:
    root = {"base": {"type": "object", "properties": {"a": {}}}}
    schema = {
        "allOf": [{"$ref": "#/base"}, {"required": ["a", "b"]}, {"properties": {"b": {}}}],
        "description": "d",
    }

    assert flat(schema, root) == {"a": True, "b": True}


def test_read_only_properties_are_no_arguments() -> None:
    root = {"base": {"properties": {"id": {"readOnly": True}, "a": {}}}}
    schema = {"allOf": [{"$ref": "#/base"}, {"properties": {"b": {}}, "required": ["id"]}]}

    assert flat(schema, root) == {"a": False, "b": False}


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "array", "items": {}},
        {"type": "string"},
        {"type": "object"},
        {"type": "object", "properties": {}},
        {},
        True,
        {"properties": {"a": {}}, "additionalProperties": True},
        {"properties": {"a": {}}, "additionalProperties": {"type": "string"}},
        {"properties": {"a": {}}, "anyOf": [{"required": ["a"]}]},
        {"properties": {"a": {}}, "minProperties": 1},
        {"properties": {"a": {}}, "allOf": [{"oneOf": [{}]}]},
        {"properties": {"a": {}}, "allOf": [{"properties": {"a": {}}}]},
        {"properties": {"": {}}},
        {"oneOf": [{"properties": {"a": {}}}]},
    ],
)
def test_a_body_that_says_more_stays_whole(schema: object) -> None:
    assert flat(schema) is None


def test_parts_in_a_circle_stay_whole() -> None:
    root = {"a": {"properties": {"x": {}}, "allOf": [{"$ref": "#/a"}]}}

    assert flat({"$ref": "#/a"}, root) is None


@pytest.mark.parametrize(
    ("schema", "verdict"),
    [
        ({"type": "object"}, True),
        ({"type": ["object"]}, True),
        ({"properties": {"a": {}}}, True),
        ({"allOf": [{"description": "d"}, {"type": "object"}]}, True),
        ({"oneOf": [{"type": "object"}, {"$ref": "#/o"}]}, True),
        ({"$ref": "#/o"}, True),
        ({"type": ["object", "null"]}, False),
        ({"type": "object", "nullable": True}, False),
        ({"oneOf": [{"type": "object"}, {"type": "array"}]}, False),
        ({"oneOf": []}, False),
        ({"type": "array"}, False),
        ({"$ref": "#/loop"}, False),
        ({}, False),
        (True, False),
    ],
)
def test_only_what_is_surely_an_object_counts_as_one(schema: object, verdict: bool) -> None:
    context = make_context({"o": {"type": "object"}, "loop": {"allOf": [{"$ref": "#/loop"}]}})

    assert is_object(Node(schema, ("here",)), context) is verdict


def test_a_dense_circle_of_choices_is_decided_quickly() -> None:
    names = [f"s{n}" for n in range(30)]
    every = [{"$ref": f"#/{name}"} for name in names]
    context = make_context({name: {"oneOf": every} for name in names})

    assert not is_object(Node({"oneOf": every}, ("here",)), context)
