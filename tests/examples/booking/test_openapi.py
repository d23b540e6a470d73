from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st

from booking.app import create_app
from booking.openapi import render_yaml
from booking.service import Service

OPERATIONS = {
    "resolve_customer": ("get", "/v1/customers"),
    "resolve_vehicle": ("get", "/v1/vehicles/{registration}"),
    "get_nearby_dealers": ("get", "/v1/dealers"),
    "get_available_slots": ("get", "/v1/dealers/{dealer_id}/slots"),
    "create_service_booking": ("post", "/v1/bookings"),
    "get_booking_status": ("get", "/v1/bookings/{booking_number}"),
    "cancel_service_booking": ("post", "/v1/bookings/{booking_number}/cancel"),
}
TEXT = st.text(st.sampled_from("abcYN01 :-#{}[]&*!|>'\"%@`,.?/\\\n\té€"), max_size=8)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=12,
)


@pytest.fixture
def document(example: Path) -> dict[str, Any]:
    return yaml.safe_load((example / "openapi.yaml").read_text())


def walk(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield method, path, operation


def test_the_committed_document_is_what_the_application_serves(
    client: TestClient, document: dict[str, Any], example: Path
) -> None:
    served = client.get("/openapi.json").json()
    assert document == served
    # Regenerate with: python -m booking.openapi > openapi.yaml
    assert (example / "openapi.yaml").read_text() == render_yaml(served)


def test_asking_twice_gives_the_same_document(service: Service) -> None:
    app = create_app(service)
    assert app.openapi() == app.openapi()


def test_the_seven_operations_are_documented_and_nothing_else(document: dict[str, Any]) -> None:
    found = {operation["operationId"]: (method, path) for method, path, operation in walk(document)}
    assert found == OPERATIONS
    assert document["openapi"].startswith("3.1")
    assert document["servers"][0]["url"] == "http://127.0.0.1:8080"


def test_writes_are_marked_idempotent_and_reads_are_not(document: dict[str, Any]) -> None:
    marked = [
        operation["operationId"]
        for _, _, operation in walk(document)
        if operation.get("x-bascule-idempotent") is True
    ]
    assert marked == ["create_service_booking", "cancel_service_booking"]


def test_everything_a_caller_sends_is_described_with_an_example(document: dict[str, Any]) -> None:
    for _, _, operation in walk(document):
        assert operation["summary"]
        assert 0 < len(operation["description"]) <= 500
        assert operation["tags"]
        for parameter in operation.get("parameters", []):
            assert parameter["description"], parameter
            assert "example" in parameter, parameter
            assert "anyOf" not in parameter["schema"], parameter
        for content in operation.get("requestBody", {}).get("content", {}).values():
            assert content["example"]


def test_every_operation_documents_its_answers(document: dict[str, Any]) -> None:
    for _, _, operation in walk(document):
        assert {"404", "422"} <= set(operation["responses"])
        for answer in operation["responses"].values():
            assert answer["description"] not in ("Successful Response", "Validation Error")
            assert answer["content"]["application/json"]["schema"]["$ref"]
    assert "409" in document["paths"]["/v1/bookings"]["post"]["responses"]


def test_every_documented_example_works(client: TestClient, document: dict[str, Any]) -> None:
    number = ""
    for method, path, operation in walk(document):
        sent: dict[str, dict[str, Any]] = {"path": {}, "query": {}, "header": {}}
        for parameter in operation.get("parameters", []):
            sent[parameter["in"]][parameter["name"]] = parameter["example"]
        if "booking_number" in sent["path"]:
            sent["path"]["booking_number"] = number
        body = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
        answer = client.request(
            method,
            path.format(**sent["path"]),
            params=sent["query"],
            headers=sent["header"],
            json=body.get("example"),
        )
        assert str(answer.status_code) in operation["responses"]
        assert answer.is_success, answer.text
        number = answer.json().get("booking_number", number)
    assert number


@given(st.dictionaries(TEXT, VALUES, min_size=1, max_size=4))
def test_rendered_yaml_reads_back_as_the_same_value(value: dict[str, Any]) -> None:
    assert yaml.safe_load(render_yaml(value)) == value
