import json
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from booking.app import create_app
from booking.service import Service


def test_health_answers_and_counts_bookings(client: TestClient) -> None:
    assert client.get("/health").json() == {"status": "ok", "bookings": 0}


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nowhere", 404, "path_unknown"),
        ("GET", "/docs", 404, "path_unknown"),
        ("DELETE", "/v1/bookings/BK10000000", 405, "method_not_allowed"),
        ("GET", "/v1/customers", 422, "request_invalid"),
    ],
)
def test_every_error_has_the_same_shape(
    client: TestClient, method: str, path: str, status: int, code: str
) -> None:
    answer = client.request(method, path)
    assert answer.status_code == status
    assert set(answer.json()) == {"error"}
    assert set(answer.json()["error"]) == {"code", "message", "details"}
    assert answer.json()["error"]["code"] == code


def test_a_wrong_method_is_told_which_is_right(client: TestClient) -> None:
    assert client.delete("/v1/bookings/BK10000000").headers["Allow"] == "GET"


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b"\xff\xfe", b"[" * 100_000, b'{"notes": NaN}']
)
def test_a_body_that_is_no_request_is_refused_with_a_message(
    client: TestClient, body: bytes
) -> None:
    headers = {"Content-Type": "application/json"}
    answer = client.post("/v1/bookings", content=body, headers=headers)
    assert answer.status_code in (400, 422)
    assert answer.json()["error"]["message"]


def test_a_form_from_a_web_page_is_not_taken_for_a_booking(client: TestClient) -> None:
    body = json.dumps({"customer_mobile": "9876543210"})
    answer = client.post("/v1/bookings", content=body, headers={"Content-Type": "text/plain"})
    assert answer.status_code == 422


def test_an_invalid_value_is_not_echoed(client: TestClient) -> None:
    assert "12345-secret" not in client.get("/v1/customers?mobile=12345-secret").text


def test_a_bug_is_a_500_in_the_same_shape_without_its_reason(service: Service) -> None:
    app = create_app(service)

    def fail() -> None:
        raise ZeroDivisionError("private reason")

    app.add_api_route("/bug", fail)
    with TestClient(app, raise_server_exceptions=False) as client:
        answer = client.get("/bug")
    assert answer.status_code == 500
    assert answer.json()["error"]["code"] == "internal_error"
    assert "private reason" not in answer.text


def test_the_theme_names_the_product_and_its_colours(example: Path) -> None:
    theme = json.loads((example / "theme.json").read_text())
    assert theme["product_title"] == "Service booking"
    assert theme["font_family"] == "Inter"
    assert theme["colours"] == {
        "primary": "#003D79",
        "secondary": "#0056A8",
        "accent": "#E31837",
        "silver": "#C0C0C0",
        "text": "#333333",
        "surface": "#F8F9FA",
        "border": "#E5E7EB",
        "success": "#10B981",
        "error": "#EF4444",
        "warning": "#F59E0B",
        "info": "#3B82F6",
    }


def test_every_seed_row_reaches_the_database(service: Service, example: Path) -> None:
    seed: dict[str, list[Any]] = json.loads((example / "seed.json").read_text())
    with service.database.connect() as connection:
        for table, rows in seed.items():
            stored = connection.execute(f"SELECT * FROM {table}").fetchall()  # noqa: S608 - our names
            assert len(stored) == len(rows), table
