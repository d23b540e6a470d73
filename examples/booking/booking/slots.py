"""Service slots: computed from a dealer's hours, less the ones already booked."""

import re
import sqlite3
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, BeforeValidator, Field

from booking.clock import INDIA, TIME_ZONE
from booking.dealers import Dealer, DealerId, ServiceType, find_dealer, require_offered
from booking.errors import ApiError, describe_errors
from booking.fields import Maybe
from booking.service import CurrentService

router = APIRouter(tags=["slots"])

DAYS_AHEAD = 60
SLOT_LENGTH = timedelta(hours=1)
ALTERNATIVES = 5
SUNDAY = 6


def require_iso_date(value: Any) -> Any:
    """Keeps out the Unix timestamps that a date field would otherwise take."""
    if isinstance(value, str) and not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
        raise ValueError("give a date as YYYY-MM-DD, for example 2026-11-25")
    return value


class Slot(BaseModel):
    """One free hour at a dealer."""

    slot_id: str = Field(examples=["SL-PUN01-20261125-0900"])
    dealer_id: str = Field(examples=["PUN01"])
    date: date
    time: str = Field(description="Start, HH:MM, local time.", examples=["09:00"])
    starts_at: datetime
    duration_minutes: int = Field(examples=[60])


class DaySlots(BaseModel):
    """The free slots of one dealer on one day."""

    dealer_id: str = Field(examples=["PUN01"])
    dealer_name: str = Field(examples=["Arena Hinjewadi"])
    date: date
    time_zone: str = Field(description="The zone of every time given here.", examples=[TIME_ZONE])
    slots: list[Slot] = Field(description="Earliest first; empty where none is free.")
    note: str | None = Field(description="Why the list is empty, and which day to try instead.")


def next_working_day(day: date) -> date:
    """The first day after `day` that is not a Sunday."""
    following = day + timedelta(days=1)
    return following + timedelta(days=1) if following.weekday() == SUNDAY else following


def day_slots(dealer: Dealer, day: date, now: datetime) -> Iterator[Slot]:
    """Every slot of the day that has not started, booked or not."""
    if day.weekday() == SUNDAY:
        return
    starts_at = datetime.combine(day, time.fromisoformat(dealer.opens_at), INDIA)
    closes_at = datetime.combine(day, time.fromisoformat(dealer.closes_at), INDIA)
    while starts_at + SLOT_LENGTH <= closes_at:
        if starts_at > now:
            yield Slot(
                slot_id=f"SL-{dealer.dealer_id}-{starts_at:%Y%m%d-%H%M}",
                dealer_id=dealer.dealer_id,
                date=day,
                time=f"{starts_at:%H:%M}",
                starts_at=starts_at,
                duration_minutes=int(SLOT_LENGTH.total_seconds() // 60),
            )
        starts_at += SLOT_LENGTH


def free_slots(
    connection: sqlite3.Connection, dealer: Dealer, day: date, now: datetime
) -> list[Slot]:
    rows = connection.execute(
        "SELECT slot_id FROM service_bookings"
        " WHERE dealer_id = ? AND service_date = ? AND status = 'confirmed'",
        [dealer.dealer_id, str(day)],
    )
    taken = {row["slot_id"] for row in rows}
    return [slot for slot in day_slots(dealer, day, now) if slot.slot_id not in taken]


def find_alternatives(
    connection: sqlite3.Connection, dealer: Dealer, day: date, now: datetime
) -> list[Slot]:
    """The dealer's first free slots from `day` on, on as many days as it takes."""
    found: list[Slot] = []
    while len(found) < ALTERNATIVES and day <= now.date() + timedelta(days=DAYS_AHEAD):
        found += free_slots(connection, dealer, day, now)
        day = next_working_day(day)
    return found[:ALTERNATIVES]


def find_slot(dealer: Dealer, slot_id: str, now: datetime) -> Slot:
    """The slot with this id, booked or not.

    Raises ApiError 422 where the dealer has no such slot, or it is past or too far ahead.
    """
    day = _read_day(slot_id)
    if day is not None and day <= now.date() + timedelta(days=DAYS_AHEAD):
        for slot in day_slots(dealer, day, now):
            if slot.slot_id == slot_id:
                return slot
    message = (
        f"{slot_id} is not a slot that can be booked at {dealer.name}: it belongs to another "
        f"dealer, is past, or does not exist. Take one from GET /v1/dealers/{dealer.dealer_id}"
        "/slots."
    )
    raise ApiError(422, "slot_invalid", message)


def _read_day(slot_id: str) -> date | None:
    found = re.search(r"-([0-9]{8})-[0-9]{4}$", slot_id)
    try:
        return date.fromisoformat(found[1]) if found else None
    except ValueError:
        return None


def _require_open_window(day: date, today: date) -> None:
    last = today + timedelta(days=DAYS_AHEAD)
    if not today <= day <= last:
        message = f"Slots can be booked from {today} to {last}. Choose a date between them."
        raise ApiError(422, "date_out_of_range", message, earliest=str(today), latest=str(last))


def _explain_empty(dealer: Dealer, day: date) -> str:
    reason = "is closed on Sundays" if day.weekday() == SUNDAY else "has no free slot on this day"
    return f"{dealer.name} {reason}; try {next_working_day(day)}."


@router.get(
    "/v1/dealers/{dealer_id}/slots",
    operation_id="get_available_slots",
    summary="List a dealer's free slots on a day",
    response_description="The free slots of the day, earliest first.",
    responses=describe_errors(
        {
            404: "There is no such dealer.",
            422: "A past date, one too far ahead, or a kind of service not offered there.",
        }
    ),
)
def get_available_slots(
    dealer_id: Annotated[
        DealerId, Path(description="From get_nearby_dealers.", examples=["PUN01"])
    ],
    service: CurrentService,
    day: Annotated[
        Maybe[Annotated[date, BeforeValidator(require_iso_date)]],
        Query(
            alias="date",
            description=f"YYYY-MM-DD, from today to {DAYS_AHEAD} days ahead. Without it: the next "
            "working day.",
            examples=["2026-11-25"],
        ),
    ] = None,
    service_type: Annotated[
        Maybe[ServiceType],
        Query(description="Checks that the dealer offers it.", examples=["regular"]),
    ] = None,
) -> DaySlots:
    """List the slots of a dealer that can still be booked on one day.

    Dealers are closed on Sundays: the list is empty and `note` names the day to try.
    """
    now = service.now()
    day = day or next_working_day(now.date())
    _require_open_window(day, now.date())
    with service.database.connect() as connection:
        dealer = find_dealer(connection, dealer_id)
        if service_type is not None:
            require_offered(dealer, service_type)
        slots = free_slots(connection, dealer, day, now)
    return DaySlots(
        dealer_id=dealer.dealer_id,
        dealer_name=dealer.name,
        date=day,
        time_zone=TIME_ZONE,
        slots=slots,
        note=None if slots else _explain_empty(dealer, day),
    )
