"""Which tool a request means."""

from datetime import datetime

import pytest

from bascule.chat.models import ModelTool
from bascule.chat.offline.messages import Request, read_message
from bascule.chat.offline.ranking import Ranking, action_of, agreement
from bascule.chat.offline.words import Action

NOW = datetime.fromisoformat("2026-11-24T10:30:00+05:30")


def tool(name: str, title: str, risk: str = "read", **properties: object) -> ModelTool:
    return ModelTool(name, title, {"properties": properties}, title, None, risk)


TOOLS = [
    tool("list_orders", "List orders", state={"enum": ["shipped", "open"]}),
    tool("get_order", "Show an order"),
    tool("create_order", "Place an order", "write"),
    tool("delete_order", "Cancel an order", "privileged"),
    tool("list_pizzas", "List the pizzas of a shop"),
    tool("rate_pizza", "Give stars to a pizza", "write"),
]


def request(text: str) -> Request:
    return read_message(0, text, NOW).requests[0]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("show my orders", "list_orders"),
        ("show the order", "get_order"),
        ("I want to place an order", "create_order"),
        ("cancel the order", "delete_order"),
        ("which pizzas are there?", "list_pizzas"),
        ("what is shipped?", "list_orders"),
    ],
)
def test_verb_and_noun_choose_the_tool(text: str, name: str) -> None:
    assert Ranking(TOOLS).hits(request(text))[0].tool.name == name


def test_nothing_is_found_for_what_no_tool_says() -> None:
    assert Ranking(TOOLS).hits(request("what is the weather?")) == []
    assert Ranking([]).hits(request("orders")) == []


def test_the_part_that_is_known_is_told() -> None:
    hit = Ranking(TOOLS).hits(request("show orders of elephants"))[0]
    assert (hit.part, hit.names_it) == (0.5, True)


def test_tools_say_what_they_do() -> None:
    assert [action_of(one) for one in TOOLS[1:4]] == [Action.READ, Action.CREATE, Action.REMOVE]
    assert action_of(TOOLS[5]) is Action.UPDATE
    assert agreement(Action.READ, Action.REMOVE) < agreement(None, Action.REMOVE) < 1


def test_the_nearest_share_the_most_nouns() -> None:
    names = [one.name for one in Ranking(TOOLS).nearest(["pizza", "shop"])]
    assert names == ["list_pizzas", "rate_pizza"]
