"""Example values are read from either member."""

from bascule.catalogue.openapi.context import Context
from bascule.catalogue.openapi.document import Document, Node
from bascule.catalogue.openapi.samples import read_samples


def test_values_are_read_from_example_and_examples() -> None:
    context = Context(Document({"e": {"value": 3}}), ignores_ref_siblings=True)
    holder = Node(
        {
            "example": None,
            "examples": {
                "a": {"value": 1}, "b": {"externalValue": "http://a"}, "c": {"$ref": "#/e"},
                "d": {"$ref": "#/gone"},
            },
        },
        (),
    )  # fmt: skip

    assert list(read_samples(holder, context)) == [None, 1, 3]
    assert len(context.remarks.findings({})) == 1
