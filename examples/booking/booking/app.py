"""The HTTP application, put together."""

import re
from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel

from booking import bookings, customers, dealers, slots, vehicles
from booking.errors import HANDLERS
from booking.service import CurrentService, Service

DESCRIPTION = """\
Books vehicle services: find the customer and the vehicle, a dealer nearby, a free slot; book it.

Every error is `{"error": {"code", "message", "details"}}`; the message says what to do next.\
"""

WRAPPED = re.compile(r"(?<!\n)\n(?!\n)")
"""A line break inside a paragraph."""


class Health(BaseModel):
    """The service answers and its database can be read."""

    status: str
    bookings: int


def polish(document: dict[str, Any]) -> dict[str, Any]:
    """Unwrap the descriptions and lift each example to its parameter or body, in place."""
    schemas = document["components"]["schemas"]
    for path in document["paths"].values():
        for operation in path.values():
            operation["description"] = WRAPPED.sub(" ", operation["description"])
            for parameter in operation.get("parameters", []):
                parameter["example"] = parameter["schema"].pop("examples")[0]
            for content in operation.get("requestBody", {}).get("content", {}).values():
                name = content["schema"]["$ref"].rpartition("/")[2]
                content["example"] = schemas[name].pop("example")
    return document


class BookingApp(FastAPI):
    """FastAPI whose document is the published one."""

    def openapi(self) -> dict[str, Any]:
        if self.openapi_schema is None:
            self.openapi_schema = polish(super().openapi())
        return self.openapi_schema


def create_app(service: Service) -> FastAPI:
    """An application over `service`; nothing is opened until a request comes."""
    app = BookingApp(
        title="Vehicle service booking",
        version="1.0.0",
        description=DESCRIPTION,
        servers=[{"url": "http://127.0.0.1:8080", "description": "This machine"}],
        openapi_tags=[
            {"name": "customers", "description": "Who is calling."},
            {"name": "vehicles", "description": "What they drive, and whether service is due."},
            {"name": "dealers", "description": "Where a service can be done."},
            {"name": "slots", "description": "When a dealer is free."},
            {"name": "bookings", "description": "Making, reading and cancelling a booking."},
        ],
        exception_handlers=HANDLERS,
        # The interactive pages load scripts from elsewhere; the document itself is enough.
        docs_url=None,
        redoc_url=None,
    )
    app.state.service = service
    for room in (customers, vehicles, dealers, slots, bookings):
        app.include_router(room.router)
    # Not in the document: it is for whoever runs the service, not for its callers.
    app.add_api_route("/health", check_health, include_in_schema=False)
    return app


def check_health(service: CurrentService) -> Health:
    with service.database.connect() as connection:
        count = connection.execute("SELECT count(*) FROM service_bookings").fetchone()[0]
    return Health(status="ok", bookings=count)
