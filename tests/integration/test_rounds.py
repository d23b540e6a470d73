"""Questions between callers and real servers of both eras, over HTTP."""

import asyncio
import json
import secrets
import socket
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from bascule.app.bridging import open_parked
from bascule.gateway.backchannel import CallerRefused, Question
from bascule.gateway.call import Call, Result, ResultKind
from bascule.gateway.errors import StaleHandle
from bascule.gateway.seals import Seals
from bascule.gateway.tool import McpSource, Tool, Upstream, UpstreamKind
from bascule.state.memory import MemoryState
from bascule.upstreams.http1 import HttpClient, PoolConfig
from bascule.upstreams.mcp import McpUpstream
from bascule.upstreams.mcp.parked import Parked
from bascule.upstreams.mcp.parked_call import ParkingLimits
from bascule.upstreams.mcp.upstream import Bridge
from fakes.asking import ACCEPT, ELICIT, Back, encoded, legacy_call, modern_call, shown

TOOL = Tool("book", "", "hotels", McpSource("hotels", "book"), {"type": "object"})


class LegacyServer:
    """A session server whose one tool asks who is there before it answers."""

    def __init__(self) -> None:
        self.cancelled = asyncio.Event()
        self.refusals: list[dict[str, Any]] = []
        self._answers: dict[str, asyncio.Future[dict[str, Any]]] = {}

    async def handle(self, request: Request) -> Response:
        if request.method != "POST":
            return Response(status_code=405 if request.method == "GET" else 204)
        message = await request.json()
        method, message_id = message.get("method"), message.get("id")
        if method == "initialize":
            result = {"protocolVersion": "2025-11-25", "capabilities": {"tools": {}}}
            body = {"jsonrpc": "2.0", "id": message_id, "result": result}
            return JSONResponse(body, headers={"mcp-session-id": secrets.token_hex(8)})
        if method == "notifications/cancelled":
            self.cancelled.set()
        if method is None:
            self._answers[message_id].set_result(message)
        if method != "tools/call":
            status = 202 if message_id is None or method is None else 400
            return Response(status_code=status)
        return StreamingResponse(self._work(message), media_type="text/event-stream")

    async def _work(self, message: dict[str, Any]) -> AsyncIterator[bytes]:
        question_id = secrets.token_hex(4)
        self._answers[question_id] = asyncio.get_running_loop().create_future()
        yield event({"id": question_id, **ELICIT})
        answer = await self._answers[question_id]
        if "error" in answer:
            self.refusals.append(answer["error"])
        text = json.dumps(answer.get("result", answer.get("error")))
        yield event({"id": message["id"], "result": {"content": [{"type": "text", "text": text}]}})


async def ask_modern(request: Request) -> Response:
    """A stateless server whose one tool asks who is there before it answers."""
    message = await request.json()
    params = message["params"]
    if message["method"] == "server/discover":
        result = {"supportedVersions": ["2026-07-28"], "capabilities": {"tools": {}}}
    elif "inputResponses" not in params:
        result = {
            "resultType": "input_required",
            "inputRequests": {"who": ELICIT},
            "requestState": "step 1",
        }
    else:
        text = json.dumps([params["inputResponses"]["who"], params["requestState"]])
        result = {"resultType": "complete", "content": [{"type": "text", "text": text}]}
    return JSONResponse({"jsonrpc": "2.0", "id": message["id"], "result": result})


def event(message: dict[str, Any]) -> bytes:
    return b"data: " + encoded({"jsonrpc": "2.0", **message}) + b"\n\n"


@asynccontextmanager
async def serving(handler: Any) -> AsyncGenerator[str]:
    """Serve `handler` on loopback; gives the URL."""
    listener = socket.create_server(("127.0.0.1", 0))
    app = Starlette(routes=[Route("/mcp", handler, methods=["GET", "POST", "DELETE"])])
    config = uvicorn.Config(app, log_level="error", lifespan="off", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    async with asyncio.TaskGroup() as group:
        group.create_task(server.serve(sockets=[listener]))
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}/mcp"
        finally:
            server.should_exit = True


