"""Tags and security requirements as the document has them."""

from bascule.catalogue.openapi.context import Context
from bascule.catalogue.openapi.document import Document, Node
from bascule.catalogue.openapi.labels import Labels
from bascule.catalogue.openapi.operations import Operation


def make(root: object, **members: object) -> tuple[Labels, Operation]:
    labels = Labels(Context(Document(root), ignores_ref_siblings=True))
    return labels, Operation("GET", "/a", (), Node(members, ("here",)), Node({}, ()))


def test_a_tag_brings_those_above_it_even_in_a_circle() -> None:
    tags = [
        {"name": "kittens", "parent": "cats"}, {"name": "cats", "parent": "pets"},
        {"name": "pets", "parent": "kittens"}, {"name": 5}, "odd",
    ]  # fmt: skip
    labels, operation = make({"tags": tags}, tags=["kittens", "kittens", 7, " ", "x" * 300])

    assert labels.tags_of(operation)[:3] == ("kittens", "cats", "pets")
    assert len(labels.tags_of(operation)[3]) <= 100


def test_hidden_characters_leave_a_tag() -> None:
    labels, operation = make({}, tags=["pe\u200bts", "\u200b"])

    assert labels.tags_of(operation) == ("pets",)


def test_an_operation_says_itself_what_it_asks_for_or_the_document_does() -> None:
    root = {"security": [{"key": []}, "odd"]}
    labels, silent = make(root)
    _, own = make(root, security=[{"oauth": ["read", 5], "key": []}, {}])
    _, none = make(root, security=[])

    assert labels.security_of(silent) == ({"key": ()},)
    assert labels.security_of(own) == ({"oauth": ("read",), "key": ()}, {})
    assert labels.security_of(none) == ()
