"""An output schema is promised only where every success keeps it."""

import pytest

from bascule.catalogue.openapi.context import Context
from bascule.catalogue.openapi.document import Document
from bascule.catalogue.openapi.operations import list_operations
from bascule.catalogue.openapi.responses import Output, read_output
from bascule.catalogue.openapi.schemas import Schemas
from bascule.catalogue.openapi.visibility import Direction

PET = {"type": "object", "properties": {"id": {"type": "string"}}}


def read(responses: object, method: str = "get", **others: object) -> tuple[Output, list[str]]:
    root = {"paths": {"/a": {method: {"responses": responses}}}, "Pet": PET, **others}
    context = Context(Document(root), ignores_ref_siblings=True)
    (operation,) = list_operations(context)
    output = read_output(operation, Schemas(Direction.OUTPUT, context), context)
    return output, [one.message for one in context.remarks.findings({})]


def answer(schema: object) -> dict[str, object]:
    return {"content": {"application/json": {"schema": schema}}}


def test_an_object_is_described_as_it_is() -> None:
    assert read({"200": answer({"$ref": "#/Pet"}), "404": answer({})}) == (Output(PET), [])


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "array", "items": {"type": "string"}},
        {"type": "string"},
        {"type": ["object", "null"]},
        {"anyOf": [PET, {"type": "array"}]},
    ],
)
def test_anything_else_is_described_under_result(schema: object) -> None:
    output, _ = read({"200": answer(schema)})

    assert output.wraps
    assert output.schema == {
        "type": "object",
        "properties": {"result": schema},
        "required": ["result"],
        "additionalProperties": False,
    }


def test_definitions_of_a_wrapped_schema_stay_at_the_root() -> None:
    output, _ = read({"200": answer({"type": "array", "items": {"$ref": "#/Pet"}})})

    assert output.schema is not None
    assert output.schema["$defs"] == {"Pet": PET}


def test_a_composed_object_says_that_it_is_an_object() -> None:
    output, _ = read({"200": answer({"allOf": [PET, {"properties": {"b": {}}}]})})

    assert output.schema is not None
    assert output.schema["type"] == "object"
    assert not output.wraps


def test_equal_schemas_of_several_statuses_are_one() -> None:
    assert (
        read({"201": answer({"$ref": "#/Pet"}), "200": answer({"$ref": "#/Pet"})})[0].schema == PET
    )


def test_different_schemas_of_several_statuses_are_alternatives() -> None:
    other = {"type": "object", "properties": {"task": {}}}

    output, _ = read({"200": answer({"$ref": "#/Pet"}), "202": answer(other), "2XX": answer(other)})

    assert output.schema == {"type": "object", "anyOf": [PET, other]}


def test_a_success_without_json_rules_out_a_schema() -> None:
    for other in ({}, {"content": {"text/csv": {}}}, answer({})["content"] and {"content": {}}):
        output, remarks = read({"200": answer(PET), "204": other})

        assert output == Output(None)
        assert len(remarks) == 1


@pytest.mark.parametrize(
    "responses",
    [
        None, {}, {"404": answer(PET)}, {"default": answer(PET)}, {"204": {}},
        {"200": answer({})}, {"200": answer({"title": "Response"})}, {"200": answer(True)},
    ],
)  # fmt: skip
def test_what_promises_nothing_has_no_schema(responses: object) -> None:
    assert read(responses) == (Output(None), [])


@pytest.mark.parametrize("media_type", ["application/json", "*/*"])
@pytest.mark.parametrize(
    "schema",
    [
        {"type": "string", "format": "binary"}, {"format": "binary"}, {"type": "file"},
        {"type": ["string", "null"], "format": "binary"}, {"$ref": "#/File"},
    ],
)  # fmt: skip
def test_a_file_is_no_json_whatever_its_media_type_says(media_type: str, schema: object) -> None:
    responses = {"200": {"content": {media_type: {"schema": schema}}}}
    output, remarks = read(responses, File={"type": "string", "format": "binary"})

    assert (output, remarks) == (Output(None), [])


def test_text_in_base64_is_a_string_and_promised() -> None:
    output, _ = read({"200": answer({"type": "string", "format": "byte"})})

    assert output.wraps


def test_the_answer_to_head_has_no_body() -> None:
    assert read({"200": answer(PET)}, method="head") == (Output(None), [])


def test_a_reference_that_leads_nowhere_costs_only_the_schema() -> None:
    output, remarks = read({"200": answer({"$ref": "http://127.0.0.1:1/x"})})

    assert output == Output(None)
    assert "No output schema" in remarks[0]


def test_write_only_properties_do_not_come_out() -> None:
    schema = {"type": "object", "properties": {"id": {}, "pin": {"writeOnly": True}}}

    output, _ = read({"200": answer(schema)})

    assert output.schema == {"type": "object", "properties": {"id": {}}}


def test_an_answer_that_may_also_be_a_sequence_promises_nothing() -> None:
    offers = {**answer(PET)["content"], "text/event-stream": {}}  # type: ignore[dict-item]

    output, remarks = read({"200": {"content": offers}, "202": answer(PET)})

    assert output == Output(None)
    assert len(remarks) == 1
