"""The sentences of the planner."""

from bascule.chat.models import ModelTool
from bascule.chat.offline.resolving import Ask, Call
from bascule.chat.offline.schemas import Leaf
from bascule.chat.offline.wording import (
    announce,
    how_to_check,
    list_tools,
    nothing_fits,
    question,
    title_of,
)

TOOL = ModelTool("add_pet", "", {}, "", None, "write")


def asked(name: str, **schema: object) -> str:
    return question(Ask(TOOL, Leaf((name,), schema, required=True)), rows_are_shown=False)


def test_a_question_names_what_is_wanted_and_its_form() -> None:
    assert asked("dueDate", format="date") == "Which due date? For instance 2026-11-25 or tomorrow."
    assert asked("size", enum=["s", "m"]) == "Which size? One of: s, m."
    assert asked("x", title="Pet Name", examples=["Rex"]) == "Which pet name? For instance Rex."
    assert asked("x", description="Where it is. Or not.") == "Which x? Where it is."
    assert asked("vaccinated", type="boolean") == "Vaccinated: yes or no?"
    assert "form" in asked("rows", type="array")
    assert asked("x", description="From `get_pet`.", examples=["P1"]) == "Which x? For instance P1."


def test_it_is_said_how_to_find_out() -> None:
    leaf = Leaf(("petId",), {}, required=True)
    assert "ask me for: add pet, with the pet id. " in how_to_check(TOOL, [leaf])
    assert "no tool that shows it" in how_to_check(None, [])


def test_an_empty_list_is_said() -> None:
    ask = Ask(TOOL, Leaf(("day",), {}, required=True), is_empty=True)
    assert question(ask, rows_are_shown=False) == "Nothing was found. Which day?"


def test_a_write_is_announced() -> None:
    told = announce([Call(TOOL, {"petName": "*Rex*", "tags": ["a", "b"]})], is_goal=True)
    assert told == "I have what is needed for: add pet."
    assert announce([Call(TOOL, {})], is_goal=False) == ""


def test_at_most_eight_tools_are_listed() -> None:
    tools = [ModelTool(f"tool_{at}", "", {}, f"Tool {at}") for at in range(20)]
    assert list_tools(tools).count("- Tool") == 8
    assert "12 more" in list_tools(tools)
    assert "administrator" in list_tools([])
    assert "- Tool 3" in nothing_fits(tools[3:4])
    assert "no tool" in nothing_fits([])
    assert title_of(TOOL) == "add pet"
