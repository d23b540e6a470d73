"""JSON is asked for wherever it is offered, and sequences beside it."""

import pytest

from bascule.catalogue.openapi.context import Context
from bascule.catalogue.openapi.document import Document
from bascule.catalogue.openapi.negotiation import Negotiation, is_sequence, negotiate
from bascule.catalogue.openapi.operations import list_operations


def asked(responses: object) -> Negotiation:
    context = Context(
        Document({"paths": {"/a": {"get": {"responses": responses}}}}), ignores_ref_siblings=True
    )
    (operation,) = list_operations(context)
    return negotiate(operation, context)


def offers(*media_types: str) -> dict[str, object]:
    return {"content": {one: {} for one in media_types}}


@pytest.mark.parametrize(
    ("responses", "accept"),
    [
        (None, ""), ({}, ""), ({"204": {}}, ""), ({"200": offers()}, ""),
        ({"200": offers("application/json")}, ""),
        ({"200": offers("application/json", "text/csv", "*/*")}, ""),
        ({"200": offers("*/*")}, ""),
        ({"200": offers("application/json"), "404": offers("text/html")}, ""),
        ({"200": offers("application/json; charset=utf-8")}, ""),
        ({"200": offers("text/csv", "image/png")}, "text/csv, image/png, */*;q=0.1"),
        ({"200": offers("application/vnd.api+json")}, "application/vnd.api+json, */*;q=0.1"),
        ({"200": offers("application/pdf"), "202": offers("application/json")},
         "application/json, application/pdf, */*;q=0.1"),
        ({"2XX": offers("text/plain")}, "text/plain, */*;q=0.1"),
        ({"default": offers("text/plain")}, "text/plain, */*;q=0.1"),
        ({"200": {}, "default": offers("text/plain")}, ""),
        ({"200": offers("text/html\r\nX: y", "nonsense")}, ""),
        ({"200": {"$ref": "#/gone"}}, ""),
        ({"200": offers("a/" + "b" * 200)}, ""),
    ],
)  # fmt: skip
def test_what_is_offered_is_asked_for(responses: object, accept: str) -> None:
    assert asked(responses) == Negotiation(accept)


@pytest.mark.parametrize(
    ("types", "accept"),
    [
        (("text/event-stream", "application/json"), "application/json, text/event-stream"),
        (("application/x-ndjson",), "application/x-ndjson"),
        (("application/json-seq",), "application/json-seq"),
    ],
)
def test_sequences_may_come_piece_by_piece(types: tuple[str, ...], accept: str) -> None:
    assert asked({"200": offers(*types)}) == Negotiation(f"{accept}, */*;q=0.1", streams=True)


def test_only_so_many_types_are_asked_for() -> None:
    found = asked({"200": offers(*(f"a/b{index}" for index in range(50)))})

    assert found.accept.count(",") == 12


def test_a_sequence_is_told_from_one_text() -> None:
    assert is_sequence("text/event-stream; charset=utf-8")
    assert not is_sequence("application/json")
    assert not is_sequence("nonsense")
