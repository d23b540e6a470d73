import json
from datetime import datetime
from typing import Any, Protocol

import pytest
from fastapi.testclient import TestClient

RAHUL = {
    "customer_mobile": "9876543210",
    "vehicle_registration": "MH12AB1234",
    "dealer_id": "PUN01",
    "slot_id": "SL-PUN01-20261125-0900",
    "service_type": "regular",
}
ANJALI = RAHUL | {"customer_mobile": "9000000002", "vehicle_registration": "MH12ZZ0002"}


class Clock(Protocol):
    moment: datetime


def book(client: TestClient, body: dict[str, str], key: str | None = None) -> dict[str, Any]:
    headers = {"Idempotency-Key": key} if key else {}
    answer = client.post("/v1/bookings", json=body, headers=headers)
    assert answer.status_code in (200, 201), answer.text
    return answer.json()


def list_slot_ids(client: TestClient) -> list[str]:
    day = client.get("/v1/dealers/PUN01/slots?date=2026-11-25").json()
    return [slot["slot_id"] for slot in day["slots"]]


def test_a_booking_carries_every_fact_of_the_appointment(client: TestClient) -> None:
    answer = client.post("/v1/bookings", json=RAHUL | {"notes": " Check the brakes. "})
    assert answer.status_code == 201
    booking = answer.json()
    number = booking.pop("booking_number")
    assert number[:2] == "BK"
    assert number[2:].isdecimal()
    assert booking == {
        "status": "confirmed",
        "customer_mobile": "9876543210",
        "customer_name": "Rahul Sharma",
        "vehicle_registration": "MH12AB1234",
        "vehicle_make": "Maruti Suzuki",
        "vehicle_model": "Swift",
        "dealer_id": "PUN01",
        "dealer_name": "Arena Hinjewadi",
        "dealer_address": "Plot 1, Demo Road, Hinjewadi Phase 1",
        "dealer_phone": "+91 20 5550 0101",
        "slot_id": "SL-PUN01-20261125-0900",
        "service_date": "2026-11-25",
        "service_time": "09:00",
        "starts_at": "2026-11-25T09:00:00+05:30",
        "time_zone": "Asia/Kolkata",
        "service_type": "regular",
        "notes": "Check the brakes.",
        "cancellation_reason": None,
        "created_at": "2026-11-24T10:30:00+05:30",
        "updated_at": "2026-11-24T10:30:00+05:30",
    }


def test_a_booking_is_found_by_its_number_in_any_case(client: TestClient) -> None:
    booking = book(client, RAHUL)
    assert client.get(f"/v1/bookings/{booking['booking_number']}").json() == booking
    assert client.get(f"/v1/bookings/{booking['booking_number'].lower()}").json() == booking


def test_a_booked_slot_is_no_longer_offered(client: TestClient) -> None:
    assert RAHUL["slot_id"] in list_slot_ids(client)
    book(client, RAHUL)
    assert RAHUL["slot_id"] not in list_slot_ids(client)


def test_a_taken_slot_is_a_409_with_free_alternatives_that_can_be_booked(
    client: TestClient,
) -> None:
    book(client, RAHUL)
    answer = client.post("/v1/bookings", json=ANJALI)
    assert answer.status_code == 409
    error = answer.json()["error"]
    assert error["code"] == "slot_taken"
    offered = [slot["slot_id"] for slot in error["details"]["alternatives"]]
    assert offered == [f"SL-PUN01-20261125-{hour}00" for hour in range(10, 15)]
    assert book(client, ANJALI | {"slot_id": offered[0]})["status"] == "confirmed"


def test_alternatives_run_on_to_the_next_working_day(client: TestClient, clock: Clock) -> None:
    saturday_evening = RAHUL | {"slot_id": "SL-PUN01-20261128-1700"}
    book(client, saturday_evening)
    clock.moment = datetime.fromisoformat("2026-11-28T16:30:00+05:30")
    answer = client.post("/v1/bookings", json=ANJALI | {"slot_id": saturday_evening["slot_id"]})
    alternatives = answer.json()["error"]["details"]["alternatives"]
    assert [slot["date"] for slot in alternatives] == ["2026-11-30"] * 5


