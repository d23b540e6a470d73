"""Operations are listed in order; what cannot be requested is left out and said."""

from bascule.catalogue.openapi.context import Context
from bascule.catalogue.openapi.document import Document
from bascule.catalogue.openapi.operations import list_operations


def listed(paths: object, **others: object) -> tuple[list[str], list[str]]:
    """`METHOD path` of each operation, and the remarks made."""
    context = Context(Document({"paths": paths, **others}), ignores_ref_siblings=True)
    found = [f"{one.method} {one.path}" for one in list_operations(context)]
    return found, [f"{one.location} {one.message}" for one in context.remarks.findings({})]


def test_every_method_of_every_path_is_an_operation() -> None:
    paths = {"/b": {"post": {}, "get": {}, "summary": "x"}, "/a/{id}": {"delete": {}}}

    assert listed(paths) == (["POST /b", "GET /b", "DELETE /a/{id}"], [])


def test_a_path_item_may_be_a_reference() -> None:
    assert listed({"/a": {"$ref": "#/items/a"}}, items={"a": {"get": {}}}) == (["GET /a"], [])


def test_what_cannot_be_requested_is_left_out_and_said() -> None:
    found, remarks = listed(
        {
            "/ok": {"get": {}},
            "/q?x=1": {"get": {}},
            "/remote": {"$ref": "other.yaml"},
            "/op": {"get": {"$ref": "http://127.0.0.1:1/x"}},
            "/trace": {"trace": {}},
            "/odd": {"get": []},
            "/odder": 5,
            "x-extension": {"get": {}},
        }
    )

    assert found == ["GET /ok"]
    assert len(remarks) == 5
    assert remarks[0].startswith("#/paths/~1q%3Fx=1 Left out")
