"""Encoding Objects say how parts are written."""

from typing import Any

import pytest

from bascule.catalogue.openapi.context import Context
from bascule.catalogue.openapi.document import Document, Node
from bascule.catalogue.openapi.encodings import Encoded, read_array, read_form_part, read_part
from bascule.gateway.tool import PartHeader, RestPart

OCTETS = "application/octet-stream"
BASE64 = RestPart((OCTETS,), transfer_encoding="base64")
TEXTS = {"type": "array", "items": {"type": "string"}}


def make_context(*, is_3_0: bool = False, **others: object) -> Context:
    return Context(Document(others), ignores_ref_siblings=is_3_0)


def part(
    schema: Any, encoding: Any = None, *, name: str = "n", is_3_0: bool = False, **others: object
) -> tuple[Encoded, list[str]]:
    context = make_context(is_3_0=is_3_0, **others)
    node = None if schema is None else Node(schema, ("s",))
    found = read_part(name, node, None if encoding is None else Node(encoding, ("e",)), context)
    return found, [one.message for one in context.remarks.findings({})]


@pytest.mark.parametrize(
    ("encoding", "expected"),
    [
        (None, RestPart()),
        ({}, RestPart()),
        ({"contentType": "application/json"}, RestPart(("application/json",))),
        ({"explode": False}, RestPart(style="form")),
        ({"allowReserved": True}, RestPart(style="form", explode=True, allow_reserved=True)),
        ({"style": "deepObject"}, RestPart(style="deepObject")),
        # A style makes the content type meaningless.
        ({"style": "form", "contentType": "a/b"}, RestPart(style="form", explode=True)),
        ({"$ref": "#/e"}, RestPart(style="pipeDelimited")),
    ],
)
def test_a_property_of_a_form_has_a_style_or_a_content_type(
    encoding: object, expected: RestPart
) -> None:
    context = make_context(e={"style": "pipeDelimited"})
    node = None if encoding is None else Node(encoding, ("x",))

    assert read_form_part(node, context) == expected


def test_what_cannot_be_used_is_said() -> None:
    context = make_context()

    found = read_form_part(Node({"style": "matrix"}, ()), context)
    assert found == RestPart(style="form", explode=True)
    assert read_form_part(Node({"contentType": "nonsense"}, ()), context) == RestPart()
    assert len(context.remarks.findings({})) == 2


def test_styles_are_for_parts_only_since_3_1() -> None:
    encoding = {"style": "form", "explode": False}

    assert part({"type": "array"}, encoding)[0].part == RestPart(style="form")
    assert part({"type": "array"}, encoding, is_3_0=True)[0].part == RestPart()
    assert part({"type": "array"}, encoding, name="")[0].part == RestPart()


@pytest.mark.parametrize(
    ("schema", "is_3_0", "expected"),
    [
        ({"type": "string", "format": "byte"}, True, BASE64),
        ({"type": "string", "format": "byte"}, False, RestPart()),
        ({"type": "string", "contentEncoding": "base64"}, False, BASE64),
        ({"type": "string", "contentEncoding": "base64url"}, False, RestPart((OCTETS,))),
        ({"type": "array", "items": {"contentEncoding": "base64"}}, False, BASE64),
        ({"type": "integer", "contentEncoding": "base64"}, False, RestPart()),
        ({"type": "string"}, False, RestPart()),
    ],
)  # fmt: skip
def test_text_that_stands_for_bytes_says_how(
    schema: object, is_3_0: bool, expected: RestPart
) -> None:
    assert part(schema, is_3_0=is_3_0)[0].part == expected


@pytest.mark.parametrize(
    ("schema", "given"),
    [
        ({"type": "object", "description": "D."}, {"type": "string", "description": "D."}),
        ({"type": "array", "items": {"type": "object"}}, TEXTS),
        ({"type": "array"}, TEXTS),
        ({"type": "string", "enum": ["a"]}, {"type": "string", "enum": ["a"]}),
        ({"type": "integer"}, {"type": "integer"}),
    ],
)  # fmt: skip
def test_what_is_sent_as_xml_is_given_as_text(schema: object, given: object) -> None:
    found, _ = part(schema, {"contentType": "application/xml"})

    assert found.schema is not None
    assert found.schema.value == given


def test_headers_of_a_part_are_arguments_but_those_described_elsewhere() -> None:
    headers = {
        "X-A": {"schema": {"type": "integer"}, "required": True, "explode": True},
        "X-B": {"$ref": "#/h"},
        "Content-Type": {}, "content-disposition": {}, "a b": {},
    }  # fmt: skip

    found, remarks = part(
        {"type": "string"}, {"headers": headers}, h={"content": {"text/plain": {"schema": {}}}}
    )

    assert found.part.headers == (PartHeader("X-A", "n__X-A", True), PartHeader("X-B", "n__X-B"))
    assert [(one.key, one.required) for one in found.headers] == [
        ("n__X-A", True), ("n__X-B", False),
    ]  # fmt: skip
    assert "a b" in remarks[0]


def test_a_part_that_nothing_describes_is_a_file_unless_said_otherwise() -> None:
    assert part(None, name="")[0].part == RestPart(is_file=True)
    assert part(None, {"contentType": "application/json"}, name="")[0] == Encoded(
        RestPart(("application/json",)), None
    )
    assert part(None, name="", is_3_0=True)[0] == Encoded(RestPart(), None)


def test_an_array_has_its_first_parts_and_all_others() -> None:
    schema = {"type": "array", "minItems": 1, "prefixItems": [{"type": "object"}], "items": {}}
    holder = {
        "prefixEncoding": [{}, {"contentType": "text/css"}],
        "itemEncoding": {"contentType": "image/*"},
    }

    found = read_array(Node(schema, ()), Node(holder, ()), make_context())

    assert found.items == (RestPart(), RestPart(("text/css",)))
    assert found.rest == RestPart(("image/*",), is_file=True)
    value: Any = found.schema.value
    assert (value["type"], value["minItems"]) == ("array", 1)
    assert value["prefixItems"] == [{"type": "object"}, {}]
    assert "data" in value["items"]["properties"]


def test_an_array_may_be_described_by_its_items_alone() -> None:
    holder = Node({"itemSchema": {"type": "object"}}, ())

    found = read_array(None, holder, make_context())

    assert found.schema.value == {"type": "array", "items": {"type": "object"}}
    assert found.items == ()


def test_a_part_may_be_multipart_itself() -> None:
    ordered, _ = part(
        {"type": "array", "prefixItems": [{"type": "string"}]},
        {"contentType": "multipart/mixed", "prefixEncoding": [{"contentType": "text/html"}]},
    )
    assert ordered.part.items == (RestPart(("text/html",)),)

    named, _ = part(
        {"type": "object", "properties": {"f": {"type": "string", "format": "binary"}}},
        {"contentType": "multipart/form-data"},
    )
    assert named.part.parts == {"f": RestPart(is_file=True)}
    assert named.schema is not None
    assert "data" in named.schema.members["properties"]["f"]["properties"]  # type: ignore[index]
