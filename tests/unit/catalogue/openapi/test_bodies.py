"""Bodies are read where they can be built."""

import pytest

from bascule.catalogue.openapi.bodies import Body, read_body
from bascule.catalogue.openapi.context import Context
from bascule.catalogue.openapi.document import Document
from bascule.catalogue.openapi.findings import Unconvertible
from bascule.catalogue.openapi.operations import list_operations
from bascule.gateway.tool import BodyKind, RestBody, RestPart

FORM = "application/x-www-form-urlencoded"
OBJECT = {"schema": {"type": "object", "properties": {"a": {}}}}


def read(
    body: object, method: str = "post", *, is_3_0: bool = False, **others: object
) -> tuple[Body | None, list[str]]:
    paths = {"/a": {method: {"requestBody": body}}}
    context = Context(Document({"paths": paths, **others}), ignores_ref_siblings=is_3_0)
    (operation,) = list_operations(context)
    return read_body(operation, context), [one.message for one in context.remarks.findings({})]


def test_json_is_preferred() -> None:
    offers = ("multipart/form-data", "image/png", "text/plain", "application/json")
    body, remarks = read({"content": dict.fromkeys(offers, OBJECT)})

    assert body is not None
    assert (body.kind, body.media_type, body.required) == (
        BodyKind.JSON,
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
    assert (body.kind, body.properties) == (BodyKind.TEXT, None)


@pytest.mark.parametrize("content", [{}, {"nonsense": OBJECT}, None])
def test_an_unsupported_body_is_left_out_only_where_it_is_optional(content: object) -> None:
    body, remarks = read({"content": content})

    assert body is None
    assert "optional body is left out" in remarks[0]
    with pytest.raises(Unconvertible, match="cannot be built"):
        read({"required": True, "content": content})


def test_a_form_must_be_an_object() -> None:
    for media_type in (FORM, "multipart/form-data"):
        for kind in ("array", "string"):
            with pytest.raises(Unconvertible):
                read({"required": True, "content": {media_type: {"schema": {"type": kind}}}})


def wired(content: object, *, is_3_0: bool = False) -> RestBody:
    body, remarks = read({"content": content}, is_3_0=is_3_0)
    assert body is not None
    assert remarks == []
    return body.wire


def test_what_can_be_told_by_the_media_type_is_not_repeated() -> None:
    assert wired({"application/json": OBJECT}) == RestBody("application/json")
    assert wired({"text/plain": {}}) == RestBody("text/plain")
    assert wired({FORM: OBJECT}) == RestBody(FORM)
    assert wired({"application/xml": OBJECT}) == RestBody("application/xml", kind=BodyKind.TEXT)


def test_an_open_form_is_one_argument() -> None:
    schema = {"type": "object", "properties": {"a": {}}, "additionalProperties": True}
    encoding = {"a": {"style": "deepObject"}, "gone": {"style": "form"}}

    body, _ = read({"content": {FORM: {"schema": schema, "encoding": encoding}}})

    assert body is not None
    assert body.properties is None
    assert body.wire.parts == {"a": RestPart(style="deepObject")}


def test_a_text_body_keeps_a_schema_that_is_text() -> None:
    for schema, kept in (({"type": "string", "enum": ["a"]},) * 2, ({}, {"type": "string"})):
        body, _ = read({"content": {"text/plain": {"schema": schema}}})
        assert body is not None
        assert body.schema is not None
        assert body.schema.value == kept


def test_bytes_are_a_file_of_one_of_the_types_offered() -> None:
    body, _ = read({"description": "A picture.", "content": {"image/png": {}, "image/webp": {}}})

    assert body is not None
    assert body.wire == RestBody(
        "image/png", kind=BodyKind.BYTES, content_types=("image/png", "image/webp")
    )
    assert body.schema is not None
    assert body.schema.value["description"].startswith("A picture. A file:")
    assert body.schema.value["properties"]["content_type"]["enum"] == ["image/png", "image/webp"]
    assert "filename" not in body.schema.value["properties"]
    assert body.description is None


def test_any_type_of_bytes_is_a_file_too() -> None:
    binary = {"schema": {"type": "string", "format": "binary"}}

    assert wired({"*/*": binary}).kind is BodyKind.BYTES
    assert wired({"application/json": binary}) == RestBody("application/json")


@pytest.mark.parametrize(
    ("media", "schema"),
    [
        ({}, {"type": "array"}),
        ({"itemSchema": {"type": "object"}}, {"type": "array", "items": {"type": "object"}}),
        ({"schema": {"type": "array", "maxItems": 5}}, {"type": "array", "maxItems": 5}),
    ],
)
def test_lines_are_an_array(media: object, schema: object) -> None:
    body, _ = read({"content": {"application/jsonl": media}})

    assert body is not None
    assert body.kind is BodyKind.LINES
    assert body.schema is not None
    assert body.schema.value == schema


FILE = {"type": "string", "format": "binary"}


def test_files_among_the_properties_are_preferred_as_parts() -> None:
    media = {"schema": {"type": "object", "properties": {"file": FILE, "note": {"type": "string"}}}}

    body, _ = read({"content": {"application/json": media, "multipart/form-data": media}})

    assert body is not None
    assert body.kind is BodyKind.MULTIPART
    assert body.wire.parts == {"file": RestPart(is_file=True)}
    assert body.wire.order == ("file", "note")
    assert body.properties is not None
    file, note = body.properties
    assert "data" in file.schema.members["properties"]
    assert note.schema.value == {"type": "string"}


def test_headers_of_parts_are_arguments() -> None:
    media = {
        "schema": {"type": "object", "required": ["file"], "properties": {"file": FILE}},
        "encoding": {"file": {"headers": {
            "X-Rate": {"required": True, "schema": {"type": "integer"}},
            "X-Any": {},
        }}},
    }  # fmt: skip

    body, _ = read({"content": {"multipart/form-data": media}})

    assert body is not None
    assert body.properties is not None
    assert [(one.name, one.required) for one in body.properties] == [
        ("file", True), ("file__X-Rate", True), ("file__X-Any", False),
    ]  # fmt: skip
    headers = body.wire.parts["file"].headers
    assert [(one.name, one.key) for one in headers] == [
        ("X-Rate", "file__X-Rate"), ("X-Any", "file__X-Any"),
    ]  # fmt: skip


def test_headers_that_cannot_be_given_are_said() -> None:
    taken = {"file": FILE, "file__X": {"type": "string"}}
    encoding = {"file": {"headers": {"X": {"schema": {}}}}}
    for schema in (
        {"type": "object", "properties": taken},
        {"type": "object", "properties": {"file": FILE}, "additionalProperties": True},
    ):
        body, remarks = read(
            {"content": {"multipart/form-data": {"schema": schema, "encoding": encoding}}}
        )
        assert body is not None
        assert body.wire.parts["file"].headers == ()
        assert "cannot be given" in remarks[0]


def test_an_open_multipart_form_is_one_argument_with_files_in_it() -> None:
    schema = {"type": "object", "properties": {"file": FILE}, "additionalProperties": True}

    body, _ = read({"content": {"multipart/form-data": {"schema": schema}}})

    assert body is not None
    assert body.properties is None
    assert body.wire.parts == {"file": RestPart(is_file=True)}
    assert body.schema is not None
    assert "data" in body.schema.value["properties"]["file"]["properties"]


def test_a_multipart_form_that_nothing_describes_is_any_object() -> None:
    body, _ = read({"content": {"multipart/form-data": {}}})

    assert body is not None
    assert body.schema is not None
    assert (body.schema.value, body.properties) == ({"type": "object"}, None)


def test_parts_in_their_order_are_an_array() -> None:
    media = {"prefixEncoding": [{"contentType": "text/html"}], "itemEncoding": {}}

    body, _ = read({"content": {"multipart/related": {"schema": {"type": "array"}, **media}}})

    assert body is not None
    assert body.wire.items == (RestPart(("text/html",)),)
    assert body.wire.rest == RestPart(is_file=True)


def test_a_body_on_get_is_left_out_and_said() -> None:
    body, remarks = read({"content": {"application/json": OBJECT}}, method="get")

    assert body is None
    assert "no meaning" in remarks[0]


def test_a_body_on_delete_is_kept() -> None:
    body, _ = read({"content": {"application/json": OBJECT}}, method="delete")

    assert body is not None
