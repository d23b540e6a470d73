from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bascule.gateway.decision import Circumstances
from bascule.gateway.rule import Action, TimeWindow
from bascule.policy.conditions import When
from bascule.policy.openings import next_opening

MONDAY_NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)

WINDOWS = st.builds(
    TimeWindow,
    days=st.frozensets(st.integers(0, 6)),
    start_minute=st.integers(0, 1439),
    end_minute=st.integers(0, 1440),
    zone=st.sampled_from(["UTC", "Asia/Kolkata", "America/New_York", "Pacific/Chatham"]),
)
MOMENTS = st.integers(0, 4_000_000_000)


def opens(moment: datetime, *windows: TimeWindow) -> str | None:
    found = next_opening(windows, moment.timestamp())
    return None if found is None else found.isoformat()


def is_open(window: TimeWindow, moment: float) -> bool:
    return When(windows=(window,)).opens(Action.INVOKE, Circumstances(moment))


def test_a_window_opens_later_on_the_same_day() -> None:
    evening = TimeWindow(start_minute=18 * 60, end_minute=20 * 60)
    assert opens(MONDAY_NOON, evening) == "2026-05-04T18:00:00+00:00"


def test_a_window_that_is_over_opens_on_its_next_day() -> None:
    mondays = TimeWindow(frozenset({0}), 8 * 60, 10 * 60)
    assert opens(MONDAY_NOON, mondays) == "2026-05-11T08:00:00+00:00"


def test_the_time_is_that_of_the_zone_of_the_window() -> None:
    pune = TimeWindow(start_minute=9 * 60, end_minute=17 * 60, zone="Asia/Kolkata")
    assert opens(MONDAY_NOON, pune) == "2026-05-05T09:00:00+05:30"


def test_the_earliest_of_several_windows_counts() -> None:
    early, late = TimeWindow(start_minute=780), TimeWindow(start_minute=840)
    assert opens(MONDAY_NOON, late, early) == "2026-05-04T13:00:00+00:00"


def test_a_window_that_is_not_yet_waits_for_its_first_day() -> None:
    later = TimeWindow(not_before=datetime(2026, 6, 1, tzinfo=UTC), start_minute=60)
    assert opens(MONDAY_NOON, later) == "2026-06-01T01:00:00+00:00"


def test_a_window_that_is_over_for_good_opens_no_more() -> None:
    past = TimeWindow(not_after=datetime(2026, 5, 1, tzinfo=UTC))
    assert opens(MONDAY_NOON, past) is None


@pytest.mark.parametrize("zone", ["Nowhere/None", "", "../etc/passwd"])
def test_an_unknown_zone_opens_at_no_known_time(zone: str) -> None:
    assert opens(MONDAY_NOON, TimeWindow(zone=zone)) is None


def test_a_start_that_clocks_leave_out_is_put_off() -> None:
    # In New York 02:30 is left out on 2026-03-08: 01:59 is followed by 03:00.
    night = TimeWindow(frozenset({6}), 150, 300, "America/New_York")
    saturday = datetime(2026, 3, 7, 12, tzinfo=UTC)
    found = next_opening((night,), saturday.timestamp())
    assert found is not None
    assert is_open(night, found.timestamp())


@given(WINDOWS, MOMENTS)
def test_a_window_is_open_when_it_is_said_to_open(window: TimeWindow, moment: int) -> None:
    found = next_opening((window,), moment)
    if found is not None:
        assert found.timestamp() >= moment
        assert is_open(window, found.timestamp())


@given(WINDOWS, MOMENTS)
def test_every_window_without_bounds_opens_within_eight_days(
    window: TimeWindow, moment: int
) -> None:
    found = next_opening((window,), moment)
    if found is None:
        hours = range(8 * 24)
        assert not any(is_open(window, moment + hour * 3600) for hour in hours)
    else:
        assert found - datetime.fromtimestamp(moment, UTC) <= timedelta(days=8, hours=1)


@given(WINDOWS, MOMENTS, st.integers(0, 100))
def test_it_does_not_open_before(window: TimeWindow, moment: int, part: int) -> None:
    found = next_opening((window,), moment)
    if found is not None and window.zone in {"UTC", "Asia/Kolkata"}:
        before = moment + (found.timestamp() - moment) * part / 101
        assert part == 0 or before >= found.timestamp() - 60 or not is_open(window, before)
