"""Whole documents: real ones, hostile ones, and arbitrary ones."""

import json
import time
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from bascule.catalogue.openapi import Conversion, DocumentRejected, convert
from bascule.catalogue.openapi.validators import compile_schema
from bascule.gateway.tool import ParameterLocation, RiskLevel

ROOT = Path(__file__).parents[4]
BOOKING = ROOT / "examples" / "booking" / "openapi.yaml"

SEED_APIS = """
openapi: 3.0.3
info: {title: Dealer services, version: 1.2.0}
servers: [{url: https://api.example.com}]
paths:
  /v1/dealers/{id}/enquiries:
    get:
      operationId: get_dealer_enquiries
      parameters:
        - {name: id, in: path, required: true, schema: {type: string}, example: D1}
        - {name: status, in: query, schema: {type: string, enum: [open, closed], nullable: true}}
      responses:
        "200":
          description: ok
          content:
            application/json:
              schema: {type: array, items: {$ref: '#/components/schemas/Enquiry'}}
  /v1/bookings:
    post:
      operationId: create_booking
      requestBody:
        required: true
        content:
          application/json:
            schema:
              type: object
              required: [dealer_id, date]
              properties:
                booking_id: {type: string, readOnly: true}
                dealer_id: {type: string}
                date: {type: string, format: date}
      responses: {"201": {description: made}}
  /v1/inventory:
    get:
      operationId: get_vehicle_inventory
      parameters:
        - {name: models, in: query, explode: false, schema: {type: array, items: {type: string}}}
      responses: {"200": {description: ok}}
  /v1/enquiries/{id}/status:
    put:
      operationId: update_enquiry_status
      parameters: [{name: id, in: path, required: true, schema: {type: string}}]
      requestBody:
        required: true
        content:
          application/json:
            schema:
              {type: object, required: [status], properties: {status: {type: string}}}
      responses: {"200": {description: ok}}
  /v1/payments:
    post:
      operationId: process_payment
      x-bascule-risk: privileged
      parameters: [{name: Idempotency-Key, in: header, schema: {type: string}}]
      requestBody:
        required: true
        content:
          application/json:
            schema:
              type: object
              required: [amount]
              properties: {amount: {type: number, minimum: 0, exclusiveMinimum: true}}
      responses: {"200": {description: ok}}
components:
  schemas:
    Enquiry:
      type: object
      properties: {id: {type: string}, parent: {$ref: '#/components/schemas/Enquiry'}}
"""


def assert_sound(conversion: Conversion) -> None:
    """What every tool promises, whatever document it came from."""
    names = [tool.name for tool in conversion.tools]
    assert len(set(names)) == len(names)
    for tool in conversion.tools:
        assert 1 <= len(tool.name) <= 64
        assert 1 <= len(tool.description) <= 500
        validator = compile_schema(tool.input_schema)
        assert tool.input_schema["additionalProperties"] is False
        assert all(validator.is_valid(example) for example in tool.examples)
        if tool.output_schema is not None:
            compile_schema(tool.output_schema)
            assert tool.output_schema["type"] == "object"


def test_the_seed_apis_become_the_tools_they_are_known_as() -> None:
    conversion = convert(SEED_APIS.encode())

    assert_sound(conversion)
    assert (conversion.title, conversion.version) == ("Dealer services", "1.2.0")
    assert conversion.base_url == "https://api.example.com"
    assert conversion.warnings == ()
    assert [
        (tool.name, tool.source.method, tool.source.path, tool.risk) for tool in conversion.tools
    ] == [
        ("get_dealer_enquiries", "GET", "/v1/dealers/{id}/enquiries", RiskLevel.READ),
        ("create_booking", "POST", "/v1/bookings", RiskLevel.WRITE),
        ("get_vehicle_inventory", "GET", "/v1/inventory", RiskLevel.READ),
        ("update_enquiry_status", "PUT", "/v1/enquiries/{id}/status", RiskLevel.WRITE),
        ("process_payment", "POST", "/v1/payments", RiskLevel.PRIVILEGED),
    ]  # fmt: skip
    enquiries, booking, *_, payment = conversion.tools
    assert enquiries.source.wraps_result
    assert enquiries.examples == ({"id": "D1"},)
    assert list(booking.input_schema["properties"]) == ["dealer_id", "date"]
    assert "Idempotency-Key" in payment.input_schema["properties"]
    assert payment.input_schema["properties"]["amount"] == {"type": "number", "exclusiveMinimum": 0}


