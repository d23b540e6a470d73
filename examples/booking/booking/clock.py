"""The current moment, passed in so that tests can choose it."""

from collections.abc import Callable
from datetime import datetime, timedelta, timezone

Clock = Callable[[], datetime]
"""Returns the current moment as an aware datetime."""

TIME_ZONE = "Asia/Kolkata"
# India keeps one offset all year, so no zone database is needed (slim images carry none).
INDIA = timezone(timedelta(hours=5, minutes=30), TIME_ZONE)


def read_clock() -> datetime:
    """The machine's current moment, in Indian time."""
    return datetime.now(INDIA)
