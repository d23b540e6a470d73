"""Responses have a schema for each media type that is produced."""

from bascule.catalogue.openapi.context import Context
from bascule.catalogue.openapi.document import Document, Node
from bascule.catalogue.openapi.swagger2.origins import Origins
from bascule.catalogue.openapi.swagger2.responses import upgrade_responses
from bascule.catalogue.openapi.swagger2.schemas import SchemaUpgrade
from bascule.catalogue.openapi.swagger2.shared import Shared

SCHEMA = {"type": "object"}


def upgraded(response: object, *produces: str) -> object:
    context, origins = Context(Document({}), ignores_ref_siblings=True), Origins()
    shared = Shared(context, SchemaUpgrade(context, origins), origins, (), ())
    return upgrade_responses(Node({"200": response}, ()), produces, ("r",), shared)["200"]


def test_a_schema_stands_under_each_media_type() -> None:
    headers = {"X-Rate": {"type": "integer"}}
    response = {
        "description": "ok", "schema": SCHEMA, "headers": headers,
        "examples": {"a/b": 1, "e/f": 2},
    }  # fmt: skip

    assert upgraded(response, "a/b", "c/d") == {
        "description": "ok", "headers": headers,
        "content": {"a/b": {"schema": SCHEMA, "example": 1}, "c/d": {"schema": SCHEMA}},
    }  # fmt: skip


def test_without_media_types_those_of_examples_count_else_any() -> None:
    assert upgraded({"schema": SCHEMA}) == {"content": {"*/*": {"schema": SCHEMA}}}
    assert upgraded({"examples": {"a/b": 1}}) == {"content": {"a/b": {"example": 1}}}


def test_a_file_is_bytes() -> None:
    file = {"type": "string", "format": "binary"}

    assert upgraded({"schema": {"type": "file"}}) == {
        "content": {"application/octet-stream": {"schema": file}}
    }
    assert upgraded({"schema": {"type": "file"}}, "image/png") == {
        "content": {"image/png": {"schema": file}}
    }


def test_a_response_without_a_body_has_no_content() -> None:
    assert upgraded({"description": "gone"}, "a/b") == {"description": "gone"}
