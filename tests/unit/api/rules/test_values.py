"""Single values in policies are right, or refused with what would be."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from bascule.api.rules.values import (
    JsonValue,
    Network,
    Path,
    Pattern,
    TimeOfDay,
    Uri,
    Zone,
    minute_of,
    parts_of,
    path_of,
    time_of,
)


def refusal(kind: Any, value: object) -> str:
    with pytest.raises(ValidationError) as refused:
        TypeAdapter[Any](kind).validate_python(value)
    return str(refused.value)


@given(st.integers(0, 1440))
def test_a_time_of_day_comes_back_as_the_minute_it_was(minute: int) -> None:
    assert minute_of(time_of(minute)) == minute
    assert TypeAdapter[str](TimeOfDay).validate_python(time_of(minute)) == time_of(minute)


@pytest.mark.parametrize(
    "text", ["25:00", "8:00", "08:60", "24:01", "noon", "", "08:00:00", f"{chr(0x660)}8:00"]
)
def test_what_is_no_time_of_day_is_refused(text: str) -> None:
    assert "written as in 08:30" in refusal(TimeOfDay, text)
    with pytest.raises(ValueError, match="no time of day"):
        minute_of(text)


def test_a_time_zone_is_known_or_the_one_that_was_meant_is_named() -> None:
    assert TypeAdapter[str](Zone).validate_python("Asia/Kolkata") == "Asia/Kolkata"
    assert TypeAdapter[str](Zone).validate_python("UTC") == "UTC"
    assert "did you mean Asia/Kolkata?" in refusal(Zone, "Asia/Kolkatta")
    for wrong in ("", "Asia", "../../etc/passwd", "IST+5:30"):
        assert "There is no time zone" in refusal(Zone, wrong)


@pytest.mark.parametrize(
    ("text", "usual"),
    [
        ("10.0.0.0/8", "10.0.0.0/8"),
        ("10.1.2.3", "10.1.2.3/32"),
        ("2001:DB8::/32", "2001:db8::/32"),
        ("10.0.0.0/255.0.0.0", "10.0.0.0/8"),
    ],
)
def test_a_network_is_kept_in_its_usual_form(text: str, usual: str) -> None:
    assert TypeAdapter[str](Network).validate_python(text) == usual


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("10.1.2.3/8", "did you mean 10.0.0.0/8?"),
        ("10.0.0.0/33", "as in 10.0.0.0/8"),
        ("300.0.0.0/8", "as in 10.0.0.0/8"),
        ("office", "as in 10.0.0.0/8"),
        ("", "as in 10.0.0.0/8"),
    ],
)
def test_what_is_no_network_is_refused_with_what_would_be(text: str, hint: str) -> None:
    assert hint in refusal(Network, text)


_NAMES = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=8)


@given(st.lists(_NAMES, min_size=1, max_size=20).map(tuple))
def test_a_path_is_written_so_that_it_is_read_again(parts: tuple[str, ...]) -> None:
    written = path_of(parts)
    assert parts_of(written) == parts
    assert TypeAdapter[Any](Path).validate_python(written) == written


@pytest.mark.parametrize("path", ["", "a..b", ".", [], [""], ["a"] * 21, ["a" * 201]])
def test_what_leads_nowhere_is_refused(path: object) -> None:
    assert "A path to an argument is written as in" in refusal(Path, path)


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        (math.nan, "finite"),
        ({"a": [math.inf]}, "finite"),
        (2**64, "64 bits"),
        (["a\0"], "NUL"),
        ({"a\0": 1}, "NUL"),
        ("\ud800", "valid Unicode"),
    ],
)
def test_json_that_not_every_engine_keeps_is_refused(value: object, fault: str) -> None:
    assert fault in refusal(JsonValue, value)


def test_json_is_refused_where_it_is_nested_too_deeply() -> None:
    value: Any = 1
    for _ in range(40):
        value = [value]
    assert "nested deeper than 32" in refusal(JsonValue, value)


@given(st.recursive(st.none() | st.booleans() | st.integers(-5, 5) | st.text("ab"), st.lists))
def test_other_json_is_kept(value: object) -> None:
    assert TypeAdapter[Any](JsonValue).validate_python(value) == value


@pytest.mark.parametrize("kind", [Pattern, Uri])
@pytest.mark.parametrize("text", ["", " a", "a\n", "a\x7f"])
def test_a_pattern_is_one_line(kind: Any, text: str) -> None:
    assert refusal(kind, text)
