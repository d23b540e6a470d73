"""Streams over real connections: the express lane, the complete server behind it, the drain."""

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from bascule.app.front import Front
from bascule.app.serving import ListenConfig, bind, listen
from bascule.gateway.backchannel import Notification
from bascule.gateway.call import Call, Result
from bascule.transports.access import Door, DoorConfig
from bascule.transports.asgi import Receive, Scope, Send, respond
from fakes.feed import FakeFeed
from fakes.mcp import headers_of, legacy, modern
from fakes.streams import StreamSite, asks, tells

CHANGED = Notification("notifications/tools/list_changed", b"{}")


class Client:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self.body = b""

    def send(self, method: str, headers: Mapping[str, str], body: bytes = b"") -> None:
        lines = [f"{name}: {value}\r\n" for name, value in headers.items()]
        head = f"{method} /mcp HTTP/1.1\r\n{''.join(lines)}Content-Length: {len(body)}\r\n\r\n"
        self.writer.write(head.encode() + body)

    def post(self, message: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> None:
        sent = {**headers_of(message), **(headers or {})}
        self.send("POST", sent, json.dumps(message).encode())

    async def head(self) -> tuple[int, dict[str, str]]:
        raw = (await self.reader.readuntil(b"\r\n\r\n")).decode()
        status, *lines = raw.strip().split("\r\n")
        headers = dict(line.split(": ", 1) for line in lines)
        return int(status.split()[1]), {name.lower(): value for name, value in headers.items()}

    async def answer(self) -> tuple[int, dict[str, str], Any]:
        status, headers = await self.head()
        body = await self.reader.readexactly(int(headers["content-length"]))
        return status, headers, json.loads(body) if body else None

    async def message(self) -> dict[str, Any]:
        """The next JSON-RPC message of a chunked stream."""
        while True:
            event, separator, rest = self.body.partition(b"\n\n")
            if not separator:
                size = int(await self.reader.readline(), 16)
                self.body += await self.reader.readexactly(size)
                await self.reader.readexactly(2)
                if not size:
                    raise EOFError
                continue
            self.body = rest
            data = [line[6:] for line in event.split(b"\n") if line.startswith(b"data: ")]
            if data:
                return json.loads(data[0])

    async def is_over(self) -> bool:
        return await self.reader.read() == b""


class Server:
    def __init__(self, port: int, stop: asyncio.Event) -> None:
        self.port, self.stop = port, stop

    @asynccontextmanager
    async def connect(self) -> AsyncGenerator[Client]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            yield Client(reader, writer)
        finally:
            writer.close()


class EchoingDoor:
    """Answers with the path; counts its drains."""

    def __init__(self) -> None:
        self.drains = 0

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        await respond(send, 200, scope["path"].encode(), [])

    def drain(self) -> None:
        self.drains += 1


@asynccontextmanager
async def serving(
    play: Callable[[Call], Awaitable[Result]] = tells,
    door: EchoingDoor | None = None,
    **options: Any,
) -> AsyncGenerator[Server]:
    site = StreamSite(play, **options)
    front = Front(site.http, Door(DoorConfig()), {}, None, {"/mcp/sse": door or EchoingDoor()})
    listener = bind(ListenConfig(port=0))
    ready, stop = asyncio.Event(), asyncio.Event()

    async def until_stopped() -> None:
        await stop.wait()

    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        config = ListenConfig(grace_seconds=10)
        serve = listen(
            front,
            listener,
            config,
            on_ready=ready.set,
            on_drain=lambda: None,
            until=until_stopped(),
        )
        task = group.create_task(serve)
        await ready.wait()
        try:
            yield Server(listener.getsockname()[1], stop)
        finally:
            stop.set()
        await task


def streaming() -> dict[str, Any]:
    meta = {**modern()["params"]["_meta"], "progressToken": 1}
    return modern(params={"name": "get_slots", "arguments": {}, "_meta": meta})


async def test_a_modern_call_streams_on_the_lane_and_ends_the_connection() -> None:
    async with serving() as server, server.connect() as client:
        client.post(streaming())
        status, headers = await client.head()
        assert (status, headers["content-type"]) == (200, "text/event-stream")
        assert headers["transfer-encoding"] == "chunked"
        methods = [(await client.message()).get("method") for _ in range(3)]
        assert methods == ["notifications/progress", "notifications/progress", None]
        assert await client.reader.readexactly(5) == b"0\r\n\r\n"
        assert await client.is_over()


async def test_the_complete_server_streams_as_well() -> None:
    async with serving() as server, server.connect() as client:
        client.post(streaming(), {"Expect": "nothing-special"})
        _, headers = await client.head()
        assert headers["content-type"] == "text/event-stream"
        assert [(await client.message()).get("method") for _ in range(3)][-1] is None


async def test_a_session_is_asked_and_answers_over_another_connection() -> None:
    async with serving(asks) as server, server.connect() as stream, server.connect() as other:
        params = {"protocolVersion": "2025-11-25", "capabilities": {"elicitation": {}}}
        other.post(legacy("initialize", params))
        _, headers, _ = await other.answer()
        session = {"Mcp-Session-Id": headers["mcp-session-id"]}
        stream.post(legacy(id=5), session)
        await stream.head()
        question = await stream.message()
        other.post({"jsonrpc": "2.0", "id": question["id"], "result": {"action": "ok"}}, session)
        assert (await other.answer())[0] == 202
        answer = await stream.message()
        assert (answer["id"], answer["result"]) == (5, {"answer": {"action": "ok"}})


async def test_a_drain_ends_what_would_not_end_by_itself() -> None:
    feeds = [FakeFeed(CHANGED), FakeFeed(CHANGED)]

    async def listens(_call: Call) -> Result:
        return Result({}, feed=feeds.pop())

    async with (
        serving(listens, stream=listens) as server,
        server.connect() as modern_one,
        server.connect() as legacy_one,
    ):
        wanted = {"notifications": {"toolsListChanged": True}}
        modern_one.post(modern("subscriptions/listen", wanted, id="s-1"))
        await modern_one.head()
        assert (await modern_one.message())["method"].endswith("acknowledged")
        assert (await modern_one.message())["method"] == CHANGED.method

        legacy_one.post(legacy("initialize", {"protocolVersion": "2025-11-25"}))
        _, headers, _ = await legacy_one.answer()
        get = {**headers_of({}), "Accept": "text/event-stream"}
        get["Mcp-Session-Id"] = headers["mcp-session-id"]
        legacy_one.send("GET", get)
        await legacy_one.head()
        assert (await legacy_one.message())["method"] == CHANGED.method

        server.stop.set()
        last = await modern_one.message()
        assert (last["id"], last["result"]["resultType"]) == ("s-1", "complete")
        assert await legacy_one.reader.read() == b"0\r\n\r\n"


async def test_a_client_that_hangs_up_ends_its_subscription() -> None:
    feed = FakeFeed()

    async def listens(_call: Call) -> Result:
        return Result({}, feed=feed)

    async with serving(listens) as server:
        async with server.connect() as client:
            wanted = {"notifications": {"toolsListChanged": True}}
            client.post(modern("subscriptions/listen", wanted))
            await client.head()
            await client.message()
        while not feed.closed:
            await asyncio.sleep(0)


async def test_other_doors_have_what_is_below_their_path_and_are_drained() -> None:
    door = EchoingDoor()
    paths = ("/mcp/sse", "/mcp/sse/messages", "/mcp/bundles/b/sse", "/mcp/servers/s/sse/messages")
    async with serving(door=door) as server, server.connect() as client:
        for path in paths:
            client.writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            _, headers = await client.head()
            body = await client.reader.readexactly(int(headers["content-length"]))
            assert body.decode() == path
    assert door.drains == 1
