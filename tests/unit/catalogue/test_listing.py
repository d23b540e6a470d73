import json
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bascule.catalogue.listing import MISSING_META, ListOffers, ListTools, NotServed, Standing
from bascule.gateway.call import Call, Endpoint, EndpointKind, Method
from bascule.gateway.decision import Circumstances
from bascule.gateway.errors import ErrorCode, InvalidValue
from bascule.gateway.inventory import Listed
from bascule.gateway.principal import Principal
from bascule.gateway.tool import Tool
from bascule.protocol.cursors import encode_cursor
from fakes.catalogue import make_principal, make_tool
from fakes.relayed import (
    OFFERS,
    make_inventory,
    make_prompt,
    make_template,
    make_view,
    snapshot_of,
)


class Visible:
    """Shows the tools it was given, and remembers for whom."""

    def __init__(self, *names: str) -> None:
        self.tools = [make_tool(name) for name in names]
        self.asked: list[tuple[Principal, Endpoint]] = []

    async def visible(
        self, principal: Principal, endpoint: Endpoint, circumstances: Circumstances
    ) -> list[Tool]:
        self.asked.append((principal, endpoint))
        return self.tools


def listing(cursor: str | None = None) -> Call:
    return Call(Method.TOOLS_LIST, "c-1", cursor=cursor, principal=make_principal())


async def page(visible: Visible, size: int, cursor: str | None = None) -> dict[str, object]:
    body = (await ListTools(visible, size).execute(listing(cursor))).body
    return json.loads(msgspec.json.encode(body))


def names(body: dict[str, object]) -> list[str]:
    tools = body["tools"]
    assert isinstance(tools, list)
    return [tool["name"] for tool in tools]


async def test_definitions_are_passed_on_as_compiled() -> None:
    visible = Visible("a", "b")
    body = (await ListTools(visible, 10).execute(listing())).body
    raw = body["tools"]
    assert isinstance(raw, msgspec.Raw)
    assert bytes(raw) == b"[%b,%b]" % tuple(tool.definition for tool in visible.tools)


async def test_an_empty_list_is_a_list() -> None:
    assert await page(Visible(), 10) == {"tools": [], "ttlMs": 0, "cacheScope": "private"}


async def test_a_list_filtered_per_caller_is_never_cached_for_others() -> None:
    """Source: server/utilities/caching; every page must say the same."""
    visible = Visible("a", "b", "c")
    first = await page(visible, 2)
    second = await page(visible, 2, str(first["nextCursor"]))
    assert first["cacheScope"] == second["cacheScope"] == "private"


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 6, 100])
async def test_pages_give_every_tool_once_and_in_order(size: int) -> None:
    expected = ["zebra", "ape", "mule", "é 🙂", "ant"]
    visible = Visible(*expected)
    seen: list[str] = []
    cursor: str | None = None
    for _ in range(len(expected)):
        body = await page(visible, size, cursor)
        seen += names(body)
        if "nextCursor" not in body:
            break
        cursor = str(body["nextCursor"])
    assert seen == expected


async def test_a_full_last_page_has_no_cursor() -> None:
    visible = Visible("a", "b")
    assert "nextCursor" not in await page(visible, 2)


@pytest.mark.parametrize("cursor", [None, ""])
async def test_no_cursor_and_an_empty_one_start_at_the_beginning(cursor: str | None) -> None:
    assert names(await page(Visible("a", "b"), 1, cursor)) == ["a"]


@pytest.mark.parametrize("cursor", ["!!!!", "é", "a", "\x00" * 9])
async def test_a_cursor_that_is_none_of_ours_is_refused(cursor: str) -> None:
    with pytest.raises(InvalidValue, match=r"params\.cursor: not a cursor") as caught:
        await page(Visible("a", "b"), 1, cursor)
    assert caught.value.error is ErrorCode.INVALID_VALUE
    assert caught.value.details == {"field": "cursor"}


async def test_a_cursor_to_a_tool_that_is_gone_or_hidden_says_to_start_again() -> None:
    """The same words for both: a made-up cursor must not tell which names exist."""
    with pytest.raises(InvalidValue, match="start again without a cursor") as caught:
        await page(Visible("a", "b"), 1, encode_cursor("hidden"))
    assert "hidden" not in caught.value.public


async def test_the_caller_and_the_endpoint_decide_what_is_listed() -> None:
    visible = Visible("a")
    call = listing()
    call.endpoint = Endpoint(EndpointKind.BUNDLE, "booking")
    await ListTools(visible, 10).execute(call)
    assert visible.asked == [(make_principal(), call.endpoint)]


async def test_a_list_for_nobody_is_a_mistake() -> None:
    with pytest.raises(RuntimeError, match="needs a principal"):
        await ListTools(Visible("a"), 10).execute(Call(Method.TOOLS_LIST, "c-1"))


