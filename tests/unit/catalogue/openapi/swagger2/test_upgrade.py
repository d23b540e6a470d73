"""A Swagger 2.0 document says the same in OpenAPI 3.0, and each part knows its origin."""

from typing import Any

from bascule.catalogue.openapi.budget import Budget
from bascule.catalogue.openapi.document import Document
from bascule.catalogue.openapi.findings import Remarks
from bascule.catalogue.openapi.metaschema import list_violations
from bascule.catalogue.openapi.swagger2 import upgrade

PETS: dict[str, Any] = {
    "swagger": "2.0",
    "info": {"title": "Pets", "version": "1"},
    "host": "pets.example.com",
    "basePath": "/v1",
    "schemes": ["http", "https"],
    "consumes": ["application/json"],
    "produces": ["application/json"],
    "tags": [{"name": "pets"}],
    "security": [{"key": []}],
    "securityDefinitions": {"key": {"type": "apiKey", "in": "header", "name": "X-Key"}},
    "parameters": {
        "limit": {"name": "limit", "in": "query", "type": "integer", "maximum": 5},
        "pet": {"name": "pet", "in": "body", "schema": {"$ref": "#/definitions/Pet"}},
    },
    "responses": {"gone": {"description": "Gone.", "schema": {"$ref": "#/definitions/Error"}}},
    "definitions": {
        "Pet": {"type": "object", "discriminator": "kind", "required": ["kind"],
                "properties": {"kind": {"type": "string"}}},
        "Error": {"type": "object"},
    },
    "paths": {
        "/pets": {
            "parameters": [{"$ref": "#/parameters/limit"}],
            "post": {
                "operationId": "addPet",
                "tags": ["pets"],
                "parameters": [{"$ref": "#/parameters/pet"}],
                "responses": {"200": {"description": "ok"}, "410": {"$ref": "#/responses/gone"}},
                "x-bascule-risk": "privileged",
            },
        },
        "x-ours": {},
    },
}  # fmt: skip


def test_the_result_is_a_valid_document_of_openapi_3_0() -> None:
    root = upgrade(Document(PETS), Remarks(), Budget()).root

    assert list_violations(root, "3.0") == []
    assert root["servers"] == [{"url": "https://pets.example.com/v1"}]
    assert root["security"] == [{"key": []}]


def test_shared_parts_are_where_they_are_used() -> None:
    root: Any = upgrade(Document(PETS), Remarks(), Budget()).root
    item = root["paths"]["/pets"]

    assert item["parameters"] == [
        {"name": "limit", "in": "query", "schema": {"type": "integer", "maximum": 5}}
    ]
    assert item["post"]["x-bascule-risk"] == "privileged"
    assert item["post"]["requestBody"]["content"] == {
        "application/json": {"schema": {"$ref": "#/components/schemas/Pet"}}
    }
    assert item["post"]["responses"]["410"] == {"$ref": "#/components/responses/0"}
    assert root["components"]["responses"]["0"]["content"] == {
        "application/json": {"schema": {"$ref": "#/components/schemas/Error"}}
    }
    assert root["components"]["schemas"]["Pet"]["discriminator"] == {"propertyName": "kind"}
    assert list(root["paths"]) == ["/pets"]


def test_each_part_knows_where_it_came_from() -> None:
    origin = upgrade(Document(PETS), Remarks(), Budget()).origins.of
    post = ("paths", "/pets", "post")

    assert origin((*post, "operationId")) == (*post, "operationId")
    assert origin(("paths", "/pets", "parameters", "0", "schema", "maximum")) == (
        "parameters", "limit", "maximum",
    )  # fmt: skip
    assert origin((*post, "requestBody", "content", "application/json", "schema")) == (
        "parameters", "pet", "schema",
    )  # fmt: skip
    response = ("components", "responses", "0", "content", "application/json")
    assert origin((*response, "schema")) == (
        "responses", "gone", "schema",
    )  # fmt: skip
    assert origin(("components", "schemas", "Pet", "required")) == (
        "definitions",
        "Pet",
        "required",
    )
    assert origin(("servers", "0", "url")) == ("host",)


def test_a_document_with_nothing_but_paths_is_enough() -> None:
    root = upgrade(Document({"swagger": "2.0", "paths": {}}), Remarks(), Budget()).root

    assert root == {
        "openapi": "3.0.3", "paths": {},
        "components": {"schemas": {}, "responses": {}, "securitySchemes": {}},
    }  # fmt: skip