def test_alternatives_stop_at_the_last_day_that_can_be_booked(
    client: TestClient, clock: Clock
) -> None:
    last_evening = RAHUL | {"slot_id": "SL-PUN01-20270123-1700"}
    book(client, last_evening)
    answer = client.post("/v1/bookings", json=ANJALI | {"slot_id": last_evening["slot_id"]})
    alternatives = answer.json()["error"]["details"]["alternatives"]
    assert {slot["date"] for slot in alternatives} == {"2027-01-23"}


def test_the_same_key_and_body_return_the_same_booking(client: TestClient) -> None:
    first = book(client, RAHUL, key="one")
    spelled_differently = RAHUL | {
        "customer_mobile": "+91 98765 43210",
        "slot_id": "sl-pun01-20261125-0900",
    }
    again = client.post(
        "/v1/bookings", json=spelled_differently, headers={"Idempotency-Key": "one"}
    )
    assert again.status_code == 200
    assert again.json() == first


def test_the_same_key_with_another_body_is_refused_and_books_nothing(client: TestClient) -> None:
    book(client, RAHUL, key="one")
    later = RAHUL | {"slot_id": "SL-PUN01-20261125-1000"}
    answer = client.post("/v1/bookings", json=later, headers={"Idempotency-Key": "one"})
    assert answer.status_code == 409
    assert answer.json()["error"]["code"] == "idempotency_key_reused"
    assert later["slot_id"] in list_slot_ids(client)


def test_a_refused_booking_does_not_use_up_its_key(client: TestClient) -> None:
    book(client, RAHUL)
    headers = {"Idempotency-Key": "one"}
    assert client.post("/v1/bookings", json=ANJALI, headers=headers).status_code == 409
    other = ANJALI | {"slot_id": "SL-PUN01-20261125-1000"}
    assert client.post("/v1/bookings", json=other, headers=headers).status_code == 201


def test_without_a_key_the_same_request_returns_the_same_booking(client: TestClient) -> None:
    first = book(client, RAHUL)
    again = client.post("/v1/bookings", json=RAHUL)
    assert again.status_code == 200
    assert again.json() == first


def test_a_repeat_is_answered_even_after_the_slot_has_begun(
    client: TestClient, clock: Clock
) -> None:
    first = book(client, RAHUL, key="one")
    clock.moment = datetime.fromisoformat("2026-11-25T12:00:00+05:30")
    assert book(client, RAHUL, key="one") == first
    assert book(client, RAHUL) == first


def test_one_vehicle_may_hold_several_slots(client: TestClient) -> None:
    first = book(client, RAHUL)
    second = book(client, RAHUL | {"slot_id": "SL-PUN01-20261126-0900"})
    assert first["booking_number"] != second["booking_number"]


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"customer_mobile": "9111111111"}, 404, "customer_unknown"),
        ({"vehicle_registration": "MH12AB9999"}, 404, "vehicle_unknown"),
        ({"vehicle_registration": "MH12ZZ0002"}, 422, "vehicle_not_owned"),
        ({"dealer_id": "XYZ99"}, 404, "dealer_unknown"),
        ({"service_type": "body"}, 422, "service_not_offered"),
        ({"dealer_id": "PUN02"}, 422, "slot_invalid"),
        ({"slot_id": "SL-PUN01-20261129-0900"}, 422, "slot_invalid"),  # a Sunday
        ({"slot_id": "SL-PUN01-20261124-0900"}, 422, "slot_invalid"),  # begun
        ({"slot_id": "SL-PUN01-20270125-0900"}, 422, "slot_invalid"),  # too far ahead
        ({"slot_id": "SL-PUN01-20261125-0915"}, 422, "slot_invalid"),
        ({"slot_id": "SL-PUN01-20261399-0900"}, 422, "slot_invalid"),
        ({"slot_id": "'; DROP TABLE service_bookings"}, 422, "slot_invalid"),
        ({"service_type": "wash"}, 422, "request_invalid"),
        ({"notes": "x" * 501}, 422, "request_invalid"),
        ({"notes": "\ud800"}, 422, "request_invalid"),
        ({"colour": "red"}, 422, "request_invalid"),
    ],
)
def test_a_booking_that_cannot_be_is_refused_by_name(
    client: TestClient, change: dict[str, str], status: int, code: str
) -> None:
    # Escaped by hand: a lone surrogate is JSON that no encoder here would write.
    body = json.dumps(RAHUL | change)
    headers = {"Content-Type": "application/json"}
    answer = client.post("/v1/bookings", content=body, headers=headers)
    assert answer.status_code == status, answer.text
    assert answer.json()["error"]["code"] == code
    assert client.get("/health").json()["bookings"] == 0