def test_the_booking_example_converts_without_a_remark() -> None:
    conversion = convert(BOOKING.read_bytes())

    assert_sound(conversion)
    assert conversion.warnings == ()
    tools = {tool.name: tool for tool in conversion.tools}
    assert set(tools) == {
        "resolve_customer", "resolve_vehicle", "get_nearby_dealers", "get_available_slots",
        "create_service_booking", "get_booking_status", "cancel_service_booking",
    }  # fmt: skip
    create = tools["create_service_booking"]
    assert (create.risk, create.idempotent) == (RiskLevel.WRITE, True)
    assert create.source.parameters[0].location is ParameterLocation.HEADER
    assert all(tool.examples and tool.output_schema for tool in tools.values())


def test_json_and_yaml_give_the_same_tools() -> None:
    as_json = json.dumps(yaml.safe_load(SEED_APIS)).encode()

    assert convert(as_json) == convert(SEED_APIS.encode())


def test_the_base_url_of_the_operator_wins() -> None:
    assert convert(SEED_APIS.encode(), base_url="http://127.0.0.1:8080/").base_url == (
        "http://127.0.0.1:8080"
    )


def document(**paths: object) -> bytes:
    return json.dumps(
        {"openapi": "3.1.0", "servers": [{"url": "http://127.0.0.1"}], "paths": paths}
    ).encode()


def test_remarks_have_lines() -> None:
    text = SEED_APIS.replace("enum: [open, closed]", "enum: open")

    (finding,) = convert(text.encode()).warnings

    assert finding.line is not None
    assert "enum: open" in text.splitlines()[finding.line - 1]
    assert finding.location.endswith("/parameters/1/schema/enum")


def test_rejections_of_the_gate_have_lines() -> None:
    with pytest.raises(DocumentRejected) as caught:
        convert(b"info: {}\nswagger: '2.0'\n")

    assert caught.value.details["findings"][0]["line"] == 2


def test_a_document_of_which_nothing_is_left_is_rejected_with_the_reasons() -> None:
    operation = {"requestBody": {"$ref": "https://example.com/b.yaml"}}

    with pytest.raises(DocumentRejected, match=r"No operation.*leaves this document") as caught:
        convert(document(**{"/a": {"post": operation}}))

    assert len(caught.value.findings) == 1


def test_operations_that_work_survive_those_that_do_not() -> None:
    remote = {"post": {"requestBody": {"$ref": "http://127.0.0.1:1/b"}}}
    loop = {"get": {"parameters": [{"$ref": "#/paths/~1c/get/parameters/0"}]}}

    conversion = convert(document(**{"/a": remote, "/b": {"get": {}}, "/c": loop}))

    assert [tool.name for tool in conversion.tools] == ["get_b"]
    assert len(conversion.warnings) == 2


def test_a_document_of_ten_megabytes_is_converted_in_bounded_time() -> None:
    padding = {f"s{n}": {"type": "string", "description": "x" * 1_000} for n in range(10_000)}
    paths = {f"/p{n}": {"get": {}} for n in range(200)}
    text = json.dumps(
        {"openapi": "3.0.0", "servers": [{"url": "http://127.0.0.1"}], "paths": paths,
         "components": {"schemas": padding}}
    ).encode()  # fmt: skip
    started = time.perf_counter()

    conversion = convert(text)

    assert len(text) > 10_000_000
    assert len(conversion.tools) == 200
    assert time.perf_counter() - started < 20


WORDS = """
$ref type properties required items allOf oneOf nullable enum name in schema content
application/json parameters requestBody responses 200 get post servers url operationId tags
example examples value style explode description default pattern a
"""

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=6) | st.sampled_from(["string", "object", "#/paths", "path", "a", "#"]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(
            WORDS.split()
        ),
        inner,
        max_size=5,
    ),
    max_leaves=40,
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(JSON, st.sampled_from(["3.0.0", "3.1.0"]))
def test_arbitrary_paths_are_converted_or_rejected(item: object, version: str) -> None:
    media = {"content": {"application/json": {"schema": item}}}
    paths = {
        "/a/{a}": item,
        "/b": {"post": item},
        "/c": {"get": {"parameters": [item]}},
        "/d": {"post": {"requestBody": media, "responses": {"200": media}}},
        "/e": {"get": {"parameters": [{"name": "a", "in": "query", "schema": item}]}},
    }
    text = json.dumps(
        {"openapi": version, "servers": [{"url": "http://127.0.0.1"}], "paths": paths}
    )
    try:
        conversion = convert(text.encode())
    except DocumentRejected:
        return
    assert_sound(conversion)


@settings(max_examples=200, deadline=None)
@given(JSON)
def test_arbitrary_documents_are_converted_or_rejected(value: object) -> None:
    with pytest.raises(DocumentRejected):
        convert(json.dumps(value).encode())


@given(st.binary(max_size=80))
def test_arbitrary_bytes_are_rejected(value: bytes) -> None:
    with pytest.raises(DocumentRejected):
        convert(value)
