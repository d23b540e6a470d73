"""Whole documents: real ones, hostile ones, and arbitrary ones."""

import json
import time
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from bascule.catalogue.openapi import (
    Conversion,
    DocumentRejected,
    DocumentSource,
    convert,
    read_upload,
)
from bascule.catalogue.openapi.remote import only_from
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
    info, servers = {"title": "T", "version": "1"}, [{"url": "http://127.0.0.1"}]
    return json.dumps(
        {"openapi": "3.1.0", "info": info, "servers": servers, "paths": paths}
    ).encode()


def test_remarks_have_lines() -> None:
    text = SEED_APIS.replace("enum: [open, closed]", "enum: open")

    (finding,) = convert(text.encode()).warnings

    assert finding.line is not None
    assert "enum: open" in text.splitlines()[finding.line - 1]
    assert finding.location.endswith("/parameters/1/schema/enum")


def test_rejections_of_the_gate_have_lines() -> None:
    with pytest.raises(DocumentRejected) as caught:
        convert(b"info: {}\nswagger: '1.2'\n")

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


def test_departures_from_the_official_schema_are_warnings_with_lines() -> None:
    text = SEED_APIS.replace("operationId: create_booking", "operationid: create_booking")

    conversion = convert(text.encode())

    (finding,) = conversion.warnings
    assert conversion.tools[1].name == "post_v1_bookings"
    assert finding.location == "#/paths/~1v1~1bookings/post"
    assert finding.message.startswith("Not as OpenAPI 3.0 has it: ")
    assert "post:" in text.splitlines()[finding.line - 1]


SEVERAL_FILES = {
    "api/openapi.yaml": b"""
openapi: 3.0.3
info: {title: Pets, version: "1"}
servers: [{url: https://pets.test}]
paths:
  /pets: {$ref: paths/pets.yaml}
  /pets/{id}:
    $ref: 'paths/pets.yaml#/one'
    parameters: [{$ref: '../shared/parameters.json#/id'}]
""",
    "api/paths/pets.yaml": b"""
get:
  operationId: listPets
  responses:
    "200": {$ref: ../responses.yaml#/Pets}
one:
  get:
    operationId: getPet
    responses: {"200": {description: ok, content: {application/json: {schema: {
      $ref: ../models/pet.yaml}}}}}
""",
    "api/responses.yaml": b"""
Pets:
  description: ok
  content:
    application/json:
      schema: {type: array, items: {$ref: models/pet.yaml}}
      examples: {some: {$ref: examples/pets.json}}
""",
    "api/models/pet.yaml": b"""
type: object
required: [name]
properties:
  name: {type: string, minLength: none}
  mother: {$ref: pet.yaml}
  food: {$ref: '../../shared/parameters.json#/pet'}
""",
    "api/examples/pets.json": b'{"value": [{"name": "Rex"}]}',
    "shared/parameters.json": b"""
{"id": {"name": "id", "in": "path", "required": true, "schema": {"type": "string"}},
 "pet": {"type": "string"}}
""",
}


def test_a_description_may_be_in_many_files_of_either_syntax() -> None:
    conversion = convert(DocumentSource("api/openapi.yaml", SEVERAL_FILES))

    assert_sound(conversion)
    listed, got = conversion.tools
    assert (listed.name, got.name) == ("listPets", "getPet")
    assert got.input_schema["required"] == ["id"]
    pet = listed.output_schema["$defs"]["pet"]
    assert pet["properties"]["mother"] == {"$ref": "#/$defs/pet"}
    assert got.output_schema["properties"]["food"] == {"type": "string"} or (
        got.output_schema["$defs"]["pet_2"] == {"type": "string"}
    )
    (finding,) = conversion.warnings
    assert finding.location == "api/models/pet.yaml#/properties/name/minLength"
    assert finding.line == 5


def test_a_broken_file_among_many_rejects_the_whole() -> None:
    files = {**SEVERAL_FILES, "api/models/pet.yaml": b"type: object\n\tbroken"}

    with pytest.raises(DocumentRejected, match=r"In the file api/models/pet\.yaml") as caught:
        convert(DocumentSource("api/openapi.yaml", files))

    assert caught.value.findings[0].line == 2


def test_files_on_other_hosts_are_read_with_permission_only() -> None:
    operation = {"requestBody": {"$ref": "https://parts.test/body.yaml#/pet"}}
    text = document(**{"/a": {"post": operation}, "/b": {"get": {}}})
    body = b"pet: {content: {application/json: {schema: {type: object, properties: {n: {}}}}}}"

    refused = convert(text)
    allowed = convert(text, fetch=only_from(["parts.test"], lambda _: body))

    assert [tool.name for tool in refused.tools] == ["get_b"]
    assert "https://parts.test/body.yaml" in refused.warnings[0].message
    assert "--allow-host parts.test" in refused.warnings[0].message
    assert [tool.name for tool in allowed.tools] == ["post_a", "get_b"]


