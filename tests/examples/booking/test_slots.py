from datetime import date, datetime, timedelta
from typing import Any, Protocol

import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st

from booking.slots import next_working_day


class Clock(Protocol):
    moment: datetime


def list_slots(client: TestClient, query: str = "") -> dict[str, Any]:
    answer = client.get(f"/v1/dealers/PUN01/slots?{query}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_working_day_has_a_slot_for_every_open_hour(client: TestClient) -> None:
    day = list_slots(client, "date=2026-11-25&service_type=regular")
    assert day["time_zone"] == "Asia/Kolkata"
    assert day["note"] is None
    assert [slot["time"] for slot in day["slots"]] == [f"{hour:02}:00" for hour in range(9, 18)]
    assert day["slots"][0] == {
        "slot_id": "SL-PUN01-20261125-0900",
        "dealer_id": "PUN01",
        "date": "2026-11-25",
        "time": "09:00",
        "starts_at": "2026-11-25T09:00:00+05:30",
        "duration_minutes": 60,
    }


def test_hours_differ_between_dealers(client: TestClient) -> None:
    slots = client.get("/v1/dealers/pun02/slots?date=2026-11-25").json()["slots"]
    assert (slots[0]["time"], slots[-1]["time"]) == ("10:00", "18:00")


def test_without_a_date_the_next_working_day_is_listed(client: TestClient, clock: Clock) -> None:
    assert list_slots(client)["date"] == "2026-11-25"
    clock.moment = datetime.fromisoformat("2026-11-28T10:00:00+05:30")
    assert list_slots(client)["date"] == "2026-11-30"


def test_today_is_the_day_in_india_whatever_zone_the_clock_shows(
    client: TestClient, clock: Clock
) -> None:
    clock.moment = datetime.fromisoformat("2026-11-24T20:00:00+00:00")
    assert list_slots(client)["date"] == "2026-11-26"


def test_slots_that_have_begun_today_are_not_offered(client: TestClient) -> None:
    assert list_slots(client, "date=2026-11-24")["slots"][0]["time"] == "11:00"


def test_sunday_is_closed_and_the_note_names_the_next_day(client: TestClient) -> None:
    sunday = list_slots(client, "date=2026-11-29")
    assert sunday["slots"] == []
    assert sunday["note"] == "Arena Hinjewadi is closed on Sundays; try 2026-11-30."


def test_a_day_that_is_over_says_which_day_to_try(client: TestClient, clock: Clock) -> None:
    clock.moment = datetime.fromisoformat("2026-11-24T21:00:00+05:30")
    assert "try 2026-11-25" in list_slots(client, "date=2026-11-24")["note"]


def test_the_last_day_ahead_is_open(client: TestClient) -> None:
    assert list_slots(client, "date=2027-01-23")["slots"]


@pytest.mark.parametrize("day", ["2026-11-23", "2027-01-24", "0001-01-01", "9999-12-31"])
def test_a_day_outside_the_window_is_a_422_with_its_borders(client: TestClient, day: str) -> None:
    answer = client.get(f"/v1/dealers/PUN01/slots?date={day}")
    assert answer.status_code == 422
    assert answer.json()["error"]["details"] == {"earliest": "2026-11-24", "latest": "2027-01-23"}


@pytest.mark.parametrize("day", ["25-11-2026", "1764028800", "2026-02-30", "tomorrow", ""])
def test_a_malformed_date_is_a_422_that_names_the_field(client: TestClient, day: str) -> None:
    answer = client.get(f"/v1/dealers/PUN01/slots?date={day}")
    assert answer.status_code == 422
    assert answer.json()["error"]["details"]["fields"][0]["field"] == "date"


def test_an_unknown_dealer_is_a_404_that_says_where_to_look(client: TestClient) -> None:
    answer = client.get("/v1/dealers/XYZ99/slots")
    assert answer.status_code == 404
    assert "GET /v1/dealers" in answer.json()["error"]["message"]


def test_a_service_the_dealer_does_not_offer_is_a_422_with_those_it_does(
    client: TestClient,
) -> None:
    answer = client.get("/v1/dealers/PUN01/slots?service_type=body")
    assert answer.status_code == 422
    assert answer.json()["error"]["details"]["service_types"] == [
        "regular",
        "repair",
        "inspection",
    ]


@given(st.dates(max_value=date(9999, 12, 1)))
def test_the_next_working_day_is_later_and_never_a_sunday(day: date) -> None:
    following = next_working_day(day)
    assert following.strftime("%A") != "Sunday"
    assert timedelta(days=1) <= following - day <= timedelta(days=2)
