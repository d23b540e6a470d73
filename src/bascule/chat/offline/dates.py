"""Dates and times as people write them, relative to the moment they write."""

import re
from collections.abc import Callable, Iterator
from datetime import date, datetime, time, timedelta
from typing import Final, NamedTuple, TypeVar

from bascule.chat.offline.words import words_of

_MONTHS: Final = words_of(
    "january february march april may june july august september october november december"
)
_DAYS: Final = words_of("monday tuesday wednesday thursday friday saturday sunday")
_NUMBERS: Final = words_of("zero one two three four five six seven eight nine ten eleven twelve")
_MONTH: Final = "|".join(f"{one[:3]}(?:{one[3:]})?" if len(one) > 3 else one for one in _MONTHS)
_DAY: Final = "|".join(f"{one[:3]}(?:{one[3:]})?" for one in _DAYS)
_COUNT: Final = rf"\d{{1,3}}|an?|{'|'.join(_NUMBERS[1:])}"
_PERIODS: Final = {
    "morning": (time(5), time(12)),
    "afternoon": (time(12), time(17)),
    "evening": (time(17), time(22)),
    "night": (time(20), time(23, 59)),
}
_WEEK: Final = 7
_ALWAYS: Final = "24/7"
_NOON: Final = 12

T = TypeVar("T", date, time)


class Day(NamedTuple):
    """A date that a text names, and where."""

    value: date
    start: int
    end: int


class Clock(NamedTuple):
    """Times of day that a text names, and where; a single one where `earliest` is `latest`.

    `is_bare`: only a number says so, which could be a number as well.
    """

    earliest: time
    latest: time
    start: int
    end: int
    is_bare: bool = False


def read_now(text: str) -> datetime:
    """The moment of an ISO 8601 text; the epoch in UTC where it is none."""
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return datetime.fromisoformat("1970-01-01T00:00:00+00:00")


def count_of(word: str) -> int | None:
    """The number that a word or digits stand for, up to twelve in words."""
    word = word.lower()
    if word.isdecimal() and word.isascii():
        return int(word) if len(word) <= 18 else None
    if word in {"a", "an"}:
        return 1
    return _NUMBERS.index(word) if word in _NUMBERS else None


def _iso(found: re.Match[str], today: date) -> date | None:
    del today
    return _date(int(found[1]), int(found[2]), int(found[3]))


def _numeric(found: re.Match[str], today: date) -> date | None:
    """Day first, as most of the world writes it, unless only the other order is a date."""
    del today
    year = int(found[3]) if len(found[3]) > 2 else 2000 + int(found[3])
    first, second = int(found[1]), int(found[2])
    return _date(year, second, first) or _date(year, first, second)


def _short(found: re.Match[str], today: date) -> date | None:
    """The next time that it comes; day first, unless only the other order is a date."""
    if found[0] == _ALWAYS:
        return None
    for day, month in ((found[1], found[2]), (found[2], found[1])):
        for year in (today.year, today.year + 1):
            value = _date(year, int(month), int(day))
            if value is not None and value >= today:
                return value
    return None


def _day_month(found: re.Match[str], today: date) -> date | None:
    return _named(found["day"], found["month"], found["year"], today)


def _named(day: str, month: str, year: str | None, today: date) -> date | None:
    """Without a year: the next time that day comes."""
    number = next(at for at, one in enumerate(_MONTHS, 1) if one.startswith(month[:3].lower()))
    if year:
        return _date(int(year), number, int(day))
    this = _date(today.year, number, int(day))
    return this if this and this >= today else _date(today.year + 1, number, int(day))


def _near(found: re.Match[str], today: date) -> date | None:
    said = found[0].lower()
    if said.startswith(("day after", "the day after")):
        return today + timedelta(days=2)
    steps = {"tomorrow": 1, "yesterday": -1}
    return today + timedelta(days=steps.get(said, 0))


def _after(found: re.Match[str], today: date) -> date | None:
    count = count_of(found[1]) or 0
    return today + timedelta(days=count * (_WEEK if found[2].lower().startswith("week") else 1))


def _weekday(found: re.Match[str], today: date) -> date | None:
    """The next such day after today; today itself with "this"."""
    wanted = next(at for at, one in enumerate(_DAYS) if one.startswith(found["name"][:3].lower()))
    ahead = (wanted - today.weekday()) % _WEEK
    is_this = (found["which"] or "").lower() == "this"
    return today + timedelta(days=ahead if ahead or is_this else _WEEK)


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


