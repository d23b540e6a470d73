import asyncio
import contextlib
import json
import sys
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import uvicorn
from mcp.server import MCPServer
from mcp.server.mcpserver import Context
from pydantic import BaseModel
from structlog.testing import capture_logs

from bascule.gateway.call import Call, Method, More, ResultKind
from bascule.gateway.capabilities import read_capabilities
from bascule.gateway.errors import ErrorCode, UpstreamFailed, UpstreamTimeout
from bascule.gateway.inventory import ItemKind, Target
from bascule.gateway.seals import Seals
from bascule.gateway.tool import RestSource, Tool, Upstream, UpstreamKind
from bascule.protocol.versions import Era
from bascule.upstreams.mcp.chores import Chores
from bascule.upstreams.mcp.failures import UpstreamRpcError
from bascule.upstreams.mcp.listing import ListKind
from bascule.upstreams.mcp.parked import Parked
from bascule.upstreams.mcp.upstream import Bridge, McpUpstream
from fakes.asking import Back

ALL = read_capabilities(b'{"elicitation":{},"roots":{},"sampling":{}}')

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
ADD = {"name": "add", "inputSchema": {"type": "object"}}
OK = {"content": [{"type": "text", "text": "2"}], "resultType": "complete"}


@pytest.fixture
async def relay(serve, client, quick, wire) -> AsyncIterator[Callable]:
    """A modern server of two methods, and the upstream in front of it."""
    opened: list[McpUpstream] = []

    async def relay(
        call: Callable | None = None, listing: Callable | None = None, **fields: Any
    ) -> tuple[McpUpstream, Any]:
        def handler(seen):
            if seen.method == "server/discover":
                return wire.result(seen, supportedVersions=["2026-07-28"])
            if seen.method == "tools/list":
                return listing(seen) if listing else wire.result(seen, tools=[ADD])
            return call(seen) if call else wire.result(seen, **OK)

        server = await serve(handler)
        record = Upstream("peer", UpstreamKind.MCP_HTTP, url=server.url, **fields)
        opened.append(McpUpstream(record, client, config=quick))
        return opened[-1], server

    yield relay
    for upstream in opened:
        await upstream.aclose()


# Calls.


async def test_call_goes_out_under_the_upstreams_own_name(relay, make_call) -> None:
    upstream, server = await relay()
    result = await upstream.execute(make_call("add", {"a": 1}, traceparent=TRACE))
    assert json.loads(bytes(result.body["content"])) == OK["content"]
    assert (result.is_error, result.failure) == (False, None)
    seen = server.seen[-1]
    assert seen.params["name"] == seen.headers["mcp-name"] == "add"
    assert seen.params["arguments"] == {"a": 1}
    assert seen.params["_meta"]["traceparent"] == seen.headers["traceparent"] == TRACE
    assert seen.headers["x-correlation-id"] == "corr-1"
    assert seen.headers["x-mcp-tool-name"] == "peer_add"
    assert seen.headers["x-mcp-risk-level"] == "read"


async def test_result_type_is_removed_and_everything_else_kept(relay, make_call, wire) -> None:
    members = {**OK, "structuredContent": {"n": 1.5}, "_meta": {"x": 1}, "isError": False}
    upstream, _ = await relay(lambda seen: wire.result(seen, **members))
    body = (await upstream.execute(make_call())).body
    assert set(body) == {"content", "structuredContent", "_meta", "isError"}
    assert bytes(body["structuredContent"]) == b'{"n": 1.5}'


async def test_question_that_nobody_can_be_asked_is_a_failure(relay, make_call, wire) -> None:
    upstream, _ = await relay(
        lambda seen: wire.result(seen, resultType="input_required", requestState="s")
    )
    with pytest.raises(UpstreamFailed, match="asks for input"):
        await upstream.execute(make_call())


async def test_task_that_nobody_asked_for_is_a_failure(relay, make_call, wire) -> None:
    upstream, _ = await relay(lambda seen: wire.result(seen, resultType="task", taskId="x"))
    with pytest.raises(UpstreamFailed, match="task"):
        await upstream.execute(make_call())


async def test_result_of_an_unknown_type_fails(relay, make_call, wire) -> None:
    for kind in ("unheard-of", 7, {}, [], True, None):
        upstream, _ = await relay(lambda seen, kind=kind: wire.result(seen, resultType=kind))
        if kind is None:
            assert (await upstream.execute(make_call())).body == {}
            continue
        with pytest.raises(UpstreamFailed, match="type"):
            await upstream.execute(make_call())


