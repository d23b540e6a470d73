"""Two tools in place of hundreds."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from bascule.catalogue.search_tools import (
    CALL,
    ESSENTIAL_TAG,
    SEARCH,
    Condensed,
    SearchTools,
    Shelf,
)
from bascule.catalogue.searching import ToolIndex
from bascule.gateway.call import EVERYTHING, Call, Endpoint, EndpointKind, Method, Result
from bascule.gateway.decision import Circumstances
from bascule.gateway.errors import InvalidArgument
from bascule.gateway.principal import Principal
from bascule.gateway.tool import Tool
from bascule.protocol.tools import encode_definition
from fakes.catalogue import TENANT, make_principal, make_snapshot, make_tool
from fakes.decisions import NOW

TOOLS = [make_tool(f"get_{word}") for word in ("slots", "dealers", "cars")]
SECRET = make_tool("get_secret")
SNAPSHOT = make_snapshot([*TOOLS, SECRET])


class Sees:
    """Everybody sees the same."""

    def __init__(self, *tools: Tool) -> None:
        self._tools = tools

    async def visible(
        self, principal: Principal, endpoint: Endpoint, circumstances: Circumstances
    ) -> Sequence[Tool]:
        return self._tools


async def shown(most: int, *tools: Tool, endpoint: Endpoint = EVERYTHING) -> list[Tool]:
    seen = Condensed(Sees(*tools), most)
    return list(await seen.visible(make_principal(), endpoint, NOW))


async def test_a_short_list_stays_as_it_is() -> None:
    assert await shown(3, *TOOLS) == TOOLS
    assert await shown(0, *TOOLS) == TOOLS


async def test_a_long_list_is_two_tools_and_the_essential_ones() -> None:
    essential = replace(TOOLS[0], tags=(ESSENTIAL_TAG,))
    assert await shown(2, essential, *TOOLS[1:]) == [SEARCH, CALL, essential]


async def test_a_server_s_own_endpoint_shows_what_the_server_shows() -> None:
    assert await shown(1, *TOOLS, endpoint=Endpoint(EndpointKind.SERVER, "x")) == TOOLS


def searching(shelf: Shelf | None = None) -> SearchTools:
    return SearchTools(SNAPSHOT, Sees(*TOOLS), shelf or Shelf())


def asked(**arguments: object) -> Call:
    return Call(
        Method.TOOLS_CALL,
        "c-1",
        tool_name=SEARCH.name,
        arguments=dict(arguments),
        principal=make_principal(),
    )


def told(result: Result) -> dict[str, Any]:
    return json.loads(result.body["content"][0]["text"])  # type: ignore[index]


async def test_a_search_gives_definitions_as_the_list_would() -> None:
    result = await searching().execute(asked(query="cars of dealers", limit=1))
    content = told(result)
    assert content["searched"] == 3
    [one] = content["tools"]
    whole = json.loads(next(t for t in TOOLS if t.name == one["name"]).definition)
    assert one["inputSchema"] == whole["inputSchema"]
    assert "structuredContent" not in result.body, "a model would read it twice"


async def test_output_schemas_are_left_out_and_the_whole_is_bounded() -> None:
    def large(number: int) -> Tool:
        schema = {"type": "object", "properties": {"x": {"description": "y" * 9_000}}}
        definition = encode_definition(
            name=f"book_{number}", description="Book.", input_schema=schema, output_schema=schema
        )
        return replace(make_tool(f"book_{number}", input_schema=schema), definition=definition)

    tools = [large(number) for number in range(10)]
    search = SearchTools(make_snapshot(tools), Sees(*tools), Shelf())
    result = await search.execute(asked(query="book"))
    content = told(result)
    assert len(content["tools"]) == 10
    assert len(json.dumps(content)) < 32_000
    assert all("outputSchema" not in one for one in content["tools"])
    assert [("inputSchema" in one) for one in content["tools"]] == [True] * 2 + [False] * 8
    assert "Search for this tool by its name" in content["tools"][-1]["description"]


async def test_nothing_found_says_what_to_try() -> None:
    content = told(await searching().execute(asked(query="weather")))
    assert content["tools"] == []
    assert "other words" in content["advice"]


async def test_a_search_finds_only_what_its_caller_sees() -> None:
    result = await searching().execute(asked(query="get secret", limit=50))
    assert "get_secret" not in json.dumps(told(result))


@pytest.mark.parametrize(
    "arguments", [{}, {"query": ""}, {"query": 3}, {"query": "x", "limit": "y"}]
)
async def test_a_search_for_nothing_says_what_is_missing(arguments: dict[str, object]) -> None:
    with pytest.raises(InvalidArgument, match="query"):
        await searching().execute(asked(**arguments))


async def test_a_search_by_nobody_is_a_fault_of_ours() -> None:
    with pytest.raises(RuntimeError):
        await searching().execute(Call(Method.TOOLS_CALL, "c-1", arguments={"query": "x"}))


async def test_the_index_is_made_once_for_all_who_wait_and_anew_for_another_catalogue() -> None:
    made: list[int] = []

    def make(tools: Sequence[Tool]) -> ToolIndex:
        made.append(len(tools))
        return ToolIndex(tools)

    shelf, view = Shelf(make), SNAPSHOT.tenant(TENANT)
    await asyncio.gather(*(shelf.index(view) for _ in range(5)))
    assert made == [4]
    await shelf.index(make_snapshot(TOOLS).tenant(TENANT))
    assert made == [4, 3]


async def test_tools_that_a_bundle_borrows_are_found_too() -> None:
    alias = replace(SECRET, name="get_riddle", description="A riddle.")
    view = replace(SNAPSHOT.tenant(TENANT), bundle_tools={"fun": {"get_riddle": alias}})
    index = await Shelf().index(view)
    assert [hit.tool for hit in index.search("riddle", {"get_riddle": alias}, 1)] == [alias]
