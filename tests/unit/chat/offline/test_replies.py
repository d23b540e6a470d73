"""Messages that answer a question."""

from datetime import datetime

import pytest

from bascule.chat.offline.messages import read_message
from bascule.chat.offline.replies import read_reply
from bascule.chat.offline.schemas import Leaf
from bascule.chat.offline.values import Wish

NOW = datetime.fromisoformat("2026-11-24T10:30:00+05:30")


def reply(name: str, schema: dict[str, object], text: str, *examples: str) -> object:
    items = {"type": "string"} if schema.get("type") == "array" else {}
    wish = Wish(Leaf((name,), schema, required=True, items=dict(items)), examples)
    return read_reply(wish, read_message(0, text, NOW))


@pytest.mark.parametrize(
    ("name", "kind", "text", "value"),
    [
        ("city", "string", "in Pune, please", "Pune"),
        ("hall", "string", "Hall 4", "Hall 4"),
        ("title", "string", "Show the cat who is king.", "Show the cat who is king"),
        ("price", "number", "it's 12.50 EUR", 12.5),
        ("guests", "integer", "three", 3),
        ("ok", "boolean", "yes please", True),
        ("ok", "boolean", "no", False),
        ("tags", "array", "red, blue and green", ["red", "blue", "green"]),
    ],
)
def test_a_short_message_is_the_answer(name: str, kind: str, text: str, value: object) -> None:
    assert reply(name, {"type": kind}, text) == value


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("city", "My car is AB12CD3456"),
        ("city", "show all cities"),
        ("city", "ok"),
        ("city", "the first one"),
        ("city", "no, the other car"),
        ("city", "not that"),
        ("city", "none of them"),
        ("city", "tomorrow at 10"),
        ("title", "never mind"),
        ("city", "well I do not really know what that is good for"),
    ],
)
def test_what_says_something_else_is_no_answer(name: str, text: str) -> None:
    assert reply(name, {"type": "string"}, text) is None


def test_where_digits_are_due_words_are_no_answer() -> None:
    assert reply("plate", {"type": "string"}, "blue", "AB12CD3456") is None
    assert reply("plate", {"type": "string", "minLength": 20}, "AB12", "AB12CD3456") is None