_Form = tuple[re.Pattern[str], Callable[[re.Match[str], date], date | None]]
_DATE_FORMS: Final[tuple[_Form, ...]] = tuple(
    (re.compile(pattern, re.IGNORECASE), read)
    for pattern, read in (
        (r"\b(\d{4})-(\d{2})-(\d{2})(?=T|\b)", _iso),
        (r"\b(\d{1,2})[/.](\d{1,2})[/.](\d{4}|\d{2})\b", _numeric),
        (r"(?<![\d/.])(\d{1,2})/(\d{1,2})(?![\d/.]*\d)", _short),
        ((rf"\b(?P<day>\d{{1,2}})(?:st|nd|rd"
            rf"|th)?(?: of)?[ -](?P<month>{_MONTH})\b\.?(?:,? (?P<year>\d{{4}})\b)?"), _day_month),
        ((rf"\b(?P<month>{_MONTH})\.? (?P<day>\d{{1,2}})(?:st|nd|rd"
            rf"|th)?\b(?:,? (?P<year>\d{{4}})\b)?"), _day_month),
        ((r"\b(?:the )?day after tomorrow\b|\btomorrow\b|\btoday\b|\btonight\b"
            r"|\byesterday\b"), _near),
        (rf"\bin ({_COUNT}) (days?|weeks?)\b", _after),
        (rf"\b(?:(?P<which>next|this|coming|on) )?(?P<name>{_DAY})\b", _weekday),
    )
)  # fmt: skip
_SHORT_WORDS: Final = frozenset({"sun", "sat", "wed", "may", "mar"})


def find_days(text: str, today: date) -> list[Day]:
    """The dates that `text` names, in their order."""
    found: list[Day] = []
    for pattern, read in _DATE_FORMS:
        for match in pattern.finditer(text):
            if match[0].lower() in _SHORT_WORDS or _overlaps(match, found):
                continue
            try:
                value = read(match, today)
            except OverflowError:
                value = None
            if value is not None:
                found.append(Day(value, *match.span()))
    return sorted(found, key=lambda one: one.start)


_CLOCK: Final = re.compile(
    r"(?P<noon>\bnoon\b)"
    r"|\b(?P<half>half past|quarter past|quarter to) (?P<past>\d{1,2})\b"
    r"|(?:\b(?P<at>at|around|by|from)\s+|\b|(?<=T))(?<!\d[.,:/])(?P<hour>\d{1,2})"
    r"(?:[:.](?P<minute>\d{2})(?::\d{2})?)?(?!\d|[-/.,:]\d)"
    r"\s*(?P<half_day>[ap]\.?m\b\.?)?(?P<clock>\s*o'?clock)?"
    r"|\b(?P<period>morning|afternoon|evening|night)\b",
    re.IGNORECASE,
)


def find_clocks(text: str, days: list[Day]) -> list[Clock]:
    """The times of day that `text` names outside of `days`, in their order."""
    return [one for match in _CLOCK.finditer(text) for one in _clock(match, days)]


def _clock(match: re.Match[str], days: list[Day]) -> Iterator[Clock]:
    if _overlaps(match, days):
        return
    if match["period"]:
        yield Clock(*_PERIODS[match["period"].lower()], *match.span())
    elif match["noon"]:
        yield Clock(time(_NOON), time(_NOON), *match.span())
    elif match["half"]:
        minutes = {"half past": 30, "quarter past": 15, "quarter to": -15}[match["half"].lower()]
        at = int(match["past"]) * 60 + minutes
        if 0 <= at < 24 * 60:
            yield Clock(time(*divmod(at, 60)), time(*divmod(at, 60)), *match.span())
    else:
        yield from _hour(match)


def _hour(match: re.Match[str]) -> Iterator[Clock]:
    hour, minute = int(match["hour"]), int(match["minute"] or 0)
    half_day = (match["half_day"] or "").lower()
    if half_day and hour <= _NOON:
        hour = hour % _NOON + (_NOON if half_day.startswith("p") else 0)
    if hour > 23 or minute > 59:
        return
    says_so = match["minute"] or half_day or match["clock"] or (match["at"] or "").lower() == "at"
    # "4.5" is a number; "4.30 pm" is a time.
    is_number = "." in match[0] and not half_day
    if not is_number:
        yield Clock(time(hour, minute), time(hour, minute), *match.span(), is_bare=not says_so)


def _overlaps(match: re.Match[str], found: list[Day]) -> bool:
    return any(match.start() < one.end and one.start < match.end() for one in found)