async def test_result_that_is_no_object_fails(relay, make_call, wire) -> None:
    body = b'{"jsonrpc":"2.0","id":"%b","result":[1]}'
    upstream, _ = await relay(
        lambda seen: wire.Reply(
            200, body % seen.message["id"].encode(), {"content-type": "application/json"}
        )
    )
    with pytest.raises(UpstreamFailed, match="not a JSON object"):
        await upstream.execute(make_call())


async def test_error_of_the_tool_is_a_result(relay, make_call, wire) -> None:
    upstream, _ = await relay(lambda seen: wire.result(seen, content=[], isError=True))
    result = await upstream.execute(make_call())
    assert result.is_error
    assert result.failure is not None


async def test_error_of_the_protocol_is_carried(relay, make_call, wire) -> None:
    upstream, _ = await relay(lambda seen: wire.error(seen, -32602, "unknown tool: add"))
    with pytest.raises(UpstreamRpcError, match="unknown tool") as caught:
        await upstream.execute(make_call())
    assert caught.value.error is ErrorCode.INVALID_VALUE


async def test_call_without_arguments_sends_an_empty_object(relay, make_call) -> None:
    upstream, server = await relay()
    call = make_call("add", {})
    call.raw_arguments = b"null"
    await upstream.execute(call)
    assert server.seen[-1].params["arguments"] == {}


async def test_earliest_deadline_holds(relay, make_call, wire) -> None:
    upstream, _ = await relay(lambda _: wire.stream(stays_open=True), timeout_seconds=0.1)
    async with asyncio.timeout(5):
        with pytest.raises(UpstreamTimeout):
            await upstream.execute(make_call(seconds=60))
    upstream, _ = await relay(lambda _: wire.stream(stays_open=True))
    async with asyncio.timeout(5):
        with pytest.raises(UpstreamTimeout):
            await upstream.execute(make_call(seconds=0.1))


async def test_only_the_gateways_own_headers_reach_the_upstream(relay, make_call) -> None:
    upstream, server = await relay(headers=(("Authorization", "Bearer own"),))
    await upstream.execute(make_call(credential="client-secret", agent="x"))
    assert server.seen[-1].headers["authorization"] == "Bearer own"
    assert "client-secret" not in str(server.seen)


async def test_tool_of_another_kind_is_a_mistake(relay, make_call) -> None:
    upstream, _ = await relay()
    call = make_call()
    call.tool = Tool("x", "", "b", RestSource("peer", "GET", "/"), {})
    with pytest.raises(RuntimeError):
        await upstream.execute(call)


# Mirrored arguments.


def mirroring(header: str) -> dict[str, Any]:
    properties = {"a": {"type": "integer", "x-mcp-header": header}}
    return {"type": "object", "properties": properties}


async def test_arguments_are_mirrored_as_the_stored_schema_says(relay, make_call) -> None:
    upstream, server = await relay()
    await upstream.execute(make_call("add", {"a": 1}, schema=mirroring("One")))
    assert server.seen[-1].headers["mcp-param-one"] == "1"


async def test_listed_schema_takes_precedence(relay, make_call, wire) -> None:
    upstream, server = await relay(
        listing=lambda seen: wire.result(seen, tools=[{**ADD, "inputSchema": mirroring("Two")}])
    )
    await upstream.list_tools()
    await upstream.execute(make_call("add", {"a": 1}, schema=mirroring("One")))
    assert server.seen[-1].headers["mcp-param-two"] == "1"
    assert "mcp-param-one" not in server.seen[-1].headers


async def test_refused_headers_lead_to_a_new_list_and_one_more_try(relay, make_call, wire) -> None:
    def call(seen):
        if "mcp-param-two" in seen.headers:
            return wire.result(seen, **OK)
        return wire.error(seen, -32020, "missing", status=400)

    upstream, server = await relay(
        call, lambda seen: wire.result(seen, tools=[{**ADD, "inputSchema": mirroring("Two")}])
    )
    result = await upstream.execute(make_call("add", {"a": 1}, schema=mirroring("One")))
    assert not result.is_error
    assert server.methods[1:] == ["tools/call", "tools/list", "tools/call"]


async def test_headers_refused_twice_are_an_error(relay, make_call, wire) -> None:
    upstream, server = await relay(lambda seen: wire.error(seen, -32020, "missing", status=400))
    with pytest.raises(UpstreamRpcError, match="missing"):
        await upstream.execute(make_call())
    assert server.methods.count("tools/call") == 2


# Lists.


