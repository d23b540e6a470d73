"""References are followed within the document, and only there."""

import pytest

from bascule.catalogue.openapi.document import Document, Node
from bascule.catalogue.openapi.findings import Unconvertible


def test_a_chain_of_references_ends_at_its_target() -> None:
    document = Document({"a": {"$ref": "#/b/0"}, "b": [{"$ref": "#/c~1d"}], "c/d": {"name": "x"}})

    node = document.follow(Node({"$ref": "#/a"}, ("start",)))

    assert node == Node({"name": "x"}, ("c/d",))


@pytest.mark.parametrize("target", ["http://127.0.0.1:1/x.json", "file:///etc/passwd", "b.yaml#/a"])
def test_a_reference_out_of_the_document_is_refused(target: str) -> None:
    with pytest.raises(Unconvertible, match="leaves this document"):
        Document({}).find(target, ())


@pytest.mark.parametrize("target", ["#/nowhere", "#/list/7", "#/list/x", "#/list/-1", "#/text/0"])
def test_a_reference_to_nothing_is_refused(target: str) -> None:
    with pytest.raises(Unconvertible, match="points at nothing"):
        Document({"list": [1], "text": "abc"}).find(target, ())


def test_references_in_a_circle_end() -> None:
    document = Document({"a": {"$ref": "#/b"}, "b": {"$ref": "#/a"}})

    with pytest.raises(Unconvertible, match="without an end"):
        document.follow(Node({"$ref": "#/a"}, ()))


def test_a_reference_must_be_text() -> None:
    with pytest.raises(Unconvertible, match="must be a string"):
        Document({}).find(["#/a"], ())


def test_members_of_the_wrong_shape_count_as_absent() -> None:
    node = Node({"name": 5, "flag": "yes", "list": {}}, ("x",))

    assert (node.text("name"), node.flag("flag"), node.get("other")) == (None, None, None)
    assert list(Node("text", ()).children()) == []
    assert list(node.items()) == []


def test_children_know_where_they_are() -> None:
    (name, child), *_ = Node({"a": [1]}, ("x",)).children()

    assert (name, child.pointer) == ("a", ("x", "a"))
    assert [item.pointer for item in child.items()] == [("x", "a", "0")]
