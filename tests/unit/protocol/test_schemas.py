import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bascule.protocol.schemas import MOST_VISITS, expanded_size

Schema = dict[str, Any]


def size(schema: Schema, limit: int = MOST_VISITS) -> int:
    return expanded_size(schema, limit)


def chain(length: int, link: Callable[[Schema], Schema]) -> Schema:
    """Definitions of which each is made of a reference to the next one."""
    names = [f"A{number}" for number in range(length)]
    definitions = {
        name: link({"$ref": f"#/$defs/A{number + 1}"}) for number, name in enumerate(names)
    }
    return {"$ref": "#/$defs/A0", "$defs": {**definitions, f"A{length}": {"type": "object"}}}


BOMBS: list[Callable[[Schema], Schema]] = [
    lambda next_one: {"allOf": [next_one, next_one]},
    lambda next_one: {"anyOf": [next_one, next_one]},
    lambda next_one: {"oneOf": [{"not": next_one}, {"if": next_one}]},
    lambda next_one: {"then": next_one, "else": next_one},
    lambda next_one: {"dependentSchemas": {"a": next_one, "b": next_one}},
    lambda next_one: {"dependencies": {"a": next_one, "b": ["c"]}, "not": next_one},
    lambda next_one: {**next_one, "not": next_one},
    lambda next_one: {"anyOf": [next_one], "unevaluatedProperties": False},
    lambda next_one: {"allOf": [{"properties": {"a": next_one}}, {"properties": {"a": next_one}}]},
    lambda next_one: {"properties": {"a": next_one}, "patternProperties": {"a": next_one}},
    lambda next_one: {"allOf": [{"items": next_one}, {"prefixItems": [next_one]}]},
    lambda next_one: {"items": next_one, "contains": next_one},
    lambda next_one: {"allOf": [{"propertyNames": next_one}, {"propertyNames": next_one}]},
]


@pytest.mark.parametrize("link", BOMBS)
def test_definitions_that_double_each_other_are_over_the_limit_at_once(
    link: Callable[[Schema], Schema],
) -> None:
    started = time.perf_counter()
    assert size(chain(40, link)) == MOST_VISITS + 1
    assert size(chain(4, link)) < 100
    assert time.perf_counter() - started < 0.5


@pytest.mark.parametrize(
    ("first", "reference"),
    [
        ({"$anchor": "n"}, "#n"),
        ({"$dynamicAnchor": "n"}, "#n"),
        ({"$id": "https://example.com/n"}, "https://example.com/n"),
        ({"$id": "https://example.com/n"}, "n"),
        ({"$id": "https://example.com/n%6e"}, "nn"),
        ({"$id": "urn:n:n"}, "urn:n:n"),
    ],
)
@pytest.mark.parametrize("keyword", ["$ref", "$dynamicRef"])
def test_references_by_other_names_are_followed(
    first: Schema, reference: str, keyword: str
) -> None:
    bomb = chain(40, BOMBS[0])
    definitions = bomb["$defs"]
    definitions["A0"] |= first
    schema = {"properties": {"a": {keyword: reference}}, "$defs": definitions}
    assert size(schema) == MOST_VISITS + 1


def test_a_pointer_inside_a_nested_resource_is_followed_from_there() -> None:
    bomb = {"$id": "https://example.com/inner", **chain(40, BOMBS[0])}
    assert size({"properties": {"a": bomb}}) == MOST_VISITS + 1


def test_escaped_pointers_and_list_indices_are_followed() -> None:
    schema = {
        "$defs": {"a/b~c d": {"allOf": [{"not": {}}, {"not": {"not": {"not": {"type": "null"}}}}]}},
        "$ref": "#/$defs/a~1b~0c%20d/allOf/1",
    }
    assert size(schema) == 5


@pytest.mark.parametrize("reference", ["#/a/9", "#/a/x", "#/type/0", "#/a/" + "9" * 50, "#none"])
def test_a_reference_to_nothing_counts_nothing(reference: str) -> None:
    assert size({"a": [{}], "type": "object", "not": {"$ref": reference}}) == 2


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "#"},
        {"allOf": [{"$ref": "#"}]},
        {"$dynamicAnchor": "x", "anyOf": [{"$dynamicRef": "#x"}]},
        {"$recursiveRef": "#"},
        {"$ref": "json-schema:///"},
    ],
    ids=str,
)
def test_a_schema_applied_to_the_same_value_for_ever_is_over_the_limit(schema: Schema) -> None:
    assert size(schema) == MOST_VISITS + 1