async def test_list_follows_its_pages_in_order(relay, wire) -> None:
    pages = {None: ("a", ""), "": ("b", "c2"), "c2": ("c", None)}

    def listing(seen):
        name, following = pages[seen.params.get("cursor")]
        members: dict[str, Any] = {"tools": [{**ADD, "name": name}]}
        if following is not None:
            members["nextCursor"] = following
        return wire.result(seen, **members)

    upstream, _ = await relay(listing=listing)
    assert [tool.name for tool in await upstream.list_tools()] == ["a", "b", "c"]


async def test_definitions_are_kept_byte_for_byte(relay, wire) -> None:
    odd = b'{ "inputSchema" : {"type":"object"} , "name":"add", "n": 1.50, "u":"\\u00e4" }'

    def listing(seen):
        body = b'{"id":"%b","jsonrpc":"2.0","result":{"tools":[%b]}}'
        headers = {"content-type": "application/json"}
        return wire.Reply(200, body % (seen.message["id"].encode(), odd), headers)

    upstream, _ = await relay(listing=listing)
    assert [tool.definition for tool in await upstream.list_tools()] == [odd]


async def test_unusable_definitions_are_dropped_and_logged(relay, wire) -> None:
    tools = [
        ADD,
        {"name": "nothing"},
        {**ADD, "title": "again"},
        {"name": "bad", "inputSchema": mirroring("a b")},
        {**ADD, "name": "last"},
    ]
    upstream, _ = await relay(listing=lambda seen: wire.result(seen, tools=tools))
    with capture_logs() as logs:
        listed = await upstream.list_tools()
    assert [tool.name for tool in listed] == ["add", "last"]
    assert listed[0].title is None
    dropped = [entry for entry in logs if entry["event"] == "upstream.tool_dropped"]
    assert len(dropped) == 3
    assert all(entry["reason"] for entry in dropped)


@pytest.mark.parametrize(
    ("listing", "complaint"),
    [
        ({"tools": [], "nextCursor": "same"}, "repeats itself"),
        ({"tools": [{**ADD, "name": str(number)} for number in range(6)]}, "more than 5 tools"),
        ({"tools": 1}, "tools/list"),
    ],
)
async def test_list_without_sense_or_end_fails(relay, wire, listing, complaint: str) -> None:
    upstream, _ = await relay(listing=lambda seen: wire.result(seen, **listing))
    with pytest.raises(UpstreamFailed, match=complaint):
        await upstream.list_tools()


async def test_list_of_too_many_pages_fails(relay, wire) -> None:
    upstream, _ = await relay(
        listing=lambda seen: wire.result(seen, tools=[], nextCursor=seen.message["id"])
    )
    with pytest.raises(UpstreamFailed, match="more than 3 pages"):
        await upstream.list_tools()


async def test_list_that_never_comes_runs_into_the_timeout(relay, wire) -> None:
    upstream, _ = await relay(listing=lambda _: wire.stream(stays_open=True), timeout_seconds=0.1)
    async with asyncio.timeout(5):
        with pytest.raises(UpstreamTimeout):
            await upstream.list_tools()


def test_upstream_that_is_no_mcp_server_is_refused(client) -> None:
    with pytest.raises(ValueError, match="not an MCP server"):
        McpUpstream(Upstream("peer", UpstreamKind.REST, url="http://h"), client)


# Real servers.

SDK_SERVER = """
from mcp.server import MCPServer
from mcp.server.mcpserver import Context
from pydantic import BaseModel
server = MCPServer("real", log_level="ERROR")

@server.tool()
def add(a: int, b: int) -> int:
    "Adds two numbers."
    return a + b

server.run("stdio")
"""


def sdk_server() -> MCPServer:
    server = MCPServer("real", log_level="ERROR")

    @server.tool()
    def add(a: int, b: int) -> int:
        """Adds two numbers."""
        return a + b

    @server.tool()
    def divide(a: int, b: int) -> float:
        """Divides."""
        return a / b

    return server


class Name(BaseModel):
    """What the talkative server asks for."""

    name: str


def talkative_server() -> MCPServer:
    """A server that offers one thing of each kind, tells of progress, and asks."""
    server = MCPServer("talkative")

    @server.prompt()
    def greet(who: str) -> str:
        """Greets."""
        return f"Greet {who}!"

    @server.resource("note://one")
    def note() -> str:
        """A note."""
        return "one"

    @server.resource("note://by-name/{name}")
    def named(name: str) -> str:
        """A note by its name."""
        return name

    @server.tool()
    async def work(context: Context) -> str:  # type: ignore[type-arg]
        """Tells of its progress."""
        await context.report_progress(1, 2, "half")
        return "done"

    @server.tool()
    async def ask(context: Context) -> str:  # type: ignore[type-arg]
        """Asks who calls."""
        answer = await context.elicit("Who?", Name)
        return answer.data.name if answer.action == "accept" else answer.action

    return server


