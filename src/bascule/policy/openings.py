"""When windows of time open next."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, time, timedelta, tzinfo
from typing import Final
from zoneinfo import ZoneInfo

from bascule.gateway.decision import Circumstances
from bascule.gateway.rule import Action, TimeWindow
from bascule.policy.conditions import When

_DAYS_AHEAD: Final = 8
"""A window that opens at all opens within a week; or a week later, once its hour today is over."""


def next_opening(windows: Iterable[TimeWindow], moment: float) -> datetime | None:
    """The first time from `moment` on at which one of `windows` is open, in its own time zone.

    `moment` is in seconds since the epoch. None where none opens again, or where it cannot be told.
    """
    found = (_next(window, moment) for window in windows)
    return min((one for one in found if one is not None), default=None)


def _next(window: TimeWindow, moment: float) -> datetime | None:
    try:
        zone = UTC if window.zone == "UTC" else ZoneInfo(window.zone)
        openings = sorted(_candidates(window, zone, moment))
        when = When(windows=(window,))
        return next((one for one in openings if _is_open(when, one)), None)
    except (ValueError, OverflowError, OSError, KeyError):
        return None


def _is_open(when: When, at: datetime) -> bool:
    return when.opens(Action.INVOKE, Circumstances(at.timestamp()))


def _candidates(window: TimeWindow, zone: tzinfo, moment: float) -> Iterator[datetime]:
    """The times at which the window may open: as soon as it can, and at its start on each day."""
    base = datetime.fromtimestamp(moment, zone)
    if window.not_before is not None:
        first = window.not_before
        first = first.replace(tzinfo=zone) if first.tzinfo is None else first.astimezone(zone)
        base = max(base, first)
    yield base
    midnight = datetime.combine(base.date(), time(), zone)
    for day in range(_DAYS_AHEAD):
        start = midnight + timedelta(days=day, minutes=window.start_minute)
        # By way of UTC: a time that is left out when clocks are put forward is none.
        start = start.astimezone(UTC).astimezone(zone)
        if start >= base:
            yield start
