"""What all steps share: following references, and the media types of an operation."""

from bascule.catalogue.openapi.context import Context
from bascule.catalogue.openapi.document import Document, Node
from bascule.catalogue.openapi.pointers import root_of
from bascule.catalogue.openapi.swagger2.origins import Origins
from bascule.catalogue.openapi.swagger2.schemas import SchemaUpgrade
from bascule.catalogue.openapi.swagger2.shared import Shared, media_types, unresolved


def shared(root: object) -> Shared:
    context, origins = Context(Document(root), ignores_ref_siblings=True), Origins()
    return Shared(context, SchemaUpgrade(context, origins), origins, (), ())


def test_media_types_are_those_of_the_owner_or_the_default() -> None:
    owner = Node({"consumes": ["text/plain", 5, " text/plain ", "a/b"]}, ())

    assert media_types(owner, "consumes", ("x/y",)) == ("text/plain", "a/b")
    assert media_types(owner, "produces", ("x/y",)) == ("x/y",)


def test_a_reference_to_nothing_is_reported_where_it_can_be_told_from() -> None:
    here, there = Node({"$ref": "#/a"}, ("x",)), Node({"$ref": "#/a"}, root_of("b.yaml"))
    one = shared({"c": 1})

    assert one.follow(Node({"$ref": "#/c"}, ())) == Node(1, ("c",))
    assert one.follow(here) is None
    assert one.context.remarks.findings({}) == ()
    assert unresolved(here) == {"$ref": "#/a"}
    assert unresolved(there) == {"$ref": "#/nowhere"}


def test_what_is_noted_leads_back() -> None:
    one = shared({})
    one.note(("new",), Node(1, ("old",)))

    assert one.origins.of(("new", "x")) == ("old", "x")
