"""Parts of `allOf` become one schema that accepts exactly what they accepted together."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from bascule.catalogue.openapi.composition import Part, compose, fold
from bascule.catalogue.openapi.validators import compile_schema

KEYS = ["a", "b", "c"]
TARGETS: dict[str, Any] = {
    "A": {"type": "object", "title": "A", "description": "an A", "required": ["a"],
          "properties": {"a": {"type": "string"}}, "default": {}},
    "B": {"properties": {"b": {"type": "integer"}}, "additionalProperties": False},
    "C": {"type": ["object", "string"], "unevaluatedProperties": False},
}  # fmt: skip

LEAVES = st.sampled_from(
    [
        {"type": "string"}, {"type": "integer"}, {"type": "number"}, {"enum": ["x", 5]}, True, {},
        {"type": ["string", "null"]}, {"minimum": 3}, {"minimum": 4, "maximum": 9}, False,
        {"maxLength": 2, "format": "date"}, {"type": "integer", "nullable": 5, "title": "T"},
        {"$ref": "#/$defs/A"}, {"$ref": "#/$defs/B"}, {"items": {"type": "string"}},
        {"prefixItems": [{"type": "string"}]}, {"contains": {"type": "integer"}},
        {"minContains": 2}, {"if": {"type": "string"}}, {"then": {"minLength": 2}},
    ]
)  # fmt: skip


def _schemas(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {},
        optional={
            "type": st.sampled_from(["object", "array", ["object", "array"], "string"]),
            "properties": st.dictionaries(st.sampled_from(KEYS), inner, max_size=2),
            "required": st.lists(st.sampled_from(KEYS), unique=True, max_size=2),
            "patternProperties": st.dictionaries(st.sampled_from(["^a", "b"]), inner, max_size=1),
            "additionalProperties": st.booleans() | inner,
            "unevaluatedProperties": st.booleans(),
            "minProperties": st.integers(0, 2),
            "maxItems": st.integers(0, 2),
            "items": inner,
            "contains": inner,
            "anyOf": st.lists(inner, min_size=1, max_size=2),
            "not": inner,
            "description": st.sampled_from(["one", "two"]),
        },
    )


SCHEMAS = st.recursive(LEAVES, _schemas, max_leaves=6)
OWN = _schemas(SCHEMAS)
PARTS = st.lists(
    SCHEMAS.map(Part)
    | st.sampled_from(sorted(TARGETS)).map(
        lambda name: Part({"$ref": f"#/$defs/{name}"}, TARGETS[name])
    ),
    min_size=1,
    max_size=3,
)
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.sampled_from(["x", "xyz", 5, 3, 4.5, True]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from([*KEYS, "ab"]), inner, max_size=3)
    ),
    max_leaves=6,
)


@settings(max_examples=500, deadline=None)
@given(OWN, PARTS, st.lists(VALUES, min_size=4, max_size=8))
def test_the_composed_schema_accepts_what_the_parts_accept(
    own: dict[str, Any], parts: list[Part], values: list[Any]
) -> None:
    before = repr((own, parts))
    composed, _ = compose(own, parts)

    assert repr((own, parts)) == before
    judge = compile_schema({**own, "allOf": [part.schema for part in parts], "$defs": TARGETS})
    validator = compile_schema({**composed, "$defs": TARGETS})
    for value in [*values, *({key: value} for key in KEYS for value in values)]:
        assert judge.is_valid(value) == validator.is_valid(value), (value, composed)


def test_a_schema_and_its_base_become_one_object() -> None:
    base = {"type": "object", "title": "Pet", "description": "Any pet.",
            "properties": {"name": {"type": "string"}}, "required": ["name"]}  # fmt: skip
    own = {"properties": {"tail": {"type": "boolean"}}, "required": ["tail"]}

    composed, kept = compose({"title": "Dog"}, [Part({"$ref": "#/$defs/Pet"}, base), Part(own)])

    assert kept == []
    assert composed == {
        "title": "Dog", "description": "Any pet.", "type": "object",
        "properties": {"name": {"type": "string"}, "tail": {"type": "boolean"}},
        "required": ["name", "tail"],
    }  # fmt: skip


def test_a_single_reference_stays_a_reference_with_the_words_beside_it() -> None:
    composed, kept = compose(
        {"description": "The owner."}, [Part({"$ref": "#/$defs/User"}, {"type": "object"})]
    )

    assert (composed, kept) == ({"$ref": "#/$defs/User", "description": "The owner."}, [0])


def test_what_closes_a_part_keeps_it_apart() -> None:
    closed = {"properties": {"a": {}}, "additionalProperties": False}

    composed, kept = compose({"properties": {"b": {}}}, [Part(closed), Part({"required": ["a"]})])

    assert composed == {"properties": {"b": {}}, "required": ["a"], "allOf": [closed]}
    assert kept == [0]


def test_types_that_share_nothing_are_not_folded() -> None:
    assert fold({"type": "string"}, {"type": "integer"}) is None
    assert fold({"type": "number"}, {"type": "integer"}) == {"type": "integer"}
    assert fold({"minimum": 1, "maxLength": 3}, {"minimum": 2, "maxLength": 4}) == {
        "minimum": 2, "maxLength": 3,
    }  # fmt: skip
