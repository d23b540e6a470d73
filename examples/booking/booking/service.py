"""What every endpoint works with: the database and the clock."""

from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Annotated

from fastapi import Depends, Request

from booking.clock import INDIA, Clock, read_clock
from booking.database import Database
from booking.seed import plant_seed


@dataclass(frozen=True, slots=True)
class Service:
    """Shared by all requests; holds no open connection."""

    database: Database
    clock: Clock = read_clock

    def now(self) -> datetime:
        return self.clock().astimezone(INDIA)

    def today(self) -> date:
        return self.now().date()


def open_service(path: Path, clock: Clock = read_clock) -> Service:
    """Open the database at `path`, created and seeded where rows are missing.

    Raises what `Database.prepare` raises.
    """
    service = Service(Database(path), clock)
    service.database.prepare()
    with service.database.write() as connection:
        plant_seed(connection, service.today())
    return service


async def find_service(request: Request) -> Service:
    return request.app.state.service


CurrentService = Annotated[Service, Depends(find_service)]
