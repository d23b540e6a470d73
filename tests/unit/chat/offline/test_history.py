"""Entries read as turns."""

from datetime import datetime

from bascule.chat.models import Answered, ModelTool, Returned, Said, Wanted
from bascule.chat.offline.history import called, data_of, read_turns
from bascule.chat.parts import CallPart, CallState
from bascule.chat.results import told
from bascule.gateway.builtin import CALL_TOOL

NOW = datetime.fromisoformat("2026-11-24T10:30:00+05:30")
TOOL = ModelTool("t", "", {})


def test_outcomes_belong_to_the_message_and_the_answer_before_them() -> None:
    entries = [
        Said("a"),
        Answered("", [Wanted("1", "t", {"x": 1})]),
        Returned("1", "t", "", structured={"y": 2}),
        Answered("", [Wanted("2", "gone", {})]),
        Returned("2", "gone", "no", is_error=True),
        Answered("done"),
        Said("b"),
    ]
    first, second = read_turns(entries, {"t": TOOL}, NOW)
    assert [(one.arguments, one.tool, one.is_error) for one in first.outcomes] == [
        ({"x": 1}, TOOL, False),
        ({}, None, True),
    ]
    assert [one.name for one in first.latest] == ["gone"]
    assert (second.message.turn, second.latest) == (1, [])


def test_what_a_tool_said_stands_between_marks() -> None:
    call = CallPart(id="1", tool="t", arguments={}, state=CallState.FAILED)
    call.content = [{"type": "text", "text": "No\nsuch task."}]
    told_text = told(call, 100).text
    assert told_text.startswith("The tool reported a failure.")
    assert data_of(told_text) == "No\nsuch task."
    assert data_of("plain") == "plain"


def test_a_call_by_another_tool_is_a_call_of_the_tool_it_names() -> None:
    wanted = Wanted("1", CALL_TOOL, {"name": "a.b", "arguments": {"x": 1}})
    assert called(CALL_TOOL, wanted) == ("a.b", {"x": 1})
    assert called("t", None) == ("t", {})


def test_old_turns_are_forgotten_and_strays_left_out() -> None:
    assert len(read_turns([Said(str(at)) for at in range(200)], {}, NOW)) == 40
    assert read_turns([Returned("1", "t", "")], {}, NOW) == []
