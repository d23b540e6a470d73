"""Customers, found by mobile number."""

import re
import sqlite3
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import AfterValidator, BaseModel, Field

from booking.errors import ApiError, describe_errors
from booking.service import CurrentService

router = APIRouter(tags=["customers"])


def normalise_mobile(text: str) -> str:
    """Reduce an Indian mobile number to its ten digits.

    Raises:
        ValueError: not ten digits after an optional +91, 91 or 0.
    """
    # An unescaped "+" in a query string arrives as a space, hence the bare 91.
    found = re.fullmatch(r"(?:\+?91|0)?([0-9]{10})", re.sub(r"[\s-]", "", text))
    if found is None:
        raise ValueError("give a ten-digit mobile number, for example 9876543210")
    return found[1]


Mobile = Annotated[str, Field(min_length=10, max_length=32), AfterValidator(normalise_mobile)]


class Customer(BaseModel):
    """A registered customer and the vehicles they own."""

    customer_id: str = Field(examples=["C1001"])
    name: str = Field(examples=["Rahul Sharma"])
    mobile: str = Field(description="Ten digits, without prefix.", examples=["9876543210"])
    city: str = Field(examples=["Pune"])
    email: str | None = Field(json_schema_extra={"format": "email"})
    vehicles: list[str] = Field(
        description="Registration numbers of the customer's vehicles.", examples=[["MH12AB1234"]]
    )


def find_customer(connection: sqlite3.Connection, mobile: str) -> Customer:
    """Raises ApiError 404 where no customer has the (normalised) number."""
    row = connection.execute("SELECT * FROM customers WHERE mobile = ?", [mobile]).fetchone()
    if row is None:
        message = "No customer has this mobile number. Check it, or try the number on the invoice."
        raise ApiError(404, "customer_unknown", message)
    owned = connection.execute(
        "SELECT registration FROM vehicles WHERE customer_id = ? ORDER BY registration",
        [row["customer_id"]],
    )
    return Customer(**dict(row), vehicles=[vehicle["registration"] for vehicle in owned])


@router.get(
    "/v1/customers",
    operation_id="resolve_customer",
    summary="Find a customer by mobile number",
    response_description="The customer and the registration numbers of their vehicles.",
    responses=describe_errors(
        {404: "No customer has this mobile number.", 422: "The mobile number is malformed."}
    ),
)
def resolve_customer(
    mobile: Annotated[
        Mobile,
        Query(
            description="Indian mobile number: ten digits. A +91 or 0 prefix, spaces and hyphens "
            "are accepted and ignored.",
            examples=["9876543210"],
        ),
    ],
    service: CurrentService,
) -> Customer:
    """Look up who a mobile number belongs to, with their city and their vehicles.

    Use it first: booking needs the customer's mobile number and one of their vehicles.
    """
    with service.database.connect() as connection:
        return find_customer(connection, mobile)
