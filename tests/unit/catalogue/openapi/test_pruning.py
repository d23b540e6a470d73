"""Schemas that are too large accept more, say less, and keep what a caller must give."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from bascule.catalogue.openapi.pruning import prune
from bascule.catalogue.openapi.stubs import size_of
from bascule.catalogue.openapi.validators import compile_schema

NAMES = ["A", "B", "C"]
KEYS = ["a", "b", "c", "d"]
WORDS = "words that say at length what this is for and why. " * 6


def _object_schemas(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {"type": st.just("object"), "properties": st.dictionaries(st.sampled_from(KEYS), inner)},
        optional={
            "required": st.lists(st.sampled_from(KEYS), unique=True, max_size=2),
            "additionalProperties": st.booleans() | inner,
            "patternProperties": st.dictionaries(st.sampled_from(["^a", "b"]), inner, max_size=1),
            "unevaluatedProperties": st.booleans(),
            "dependentSchemas": st.dictionaries(st.sampled_from(KEYS), inner, max_size=1),
            "propertyNames": st.just({"minLength": 1}) | inner,
            "description": st.just(WORDS),
        },
    )


def _other_schemas(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    several = st.lists(inner, min_size=1, max_size=3)
    return st.one_of(
        several.map(lambda parts: {"oneOf": parts}),
        several.map(lambda parts: {"anyOf": parts, "description": WORDS}),
        several.map(lambda parts: {"allOf": parts, "unevaluatedProperties": False}),
        st.tuples(several, several).map(lambda two: {"oneOf": two[0], "anyOf": two[1]}),
        inner.map(lambda part: {"not": part}),
        st.tuples(inner, inner, inner).map(lambda i: {"if": i[0], "then": i[1], "else": i[2]}),
        st.tuples(inner, inner).map(
            lambda two: {"type": "array", "items": two[0], "contains": two[1], "maxContains": 1}
        ),
        several.map(lambda parts: {"prefixItems": parts, "items": False, "minContains": 1}),
        several.map(lambda parts: {"prefixItems": parts, "unevaluatedItems": False}),
    )


SCHEMAS: st.SearchStrategy[Any] = st.recursive(
    st.booleans()
    | st.sampled_from(
        [
            {"type": "string", "description": WORDS}, {"type": "integer", "minimum": 3},
            {"enum": ["x", "y", 5]}, {"type": ["string", "null"]}, {},
            {"const": 5, "description": WORDS, "examples": [5]},
            {"enum": [f"{number} {WORDS}" for number in range(9)] + ["x"], "description": WORDS},
        ]
    )
    | st.sampled_from(NAMES).map(lambda name: {"$ref": f"#/$defs/{name}"}),
    lambda inner: _object_schemas(inner) | _other_schemas(inner),
    max_leaves=14,
)  # fmt: skip

VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.sampled_from(["x", "y", "", 5, 2, 3.5, True]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from([*KEYS, "ab"]), inner, max_size=3)
    ),
    max_leaves=10,
)

DOCUMENTS = st.tuples(
    _object_schemas(SCHEMAS), st.fixed_dictionaries(dict.fromkeys(NAMES, SCHEMAS))
)


def whole(definition: Any) -> dict[str, Any]:
    if isinstance(definition, bool):
        return {} if definition else {"not": {}}
    return definition


@settings(max_examples=400, deadline=None)
@given(DOCUMENTS, st.lists(VALUES, max_size=8), st.sampled_from([0, 300, 700, 1500, 4000]))
def test_what_the_whole_schema_accepts_is_accepted(
    document: tuple[dict[str, Any], dict[str, Any]], values: list[Any], limit: int
) -> None:
    root, definitions = document
    try:
        judge = compile_schema({**root, "$defs": definitions})
    except ValueError:
        return  # goes round in a circle: nothing could be checked by it either
    pruned = prune(root, lambda name: whole(definitions[name]), limit)

    validator = compile_schema(pruned)
    for value in [*values, *({key: value} for key in KEYS for value in values)]:
        if judge.is_valid(value):
            assert validator.is_valid(value), (value, pruned)


@settings(max_examples=200, deadline=None)
@given(DOCUMENTS, st.sampled_from([700, 1500, 4000]))
def test_pruning_is_the_same_each_time_and_keeps_to_its_limit(
    document: tuple[dict[str, Any], dict[str, Any]], limit: int
) -> None:
    root, definitions = document
    before = json.dumps(document)

    pruned = prune(root, lambda name: whole(definitions[name]), limit)

    assert json.dumps(document) == before
    assert json.dumps(pruned) == json.dumps(
        prune(root, lambda name: whole(definitions[name]), limit)
    )
    assert list(pruned["properties"]) == list(root["properties"])
    assert pruned.get("required") == root.get("required")
    bare = prune(root, lambda name: whole(definitions[name]), 0, only_first_level=True)
    assert size_of(pruned) <= max(limit, size_of(bare)) + len('"$defs":{},')


def heavy(levels: int) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string", "description": WORDS}
    for level in range(levels):
        schema = {"type": "object", "properties": {f"p{level}": schema}, "description": WORDS}
    return schema


def test_what_is_required_is_shown_before_what_is_not() -> None:
    root = {
        "type": "object",
        "properties": {"may": heavy(6), "must": heavy(3)},
        "required": ["must"],
    }
    for level in root["properties"].values():
        level["required"] = list(level["properties"])

    pruned = prune(root, whole, 900)

    assert "properties" in pruned["properties"]["must"]
    assert pruned["properties"]["may"]["type"] == "object"
    assert "any object is accepted" in pruned["properties"]["may"]["description"]
    assert "properties" not in pruned["properties"]["may"]


def test_definitions_that_nothing_shown_refers_to_are_left_out() -> None:
    definitions = {"A": heavy(4), "B": {**heavy(1), "properties": {"c": {"$ref": "#/$defs/A"}}}}
    root = {"type": "object", "properties": {"b": {"$ref": "#/$defs/B"}}}

    assert list(prune(root, definitions.__getitem__, 250)["$defs"]) == ["B"]
    assert list(prune(root, definitions.__getitem__, 9000)["$defs"]) == ["A", "B"]


def test_a_thousand_properties_keep_their_names_and_types() -> None:
    properties = {f"p{n}": {"type": "integer", "description": WORDS} for n in range(1_000)}
    root = {"type": "object", "properties": properties}

    pruned = prune(root, whole, 32 * 1024)

    assert pruned["properties"].keys() == properties.keys()
    assert all(one["type"] == "integer" for one in pruned["properties"].values())
    assert size_of(pruned) < 33 * 1024


def test_exactly_one_becomes_any_where_the_branches_say_less() -> None:
    branch = {"type": "object", "properties": {"kind": {"const": "a"}}, "required": ["kind"]}
    other = {**branch, "properties": {"kind": {"const": "b"}, "more": heavy(3)}}
    root = {"type": "object", "properties": {"one": {"oneOf": [branch, other]}}}

    pruned = prune(root, whole, 500)

    assert len(pruned["properties"]["one"]["anyOf"]) == 2


def test_a_long_list_of_values_is_left_out_and_mentioned() -> None:
    values = [f"value-{number}" for number in range(500)]
    root = {"type": "object", "properties": {"v": {"type": "string", "enum": values}}}

    schema = prune(root, whole, 1_000)["properties"]["v"]

    assert "enum" not in schema
    assert "One of 500 values such as" in schema["description"]
