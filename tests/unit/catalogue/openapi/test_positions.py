"""Places are found in the text again."""

from bascule.catalogue.openapi.json_syntax import json_events
from bascule.catalogue.openapi.positions import find_duplicate, find_lines

TEXT = """{
  "paths": {
    "/a": {"get": 1},
    "/b": [
      {"x": 1},
      {"x": [1, 2]}
    ]
  },
  "paths2": {}
}"""


def test_a_member_is_on_the_line_of_its_key() -> None:
    lines = find_lines(json_events(TEXT), [("paths",), ("paths", "/a", "get"), ("paths2",)])

    assert lines == {("paths",): 2, ("paths", "/a", "get"): 3, ("paths2",): 9}


def test_an_item_is_on_the_line_where_it_begins() -> None:
    lines = find_lines(json_events(TEXT), [("paths", "/b", "1"), ("paths", "/b", "1", "x", "1")])

    assert lines == {("paths", "/b", "1"): 6, ("paths", "/b", "1", "x", "1"): 6}


def test_the_root_is_on_the_first_line() -> None:
    assert find_lines(json_events(TEXT), [()]) == {(): 1}


def test_what_is_not_there_has_no_line() -> None:
    assert find_lines(json_events(TEXT), [("paths", "/c"), ("paths", "/b", "9")]) == {}


def test_a_scalar_equal_to_a_key_is_not_taken_for_one() -> None:
    assert find_lines(json_events('["a", {"b": "a"}]'), [("1", "a"), ("a",)]) == {}


def test_the_second_of_two_equal_keys_is_found() -> None:
    event = find_duplicate(json_events('{"a": {"b": 1},\n "c": [{"b": 2}],\n "a": 3}'))

    assert event is not None
    assert (event.text, event.line, event.column) == ("a", 3, 2)


def test_equal_keys_of_different_objects_are_no_duplicates() -> None:
    assert find_duplicate(json_events('{"a": {"a": "a"}, "b": [{"a": 1}, {"a": 1}]}')) is None
