"""Documents are compared with the official schemas; nothing is fetched for it."""

import time

import pytest

from bascule.catalogue.openapi.metaschema import MOST_VIOLATIONS, list_violations

INFO = {"title": "T", "version": "1"}


def document(version: str, **members: object) -> dict[str, object]:
    head = {"swagger": "2.0"} if version == "2.0" else {"openapi": f"{version}.0"}
    return {**head, "info": INFO, "paths": {}, **members}


@pytest.mark.parametrize("version", ["2.0", "3.0", "3.1", "3.2"])
def test_each_version_has_its_schema(version: str) -> None:
    assert list_violations(document(version), version) == []
    violations = list_violations(document(version, info={"title": "T"}), version)
    assert violations == [(("info",), '"version" is a required property')]


@pytest.mark.parametrize("version", ["2.0", "3.0", "3.1", "3.2"])
def test_what_is_unknown_is_named_with_its_place(version: str) -> None:
    paths = {"/a": {"get": {"responses": {"200": {"description": "ok"}}, "operationid": "x"}}}

    ((pointer, message),) = list_violations(document(version, paths=paths), version)

    assert pointer == ("paths", "/a", "get")
    assert "'operationid'" in message


def test_of_several_forms_the_one_that_was_meant_is_spoken_of() -> None:
    parameter = {"name": "a", "in": "query", "schema": {"type": "text"}}
    operation = {"parameters": [parameter], "responses": {"200": {"description": "ok"}}}
    paths = {"/a": {"get": operation}}

    ((pointer, message),) = list_violations(document("3.0", paths=paths), "3.0")

    assert pointer == ("paths", "/a", "get", "parameters", "0", "schema", "type")
    assert '"text" is not one of' in message


def test_where_no_form_comes_closest_none_is_picked() -> None:
    operation = {
        "parameters": [{"name": "a", "in": "nowhere"}],
        "responses": {"200": {"description": ""}},
    }

    ((pointer, message),) = list_violations(
        document("3.0", paths={"/a": {"get": operation}}), "3.0"
    )

    assert pointer == ("paths", "/a", "get", "parameters", "0")
    assert "is not valid under any of the schemas that are allowed here" in message


def test_references_may_stand_where_the_schema_has_none() -> None:
    paths = {"/a": {"get": {"$ref": "a.yaml"}, "post": {"responses": {"$ref": "b.yaml"}}}}
    tags = [{"name": "x", "description": {"$ref": "c.yaml"}}]

    assert list_violations(document("3.0", paths=paths, tags=tags), "3.0") == []


def test_a_long_value_is_not_repeated() -> None:
    ((_, message),) = list_violations(document("3.0", tags={"x": "y" * 10_000}), "3.0")

    assert len(message) < 250


def test_very_many_violations_are_cut_short() -> None:
    tags = [{"name": number} for number in range(1_000)]

    assert len(list_violations(document("3.1", tags=tags), "3.1")) == MOST_VIOLATIONS


def test_what_is_huge_and_wrong_takes_little_time_and_memory() -> None:
    operation = {"parameters": [{"in": "x"}] * 100_000}
    paths = {"/a": {"get": operation}, "/b": {"get": {"responses": []}}}
    started = time.perf_counter()

    violations = list_violations(document("3.0", paths=paths), "3.0")

    assert [pointer for pointer, _ in violations] == [
        ("paths", "/a"), ("paths", "/b", "get", "responses"),
    ]  # fmt: skip
    assert "too large to say where" in violations[0][1]
    assert time.perf_counter() - started < 10


def test_members_of_components_are_looked_at_one_by_one() -> None:
    components = {"schemas": {"a": {"type": "text"}, "b": {}}, "odd": [], "x-ours": {"c": 1}}

    pointers = [
        pointer for pointer, _ in list_violations(document("3.0", components=components), "3.0")
    ]

    assert pointers == [("components", "schemas", "a", "type"), ("components",)]
