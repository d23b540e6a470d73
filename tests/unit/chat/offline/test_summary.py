"""Results as lines of text."""

import pytest

from bascule.chat.models import ModelTool
from bascule.chat.offline.history import Outcome
from bascule.chat.offline.schemas import fields_of
from bascule.chat.offline.summary import NOTHING, clean, row_lines, summarise
from bascule.chat.parts import CallState

SCHEMA = {
    "type": "object",
    "properties": {
        "note": {"type": "string"},
        "secret": {"type": "object"},
        "pets": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "id": {"type": "integer"},
                    "name": {"type": "string"},
                    "born": {"type": "string"},
                },
            },
        },
    },
}
TOOL = ModelTool("list_pets", "", {}, "List pets", SCHEMA)


def told(structured: object, text: str = "", *, is_error: bool = False, known: bool = True) -> str:
    outcome = Outcome(0, 1, "list_pets", TOOL, {}, structured, text, is_error)  # type: ignore[arg-type]
    return summarise(outcome, fields_of(TOOL) if known else [])


def test_a_list_is_numbered_by_its_most_telling_values() -> None:
    pets = [
        {"id": at, "name": f"Pet {at}", "born": f"2026-01-0{at}T10:00:00Z"} for at in range(1, 10)
    ]
    line = told({"pets": pets, "note": "old ones"})
    assert line.startswith("**note**: old ones. 9 found: (1) Pet 1, (2) Pet 2, ")
    assert line.endswith(", (8) Pet 8 and 1 more.")
    assert "\n" not in line
    assert told({"pets": []}) == NOTHING
    assert told({"pets": pets[:1]}) == "1 found: Pet 1: born 2026-01-01 10:00."


def test_a_day_that_all_rows_share_is_said_once() -> None:
    pets = [{"born": f"2026-01-02T1{at}:00:00Z"} for at in range(2)]
    assert told({"pets": pets}) == "2 found on 2026-01-02: (1) 10:00, (2) 11:00."


@pytest.mark.parametrize(
    ("state", "decided", "sentence"),
    [
        (CallState.UNKNOWN, "", "It is not known whether this was done: List pets."),
        (CallState.CANCELLED, "", "It was stopped before it was done: List pets."),
        (CallState.DENIED, "deny", "You did not agree, so it was not done: List pets."),
        (CallState.DENIED, "expired", "Nobody agreed in time, so it was not done: List pets."),
    ],
)
def test_what_was_not_done_is_told_in_words_for_people(
    state: CallState, decided: str, sentence: str
) -> None:
    text = "It is not known what came of this call. Do not make it again, or ask the person."
    outcome = Outcome(0, 1, "list_pets", TOOL, {}, None, text, True, state, decided)
    assert summarise(outcome, []).startswith(sentence)
    assert "person" not in summarise(outcome, [])


def test_what_the_schema_does_not_tell_of_is_left_out() -> None:
    assert "surprise" not in told({"surprise": "x", "note": "y"})
    assert told({"colour": "red", "deep": {"a": 1}}, known=False) == "**colour**: red."


def test_errors_are_said_in_their_own_words() -> None:
    body = (
        'The upstream answered HTTP 404: {"error": {"message": "No such \\"pet\\"."}}\nLook again.'
    )
    assert told(None, body, is_error=True) == 'That did not work (List pets): No such "pet".'
    assert "no reason" in told(None, "", is_error=True)


def test_text_stands_for_what_has_no_structure() -> None:
    assert told(None, "Done (HTTP 204).") == "Done (HTTP 204)."
    assert told(None, "12 pets") == "Done: 12 pets"
    assert told(None, " ") == "Done."


def test_markup_is_shown_as_it_is_and_long_text_is_cut() -> None:
    assert clean("# <b>*x*</b>\n[a](b)\u202e!") == "# \\<b\\>\\*x\\*\\</b\\> \\[a\\](b) !"
    assert len(clean("x" * 1_000_000)) == 160


def test_an_address_is_shown_and_is_no_link() -> None:
    assert clean("see http://e.example/a_b*c or WWW.e.example") == (
        "see `http://e.example/a_b*c` or `WWW.e.example`"
    )
    assert clean("[in](https://e.example/`x`)") == "\\[in\\](`https://e.example/`\\`x\\`)"


def test_what_is_in_a_row_stays_on_one_line() -> None:
    assert row_lines([[("name", "a\nb")]], [0]) == ["1. **a b**"]