@contextlib.asynccontextmanager
async def listening(app: Any) -> AsyncIterator[str]:
    config = uvicorn.Config(app, host="127.0.0.1", port=0, log_config=None)
    server = uvicorn.Server(config)
    async with asyncio.timeout(30), asyncio.TaskGroup() as group:
        serving = group.create_task(server._serve())
        while not server.started:
            await asyncio.sleep(0.001)
        port = server.servers[0].sockets[0].getsockname()[1]
        try:
            yield f"http://127.0.0.1:{port}/mcp"
        finally:
            server.should_exit = True
            await serving


class LegacyOnly:
    """An ASGI app in front of a dual-era server that hides its modern half."""

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        headers = dict(scope.get("headers", ()))
        if headers.get(b"mcp-protocol-version") == b"2026-07-28":
            await send({"type": "http.response.start", "status": 400, "headers": []})
            await send({"type": "http.response.body", "body": b"unsupported protocol version"})
            return
        await self._app(scope, receive, send)


@pytest.mark.parametrize("json_response", [True, False])
@pytest.mark.parametrize("era", [Era.MODERN, Era.LEGACY])
async def test_real_http_server_is_understood_in_both_eras(
    client, make_call, era: Era, json_response: bool
) -> None:
    app: Any = sdk_server().streamable_http_app(json_response=json_response)
    async with listening(app if era is Era.MODERN else LegacyOnly(app)) as url:
        upstream = McpUpstream(Upstream("peer", UpstreamKind.MCP_HTTP, url=url), client)
        assert [tool.name for tool in await upstream.list_tools()] == ["add", "divide"]
        result = await upstream.execute(make_call("add", {"a": 1, "b": 2}))
        assert json.loads(bytes(result.body["structuredContent"])) == {"result": 3}
        assert "resultType" not in result.body
        assert (await upstream.execute(make_call("divide", {"a": 1, "b": 0}))).is_error
        assert upstream._channel.era is era  # type: ignore[attr-defined]
        await upstream.aclose()


@pytest.mark.parametrize("era", [Era.MODERN, Era.LEGACY])
async def test_everything_a_real_server_offers_is_listed_and_used(
    client, make_call, era: Era
) -> None:
    app: Any = talkative_server().streamable_http_app()

    def about(method: Method, kind: ItemKind, inner: str, **fields: Any) -> Call:
        call = make_call(arguments=fields.pop("arguments", {}), **fields)
        call.method, call.tool = method, None
        call.target = Target(kind, "peer", inner, "b", inner)
        return call

    async with listening(app if era is Era.MODERN else LegacyOnly(app)) as url:
        upstream = McpUpstream(Upstream("peer", UpstreamKind.MCP_HTTP, url=url), client)
        soon = time.monotonic() + 10
        assert (await upstream.describe(soon)).era is era
        listed = {kind: await upstream.list_items(kind, soon) for kind in ListKind}
        assert {kind: [one.key for one in each.items] for kind, each in listed.items()} == {
            ListKind.TOOLS: ["work", "ask"],
            ListKind.PROMPTS: ["greet"],
            ListKind.RESOURCES: ["note://one"],
            ListKind.TEMPLATES: ["note://by-name/{name}"],
        }
        prompt = about(Method.PROMPTS_GET, ItemKind.PROMPT, "greet", arguments={"who": "Bo"})
        assert b"Greet Bo!" in bytes((await upstream.execute(prompt)).body["messages"])  # type: ignore[arg-type]
        read = about(Method.RESOURCES_READ, ItemKind.RESOURCE, "note://by-name/x")
        contents = (await upstream.execute(read)).body["contents"]
        assert json.loads(bytes(contents))[0]["text"] == "x"  # type: ignore[arg-type]
        back = Back()
        await upstream.execute(make_call("work", {}, back=back, more=More(progress_token=7)))
        assert [json.loads(one.params)["progressToken"] for one in back.noted] == [7]
        await upstream.aclose()


@pytest.fixture
async def bridge() -> AsyncIterator[Bridge]:
    chores = Chores()
    yield Bridge(Seals([bytes(32)]), Parked("w1", chores.start))  # type: ignore[arg-type]
    await chores.close()


