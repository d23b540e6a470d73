"""Vehicles, found by registration number."""

import re
import sqlite3
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import AfterValidator, BaseModel, Field

from booking.errors import ApiError, describe_errors
from booking.service import CurrentService

router = APIRouter(tags=["vehicles"])

STATE_SERIES = r"[A-Z]{2}[0-9]{1,2}[A-Z]{0,3}[0-9]{1,4}"
BHARAT_SERIES = r"[0-9]{2}BH[0-9]{4}[A-Z]{1,2}"


def normalise_registration(text: str) -> str:
    """Reduce an Indian registration number to capital letters and digits.

    Raises:
        ValueError: neither a state-series nor a Bharat-series number.
    """
    registration = re.sub(r"[\s-]", "", text).upper()
    if not re.fullmatch(f"{STATE_SERIES}|{BHARAT_SERIES}", registration):
        raise ValueError("give a registration number, for example MH12AB1234")
    return registration


Registration = Annotated[
    str, Field(min_length=4, max_length=20), AfterValidator(normalise_registration)
]


class Owner(BaseModel):
    """Who owns the vehicle."""

    customer_id: str = Field(examples=["C1001"])
    name: str = Field(examples=["Rahul Sharma"])


class Vehicle(BaseModel):
    """A registered vehicle, its owner and its service dates."""

    registration: str = Field(examples=["MH12AB1234"])
    make: str = Field(examples=["Maruti Suzuki"])
    model: str = Field(examples=["Swift"])
    variant: str = Field(examples=["ZXI+"])
    year: int = Field(description="Model year.", examples=[2023])
    owner: Owner
    last_service_on: date | None = Field(description="Null where it was never serviced.")
    next_service_on: date = Field(description="The day the next regular service falls due.")
    service_due: bool = Field(description="True when the next service is due today or overdue.")


def find_vehicle(connection: sqlite3.Connection, registration: str, today: date) -> Vehicle:
    """Raises ApiError 404 where the (normalised) registration is unknown."""
    row = connection.execute(
        "SELECT * FROM vehicles JOIN customers USING (customer_id) WHERE registration = ?",
        [registration],
    ).fetchone()
    if row is None:
        message = (
            f"No vehicle is registered here as {registration}. Check the number plate, "
            "or list the customer's vehicles with GET /v1/customers."
        )
        raise ApiError(404, "vehicle_unknown", message)
    due = date.fromisoformat(row["next_service_on"]) <= today
    return Vehicle(**dict(row), owner=Owner(**dict(row)), service_due=due)


@router.get(
    "/v1/vehicles/{registration}",
    operation_id="resolve_vehicle",
    summary="Find a vehicle by registration number",
    response_description="The vehicle, its owner and when its next service is due.",
    responses=describe_errors(
        {404: "No such vehicle.", 422: "The registration number is malformed."}
    ),
)
def resolve_vehicle(
    registration: Annotated[
        Registration,
        Path(
            description="Indian registration number; case, spaces and hyphens do not matter.",
            examples=["MH12AB1234"],
        ),
    ],
    service: CurrentService,
) -> Vehicle:
    """Look up a vehicle's make, model, year and owner, and whether it is due for service."""
    with service.database.connect() as connection:
        return find_vehicle(connection, registration, service.today())
