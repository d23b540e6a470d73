"""The rows a new database starts with, from seed.json beside the package."""

import json
import sqlite3
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from booking.database import insert

SEED_FILE = Path(__file__).parent.parent / "seed.json"


def plant_seed(connection: sqlite3.Connection, today: date) -> None:
    """Insert the seed rows that are missing; rows already there stay as they are."""
    seed: dict[str, list[dict[str, Any]]] = json.loads(SEED_FILE.read_text("utf-8"))
    for city in seed["cities"]:
        insert(connection, "cities", city)
    for customer in seed["customers"]:
        insert(connection, "customers", customer)
    for vehicle in seed["vehicles"]:
        insert(connection, "vehicles", _date_services(vehicle, today))
    for dealer in seed["dealers"]:
        insert(
            connection, "dealers", dealer | {"service_types": json.dumps(dealer["service_types"])}
        )


def _date_services(vehicle: dict[str, Any], today: date) -> dict[str, Any]:
    """Turn day offsets into dates: a vehicle due for service stays due, whenever the demo runs."""
    row = dict(vehicle)
    last, following = row.pop("last_service_days_ago"), row.pop("next_service_in_days")
    row["last_service_on"] = None if last is None else str(today - timedelta(days=last))
    row["next_service_on"] = str(today + timedelta(days=following))
    return row
