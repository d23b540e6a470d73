from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, Protocol

import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st

from booking.vehicles import normalise_registration


class Clock(Protocol):
    moment: datetime


def look_up(client: TestClient, registration: str) -> dict[str, Any]:
    return client.get(f"/v1/vehicles/{registration}").json()


def test_the_swift_of_rahul_sharma_is_due_for_service(client: TestClient) -> None:
    assert look_up(client, "MH12AB1234") == {
        "registration": "MH12AB1234",
        "make": "Maruti Suzuki",
        "model": "Swift",
        "variant": "ZXI+",
        "year": 2023,
        "owner": {"customer_id": "C1001", "name": "Rahul Sharma"},
        "last_service_on": "2026-05-18",
        "next_service_on": "2026-11-17",
        "service_due": True,
    }


@pytest.mark.parametrize("spelling", ["mh12ab1234", "MH 12 AB 1234", "MH-12-AB-1234"])
def test_spelling_of_a_registration_does_not_matter(client: TestClient, spelling: str) -> None:
    assert look_up(client, spelling)["registration"] == "MH12AB1234"


def test_a_vehicle_becomes_due_on_the_day_itself(client: TestClient, clock: Clock) -> None:
    assert not look_up(client, "MH02ZZ0003")["service_due"]
    clock.moment += timedelta(days=12)
    assert not look_up(client, "MH02ZZ0003")["service_due"]
    clock.moment += timedelta(days=1)
    assert look_up(client, "MH02ZZ0003")["service_due"]


def test_a_new_vehicle_has_no_last_service(client: TestClient) -> None:
    assert look_up(client, "KA01ZZ0004")["last_service_on"] is None


def test_unknown_vehicle_is_a_404_that_points_to_the_customer(client: TestClient) -> None:
    answer = client.get("/v1/vehicles/MH12AB9999")
    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "vehicle_unknown"
    assert "/v1/customers" in answer.json()["error"]["message"]


@pytest.mark.parametrize("registration", ["12345", "hello", "MH12AB12345", "1' OR '1'='1"])
def test_malformed_registration_is_a_422(client: TestClient, registration: str) -> None:
    answer = client.get(f"/v1/vehicles/{registration}")
    assert answer.status_code == 422
    assert "for example MH12AB1234" in answer.json()["error"]["message"]


@given(st.one_of(st.text(), st.from_regex(r"[A-Za-z0-9 -]{4,14}", fullmatch=True)))
def test_a_normalised_registration_stays_the_same(text: str) -> None:
    with suppress(ValueError):
        registration = normalise_registration(text)
        assert registration.isascii()
        assert normalise_registration(registration) == registration