def test_a_refusal_does_not_tell_whose_vehicle_it_is(client: TestClient) -> None:
    answer = client.post("/v1/bookings", json=RAHUL | {"vehicle_registration": "MH12ZZ0002"})
    assert answer.json()["error"]["details"] == {"vehicles": ["MH12AB1234"]}
    assert "Anjali" not in answer.text


@pytest.mark.parametrize("key", ["", "two words", "x" * 201])
def test_a_malformed_key_is_a_422_that_names_the_header(client: TestClient, key: str) -> None:
    answer = client.post("/v1/bookings", json=RAHUL, headers={"Idempotency-Key": key})
    assert answer.status_code == 422
    assert answer.json()["error"]["details"]["fields"][0]["field"] == "Idempotency-Key"


def test_cancelling_frees_the_slot_for_someone_else(client: TestClient, clock: Clock) -> None:
    number = book(client, RAHUL)["booking_number"]
    clock.moment = datetime.fromisoformat("2026-11-24T12:00:00+05:30")
    cancelled = client.post(f"/v1/bookings/{number}/cancel", json={"reason": "Travelling"}).json()
    assert (cancelled["status"], cancelled["cancellation_reason"]) == ("cancelled", "Travelling")
    assert cancelled["updated_at"] == "2026-11-24T12:00:00+05:30"
    assert RAHUL["slot_id"] in list_slot_ids(client)
    assert book(client, ANJALI)["booking_number"] != number


def test_cancelling_twice_keeps_the_first_reason(client: TestClient) -> None:
    number = book(client, RAHUL)["booking_number"]
    first = client.post(f"/v1/bookings/{number}/cancel")
    again = client.post(f"/v1/bookings/{number}/cancel", json={"reason": "Another"})
    assert again.status_code == 200
    assert again.json() == first.json()
    assert again.json()["cancellation_reason"] is None


def test_cancelling_again_leaves_the_next_booking_of_the_slot_alone(client: TestClient) -> None:
    number = book(client, RAHUL)["booking_number"]
    client.post(f"/v1/bookings/{number}/cancel")
    heir = book(client, ANJALI)
    client.post(f"/v1/bookings/{number}/cancel")
    assert client.get(f"/v1/bookings/{heir['booking_number']}").json()["status"] == "confirmed"


def test_after_cancelling_a_key_returns_the_cancelled_booking_and_no_key_books_anew(
    client: TestClient,
) -> None:
    first = book(client, RAHUL, key="one")
    client.post(f"/v1/bookings/{first['booking_number']}/cancel")
    assert book(client, RAHUL, key="one")["status"] == "cancelled"
    anew = book(client, RAHUL)
    assert anew["status"] == "confirmed"
    assert anew["booking_number"] != first["booking_number"]


@pytest.mark.parametrize("call", [("GET", ""), ("POST", "/cancel")])
def test_unknown_and_malformed_booking_numbers_are_told_apart(
    client: TestClient, call: tuple[str, str]
) -> None:
    method, suffix = call
    unknown = client.request(method, f"/v1/bookings/BK10000000{suffix}")
    assert (unknown.status_code, unknown.json()["error"]["code"]) == (404, "booking_unknown")
    malformed = client.request(method, f"/v1/bookings/12345{suffix}")
    assert (malformed.status_code, malformed.json()["error"]["code"]) == (422, "request_invalid")
