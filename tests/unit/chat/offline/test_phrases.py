"""Free text in messages."""

from datetime import datetime

from bascule.chat.offline.messages import Message, read_message
from bascule.chat.offline.phrases import named_text, place_names, quoted, sought, titled_text
from bascule.chat.offline.schemas import Leaf


def message(text: str) -> Message:
    return read_message(0, text, datetime.fromisoformat("2026-11-24T10:30:00+05:30"))


def test_quotes_are_taken_off() -> None:
    assert [one[0] for one in quoted("\"a b\" and \u201cc\u201d, it's 'd e'")] == [
        "a b",
        "c",
        "d e",
    ]


def test_what_is_named_is_found_where_it_stands() -> None:
    said = message('The due reason is "a, b". Title: c d, e')
    (text, start, end), *_ = named_text(("du", "reason"), said)
    assert text == said.text[start:end] == "a, b"
    assert [one[0] for one in named_text(("titl",), said)] == ["c d"]
    assert list(named_text(("colour",), said)) == []


def test_a_task_names_itself_without_its_date() -> None:
    about = frozenset({"task"})
    assert [
        one[0] for one in titled_text(("titl",), about, message("add a task: buy milk by Friday"))
    ] == ["buy milk"]
    assert [one[0] for one in titled_text(("titl",), about, message("a task to call mum."))] == [
        "call mum"
    ]
    assert list(titled_text(("city",), about, message("task: x"))) == []


def test_queries_and_places() -> None:
    assert [one[0] for one in sought(("q",), message("look for red shoes."))] == ["red shoes"]
    city = Leaf(("city",), {"type": "string"}, required=True)
    assert [one[0] for one in place_names(city, (), message("from Oslo to Rio"))] == ["Oslo", "Rio"]
    other = Leaf(("colour",), {"type": "string"}, required=True)
    assert list(place_names(other, (), message("in Oslo"))) == []
