"""Values by schema."""

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bascule.chat.offline.messages import read_message
from bascule.chat.offline.schemas import Leaf
from bascule.chat.offline.values import Strength, Wish, find_values, is_allowed

DAYS: dict[str, object] = {"type": "array", "items": {"format": "date"}}
NOW = datetime.fromisoformat("2026-11-24T10:30:00+05:30")


def values(name: str, schema: dict[str, object], text: str, **options: object) -> list[object]:
    items = schema.get("items", {})
    leaf = Leaf((name,), schema, bool(options.get("required", True)), items)
    wish = Wish(leaf, options.get("examples", ()), options.get("nouns", frozenset()))
    return [one.value for one in find_values(wish, read_message(0, text, NOW))]


@pytest.mark.parametrize(
    ("name", "schema", "text", "value"),
    [
        ("size", {"enum": ["small", "extra large"]}, "an Extra-Large one please", "extra large"),
        ("kind", {"enum": ["repair"]}, "for repairs", "repair"),
        ("when", {"format": "date"}, "come tomorrow", "2026-11-25"),
        ("when", {"format": "date-time"}, "tomorrow at 4pm", "2026-11-25T16:00:00+05:30"),
        ("when", {"format": "time"}, "at 9:15", "09:15:00"),
        ("mail", {"format": "email"}, "I am a.b@c.org.", "a.b@c.org"),
        ("link", {"format": "uri"}, "see https://a.example/x?y=1.", "https://a.example/x?y=1"),
        ("guests", {"type": "integer"}, "for 3 guests", 3),
        ("guests", {"type": "integer"}, "three guests on 5 May", 3),
        ("radius_km", {"type": "number"}, "within 2.5 km", 2.5),
        ("code", {"pattern": "^[Xx]\\d+$"}, "it's x42!", "x42"),
        ("breakfast", {"type": "boolean"}, "without breakfast", False),
        ("city", {"type": "string"}, "Hotels in New Delhi for us", "New Delhi"),
        ("city", {"type": "string"}, "hotels in oslo", "oslo"),
        ("title", {"type": "string"}, "a list called Summer with 3 items", "Summer"),
        ("notes", {"type": "string"}, "Notes: bring a v1.2 cable. Thanks", "bring a v1.2 cable"),
        ("query", {"type": "string"}, "search for blue shoes", "blue shoes"),
        ("days", DAYS, "today and tomorrow", ["2026-11-24", "2026-11-25"]),
        ("sizes", {"type": "array", "items": {"enum": ["s", "big"]}}, "big ones", ["big"]),
    ],
)  # fmt: skip
def test_a_value_is_found_by_its_schema(
    name: str, schema: dict[str, object], text: str, value: object
) -> None:
    assert values(name, schema, text)[:1] == [value]


@pytest.mark.parametrize(
    ("name", "schema", "text"),
    [
        ("page", {"type": "integer"}, "I need 3 rooms"),
        ("currency", {"enum": ["IN", "all"]}, "put it in the box"),
        ("key", {"type": "string", "pattern": "^[!-~]{1,200}$"}, "I need a thing"),
        ("guests", {"type": "integer", "maximum": 4}, "for 9 guests"),
        ("guests", {"type": "integer"}, "for 12345678901234567890 guests"),
        ("name", {"type": "string"}, "I need a new one"),
        ("endDate", {"format": "date"}, "from tomorrow"),
        ("city", {"type": "string"}, "in the morning"),
        ("state", {"enum": ["open", "show"]}, "show it"),
        ("odd", {"type": "object", "format": {}}, "it is odd"),
    ],
)
def test_nothing_is_made_up(name: str, schema: dict[str, object], text: str) -> None:
    assert values(name, schema, text) == []


def test_a_range_has_a_start_and_an_end() -> None:
    text = "from 1 December to 5 December"
    assert values("startDate", {"format": "date"}, text) == ["2026-12-01"]
    assert values("endDate", {"format": "date"}, text) == ["2026-12-05"]
    assert values("startDate", {"format": "date"}, "until 5 December") == []


def test_identifiers_stand_beside_the_noun_of_the_tool() -> None:
    assert values("id", {"type": "integer"}, "delete task 12", nouns=frozenset({"task"})) == [12]
    assert values("task_id", {"type": "integer"}, "remove #7") == [7]


def test_examples_count_for_what_is_optional_only_where_it_is_named() -> None:
    schema: dict[str, object] = {"type": "string"}
    example = {"examples": ["AB12CD"], "required": False}
    assert values("plate", schema, "it is XY34ZZ", **example) == []
    assert values("plate", schema, "the plate, it is XY34ZZ", **example) == ["XY34ZZ"]


def test_what_should_be_a_code_is_no_word() -> None:
    assert values("plate", {"type": "string"}, "my plate is rusty", examples=["AB12CD"]) == []


def test_the_surest_comes_first() -> None:
    leaf = Leaf(("title",), {"type": "string"}, required=True)
    message = read_message(0, "'One' or title: Two", NOW)
    found = find_values(Wish(leaf), message)
    assert [one.value for one in found] == ["Two", "One"]
    assert found[0].strength > found[1].strength >= Strength.FITS


def test_bounds_hold() -> None:
    assert is_allowed(3, {"minimum": 3, "exclusiveMaximum": 4})
    assert not is_allowed(3, {"exclusiveMinimum": 3})
    assert not is_allowed("abc", {"maxLength": 2})
    assert not is_allowed([1], {"minItems": 2})
    assert is_allowed(True, {"minimum": 3})


@given(st.text(max_size=120))
def test_any_text_gives_only_values_that_the_schema_allows(text: str) -> None:
    for schema in ({"type": "integer", "maximum": 5}, {"format": "date"}, {"enum": ["a b", "c"]}):
        found = values("count", dict(schema), text)
        assert all(is_allowed(one, dict(schema)) for one in found)
