"""Dealers, found by city or by distance."""

import json
import sqlite3
from math import asin, cos, radians, sin, sqrt
from typing import Annotated, Any, Literal, NamedTuple

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field, StringConstraints

from booking.clock import TIME_ZONE
from booking.errors import ApiError, describe_errors
from booking.fields import Maybe
from booking.service import CurrentService

router = APIRouter(tags=["dealers"])

ServiceType = Literal["regular", "repair", "body", "inspection"]
DealerId = Annotated[
    str, StringConstraints(strip_whitespace=True, to_upper=True, min_length=1, max_length=20)
]
CityName = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=60)]
Latitude = Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False)]
Longitude = Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)]
EARTH_RADIUS_KM = 6371.0088  # IUGG mean radius


class Place(NamedTuple):
    """A point on the map, in degrees."""

    latitude: float
    longitude: float


class Dealer(BaseModel):
    """A service centre. All are open Monday to Saturday."""

    dealer_id: str = Field(examples=["PUN01"])
    name: str = Field(examples=["Arena Hinjewadi"])
    address: str
    city: str = Field(examples=["Pune"])
    state: str = Field(examples=["Maharashtra"])
    pincode: str = Field(examples=["411057"])
    latitude: float
    longitude: float
    phone: str
    rating: float | None = Field(description="Mean customer rating, out of 5.")
    service_types: list[ServiceType] = Field(description="The kinds of service offered here.")
    opens_at: str = Field(description="HH:MM, local time.", examples=["09:00"])
    closes_at: str = Field(description="HH:MM, local time.", examples=["18:00"])
    time_zone: str = Field(examples=[TIME_ZONE])


class NearbyDealer(Dealer):
    """A service centre with its distance from the place asked about."""

    distance_km: float = Field(description="Great-circle distance.", examples=[3.0])


class NearbyDealers(BaseModel):
    """Dealers, nearest first."""

    dealers: list[NearbyDealer]
    total: int = Field(description="How many dealers matched.", examples=[4])
    latitude: float = Field(description="Where distances are measured from.")
    longitude: float = Field(description="Where distances are measured from.")


def measure_distance_km(start: Place, end: Place) -> float:
    """Haversine distance."""
    north, south = radians(start.latitude), radians(end.latitude)
    across = radians(end.longitude - start.longitude)
    chord = sin((south - north) / 2) ** 2 + cos(north) * cos(south) * sin(across / 2) ** 2
    # Rounding can push antipodes a hair above 1, where asin has no answer.
    return 2 * EARTH_RADIUS_KM * asin(sqrt(min(1.0, chord)))


def find_dealer(connection: sqlite3.Connection, dealer_id: str) -> Dealer:
    """Raises ApiError 404 where there is no such dealer."""
    row = connection.execute("SELECT * FROM dealers WHERE dealer_id = ?", [dealer_id]).fetchone()
    if row is None:
        message = f"There is no dealer {dealer_id}. Take a dealer_id from GET /v1/dealers."
        raise ApiError(404, "dealer_unknown", message)
    return Dealer(**_shape(row))


def require_offered(dealer: Dealer, service_type: ServiceType) -> None:
    """Raises ApiError 422 where the dealer does not do this kind of work."""
    if service_type not in dealer.service_types:
        offered = ", ".join(dealer.service_types)
        message = f"{dealer.name} offers {offered}, not {service_type}. Choose one, or a dealer."
        raise ApiError(
            422, "service_not_offered", message, service_types=list(dealer.service_types)
        )


def locate(
    connection: sqlite3.Connection,
    city: str | None,
    latitude: float | None,
    longitude: float | None,
) -> Place:
    """The caller's coordinates, else the city's reference point.

    Raises ApiError 422 where neither is complete, 404 where the city is not served.
    """
    if (latitude is None) != (longitude is None) or (city is None and latitude is None):
        message = "Give either city, or both latitude and longitude."
        raise ApiError(422, "place_missing", message)
    cities = {row["city"].casefold(): row for row in connection.execute("SELECT * FROM cities")}
    if city is not None and city.casefold() not in cities:
        served = sorted(row["city"] for row in cities.values())
        message = f"There are no dealers in {city}. Cities served: {', '.join(served)}."
        raise ApiError(404, "city_unknown", message, cities=served)
    if latitude is not None and longitude is not None:
        return Place(latitude, longitude)
    reference = cities[str(city).casefold()]
    return Place(reference["latitude"], reference["longitude"])


def _shape(row: sqlite3.Row) -> dict[str, Any]:
    return dict(row) | {"service_types": json.loads(row["service_types"]), "time_zone": TIME_ZONE}


def _measure(row: sqlite3.Row, origin: Place) -> NearbyDealer:
    distance = measure_distance_km(origin, Place(row["latitude"], row["longitude"]))
    return NearbyDealer(**_shape(row), distance_km=round(distance, 1))


@router.get(
    "/v1/dealers",
    operation_id="get_nearby_dealers",
    summary="List dealers near a city or a point",
    response_description="The matching dealers, nearest first; empty where none matches.",
    responses=describe_errors(
        {
            404: "The city is not served; `details.cities` lists those that are.",
            422: "Neither a city nor a pair of coordinates, or a value out of range.",
        }
    ),
)
def get_nearby_dealers(
    service: CurrentService,
    city: Annotated[
        Maybe[CityName],
        Query(description="City name, in any case; only its dealers match.", examples=["Pune"]),
    ] = None,
    latitude: Annotated[
        Maybe[Latitude],
        Query(description="Degrees north. Needs longitude.", examples=[18.5913]),
    ] = None,
    longitude: Annotated[
        Maybe[Longitude],
        Query(description="Degrees east. Needs latitude.", examples=[73.7389]),
    ] = None,
    radius_km: Annotated[
        float,
        Query(
            gt=0,
            le=500,
            allow_inf_nan=False,
            description="Leave out dealers further away.",
            examples=[25],
        ),
    ] = 25,
    service_type: Annotated[
        Maybe[ServiceType],
        Query(description="Only dealers that offer this kind of service.", examples=["regular"]),
    ] = None,
) -> NearbyDealers:
    """List the dealers of a city, or around a point, nearest first.

    Give either `city`, or `latitude` and `longitude`. With a city alone, distances are measured
    from the city's reference point; with both, from the coordinates.
    """
    with service.database.connect() as connection:
        origin = locate(connection, city, latitude, longitude)
        rows = connection.execute(
            "SELECT * FROM dealers WHERE ?1 IS NULL OR city = ?1", [city]
        ).fetchall()
    dealers = sorted(
        (
            dealer
            for dealer in (_measure(row, origin) for row in rows)
            if dealer.distance_km <= radius_km
            and (service_type is None or service_type in dealer.service_types)
        ),
        key=lambda dealer: (dealer.distance_km, dealer.dealer_id),
    )
    return NearbyDealers(
        dealers=dealers,
        total=len(dealers),
        latitude=origin.latitude,
        longitude=origin.longitude,
    )