async def test_question_of_a_real_legacy_server_reaches_a_caller_in_a_session(
    client, make_call, bridge
) -> None:
    back = Back()
    async with listening(LegacyOnly(talkative_server().streamable_http_app())) as url:
        record = Upstream("peer", UpstreamKind.MCP_HTTP, url=url)
        upstream = McpUpstream(record, client, bridge=bridge)
        call = make_call("ask", {}, back=back, capabilities=ALL, era=Era.LEGACY)
        result = await upstream.execute(call)
        await upstream.aclose()
    assert [one.method for one in back.asked] == ["elicitation/create"]
    assert b"Asha" in bytes(result.body["content"])  # type: ignore[arg-type]


async def test_question_of_a_real_legacy_server_reaches_a_modern_caller_as_a_result(
    client, make_call, bridge
) -> None:
    async with listening(LegacyOnly(talkative_server().streamable_http_app())) as url:
        record = Upstream("peer", UpstreamKind.MCP_HTTP, url=url)
        upstream = McpUpstream(record, client, bridge=bridge)
        asked = await upstream.execute(make_call("ask", {}, capabilities=ALL))
        assert asked.kind is ResultKind.INPUT_REQUIRED
        more = More(
            input_responses=b'{"q1":{"action":"accept","content":{"name":"Bo"}}}',
            request_state=str(asked.body["requestState"]),
        )
        result = await upstream.execute(make_call("ask", {}, capabilities=ALL, more=more))
        await upstream.aclose()
    assert b"Bo" in bytes(result.body["content"])  # type: ignore[arg-type]


async def test_question_of_a_modern_server_goes_out_and_its_answer_comes_back(
    serve, client, make_call, bridge, wire
) -> None:
    def handler(seen):
        if seen.method == "server/discover":
            return wire.result(seen, supportedVersions=["2026-07-28"])
        if "requestState" in seen.params:
            return wire.result(seen, **OK, said=seen.params["inputResponses"])
        question = {"method": "elicitation/create", "params": {"message": "Who?"}}
        return wire.result(
            seen, resultType="input_required", inputRequests={"who": question}, requestState="s"
        )

    server = await serve(handler)
    upstream = McpUpstream(
        Upstream("peer", UpstreamKind.MCP_HTTP, url=server.url), client, bridge=bridge
    )
    asked = await upstream.execute(make_call(capabilities=ALL))
    assert asked.kind is ResultKind.INPUT_REQUIRED
    meta = server.seen[-1].params["_meta"]
    assert "elicitation" in meta["io.modelcontextprotocol/clientCapabilities"]
    state = str(asked.body["requestState"])
    more = More(input_responses=b'{"who":12345}', request_state=state)
    done = await upstream.execute(make_call(capabilities=ALL, more=more))
    assert (done.kind, bytes(done.body["said"])) == (ResultKind.COMPLETE, b'{"who": 12345}')  # type: ignore[arg-type]
    assert server.seen[-1].params["requestState"] == "s"
    back = Back()
    legacy = make_call(capabilities=ALL, back=back, era=Era.LEGACY)
    assert (await upstream.execute(legacy)).kind is ResultKind.COMPLETE
    assert len(back.asked) == 1
    await upstream.aclose()


async def test_ordinary_call_costs_nothing_extra(relay, make_call, monkeypatch) -> None:
    """Nothing that only questions and notifications need is made for a call without them."""
    upstream, _ = await relay()
    seen = []
    exchange = upstream.channel.exchange

    async def spy(request, deadline, hooks=None):
        seen.append((request, hooks))
        return await exchange(request, deadline, hooks)

    monkeypatch.setattr(upstream.channel, "exchange", spy)
    await upstream.execute(make_call())
    [(request, hooks)] = seen
    assert hooks is None
    assert (request.progress_token, request.log_level, request.capabilities) == (None, None, b"{}")


async def test_real_child_process_is_understood(client, make_call) -> None:
    command = (sys.executable, "-c", SDK_SERVER)
    record = Upstream("peer", UpstreamKind.MCP_STDIO, command=command)
    upstream = McpUpstream(record, client)
    try:
        async with asyncio.timeout(30):
            assert [tool.name for tool in await upstream.list_tools()] == ["add"]
            results = await asyncio.gather(
                *(
                    upstream.execute(make_call("add", {"a": n, "b": 2}, seconds=20))
                    for n in range(5)
                )
            )
    finally:
        await upstream.aclose()
    sums = [json.loads(bytes(one.body["structuredContent"]))["result"] for one in results]
    assert sums == [2, 3, 4, 5, 6]
