"""Dates and times in words. 24 November 2026 is a Tuesday."""

from datetime import date, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bascule.chat.offline.dates import count_of, find_clocks, find_days, read_now

TODAY = date(2026, 11, 24)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("tomorrow", "2026-11-25"),
        ("the day after tomorrow", "2026-11-26"),
        ("today", "2026-11-24"),
        ("next Monday", "2026-11-30"),
        ("on friday", "2026-11-27"),
        ("tuesday", "2026-12-01"),
        ("this tuesday", "2026-11-24"),
        ("12 December", "2026-12-12"),
        ("Dec 3rd, 2027", "2027-12-03"),
        ("the 1st of March", "2027-03-01"),
        ("2026-12-24T10:00:00Z", "2026-12-24"),
        ("25/12/2026", "2026-12-25"),
        ("what about 5/12?", "2026-12-05"),
        ("12/25", "2026-12-25"),
        ("1/2", "2027-02-01"),
        ("12/25/26", "2026-12-25"),
        ("in 3 days", "2026-11-27"),
        ("in two weeks", "2026-12-08"),
    ],
)
def test_a_date_is_read(text: str, day: str) -> None:
    assert [one.value.isoformat() for one in find_days(f"please {text} if you can", TODAY)] == [day]


@pytest.mark.parametrize("text", ["31 February", "I may sit in the sun", "9999-99-99", "4 people"])
def test_what_is_no_date_is_none(text: str) -> None:
    assert find_days(text, TODAY) == []


@pytest.mark.parametrize(
    ("text", "hour", "minute"),
    [
        ("at 10", 10, 0),
        ("10:30", 10, 30),
        ("4pm", 16, 0),
        ("12 am", 0, 0),
        ("half past 9", 9, 30),
        ("quarter to 9", 8, 45),
        ("at noon", 12, 0),
        ("7 o'clock", 7, 0),
        ("4.30 pm", 16, 30),
    ],
)
def test_a_time_is_read(text: str, hour: int, minute: int) -> None:
    (found,) = find_clocks(f"come {text} please", [])
    assert found.earliest == found.latest == time(hour, minute)
    assert not found.is_bare


def test_parts_of_the_day_are_ranges_and_bare_numbers_are_marked() -> None:
    (morning,) = find_clocks("in the morning", [])
    assert (morning.earliest, morning.latest) == (time(5), time(12))
    (bare,) = find_clocks("10", [])
    assert bare.is_bare
    assert find_clocks("version 4.5 of 2026", []) == []


def test_numbers_in_dates_are_no_times() -> None:
    text = "12 December at 10"
    assert [one.earliest for one in find_clocks(text, find_days(text, TODAY))] == [time(10)]


def test_counts_are_words_or_digits() -> None:
    assert [count_of(one) for one in ("three", "12", "a", "many", "9" * 30)] == [
        3,
        12,
        1,
        None,
        None,
    ]


def test_a_time_that_cannot_be_read_is_the_epoch() -> None:
    assert read_now("soon").year == 1970
    assert read_now("2026-11-24T10:00:00+05:30").isoformat() == "2026-11-24T10:00:00+05:30"


@pytest.mark.parametrize("text", ["open 24/7", "31/31", "5/12/1", "and/or 3/"])
def test_a_fraction_that_is_no_day_of_the_year_is_no_date(text: str) -> None:
    assert find_days(text, TODAY) == []


@given(st.text(max_size=200))
def test_any_text_is_read(text: str) -> None:
    days = find_days(text, date(9999, 12, 31))
    assert all(one.latest >= one.earliest for one in find_clocks(text, days))
