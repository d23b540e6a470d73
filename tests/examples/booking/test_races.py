from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Protocol, TypeVar

import httpx2
from fastapi.testclient import TestClient

T = TypeVar("T")

SEEDED = [
    ("9876543210", "MH12AB1234"),
    ("9000000002", "MH12ZZ0002"),
    ("9000000002", "MH14ZZ0012"),
    ("9000000003", "MH02ZZ0003"),
    ("9000000004", "KA01ZZ0004"),
    ("9000000005", "DL3CZZ0005"),
    ("9000000006", "MH01ZZ0006"),
    ("9000000007", "22BH0007ZZ"),
]


class Running(Protocol):
    @property
    def url(self) -> str: ...


def race(count: int, run: Callable[[int], T]) -> list[T]:
    """Call `run` from `count` threads that start together."""
    start = Barrier(count, timeout=20)

    def wait_and_run(index: int) -> T:
        start.wait()
        return run(index)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(wait_and_run, range(count), timeout=60))


def test_fifty_racers_for_one_slot_in_two_processes_make_one_booking(
    launch: Callable[[Path], Running], tmp_path: Path
) -> None:
    urls = [launch(tmp_path / "booking.db").url for _ in range(2)]
    slot_id = httpx2.get(f"{urls[0]}/v1/dealers/PUN01/slots").json()["slots"][0]["slot_id"]

    def book(index: int) -> httpx2.Response:
        mobile, registration = SEEDED[index % len(SEEDED)]
        body = {"customer_mobile": mobile, "vehicle_registration": registration}
        body |= {"dealer_id": "PUN01", "slot_id": slot_id, "service_type": "regular"}
        return httpx2.post(f"{urls[index % 2]}/v1/bookings", json=body, timeout=30)

    answers = race(50, book)
    statuses = Counter(answer.status_code for answer in answers)
    won = [answer.json() for answer in answers if answer.status_code != 409]
    assert statuses[201] == 1
    assert statuses[409] == 50 - len(won) >= 50 - 7
    # The winner's own repeats are answered with the winner's booking.
    assert (
        len({(booking["booking_number"], booking["vehicle_registration"]) for booking in won}) == 1
    )
    for answer in answers:
        if answer.status_code == 409:
            offered = answer.json()["error"]["details"]["alternatives"]
            assert offered
            assert slot_id not in [slot["slot_id"] for slot in offered]
    assert [httpx2.get(f"{url}/health").json()["bookings"] for url in urls] == [1, 1]


def test_twenty_submissions_with_one_key_make_one_booking(client: TestClient) -> None:
    body = {
        "customer_mobile": "9876543210",
        "vehicle_registration": "MH12AB1234",
        "dealer_id": "PUN01",
        "slot_id": "SL-PUN01-20261125-0900",
        "service_type": "regular",
    }

    def submit(_: int) -> tuple[int, str]:
        answer = client.post("/v1/bookings", json=body, headers={"Idempotency-Key": "one"})
        return answer.status_code, answer.json()["booking_number"]

    answers = race(20, submit)
    assert Counter(status for status, _ in answers) == {201: 1, 200: 19}
    assert len({number for _, number in answers}) == 1
    assert client.get("/health").json()["bookings"] == 1


def test_one_key_racing_with_two_bodies_makes_one_booking_and_refuses_the_other(
    client: TestClient,
) -> None:
    def submit(index: int) -> int:
        body = {
            "customer_mobile": "9876543210",
            "vehicle_registration": "MH12AB1234",
            "dealer_id": "PUN01",
            "slot_id": f"SL-PUN01-20261125-{10 + index % 2}00",
            "service_type": "regular",
        }
        return client.post(
            "/v1/bookings", json=body, headers={"Idempotency-Key": "one"}
        ).status_code

    assert Counter(race(10, submit)) == {201: 1, 200: 4, 409: 5}
    assert client.get("/health").json()["bookings"] == 1


def test_cancelling_and_rebooking_in_a_race_never_leaves_two_active_bookings(
    client: TestClient,
) -> None:
    def book_and_cancel(index: int) -> None:
        mobile, registration = SEEDED[index]
        body = {"customer_mobile": mobile, "vehicle_registration": registration}
        body |= {"dealer_id": "PUN01", "service_type": "regular"}
        answer = client.post("/v1/bookings", json=body | {"slot_id": "SL-PUN01-20261125-0900"})
        if answer.status_code == 201:
            number = answer.json()["booking_number"]
            cancelled = client.post(f"/v1/bookings/{number}/cancel")
            assert cancelled.json()["status"] == "cancelled"

    race(8, book_and_cancel)
    slots = client.get("/v1/dealers/PUN01/slots?date=2026-11-25").json()["slots"]
    assert slots[0]["slot_id"] == "SL-PUN01-20261125-0900"