@given(cursor=st.text(max_size=30))
async def test_any_cursor_gives_a_page_or_a_refusal(cursor: str) -> None:
    try:
        body = await page(Visible("a", "b"), 1, cursor)
    except InvalidValue:
        return
    assert names(body) in (["a"], ["b"], [])


# Lists of servers.


class Offered:
    """Shows the prompts and templates it was given."""

    def __init__(self, prompts: Sequence[Listed] = (), templates: Sequence[Listed] = ()) -> None:
        self._prompts = prompts
        self._templates = templates

    async def prompts(
        self, principal: Principal, endpoint: Endpoint, circumstances: Circumstances
    ) -> Sequence[Listed]:
        del principal, endpoint
        return self._prompts

    async def templates(
        self, principal: Principal, endpoint: Endpoint, circumstances: Circumstances
    ) -> Sequence[Listed]:
        del principal, endpoint
        return self._templates


async def offers(
    method: Method,
    offered: Offered,
    standing: Standing | None = None,
    *,
    capabilities: bytes = OFFERS,
    endpoint: Endpoint | None = None,
) -> dict[str, Any]:
    call = Call(method, "c-1", principal=make_principal(), endpoint=endpoint or Endpoint())
    call.snapshot = snapshot_of(make_view(make_inventory(capabilities=capabilities)))
    lists = ListOffers(offered, 2, lambda _: standing or Standing())
    return json.loads(msgspec.json.encode((await lists.execute(call)).body))


@pytest.mark.parametrize(
    ("method", "member"),
    [(Method.PROMPTS_LIST, "prompts"), (Method.TEMPLATES_LIST, "resourceTemplates")],
)
async def test_each_list_has_its_own_member(method: Method, member: str) -> None:
    offered = Offered([make_prompt()], [make_template("a://{x}")])
    body = await offers(method, offered)
    wanted = {"prompts": [{"name": "greet"}], "resourceTemplates": [{"uriTemplate": "a://{x}"}]}
    assert body == {member: wanted[member], "ttlMs": 0, "cacheScope": "private"}


async def test_offers_come_in_pages_too() -> None:
    offered = Offered([make_prompt(name) for name in "abc"])
    body = await offers(Method.PROMPTS_LIST, offered)
    assert len(body["prompts"]) == 2
    assert body["nextCursor"] == encode_cursor("b")


@pytest.mark.parametrize("method", [Method.PROMPTS_LIST, Method.TEMPLATES_LIST])
async def test_where_no_server_has_such_a_list_the_method_is_unknown(method: Method) -> None:
    with pytest.raises(NotServed) as caught:
        await offers(method, Offered(), capabilities=b'{"tools":{}}')
    assert caught.value.error is ErrorCode.UNKNOWN_METHOD
    missing = Standing(missing=("alpha",))
    body = await offers(method, Offered(), missing, capabilities=b'{"tools":{}}')
    assert body["_meta"] == {MISSING_META: ["alpha"]}


async def test_a_list_holds_as_long_as_the_servers_say_unless_one_is_missing() -> None:
    standing = Standing(5000, public=True)
    body = await offers(Method.PROMPTS_LIST, Offered(), standing)
    assert (body["ttlMs"], body["cacheScope"]) == (5000, "public")
    body = await offers(Method.PROMPTS_LIST, Offered(), standing._replace(missing=("alpha",)))
    assert (body["ttlMs"], body["cacheScope"]) == (0, "private")


async def test_at_a_server_s_endpoint_names_are_its_own() -> None:
    offered = Offered([make_prompt(front="alpha_greet"), make_prompt("only")])
    alpha = Endpoint(EndpointKind.SERVER, "alpha")
    whole = await offers(Method.PROMPTS_LIST, offered)
    own = await offers(Method.PROMPTS_LIST, offered, endpoint=alpha)
    assert [one["name"] for one in whole["prompts"]] == ["alpha_greet", "only"]
    assert [one["name"] for one in own["prompts"]] == ["greet", "only"]


class Counted(Sequence[Tool]):
    """A list that counts how often one of its items is looked at."""

    def __init__(self, tools: Sequence[Tool]) -> None:
        self._tools = tools
        self.looks = 0

    def __len__(self) -> int:
        return len(self._tools)

    def __getitem__(self, index: Any) -> Any:
        self.looks += 1
        return self._tools[index]


async def test_a_page_deep_in_a_long_list_is_found_without_going_through_it() -> None:
    visible = Visible(*(f"tool_{number:05}" for number in range(20_000)))
    counted = visible.tools = Counted(visible.tools)  # type: ignore[assignment]
    body = await page(visible, 2, encode_cursor("tool_19000"))
    assert names(body) == ["tool_19001", "tool_19002"]
    assert counted.looks < 40


async def test_what_servers_add_behind_a_sorted_list_is_paged_through_too() -> None:
    expected = ["a", "c", "x", "b", "y", "a1"]
    visible = Visible(*expected)
    for last, after in pairwise(expected):
        assert names(await page(visible, 1, encode_cursor(last))) == [after]
