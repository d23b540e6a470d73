"""What is read-only does not go in, what is write-only does not come out."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from bascule.catalogue.openapi.context import Context
from bascule.catalogue.openapi.document import Document, Node
from bascule.catalogue.openapi.schemas import Schemas
from bascule.catalogue.openapi.visibility import (
    Direction,
    hidden_properties,
    is_hidden,
    optional_names,
)


def make_context(root: object) -> Context:
    return Context(Document(root), ignores_ref_siblings=True)


def test_properties_are_hidden_by_direction() -> None:
    schema = Node({"properties": {"id": {"readOnly": True}, "pin": {"writeOnly": True}}}, ())

    assert hidden_properties(schema, Direction.INPUT, make_context({})) == {"id"}
    assert hidden_properties(schema, Direction.OUTPUT, make_context({})) == {"pin"}


def test_properties_of_all_parts_are_seen_through_references() -> None:
    context = make_context(
        {"base": {"properties": {"id": {"$ref": "#/id"}}}, "id": {"readOnly": True}}
    )
    schema = Node({"allOf": [{"$ref": "#/base"}, {"properties": {"b": {"readOnly": True}}}]}, ())

    assert hidden_properties(schema, Direction.INPUT, context) == {"id", "b"}


def test_parts_in_a_circle_end() -> None:
    context = make_context({"a": {"allOf": [{"$ref": "#/a"}, {"$ref": "#/b"}, {"$ref": "#/gone"}]},
                            "b": {"allOf": [{"$ref": "#/a"}]}})  # fmt: skip

    assert (
        hidden_properties(Node({"allOf": [{"$ref": "#/a"}]}, ()), Direction.INPUT, context) == set()
    )


def test_a_flag_is_seen_beside_and_behind_a_reference() -> None:
    context = make_context({"id": {"readOnly": True}, "name": {}})

    assert is_hidden(Node({"$ref": "#/id"}, ()), Direction.INPUT, context)
    assert is_hidden(Node({"$ref": "#/name", "readOnly": True}, ()), Direction.INPUT, context)
    assert not is_hidden(Node({"$ref": "#/name"}, ()), Direction.INPUT, context)
    assert not is_hidden(Node({"$ref": "#/gone"}, ()), Direction.INPUT, context)


def test_a_flag_is_seen_in_a_part_of_all_of() -> None:
    context = make_context({"id": {"readOnly": True}})

    assert is_hidden(Node({"allOf": [{"$ref": "#/id"}]}, ()), Direction.INPUT, context)
    assert not is_hidden(Node({"allOf": [{"$ref": "#/id"}]}, ()), Direction.OUTPUT, context)
    assert not is_hidden(Node({"anyOf": [{"$ref": "#/id"}]}, ()), Direction.INPUT, context)


def test_what_one_branch_hides_is_optional() -> None:
    context = make_context({"a": {"properties": {"id": {"readOnly": True}}}})
    schema = Node(
        {"required": ["id"], "oneOf": [{"$ref": "#/a"}, {"allOf": [{"$ref": "#/a"}]}]}, ()
    )

    assert optional_names(schema, Direction.INPUT, context) == {"id"}
    assert optional_names(schema, Direction.OUTPUT, context) == frozenset()
    assert optional_names(Node({"required": ["id"]}, ()), Direction.INPUT, context) == frozenset()


# Every property is read-only, write-only or neither, and its name says so.
FLAGS = {"r": {"readOnly": True}, "w": {"writeOnly": True}, "n": {}}
NAMED = ["R", "W", "N"]
TARGETS = {name: {"type": "string", **FLAGS[name.lower()]} for name in NAMED}


def _properties(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    plain = st.sampled_from(sorted(FLAGS)).flatmap(
        lambda flag: st.tuples(
            st.sampled_from([f"{flag}1", f"{flag}2"]),
            st.sampled_from(
                [
                    {"type": "string", **FLAGS[flag]}, {"$ref": f"#/{flag.upper()}"},
                    {"allOf": [{"$ref": f"#/{flag.upper()}"}], "description": "d"},
                ]
            ),
        )
    )  # fmt: skip
    nested = st.tuples(st.sampled_from(["n3", "n4"]), inner)
    members = st.lists(plain | nested, max_size=4).map(dict)
    return st.tuples(members, st.booleans()).map(
        lambda two: {
            "type": "object",
            "properties": two[0],
            **({"required": sorted(two[0])} if two[1] and two[0] else {}),
        }
    )


OBJECTS = st.recursive(
    st.just({"type": "string"}),
    lambda inner: (
        _properties(inner)
        | inner.map(lambda part: {"type": "array", "items": part})
        | st.lists(_properties(inner), min_size=1, max_size=2).map(lambda parts: {"allOf": parts})
        | st.lists(_properties(inner), min_size=1, max_size=2).map(lambda parts: {"anyOf": parts})
    ),
    max_leaves=6,
)


def names_in(schema: Any) -> set[str]:
    found: set[str] = set()
    if isinstance(schema, dict):
        found |= set(schema.get("properties", ())) | set(schema.get("required", ()))
        found |= set().union(*map(names_in, schema.values()))
    elif isinstance(schema, list):
        found |= set().union(*map(names_in, schema))
    return found


@settings(max_examples=200, deadline=None)
@given(OBJECTS, OBJECTS)
def test_what_does_not_travel_is_neither_named_nor_required_and_all_else_is(
    schema: dict[str, Any], shared: dict[str, Any]
) -> None:
    root = {**TARGETS, "S": shared}
    node = Node({"properties": {"n1": schema, "n2": {"$ref": "#/S"}}, "required": ["n2"]}, ())
    everything = names_in({"a": node.value, "b": shared})
    for direction, gone in ((Direction.INPUT, "r"), (Direction.OUTPUT, "w")):
        schemas = Schemas(direction, make_context(root))
        translated = schemas.translate(node)
        closure = schemas.definitions.closure(translated.refs, 1_000_000)
        assert closure is not None

        named = names_in({"a": translated.schema, **closure.definitions})

        assert named == {name for name in everything if not name.startswith(gone)}
