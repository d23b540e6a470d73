"""What is read-only does not go in, what is write-only does not come out."""

from bascule.catalogue.openapi.context import Context
from bascule.catalogue.openapi.document import Document, Node
from bascule.catalogue.openapi.visibility import Direction, hidden_properties, is_hidden


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
