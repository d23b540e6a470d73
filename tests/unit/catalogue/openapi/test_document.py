"""References are followed within the files that were given, and only there."""

import pytest

from bascule.catalogue.openapi.document import Document, Node
from bascule.catalogue.openapi.findings import Unconvertible
from bascule.catalogue.openapi.library import Library
from bascule.catalogue.openapi.pointers import root_of
from bascule.catalogue.openapi.sources import DocumentSource


def several(**files: str) -> Document:
    contents = {name.replace("__", "/"): text.encode() for name, text in files.items()}
    library = Library(DocumentSource("api.yaml", contents))
    return Document(library.text("").root, library)


def test_a_chain_of_references_ends_at_its_target() -> None:
    document = Document({"a": {"$ref": "#/b/0"}, "b": [{"$ref": "#/c~1d"}], "c/d": {"name": "x"}})

    node = document.follow(Node({"$ref": "#/a"}, ("start",)))

    assert node == Node({"name": "x"}, ("c/d",))


def test_a_chain_leads_through_files_of_either_syntax() -> None:
    document = several(**{
        "api.yaml": "a: {$ref: 'paths/a.json#/x'}\nb: {$ref: whole.yaml}\nz: 5",
        "paths__a.json": '{"x": {"$ref": "../api.yaml#/z"}}',
        "whole.yaml": "$ref: paths/a.json",
    })  # fmt: skip
    members = dict(document.root.children())

    assert document.follow(members["a"]) == Node(5, ("z",))
    assert document.follow(members["b"]).pointer == root_of("paths/a.json")


def test_the_same_name_in_two_files_is_two_places() -> None:
    document = several(**{
        "api.yaml": "a: {$ref: 'b.yaml#/Pet'}\nPet: 1",
        "b.yaml": "Pet: {$ref: '#/Dog'}\nDog: 2",
    })  # fmt: skip

    assert document.find("b.yaml#/Pet", ("a",)) != document.find("#/Pet", ("a",))
    assert document.follow(Node({"$ref": "#/Pet"}, root_of("b.yaml"))).value == 2


def test_a_pointer_may_lead_through_a_reference() -> None:
    document = several(**{"api.yaml": "paths: {/a: {$ref: a.yaml}}", "a.yaml": "get: {x: 1}"})

    assert document.find("#/paths/~1a/get/x", ()).pointer == (*root_of("a.yaml"), "get", "x")


@pytest.mark.parametrize("keyword", ["$anchor", "$dynamicAnchor"])
def test_a_place_can_be_named_by_an_anchor(keyword: str) -> None:
    document = Document({"a": [{"b": {keyword: "here"}}]})

    assert document.find("#here", ()).pointer == ("a", "0", "b")
    with pytest.raises(Unconvertible, match="points at nothing"):
        document.find("#there", ())


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        ("http://127.0.0.1:1/x.json", "--allow-host 127.0.0.1"),
        ("file:///etc/passwd", "scheme 'file'"),
        ("/etc/passwd", "absolute path"),
        ("../b.yaml#/a", "leads out"),
        ("b.yaml#/a", "leaves this document"),
    ],
)
def test_a_reference_out_of_the_files_is_refused_by_name(target: str, reason: str) -> None:
    with pytest.raises(Unconvertible, match=reason) as caught:
        Document({}).find(target, ("a",))

    assert target in caught.value.reason
    assert caught.value.pointer == ("a",)


@pytest.mark.parametrize("target", ["#/nowhere", "#/list/7", "#/list/x", "#/list/-1", "#/text/0"])
def test_a_reference_to_nothing_is_refused(target: str) -> None:
    with pytest.raises(Unconvertible, match="points at nothing"):
        Document({"list": [1], "text": "abc"}).find(target, ())


def test_references_in_a_circle_end() -> None:
    document = Document({"a": {"$ref": "#/b"}, "b": {"$ref": "#/a"}, "c": {"$ref": "#/c/d"}})

    for start in ("#/a", "#/c"):
        with pytest.raises(Unconvertible, match="without an end"):
            document.follow(Node({"$ref": start}, ()))


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
