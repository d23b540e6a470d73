"""Making and finding bookings, inside a transaction the caller opened."""

import hashlib
import secrets
import sqlite3
from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from booking.clock import TIME_ZONE
from booking.customers import Customer, Mobile, find_customer
from booking.database import insert
from booking.dealers import Dealer, DealerId, ServiceType, find_dealer, require_offered
from booking.errors import ApiError
from booking.fields import Maybe, Text
from booking.slots import Slot, find_alternatives, find_slot
from booking.vehicles import Registration, Vehicle, find_vehicle

SlotId = Annotated[
    str, StringConstraints(strip_whitespace=True, to_upper=True, min_length=1, max_length=40)
]


class BookingRequest(BaseModel):
    """What to book: who, which vehicle, where, when and what for."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {
                "customer_mobile": "9876543210",
                "vehicle_registration": "MH12AB1234",
                "dealer_id": "PUN01",
                "slot_id": "SL-PUN01-20261125-0900",
                "service_type": "regular",
                "notes": "Please check the brakes.",
            }
        },
    )

    customer_mobile: Mobile = Field(description="Mobile number of a registered customer.")
    vehicle_registration: Registration = Field(description="A vehicle of that customer.")
    dealer_id: DealerId = Field(description="From get_nearby_dealers.")
    slot_id: SlotId = Field(description="A free slot of that dealer, from get_available_slots.")
    service_type: ServiceType = Field(description="A kind of service the dealer offers.")
    notes: Maybe[Text] = Field(None, description="Anything the dealer should know.")


class Booking(BaseModel):
    """A booking with every fact needed to keep the appointment."""

    booking_number: str = Field(examples=["BK48210937"])
    status: Literal["confirmed", "cancelled"]
    customer_mobile: str = Field(examples=["9876543210"])
    customer_name: str = Field(examples=["Rahul Sharma"])
    vehicle_registration: str = Field(examples=["MH12AB1234"])
    vehicle_make: str = Field(examples=["Maruti Suzuki"])
    vehicle_model: str = Field(examples=["Swift"])
    dealer_id: str = Field(examples=["PUN01"])
    dealer_name: str = Field(examples=["Arena Hinjewadi"])
    dealer_address: str
    dealer_phone: str
    slot_id: str = Field(examples=["SL-PUN01-20261125-0900"])
    service_date: date
    service_time: str = Field(description="HH:MM, local time.", examples=["09:00"])
    starts_at: datetime
    time_zone: str = Field(description="The zone of the date and time.", examples=[TIME_ZONE])
    service_type: ServiceType
    notes: str | None
    cancellation_reason: str | None
    created_at: datetime
    updated_at: datetime


def find_booking(connection: sqlite3.Connection, booking_number: str) -> Booking:
    """Raises ApiError 404 where there is no such booking."""
    row = connection.execute(
        "SELECT * FROM service_bookings WHERE booking_number = ?", [booking_number]
    ).fetchone()
    if row is None:
        message = f"There is no booking {booking_number}. Check the number on the confirmation."
        raise ApiError(404, "booking_unknown", message)
    return Booking(**dict(row))


def find_repeat(
    connection: sqlite3.Connection, request: BookingRequest, key: str | None
) -> Booking | None:
    """The booking an earlier, equal request made: by its key, else by what was asked for.

    Raises ApiError 409 where the key was used for something else.
    """
    used = connection.execute(
        "SELECT * FROM idempotency_keys WHERE idempotency_key = ?", [key]
    ).fetchone()
    if used is not None:
        if used["request_digest"] != digest_request(request):
            message = (
                f"This Idempotency-Key made booking {used['booking_number']} from another body. "
                "Send a new key for a new booking."
            )
            raise ApiError(409, "idempotency_key_reused", message)
        return find_booking(connection, used["booking_number"])
    active = connection.execute(
        "SELECT * FROM service_bookings WHERE slot_id = ? AND status = 'confirmed'"
        " AND customer_mobile = ? AND vehicle_registration = ?",
        [request.slot_id, request.customer_mobile, request.vehicle_registration],
    ).fetchone()
    return None if active is None else Booking(**dict(active))


def reserve_slot(connection: sqlite3.Connection, request: BookingRequest, now: datetime) -> Booking:
    """Make a new booking. The caller holds the write lock.

    Raises ApiError: 404 for an unknown customer, vehicle or dealer, 422 where they do not belong
    together, 409 where the slot is taken.
    """
    customer = find_customer(connection, request.customer_mobile)
    vehicle = find_vehicle(connection, request.vehicle_registration, now.date())
    require_owned(customer, vehicle)
    dealer = find_dealer(connection, request.dealer_id)
    require_offered(dealer, request.service_type)
    slot = find_slot(dealer, request.slot_id, now)
    booking = Booking(
        booking_number=draw_number(connection),
        status="confirmed",
        customer_mobile=customer.mobile,
        customer_name=customer.name,
        vehicle_registration=vehicle.registration,
        vehicle_make=vehicle.make,
        vehicle_model=vehicle.model,
        dealer_id=dealer.dealer_id,
        dealer_name=dealer.name,
        dealer_address=dealer.address,
        dealer_phone=dealer.phone,
        slot_id=slot.slot_id,
        service_date=slot.date,
        service_time=slot.time,
        starts_at=slot.starts_at,
        time_zone=TIME_ZONE,
        service_type=request.service_type,
        notes=request.notes,
        cancellation_reason=None,
        created_at=now,
        updated_at=now,
    )
    if not insert(connection, "service_bookings", booking.model_dump(mode="json")):
        raise slot_taken(connection, dealer, slot, now)
    return booking


def require_owned(customer: Customer, vehicle: Vehicle) -> None:
    """Raises ApiError 422 where the vehicle is someone else's."""
    if vehicle.owner.customer_id != customer.customer_id:
        message = (
            f"{vehicle.registration} is not registered to this customer. Choose one of theirs, "
            "from GET /v1/customers."
        )
        raise ApiError(422, "vehicle_not_owned", message, vehicles=customer.vehicles)


def slot_taken(
    connection: sqlite3.Connection, dealer: Dealer, slot: Slot, now: datetime
) -> ApiError:
    free = find_alternatives(connection, dealer, slot.date, now)
    message = f"{slot.date} {slot.time} at {dealer.name} is already booked. " + (
        "Choose one of details.alternatives." if free else "Choose another dealer."
    )
    alternatives = [alternative.model_dump(mode="json") for alternative in free]
    return ApiError(409, "slot_taken", message, alternatives=alternatives)


def draw_number(connection: sqlite3.Connection) -> str:
    """A booking number nobody has. Drawn, not counted, so that one does not reveal the next."""
    while True:
        number = f"BK{10_000_000 + secrets.randbelow(90_000_000)}"
        taken = "SELECT 1 FROM service_bookings WHERE booking_number = ?"
        if connection.execute(taken, [number]).fetchone() is None:
            return number


def digest_request(request: BookingRequest) -> str:
    """Equal for requests that mean the same: the fields are normalised already."""
    return hashlib.sha256(request.model_dump_json().encode()).hexdigest()
