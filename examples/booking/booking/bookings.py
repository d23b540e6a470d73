"""Bookings: made once, however often the caller repeats; a slot is held by one at most."""

from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from booking.database import insert
from booking.errors import describe_errors
from booking.fields import Maybe, Text
from booking.reservations import (
    Booking,
    BookingRequest,
    digest_request,
    find_booking,
    find_repeat,
    reserve_slot,
)
from booking.service import CurrentService

router = APIRouter(tags=["bookings"])

IDEMPOTENT = {"x-bascule-idempotent": True}
BookingNumber = Annotated[
    str,
    # Whitespace goes before the pattern is tried, capitals come after.
    StringConstraints(strip_whitespace=True, to_upper=True, pattern=r"^[Bb][Kk][0-9]{1,12}$"),
    Path(description="From create_service_booking: BK and digits.", examples=["BK48210937"]),
]
IdempotencyKey = Annotated[
    Maybe[Annotated[str, StringConstraints(pattern=r"^[!-~]{1,200}$")]],
    Header(
        alias="Idempotency-Key",
        description="A value of your choosing, one per booking you mean to make. Repeating it with "
        "the same body returns the first booking; with another body it is refused.",
        examples=["5b1f0c1e-7a4e-4f0e-9f57-0c1d2e3f4a5b"],
    ),
]


class CancelRequest(BaseModel):
    """Why the booking is cancelled."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"reason": "Travelling that day."}}
    )

    reason: Maybe[Text] = Field(None, description="Kept with the booking.")


@router.post(
    "/v1/bookings",
    status_code=201,
    operation_id="create_service_booking",
    summary="Book a service slot",
    response_description="The slot is booked.",
    openapi_extra=IDEMPOTENT,
    responses={
        200: {"model": Booking, "description": "A repeated request: the booking it made before."},
    }
    | describe_errors(
        {
            404: "No such customer, vehicle or dealer.",
            409: "The slot is taken (`slot_taken`; `details.alternatives` lists free ones), or the "
            "Idempotency-Key was used with another body (`idempotency_key_reused`).",
            422: "The vehicle is not the customer's, the dealer does not offer the service, the "
            "slot cannot be booked, or a field is malformed.",
        }
    ),
)
def create_service_booking(
    request: BookingRequest,
    response: Response,
    service: CurrentService,
    idempotency_key: IdempotencyKey = None,
) -> Booking:
    """Book a free slot for a customer's vehicle.

    Safe to repeat: the same Idempotency-Key and body, or the same customer, vehicle and slot,
    return the booking already made. A slot is never booked twice; where it is taken, the answer
    lists free ones.
    """
    with service.database.write() as connection:
        repeat = find_repeat(connection, request, idempotency_key)
        booking = repeat or reserve_slot(connection, request, service.now())
        if idempotency_key is not None:
            used: dict[str, Any] = {
                "idempotency_key": idempotency_key,
                "request_digest": digest_request(request),
                "booking_number": booking.booking_number,
            }
            insert(connection, "idempotency_keys", used)
    response.status_code = 200 if repeat else 201
    return booking


@router.get(
    "/v1/bookings/{booking_number}",
    operation_id="get_booking_status",
    summary="Look up a booking",
    response_description="The booking as it stands.",
    responses=describe_errors(
        {404: "There is no such booking.", 422: "The booking number is malformed."}
    ),
)
def get_booking_status(booking_number: BookingNumber, service: CurrentService) -> Booking:
    """Look up a booking by its number: its status, slot, dealer and vehicle."""
    with service.database.connect() as connection:
        return find_booking(connection, booking_number)


@router.post(
    "/v1/bookings/{booking_number}/cancel",
    operation_id="cancel_service_booking",
    summary="Cancel a booking",
    response_description="The cancelled booking.",
    openapi_extra=IDEMPOTENT,
    responses=describe_errors(
        {404: "There is no such booking.", 422: "The booking number or the body is malformed."}
    ),
)
def cancel_service_booking(
    booking_number: BookingNumber,
    service: CurrentService,
    request: Maybe[CancelRequest] = None,
) -> Booking:
    """Cancel a booking and free its slot for others.

    Safe to repeat: a booking cancelled before is returned as it is, with its first reason.
    """
    with service.database.write() as connection:
        connection.execute(
            "UPDATE service_bookings SET status = 'cancelled', cancellation_reason = ?,"
            " updated_at = ? WHERE booking_number = ? AND status = 'confirmed'",
            [request and request.reason, service.now().isoformat(), booking_number],
        )
        return find_booking(connection, booking_number)
