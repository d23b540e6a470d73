"""Bodies are read where they can be built."""

import pytest

from bascule.catalogue.openapi.bodies import Body, read_body
from bascule.catalogue.openapi.context import Context
from bascule.catalogue.openapi.document import Document
from bascule.catalogue.openapi.findings import Unconvertible
from bascule.catalogue.openapi.media import MediaKind
from bascule.catalogue.openapi.operations import list_operations

OBJECT = {"schema": {"type": "object", "properties": {"a": {}}}}


def read(body: object, method: str = "post", **others: object) -> tuple[Body | None, list[str]]:
    paths = {"/a": {method: {"requestBody": body}}}
    context = Context(Document({"paths": paths, **others}), ignores_ref_siblings=True)
    (operation,) = list_operations(context)
    return read_body(operation, context), [one.message for one in context.remarks.findings({})]


def test_json_is_preferred() -> None:
    body, remarks = read({"content": {"multipart/form-data": OBJECT, "application/json": OBJECT}})

    assert body is not None
    assert (body.kind, body.media_type, body.required) == (
        MediaKind.JSON,
        "application/json",
        False,
    )
    assert remarks == []


def test_a_body_may_be_a_reference() -> None:
    body, _ = read({"$ref": "#/b"}, b={"required": True, "content": {"application/json": OBJECT}})

    assert body is not None
    assert body.required


def test_a_body_that_is_no_object_is_whole() -> None:
    body, _ = read({"content": {"application/json": {"schema": {"type": "array"}}}})

    assert body is not None
    assert body.properties is None


def test_text_is_whole_whatever_its_schema() -> None:
    body, _ = read({"content": {"text/plain": OBJECT}})

    assert body is not None
    assert (body.kind, body.properties) == (MediaKind.TEXT, None)


@pytest.mark.parametrize("media_type", ["multipart/form-data", "application/xml", "image/png"])
def test_an_unsupported_body_is_left_out_only_where_it_is_optional(media_type: str) -> None:
    body, remarks = read({"content": {media_type: OBJECT}})

    assert body is None
    assert media_type in remarks[0]
    with pytest.raises(Unconvertible, match=media_type):
        read({"required": True, "content": {media_type: OBJECT}})


def test_a_form_must_be_an_object() -> None:
    media_type = "application/x-www-form-urlencoded"

    with pytest.raises(Unconvertible):
        read({"required": True, "content": {media_type: {"schema": {"type": "array"}}}})


def test_a_body_on_get_is_left_out_and_said() -> None:
    body, remarks = read({"content": {"application/json": OBJECT}}, method="get")

    assert body is None
    assert "no meaning" in remarks[0]


def test_a_body_on_delete_is_kept() -> None:
    body, _ = read({"content": {"application/json": OBJECT}}, method="delete")

    assert body is not None