def test_swagger_2_is_converted_with_findings_in_its_own_words() -> None:
    text = b"""swagger: "2.0"
info: {title: Pets, version: "1"}
host: pets.test
schemes: [https]
paths:
  /pets/{id}:
    parameters: [{$ref: '#/parameters/id'}]
    put:
      consumes: [application/json]
      parameters:
        - {in: body, name: pet, schema: {$ref: '#/definitions/Pet'}}
      responses: {"200": {description: ok}}
parameters:
  id: {in: path, name: id, type: string, required: true}
definitions:
  Pet:
    type: object
    properties:
      name: {type: string, maxLength: none}
"""

    conversion = convert(text)

    assert_sound(conversion)
    (tool,) = conversion.tools
    assert (tool.source.path, conversion.base_url) == ("/pets/{id}", "https://pets.test")
    (finding,) = conversion.warnings
    assert (finding.location, finding.line) == ("#/definitions/Pet/properties/name/maxLength", 19)


OPENAPI_3_2 = b"""
openapi: 3.2.0
$self: https://apis.test/search
info: {title: Search, version: "1"}
servers: [{url: https://apis.test, name: production}]
tags: [{name: find, parent: all, kind: nav, summary: Find}, {name: all}]
paths:
  /things:
    $ref: 'https://apis.test/search#/components/pathItems/Things'
webhooks: {changed: {post: {}}}
components:
  pathItems:
    Things:
      query:
        operationId: findThings
        tags: [find]
        requestBody:
          content: {application/json: {$ref: '#/components/mediaTypes/Filter'}}
        responses: {"200": {description: ok}}
      get:
        operationId: listThings
        parameters:
          - name: filter
            in: querystring
            content:
              application/x-www-form-urlencoded:
                schema: {type: object, properties: {q: {type: string}}}
        responses:
          "200":
            description: ok
            content: {application/jsonl: {itemSchema: {type: object}}}
      additionalOperations:
        LINK: {operationId: linkThing, responses: {"204": {description: ok}}}
  mediaTypes:
    Filter: {schema: {type: object, properties: {q: {type: string}}, additionalProperties: false}}
"""


def test_what_openapi_3_2_adds_is_understood() -> None:
    conversion = convert(OPENAPI_3_2)

    assert_sound(conversion)
    tools = {tool.source.method: tool for tool in conversion.tools}
    assert sorted(tools) == ["GET", "LINK", "QUERY"]
    assert tools["QUERY"].risk is RiskLevel.READ
    assert "q" in tools["QUERY"].input_schema["properties"]
    (parameter,) = tools["GET"].source.parameters
    assert parameter.location is ParameterLocation.QUERYSTRING
    assert [one.location for one in conversion.warnings] == ["#/webhooks"]


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


@settings(max_examples=200, deadline=None)
@given(JSON, JSON)
def test_arbitrary_swagger_2_is_converted_or_rejected(item: object, other: object) -> None:
    schema = {"in": "body", "name": "b", "schema": item}
    paths = {
        "/a/{a}": item,
        "/b": {"post": item, "parameters": other},
        "/c": {"get": {"parameters": [item, other, schema], "responses": other}},
        "/d": {
            "put": {"parameters": [{**item, "in": "formData"} if isinstance(item, dict) else 1]}
        },
        "/e": {"get": {"responses": {"200": item, "201": {"schema": item, "examples": other}}}},
        "/f": {"$ref": "#/x"},
    }
    members = dict.fromkeys(("definitions", "parameters", "responses", "securityDefinitions"), item)
    text = json.dumps(
        {
            "swagger": "2.0",
            "host": "a.test",
            "paths": paths,
            "x": other,
            "produces": other,
            **members,
        }
    )
    try:
        conversion = convert(text.encode())
    except DocumentRejected:
        return
    assert_sound(conversion)


REFERENCES = ["b.json#/a", "b.json", "#/a", "../c.yaml", "c/d.yaml#/pattern", "file:///etc/passwd"]


@settings(max_examples=100, deadline=None)
@given(JSON, JSON, st.binary(max_size=30), st.lists(st.sampled_from(REFERENCES), min_size=3))
def test_arbitrary_files_are_converted_or_rejected(
    first: object, second: object, noise: bytes, references: list[str]
) -> None:
    one, two, three = ({"$ref": reference} for reference in references[:3])
    media = {"content": {"application/json": {"schema": two}}}
    paths = {"/a": one, "/b": {"get": {"parameters": [three], "responses": {"200": media}}}}
    files = {
        "a.json": json.dumps({"openapi": "3.1.0", "paths": paths, "a": first}).encode(),
        "b.json": json.dumps({"a": second, "get": {}}).encode(),
        "c/d.yaml": noise,
    }
    try:
        conversion = convert(DocumentSource("a.json", files))
    except DocumentRejected:
        return
    assert_sound(conversion)


@given(st.binary(max_size=60), st.sampled_from([b"", b"\x1f\x8b\x08", b"PK\x03\x04", b"BZh"]))
def test_arbitrary_uploads_are_read_or_rejected(noise: bytes, magic: bytes) -> None:
    with pytest.raises(DocumentRejected):
        convert(read_upload(magic + noise, "api.yaml"))
