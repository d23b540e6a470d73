"""A body parameter is the body; form parameters are the properties of one."""

from typing import Any

from bascule.catalogue.openapi.context import Context
from bascule.catalogue.openapi.document import Document, Node
from bascule.catalogue.openapi.swagger2.bodies import upgrade_body, upgrade_form
from bascule.catalogue.openapi.swagger2.origins import Origins
from bascule.catalogue.openapi.swagger2.schemas import SchemaUpgrade
from bascule.catalogue.openapi.swagger2.shared import Shared

FORM, MULTIPART = "application/x-www-form-urlencoded", "multipart/form-data"


def shared() -> Shared:
    context, origins = Context(Document({}), ignores_ref_siblings=True), Origins()
    return Shared(context, SchemaUpgrade(context, origins), origins, (), ())


def form(*fields: dict[str, object], consumes: tuple[str, ...] = ()) -> dict[str, Any]:
    nodes = [Node({"in": "formData", **one}, (str(n),)) for n, one in enumerate(fields)]
    return upgrade_form(nodes, consumes, ("b",), shared())


def test_a_body_has_one_schema_for_each_media_type() -> None:
    parameter = {"name": "pet", "in": "body", "required": True, "description": "d",
                 "schema": {"type": "object"}, "x-examples": {"a/b": 1}}  # fmt: skip

    body = upgrade_body(Node(parameter, ()), ("a/b", "c/d"), ("b",), shared())

    assert body == {
        "required": True, "description": "d",
        "content": {
            "a/b": {"schema": {"type": "object"}, "example": 1},
            "c/d": {"schema": {"type": "object"}},
        },
    }  # fmt: skip


def test_a_body_is_json_unless_said_otherwise() -> None:
    body = upgrade_body(Node({"x-example": 5}, ()), (), ("b",), shared())

    assert body == {"content": {"application/json": {"example": 5}}}


def test_fields_are_properties_with_their_descriptions() -> None:
    body = form(
        {"name": "a", "type": "string", "required": True, "description": "A."},
        {"name": "b", "type": "integer", "default": 3},
    )

    assert body == {
        "required": True,
        "content": {FORM: {"schema": {
            "type": "object", "required": ["a"],
            "properties": {
                "a": {"type": "string", "description": "A."},
                "b": {"type": "integer", "default": 3},
            },
        }}},
    }  # fmt: skip


def test_a_file_makes_it_multipart() -> None:
    body = form({"name": "f", "type": "file"}, consumes=(FORM,))

    (media,) = body["content"].values()
    assert list(body["content"]) == [MULTIPART]
    assert media["schema"]["properties"]["f"] == {"type": "string", "format": "binary"}
    assert body["required"] is False


def test_the_form_is_of_a_kind_that_is_consumed() -> None:
    field = {"name": "a", "type": "string"}

    assert list(form(field, consumes=("application/json",))["content"]) == [FORM]
    assert list(form(field, consumes=(MULTIPART, "x/y", FORM))["content"]) == [MULTIPART, FORM]


def test_arrays_are_written_as_their_format_says() -> None:
    def array(name: str, **more: object) -> dict[str, object]:
        return {"name": name, "type": "array", "items": {"type": "string"}, **more}

    body = form(
        array("csv"),
        array("multi", collectionFormat="multi"),
        array("tsv", collectionFormat="tsv"),
    )

    media = body["content"][FORM]
    assert media["encoding"] == {
        "csv": {"style": "form", "explode": False},
        "multi": {"style": "form", "explode": True},
        "tsv": {"style": "tabDelimited", "explode": False},
    }


def test_findings_lead_to_the_field() -> None:
    one = shared()
    fields = [Node({"name": "a", "type": "string"}, ("parameters", "a"))]

    upgrade_form(fields, (), ("b",), one)

    place = ("b", "content", FORM, "schema", "properties", "a")
    assert one.origins.of(place) == ("parameters", "a")