@asynccontextmanager
async def upstream_of(
    handler: Any, limits: ParkingLimits | None = None
) -> AsyncGenerator[tuple[McpUpstream, Parked]]:
    async with (
        asyncio.timeout(15),
        serving(handler) as url,
        HttpClient(PoolConfig()) as client,
        HttpClient(PoolConfig()) as lasting,
        open_parked(MemoryState(), limits=limits) as parked,
    ):
        record = Upstream("hotels", UpstreamKind.MCP_HTTP, url=url, timeout_seconds=5)
        bridge = Bridge(Seals([b"k" * 32]), parked)
        upstream = McpUpstream(record, client, lasting=lasting, bridge=bridge)
        try:
            yield upstream, parked
        finally:
            await parked.close()
            await upstream.aclose()


def modern(**changes: Any) -> Call:
    return modern_call(tool=TOOL, **changes)


def legacy(back: Back) -> Call:
    return legacy_call(back, tool=TOOL)


def said(result: Result) -> Any:
    assert result.kind is ResultKind.COMPLETE
    return json.loads(shown(result)["content"][0]["text"])


async def test_a_modern_caller_of_a_legacy_server_is_asked_by_a_result() -> None:
    async with upstream_of(LegacyServer().handle) as (upstream, parked):
        first = shown(await upstream.execute(modern()))
        assert first["inputRequests"] == {"q1": ELICIT}
        retry = modern(state=first["requestState"], responses={"q1": json.loads(ACCEPT)})
        assert said(await upstream.execute(retry)) == json.loads(ACCEPT)
        assert len(parked) == 0
        with pytest.raises(StaleHandle):
            await upstream.execute(retry)


async def test_a_legacy_caller_of_a_legacy_server_is_asked_while_it_waits() -> None:
    back = Back()
    async with upstream_of(LegacyServer().handle) as (upstream, _):
        assert said(await upstream.execute(legacy(back))) == json.loads(ACCEPT)
    assert len(back.asked) == 1


async def test_a_modern_caller_of_a_modern_server_brings_the_servers_state_back() -> None:
    async with upstream_of(ask_modern) as (upstream, _):
        first = shown(await upstream.execute(modern()))
        assert first["inputRequests"] == {"who": ELICIT}
        assert first["requestState"] != "step 1"
        retry = modern(state=first["requestState"], responses={"who": {"action": "accept"}})
        assert said(await upstream.execute(retry)) == [{"action": "accept"}, "step 1"]


async def test_a_legacy_caller_of_a_modern_server_is_asked_while_it_waits() -> None:
    async with upstream_of(ask_modern) as (upstream, _):
        assert said(await upstream.execute(legacy(Back()))) == [json.loads(ACCEPT), "step 1"]


async def test_a_legacy_server_hears_that_the_caller_refused() -> None:
    async def refuse(_: Question) -> bytes:
        raise CallerRefused(-1, "Not now")

    server = LegacyServer()
    async with upstream_of(server.handle) as (upstream, _):
        assert said(await upstream.execute(legacy(Back(refuse)))) == {
            "code": -1,
            "message": "Not now",
        }
    assert server.refusals == [{"code": -1, "message": "Not now"}]


async def test_a_parked_call_that_expires_is_cancelled_at_its_server() -> None:
    server = LegacyServer()
    async with upstream_of(server.handle, ParkingLimits(seconds=0.01)) as (upstream, parked):
        first = shown(await upstream.execute(modern()))
        await server.cancelled.wait()
        retry = modern(state=first["requestState"], responses={"q1": {}})
        with pytest.raises(StaleHandle):
            await upstream.execute(retry)
        assert len(parked) == 0


async def test_closing_with_a_parked_call_cancels_it_at_its_server() -> None:
    server = LegacyServer()
    async with upstream_of(server.handle) as (upstream, parked):
        await upstream.execute(modern())
        await parked.close()
        await server.cancelled.wait()


async def test_an_upstream_that_retires_waits_for_its_parked_calls() -> None:
    async with upstream_of(LegacyServer().handle) as (upstream, _):
        first = shown(await upstream.execute(modern()))
        retiring = asyncio.ensure_future(upstream.retire(10))
        retry = modern(state=first["requestState"], responses={"q1": json.loads(ACCEPT)})
        assert said(await upstream.execute(retry)) == json.loads(ACCEPT)
        await retiring
