"""Operations keep what describes them; parameters and bodies are told apart."""

from typing import Any

from bascule.catalogue.openapi.budget import Budget
from bascule.catalogue.openapi.document import Document
from bascule.catalogue.openapi.findings import Remarks
from bascule.catalogue.openapi.swagger2 import upgrade

BODY = {"name": "b", "in": "body", "schema": {"type": "string"}}
FIELD = {"name": "f", "in": "formData", "type": "string"}


def upgraded(paths: object, **others: object) -> tuple[dict[str, Any], list[str]]:
    """The paths, and the remarks made."""
    remarks = Remarks()
    document = Document({"swagger": "2.0", "host": "a.test", "paths": paths, **others})
    root: Any = upgrade(document, remarks, Budget()).root
    messages = [f"{one.location} {one.message}" for one in remarks.findings({})]
    return root["paths"], [one for one in messages if "scheme" not in one]


def test_bodies_and_forms_of_a_path_belong_to_each_operation() -> None:
    item = {"parameters": [FIELD], "get": {}, "put": {"parameters": [{**FIELD, "type": "file"}]}}

    paths, remarks = upgraded({"/a": item})

    assert list(paths["/a"]["get"]["requestBody"]["content"]) == [
        "application/x-www-form-urlencoded"
    ]
    assert list(paths["/a"]["put"]["requestBody"]["content"]) == ["multipart/form-data"]
    assert "parameters" not in paths["/a"]
    assert remarks == []


def test_an_operation_has_one_body() -> None:
    paths, remarks = upgraded({"/a": {"parameters": [BODY], "post": {"parameters": [FIELD]}}})

    assert list(paths["/a"]["post"]["requestBody"]["content"]) == ["application/json"]
    assert "the last that is described" in remarks[0]


def test_the_body_of_an_operation_replaces_that_of_its_path() -> None:
    own = {**BODY, "schema": {"type": "integer"}}

    paths, remarks = upgraded({"/a": {"parameters": [BODY], "post": {"parameters": [own]}}})

    body = paths["/a"]["post"]["requestBody"]["content"]["application/json"]
    assert (body["schema"], remarks) == ({"type": "integer"}, [])


def test_references_are_followed_wherever_they_stand() -> None:
    paths, remarks = upgraded(
        {"/a": {"$ref": "#/x-items/a"}, "/b": {"$ref": "#/x-items/gone"}},
        **{"x-items": {"a": {"get": {"$ref": "#/x-get"}}}, "x-get": {"summary": "s"}},
    )

    assert paths == {"/a": {"get": {"summary": "s"}}}
    assert remarks == [
        "#/paths/~1b Path left out: The reference '#/x-items/gone' points at nothing."
    ]


def test_references_to_nothing_stay_to_be_reported() -> None:
    gone = {"$ref": "#/gone"}
    operation = {"parameters": [gone], "responses": {"200": gone, "x-ours": {}}}

    paths, _ = upgraded({"/a": {"get": operation, "put": gone}})

    assert paths["/a"] == {
        "get": {"parameters": [gone], "responses": {"200": gone}}, "put": gone,
    }  # fmt: skip


def test_what_has_the_wrong_shape_stays_to_be_reported() -> None:
    paths, _ = upgraded({"/a": [], "/b": {"get": 5, "query": {}, "parameters": {}}})

    assert paths == {"/a": [], "/b": {"get": 5}}


def test_a_field_without_a_name_is_left_out_and_said() -> None:
    paths, remarks = upgraded({"/a": {"post": {"parameters": [{**FIELD, "name": []}]}}})

    assert paths == {"/a": {"post": {}}}
    assert remarks == ["#/paths/~1a/post/parameters/0 Form field left out: it has no name."]
