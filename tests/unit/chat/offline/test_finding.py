"""Tools that a search has to find: what it answers, and how they are called."""

import json
from typing import Any

from bascule.chat.models import Answered, Entry, ModelTool, Returned, Said, Wanted
from bascule.chat.offline.finding import Finder
from bascule.chat.offline.resolving import Call
from bascule.chat.offline.schemas import Leaf
from bascule.chat.parts import CallPart, CallState
from bascule.chat.results import told
from bascule.gateway.builtin import CALL_TOOL, SEARCH_TOOLS
from fakes.planned import Answer, Talk, Tasks

OWN = [
    ModelTool(SEARCH_TOOLS, "Find tools.", {"type": "object"}, "Search tools"),
    ModelTool(CALL_TOOL, "Call a tool.", {"type": "object"}, "Call a tool", risk="privileged"),
]


def answer_of(tools: list[ModelTool]) -> str:
    """What a search says, as `bascule.catalogue.search_tools` writes it."""
    shown = [
        {
            "name": one.name,
            "title": one.title,
            "description": one.description,
            "inputSchema": one.input_schema,
            "annotations": {"readOnlyHint": one.risk == "read"},
        }
        for one in tools
    ]
    return json.dumps({"tools": shown, "searched": 900}, separators=(",", ":"))


def searched(text: str, longest: int = 8_000) -> list[Entry]:
    call = CallPart(id="1", tool=SEARCH_TOOLS, arguments={}, state=CallState.DONE)
    call.content = [{"type": "text", "text": text}]
    asked = Answered("", [Wanted("1", SEARCH_TOOLS, {"query": "tasks"})])
    return [Said("tasks"), asked, told(call, longest)]


def test_what_a_search_found_can_be_called_by_its_name() -> None:
    finder = Finder(OWN, searched(answer_of(Tasks().tools[:2])))
    listing, adding = finder.tools
    assert (listing.name, listing.risk, adding.risk) == ("listTasks", "read", "write")
    made = finder.as_made(Call(adding, {"title": "x"}))
    assert made.tool.name == CALL_TOOL
    assert made.arguments == {"name": "createTask", "arguments": {"title": "x"}}
    assert finder.search("tasks") is None
    again = finder.search("other things")
    assert again is not None
    assert finder.as_made(again) == again


def test_of_an_answer_that_was_cut_off_the_whole_tools_are_read() -> None:
    whole = answer_of(Tasks().tools)
    for longest in (0, 10, 100, 700, len(whole) - 30):
        names = [one.name for one in Finder(OWN, searched(whole, longest)).tools]
        assert names == [one.name for one in Tasks().tools][: len(names)]
    assert Finder(OWN, searched('{"tools":[' + "[" * 5000)).tools == []
    assert Finder(OWN, searched('{"tools":[7,{"name":"x"},{"name":1}]}')).tools == []


def test_where_all_tools_are_listed_nothing_is_searched_or_wrapped() -> None:
    tasks = Tasks().tools
    finder = Finder(tasks, searched(answer_of([OWN[0]])))
    assert not finder.finds_more
    assert finder.tools == tasks
    assert finder.search("x") is None
    assert finder.as_made(Call(tasks[0], {})) == Call(tasks[0], {})


def test_a_parameter_that_nobody_knows_by_heart_is_searched_for() -> None:
    finder = Finder(OWN, [])
    told_of = Leaf(("shop",), {"description": "From list_shops."}, required=True)
    assert (found := finder.search_giver(told_of)) is not None
    assert found.arguments["query"] == "list_shops"
    assert (found := finder.search_giver(Leaf(("shopId",), {}, required=True))) is not None
    assert found.arguments["query"] == "list shop id"
    assert finder.search_giver(Leaf(("title",), {}, required=True)) is None


def test_the_form_of_a_result_stands_for_an_output_schema() -> None:
    tool = ModelTool("t", "", {})
    result = {"rows": [{"id": 1, "name": "x", "new": True}], "none": None, "empty": []}
    entries = [Answered("", [Wanted("1", "t", {})]), Returned("1", "t", "", structured=result)]
    (learned,) = Finder([tool], entries).tools
    assert learned.output_schema is not None
    properties: Any = learned.output_schema["properties"]
    assert properties["rows"]["items"]["properties"]["id"] == {"type": "integer"}
    assert properties["rows"]["items"]["properties"]["new"] == {"type": "boolean"}
    assert properties["empty"] == {"type": "array", "items": {}}


async def test_a_conversation_goes_on_with_what_was_found() -> None:
    tasks = Tasks()

    async def execute(name: str, arguments: Any) -> Answer:
        if name == SEARCH_TOOLS:
            return None, answer_of(tasks.tools), False
        assert name == CALL_TOOL
        return await tasks.execute(arguments["name"], arguments["arguments"])

    talk = Talk(OWN, execute)
    assert "more tools than I can list" in await talk.say("what can you do?")
    for text in ("show my open tasks", "delete the second one", "Add a task: buy milk"):
        await talk.say(text)
    assert [one[1] for one in talk.calls] == [
        {"query": "show my open tasks", "limit": 5},
        {"name": "listTasks", "arguments": {"state": "open"}},
        {"name": "deleteTask", "arguments": {"taskId": 12}},
        {"name": "createTask", "arguments": {"title": "buy milk"}},
    ]