ME: Schema = {"$ref": "#"}


@pytest.mark.parametrize(
    "schema",
    [
        {"properties": {"left": ME, "right": ME, "all": {"items": ME}}},
        {"additionalProperties": ME},
        {"properties": {"a": ME}, "additionalProperties": ME},
        {"prefixItems": [ME, ME], "items": ME},
        {"anyOf": [{"type": "string"}, {"items": ME}, {"additionalProperties": ME}]},
        {"oneOf": [{"properties": {"and": {"items": ME}}}, {"properties": {"not": ME}}]},
        {"$id": "https://example.com/tree", "properties": {"a": {"$ref": "tree"}}},
        {"allOf": [{"$ref": "https://json-schema.org/draft/2020-12/schema"}]},
    ],
    ids=str,
)
def test_a_schema_that_recurses_into_its_parts_is_small(schema: Schema) -> None:
    assert size(schema) < 10


def test_a_schema_that_recurses_twice_into_one_part_is_over_the_limit() -> None:
    """Each level of the value doubles the work for the next one."""
    part = {"properties": {"args": {"items": ME}}}
    assert size({"oneOf": [part, {**part, "title": "x"}]}) == MOST_VISITS + 1


def test_a_schema_whose_work_grows_only_by_addition_is_not_refused() -> None:
    anything = {"additionalProperties": {"$ref": "#/$defs/any"}}
    schema = {
        "$defs": {"any": anything},
        "allOf": [anything, {"properties": {"child": ME}}],
    }
    assert size(schema) <= 5_000


@pytest.mark.parametrize("keyword", ["not", "items", "additionalProperties", "$defs"])
def test_nesting_of_a_hundred_thousand_levels_is_no_crash(keyword: str) -> None:
    schema: Schema = {}
    root = schema
    for _ in range(100_000):
        schema[keyword] = schema = {}
    assert size(root) == (MOST_VISITS + 1 if keyword == "not" else 1)
    while root:  # the interpreter itself recurses when it frees what is nested so deep
        root = root[keyword]


def test_a_wide_schema_counts_its_largest_value_only() -> None:
    schema = {"properties": {f"p{number}": {"not": {}} for number in range(10_000)}}
    assert size(schema) == 2


def test_what_lies_at_one_value_is_counted_exactly() -> None:
    shared = {"anyOf": [{}, {"type": "string"}]}
    schema = {"$defs": {"s": shared}, "allOf": [{"$ref": "#/$defs/s"}, {"$ref": "#/$defs/s"}, {}]}
    assert size(schema) == 1 + 2 + 1 + 2 * 3
    assert size(schema, 9) == 10
    assert size(schema, 10) == 10


def test_more_resources_or_anchors_of_one_name_than_can_be_told_apart_are_over_the_limit() -> None:
    anchors = [{"$anchor": "n"} for _ in range(100)]
    assert size({"not": {"$ref": "#n"}, "$defs": {"a": anchors}}) == MOST_VISITS + 1
    resources = [{"$id": f"https://example.com/{number}"} for number in range(100)]
    assert size({"not": {"$ref": "?"}, "$defs": {"a": resources}}) == MOST_VISITS + 1


TREES = st.recursive(
    st.just({}),
    lambda inner: st.builds(lambda many: {"allOf": many}, st.lists(inner, min_size=1, max_size=4)),
    max_leaves=40,
)


@given(TREES)
def test_without_references_the_count_is_the_number_of_subschemas(schema: Schema) -> None:
    def count(one: Schema) -> int:
        return 1 + sum(count(child) for child in one.get("allOf", []))

    assert size(schema) == count(schema)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.sampled_from(["#", "#/a", "a", "", "#a/b"]),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    ["$ref", "$id", "$anchor", "allOf", "not", "items", "properties", "a"]
                ),
                inner,
                max_size=4,
            )
        ),
        max_leaves=20,
    )
)
def test_no_document_makes_it_fail(value: object) -> None:
    schema = value if isinstance(value, dict) else {"not": value}
    assert 1 <= size(schema) <= MOST_VISITS + 1
