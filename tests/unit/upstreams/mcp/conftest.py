"""MCP servers on loopback that answer as a test says, and calls to send them."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest
import uvloop

from bascule.gateway.call import Call, Method
from bascule.gateway.principal import Principal
from bascule.gateway.tool import McpSource, Tool, Upstream, UpstreamKind
from bascule.upstreams.http1 import HttpClient, PoolConfig
from bascule.upstreams.mcp import McpConfig
from bascule.upstreams.mcp.endpoint import Endpoint


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    return {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


@dataclass(frozen=True)
class Seen:
    """One HTTP request as the server read it; header names in lower case."""

    verb: str
    headers: dict[str, str]
    message: dict[str, Any]

    @property
    def method(self) -> str:
        return self.message.get("method", "")

    @property
    def params(self) -> dict[str, Any]:
        return self.message.get("params", {})


@dataclass(frozen=True)
class Reply:
    """What the server answers. `pieces` of an endless body come one by one, then silence.

    With `later`, what is put there follows, until None ends the body.
    """

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    pieces: tuple[bytes, ...] = ()
    stays_open: bool = False
    later: "asyncio.Queue[bytes | None] | None" = None


Handler = Callable[[Seen], Reply | Awaitable[Reply]]
Serve = Callable[..., Awaitable["Server"]]


class Server:
    """An HTTP server that remembers what it was sent."""

    def __init__(self, handler: Handler) -> None:
        self.seen: list[Seen] = []
        self.url = ""
        self._handler = handler
        self._sessions: set[asyncio.Task[None]] = set()
        self._changed = asyncio.Condition()
        self._listener: asyncio.Server | None = None
        self.open_connections = 0

    @property
    def methods(self) -> list[str]:
        return [one.method or one.verb for one in self.seen]

    async def until(self, reached: Callable[["Server"], bool]) -> None:
        async with asyncio.timeout(5), self._changed:
            await self._changed.wait_for(lambda: reached(self))

    async def listen(self) -> None:
        self._listener = await asyncio.start_server(self._session, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._listener.sockets[0].getsockname()[1]}/mcp"

    async def stop(self) -> None:
        assert self._listener is not None
        self._listener.close()
        sessions = list(self._sessions)
        for session in sessions:
            session.cancel()
        async with asyncio.timeout(5):
            await asyncio.gather(*sessions, return_exceptions=True)

    async def _session(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._sessions.add(task)
        await self._count(1)
        try:
            while True:
                seen = await _read(reader)
                self.seen.append(seen)
                await self._count(0)
                await self._answer(seen, reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()
            self._sessions.discard(task)
            await self._count(-1)

    async def _answer(
        self, seen: Seen, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        reply = self._handler(seen)
        if not isinstance(reply, Reply):
            reply = await reply
        lines = [f"HTTP/1.1 {reply.status} X", *(f"{k}: {v}" for k, v in reply.headers.items())]
        if not reply.pieces and not reply.stays_open and reply.later is None:
            lines.append(f"content-length: {len(reply.body)}")
            writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + reply.body)
            await writer.drain()
            return
        lines.append("transfer-encoding: chunked")
        writer.write("\r\n".join(lines).encode() + b"\r\n\r\n")
        for piece in reply.pieces:
            writer.write(b"%x\r\n%b\r\n" % (len(piece), piece))
            await writer.drain()
        if reply.later is not None:
            await _write_later(reply.later, reader, writer)
        elif reply.stays_open:
            await reader.read()
        writer.write(b"0\r\n\r\n")

    async def _count(self, step: int) -> None:
        async with self._changed:
            self.open_connections += step
            self._changed.notify_all()


async def _write_later(
    later: "asyncio.Queue[bytes | None]", reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """Write what comes, until it ends or the client hangs up."""
    gone = asyncio.ensure_future(reader.read())
    try:
        while True:
            coming = asyncio.ensure_future(later.get())
            await asyncio.wait({gone, coming}, return_when=asyncio.FIRST_COMPLETED)
            if not coming.done():
                coming.cancel()
                raise ConnectionResetError
            piece = coming.result()
            if piece is None:
                return
            writer.write(b"%x\r\n%b\r\n" % (len(piece), piece))
            await writer.drain()
    finally:
        gone.cancel()


async def _read(reader: asyncio.StreamReader) -> Seen:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    start, *lines = head.strip().split("\r\n")
    headers = {}
    for line in lines:
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Seen(start.split(" ")[0], headers, json.loads(body) if body else {})


def result(seen: Seen, **members: Any) -> Reply:
    """A JSON response with a result."""
    message = {"jsonrpc": "2.0", "id": seen.message["id"], "result": members}
    return Reply(200, json.dumps(message).encode(), {"content-type": "application/json"})


def error(seen: Seen, code: int, text: str = "no", *, status: int = 200, data: Any = None) -> Reply:
    """A JSON response with an error."""
    body: dict[str, Any] = {"code": code, "message": text}
    if data is not None:
        body["data"] = data
    message = {"jsonrpc": "2.0", "id": seen.message.get("id"), "error": body}
    return Reply(status, json.dumps(message).encode(), {"content-type": "application/json"})


def event(message: dict[str, Any], event_id: str | None = None) -> bytes:
    head = "" if event_id is None else f"id: {event_id}\n"
    return f"{head}data: {json.dumps(message)}\n\n".encode()


def stream(
    *events: bytes,
    stays_open: bool = False,
    later: "asyncio.Queue[bytes | None] | None" = None,
) -> Reply:
    """An event stream."""
    kind = {"content-type": "text/event-stream"}
    return Reply(200, b"", kind, events, stays_open, later)


@pytest.fixture(scope="session")
def wire() -> SimpleNamespace:
    """The makers of replies, for the tests of this room."""
    return SimpleNamespace(Reply=Reply, result=result, error=error, event=event, stream=stream)


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """Start servers that answer with what `handler` makes of each request."""
    servers: list[Server] = []

    async def start(handler: Handler) -> Server:
        server = Server(handler)
        await server.listen()
        servers.append(server)
        return server

    yield start
    for server in servers:
        await server.stop()


@pytest.fixture
async def client() -> AsyncIterator[HttpClient]:
    async with HttpClient(PoolConfig(max_body_bytes=100_000)) as client:
        yield client


@pytest.fixture
def endpoint(client: HttpClient) -> Callable[[Server], Endpoint]:
    def make(server: Server, **fields: Any) -> Endpoint:
        record = Upstream("peer", UpstreamKind.MCP_HTTP, url=server.url, **fields)
        return Endpoint(record, client, 10_000)

    return make


@pytest.fixture(scope="session")
def make_call() -> Callable[..., Call]:
    """A call of the tool `name` of the upstream "peer"."""

    def make(
        name: str = "add",
        arguments: dict[str, Any] | None = None,
        *,
        schema: dict[str, Any] | None = None,
        subject: str = "ann",
        seconds: float = 5.0,
        **fields: Any,
    ) -> Call:
        arguments = {"a": 1} if arguments is None else arguments
        tool = Tool(f"peer_{name}", "", "b", McpSource("peer", name), schema or {})
        return Call(
            Method.TOOLS_CALL,
            "corr-1",
            tool_name=tool.name,
            arguments=arguments,
            raw_arguments=json.dumps(arguments, indent=1).encode(),
            deadline=time.monotonic() + seconds,
            tool=tool,
            principal=Principal("t", subject, frozenset()),
            **fields,
        )

    return make


@pytest.fixture(scope="session")
def quick() -> McpConfig:
    """Limits small enough to run into."""
    return McpConfig(
        max_message_bytes=10_000,
        max_pages=3,
        max_tools=5,
        probe_seconds=0.2,
        start_seconds=5.0,
        close_grace_seconds=0.3,
        max_sessions=2,
    )
