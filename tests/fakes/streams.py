"""A legacy client of a real endpoint with sessions, and executors that tell and ask."""

import asyncio
import json
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from bascule.gateway.backchannel import Notification, Question
from bascule.gateway.call import EVERYTHING, Call, Endpoint, Method, Result
from bascule.gateway.seals import Seals
from bascule.gateway.sessions import SetLevel
from bascule.gateway.state import StateStore
from bascule.state.memory import MemoryState
from bascule.transports.sessions import Sessions
from fakes.asgi import FakeExchange
from fakes.catalogue import KEY
from fakes.mcp import FakeSite, exchange_of, legacy

SEALS = Seals([os.urandom(32)])


class Scripted:
    """Executes by calling `play` with the call."""

    def __init__(self, play: Callable[[Call], Awaitable[Result]]) -> None:
        self.play = play

    def execute(self, call: Call) -> Awaitable[Result]:
        """Do what the test wrote."""
        return self.play(call)


async def asks(call: Call) -> Result:
    """Ask for elicitation, and give the answer as the result."""
    assert call.back is not None
    question = Question("elicitation/create", b'{"message":"Name?"}')
    answer = await call.back.ask(question, time.monotonic() + 60)
    return Result({"answer": json.loads(answer)})


async def tells(call: Call) -> Result:
    """Tell of progress and log, then end."""
    assert call.back is not None
    for progress in (1, 2):
        params = {"progressToken": call.more.progress_token, "progress": progress}
        call.back.notify(Notification("notifications/progress", json.dumps(params).encode()))
    for level in ("debug", "info", "error"):
        params = {"level": level, "data": level}
        call.back.notify(Notification("notifications/message", json.dumps(params).encode()))
    return Result({"content": []})


class StreamSite(FakeSite):
    """A site with sessions, whose tool calls do what `play` does."""

    def __init__(
        self,
        play: Callable[[Call], Awaitable[Result]] = tells,
        *,
        store: StateStore | None = None,
        stream: Callable[[Call], Awaitable[Result]] | None = None,
    ) -> None:
        self.store = store or MemoryState()
        self.sessions = Sessions(SEALS, self.store)
        executors = {
            Method.TOOLS_CALL: Scripted(play),
            Method.LISTEN: Scripted(play),
            Method.SET_LEVEL: SetLevel(self.sessions.standings),
        }
        if stream is not None:
            executors[Method.STREAM] = Scripted(stream)
        super().__init__(sessions=self.sessions, executors=executors)

    async def begin(self, version: str = "2025-11-25", **capabilities: object) -> dict[str, str]:
        """Initialize; the headers for all that follows."""
        params = {"protocolVersion": version, "capabilities": capabilities}
        exchange = await self.post(legacy("initialize", params))
        assert exchange.status == 200
        return {
            "Mcp-Session-Id": exchange.headers["mcp-session-id"],
            "MCP-Protocol-Version": version,
        }

    @asynccontextmanager
    async def serving(
        self, exchange: FakeExchange, endpoint: Endpoint = EVERYTHING
    ) -> AsyncIterator[FakeExchange]:
        """Serve `exchange` while the block runs; the client hangs up at its end."""
        async with asyncio.timeout(5), asyncio.TaskGroup() as tasks:
            tasks.create_task(self.play(exchange, endpoint))
            try:
                yield exchange
            finally:
                exchange.hang_up()


def getting(headers: Mapping[str, str], **more: str) -> FakeExchange:
    """A GET for a stream."""
    return _without_body("GET", headers, {"Accept": "text/event-stream", **more})


def deleting(headers: Mapping[str, str]) -> FakeExchange:
    """A DELETE of the session."""
    return _without_body("DELETE", headers, {})


def _without_body(method: str, *headers: Mapping[str, str]) -> FakeExchange:
    wanted = {"Host": "localhost", "Authorization": f"Bearer {KEY}"}
    for some in headers:
        wanted |= some
    return FakeExchange(b"", headers=wanted.items(), method=method)


def posting(message: Any, headers: Mapping[str, str | None]) -> FakeExchange:
    """A POST of `message`."""
    return exchange_of(message, headers)


def events(exchange: FakeExchange) -> list[dict[str, str]]:
    """The events of a stream, as a client reads them; comments are left out."""
    found: list[dict[str, str]] = []
    for block in exchange.body.decode().split("\n\n"):
        lines = [line.partition(":") for line in block.split("\n") if line]
        fields = {name: value.removeprefix(" ") for name, _, value in lines if name}
        if fields:
            found.append(fields)
    return found


def messages(exchange: FakeExchange) -> list[dict[str, Any]]:
    """The JSON-RPC messages of a stream."""
    return [json.loads(one["data"]) for one in events(exchange) if one.get("data")]


async def until(condition: Callable[[], object]) -> None:
    """Wait until `condition` holds."""
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0)
