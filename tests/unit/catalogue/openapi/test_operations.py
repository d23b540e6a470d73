"""Operations are listed in order; what cannot be requested is left out and said."""

from bascule.catalogue.openapi.context import Context
from bascule.catalogue.openapi.document import Document, Node
from bascule.catalogue.openapi.operations import list_operations


def listed(paths: object, **others: object) -> tuple[list[str], list[str]]:
    """`METHOD path` of each operation, and the remarks made."""
    context = Context(Document({"paths": paths, **others}), ignores_ref_siblings=True)
    found = [f"{one.method} {one.path}" for one in list_operations(context)]
    return found, [f"{one.location} {one.message}" for one in context.remarks.findings({})]


def test_every_method_of_every_path_is_an_operation() -> None:
    paths = {"/b": {"post": {}, "get": {}, "summary": "x"}, "/a/{id}": {"delete": {}}}

    assert listed(paths) == (["POST /b", "GET /b", "DELETE /a/{id}"], [])


def test_query_and_further_methods_are_operations_too() -> None:
    more = {"LINK": {}, "notify": {}, "POST": {}, "bad method": {}, "TRACE": {}}

    found, remarks = listed({"/a": {"query": {}, "additionalOperations": more}})

    assert found == ["QUERY /a", "LINK /a", "notify /a"]
    assert [one.split(" ", 1)[0].rsplit("/", 1)[1] for one in remarks] == [
        "POST", "bad%20method", "TRACE",
    ]  # fmt: skip


def test_a_path_item_may_be_a_reference() -> None:
    assert listed({"/a": {"$ref": "#/items/a"}}, items={"a": {"get": {}}}) == (["GET /a"], [])


def test_what_stands_beside_the_reference_of_a_path_item_counts() -> None:
    item = {"$ref": "#/items/a", "delete": {"x": 1}, "parameters": [{"name": "p"}], "x-odd": 1}
    context = Context(
        Document({"paths": {"/a": item}, "items": {"a": {"get": {}, "delete": {"x": 2}}}}),
        ignores_ref_siblings=True,
    )

    found = {one.method: one for one in list_operations(context)}

    assert sorted(found) == ["DELETE", "GET"]
    assert found["DELETE"].node == Node({"x": 1}, ("paths", "/a", "delete"))
    assert found["GET"].node.pointer == ("items", "a", "get")
    parameters = Node([{"name": "p"}], ("paths", "/a", "parameters"))
    assert found["GET"].item.get("parameters") == parameters


def test_operations_told_apart_by_a_fragment_share_a_path() -> None:
    paths = {"/#Action=A": {"post": {}}, "/#Action=B": {"post": {}}}

    assert listed(paths) == (["POST /", "POST /"], [])


def test_webhooks_are_said_to_be_left_out() -> None:
    found, remarks = listed({"/a": {"get": {}}}, webhooks={"new": {"post": {}}})

    assert found == ["GET /a"]
    assert remarks == ["#/webhooks Webhooks are left out: they are calls that the API makes."]


def test_what_cannot_be_requested_is_left_out_and_said() -> None:
    found, remarks = listed(
        {
            "/ok": {"get": {}},
            "/q?x={x}": {"get": {}},
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
    assert remarks[0].startswith("#/paths/~1q%3Fx={x} Left out")
