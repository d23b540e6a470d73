"""What a message makes the goal."""

import pytest

from bascule.chat.models import Answered, Entry, ModelTool, Returned, Said, Wanted
from bascule.chat.offline.dates import read_now
from bascule.chat.offline.goals import Goals
from bascule.chat.offline.history import read_turns
from bascule.chat.offline.shelf import Shelf
from fakes.planned import TUESDAY, Tasks, Weather


def heard(tools: list[ModelTool], *entries: Entry) -> Goals:
    """After the last message of `entries`."""
    shelf = Shelf(tools)
    turns = read_turns(entries, shelf.tools, read_now(TUESDAY.isoformat()))
    goals = Goals(shelf, turns)
    for number, turn in enumerate(turns):
        goals.listen(turn.message)
        if number + 1 < len(turns):
            goals.settle(turn)
    return goals


def goal_of(tools: list[ModelTool], *entries: Entry) -> str:
    goal = heard(tools, *entries).mind.goal
    return goal.name if goal else ""


@pytest.mark.parametrize(
    ("text", "goal"),
    [
        ("show my open tasks", "listTasks"),
        ("Need a high priority task", "createTask"),
        ("I'm looking for a task", "getTask"),
        ("delete task 12", "deleteTask"),
        ("hello", ""),
        ("sing", ""),
    ],
)
def test_a_request_names_a_goal(text: str, goal: str) -> None:
    assert goal_of(Tasks().tools, Said(text)) == goal


def test_what_only_reads_is_no_thing_that_is_needed() -> None:
    assert goal_of(Weather().tools, Said("I need a forecast for Oslo")) == "get_forecast"


def test_a_row_of_the_last_list_may_be_named_for_what_it_is() -> None:
    listed = {"result": [{"id": 11, "title": "Water plants"}, {"id": 12, "title": "Pay rent"}]}
    before = [
        Said("list tasks"),
        Answered("", [Wanted("1", "listTasks", {})]),
        Returned("1", "listTasks", "", structured=listed),
    ]
    assert goal_of(Tasks().tools, *before, Said("delete the plants one")) == "deleteTask"
    assert goal_of(Tasks().tools, *before, Said("delete the penguin one")) == ""


def test_what_no_tool_fits_is_unmet_and_what_is_asked_again_insists() -> None:
    assert heard(Tasks().tools, Said("order a pizza")).mind.is_unmet
    assert not heard(Tasks().tools, Said("add a task")).mind.is_unmet
    assert not heard(Tasks().tools, Said("hello")).mind.is_unmet
    assert heard(Tasks().tools, Said("add a task"), Answered("?"), Said("try again")).mind.insists
    assert not heard(Tasks().tools, Said("add a task"), Answered("?"), Said("ok")).mind.insists


def test_a_goal_is_dropped() -> None:
    dropped = heard(Tasks().tools, Said("add a task"), Answered("?"), Said("cancel that"))
    assert dropped.mind.dropped
    assert dropped.mind.goal is None
