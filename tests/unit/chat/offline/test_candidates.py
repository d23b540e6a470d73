"""Choosing from a list."""

from datetime import datetime

import pytest

from bascule.chat.models import ModelTool
from bascule.chat.offline.candidates import Rows, by_name, by_time, is_usable, numbered, rows_of
from bascule.chat.offline.history import Outcome
from bascule.chat.offline.messages import Message, read_message
from bascule.chat.offline.schemas import fields_of

OUTPUT = {
    "type": "object",
    "properties": {
        "shows": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "id": {"type": "string"},
                    "name": {"type": "string"},
                    "on": {"type": "string"},
                    "in": {"type": "string"},
                    "price": {"type": "number"},
                },
            },
        }
    },
}
SHOWS = [
    {"id": "s1", "name": "Red Moon", "on": "2026-11-25T16:00:00Z", "in": "East Hall", "price": 9},
    {"id": "s2", "name": "Red Star", "on": "2026-11-25T20:00:00Z", "in": "West Hall", "price": 5},
    {"id": "s3", "name": "Blue", "on": "2026-11-26T20:00:00Z", "in": "West Hall", "price": 7},
]  # fmt: skip


def rows(shows: object = SHOWS) -> Rows:
    tool = ModelTool("list_shows", "", {}, "", OUTPUT)
    fields = fields_of(tool)
    outcome = Outcome(0, 1, tool.name, tool, {}, {"shows": shows}, "", is_error=False)
    found = rows_of(outcome, fields[0], fields)
    assert found is not None
    return found


def said(text: str) -> Message:
    return read_message(1, text, datetime.fromisoformat("2026-11-24T10:30:00+05:30"))


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("the second one", 1),
        ("2", 1),
        ("number 3 please", 2),
        ("the 1st", 0),
        ("the last", 2),
        ("the cheapest", 1),
        ("the earliest", 0),
        ("the latest please", 2),
        ("option two", 1),
        ("three", 2),
        ("the 20:00 one", None),
        ("nice ones", None),
        ("on 2 December", None),
        ("at 3", None),
        ("9", None),
        ("we are 2 people and need seats with legroom", None),
    ],
)
def test_a_row_is_chosen_by_its_place(text: str, at: int | None) -> None:
    assert numbered(rows(), said(text)) == at


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("the first", 1), ("last", 2), ("2", 1), ("number 3", 2), ("1", None), ("third", None),
        ("the cheapest", 1),
    ],
)  # fmt: skip
def test_where_some_rows_were_shown_a_place_is_among_them(text: str, at: int | None) -> None:
    assert numbered(rows(), said(text), [1, 2]) == at


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("red star please", 1),
        ("moon", 0),
        ("s3", 2),
        ("the one in the east hall", 0),
        ("red", None),
        ("hall", None),
    ],
)
def test_a_row_is_chosen_by_its_name(text: str, at: int | None) -> None:
    assert by_name(rows(), said(text)) == at


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("at 4", [0]),
        ("tomorrow evening", [1]),
        ("at 20:00", [1, 2]),
        ("26 November", [2]),
        ("hm", []),
    ],
)
def test_rows_are_found_by_their_times(text: str, found: list[int]) -> None:
    assert by_time(rows(), said(text)) == found


def test_a_name_full_of_words_is_not_chosen_for_them() -> None:
    lure = {
        **SHOWS[0],
        "id": "s9",
        "name": "red star please the second cheapest last one tomorrow moon blue hall",
    }
    assert by_name(rows([*SHOWS, lure]), said("red star please")) == 1
    assert by_name(rows([*SHOWS, lure]), said("moon please")) == 0


def test_rows_without_a_usable_value_are_left_out() -> None:
    assert rows([{"id": None}, {"id": "x" * 501}, "odd", {"id": "ok"}]).values == ["ok"]
    assert not is_usable(True)
    assert rows("odd").values == []
