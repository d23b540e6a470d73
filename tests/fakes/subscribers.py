"""Many clients that listen: raw HTTP on loopback, so that a thousand of them cost little.

`python tests/fakes/subscribers.py PORT COUNT [URI ...]` is COUNT subscriptions, to resources too,
in a process to be killed: it prints `listening` once all are acknowledged, and never reads more.
"""

import asyncio
import itertools
import json
import socket
import sys
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any, Final

MODERN: Final = "2026-07-28"
LEGACY: Final = "2025-11-25"
WATCHED: Final = "test://watched-resource"
ACKNOWLEDGED: Final = "notifications/subscriptions/acknowledged"
TOOLS: Final = "notifications/tools/list_changed"
PROMPTS: Final = "notifications/prompts/list_changed"
UPDATED: Final = "notifications/resources/updated"

_PREFIX: Final = "io.modelcontextprotocol/"
_META: Final = {f"{_PREFIX}protocolVersion": MODERN, f"{_PREFIX}clientCapabilities": {}}
_MEMBERS: Final = {
    TOOLS: ("toolsListChanged", True),
    PROMPTS: ("promptsListChanged", True),
    UPDATED: ("resourceSubscriptions", [WATCHED]),
}
_ids: Final = itertools.count(1)


class Response:
    """One HTTP response, read as it comes."""

    def __init__(self, status: int, headers: Mapping[str, str], reader: Any) -> None:
        self.status = status
        self.headers = headers
        self.is_whole = False
        """Whether it ended as HTTP wants it, and not by the connection's loss."""
        self._reader: asyncio.StreamReader = reader

    async def messages(self) -> AsyncIterator[dict[str, Any]]:
        """The JSON-RPC messages of its body, which is one, or a stream of events."""
        if "text/event-stream" not in self.headers.get("content-type", ""):
            body = b"".join([piece async for piece in self._pieces()])
            if body:
                yield json.loads(body)
            return
        text = b""
        async for piece in self._pieces():
            *blocks, text = (text + piece).split(b"\n\n")
            for block in blocks:
                lines = [line for line in block.split(b"\n") if line.startswith(b"data: ")]
                if lines:
                    yield json.loads(b"\n".join(line[6:] for line in lines))

    async def text(self) -> str:
        """Its whole body."""
        return b"".join([piece async for piece in self._pieces()]).decode()

    async def _pieces(self) -> AsyncIterator[bytes]:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            if "content-length" in self.headers:
                yield await self._reader.readexactly(int(self.headers["content-length"]))
                self.is_whole = True
                return
            while self.status != 204 and (size := int(await self._reader.readuntil(b"\r\n"), 16)):
                yield (await self._reader.readexactly(size + 2))[:-2]
            self.is_whole = True


@asynccontextmanager
async def exchange(
    port: int, verb: str, headers: Mapping[str, str], body: bytes = b"", path: str = "/mcp"
) -> AsyncGenerator[Response]:
    """One request on a connection of its own, which is closed with the block."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(_encode(verb, path, headers, body))
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        pairs = [line.partition(": ") for line in head[1:] if line]
        facts = {name.lower(): value for name, _, value in pairs}
        yield Response(int(head[0].split(" ")[1]), facts, reader)
    finally:
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()


def _encode(verb: str, path: str, headers: Mapping[str, str], body: bytes) -> bytes:
    given = {"Host": "127.0.0.1", **headers}
    if body:
        given["Content-Length"] = str(len(body))
    lines = [f"{verb} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in given.items())]
    return "\r\n".join([*lines, "", ""]).encode() + body


def modern_request(
    method: str, params: Mapping[str, object], request_id: str
) -> tuple[dict[str, str], bytes]:
    """Headers and body of a request of the stateless era."""
    message = {
        "jsonrpc": "2.0",
        "id": request_id,
        "method": method,
        "params": {"_meta": _META, **params},
    }
    headers = {**_POSTED, "MCP-Protocol-Version": MODERN, "Mcp-Method": method}
    if "name" in params:
        headers["Mcp-Name"] = str(params["name"])
    return headers, json.dumps(message).encode()


_POSTED: Final = {
    "Content-Type": "application/json",
    "Accept": "application/json, text/event-stream",
}


async def call(port: int, tool: str, **arguments: object) -> dict[str, Any]:
    """One tools/call of the stateless era; gives its answer."""
    request = modern_request("tools/call", {"name": tool, "arguments": arguments}, "call")
    async with exchange(port, "POST", *request) as response:
        return [message async for message in response.messages()][-1]


class Subscription:
    """A `subscriptions/listen` for `wanted` methods, and everything that was wrong with it."""

    def __init__(self, *wanted: str) -> None:
        self.id = f"listen-{next(_ids)}"
        self.wanted = wanted
        self.told: Counter[str] = Counter()
        self.faults: list[str] = []
        self.acknowledged = asyncio.Event()
        self.result: dict[str, Any] | None = None
        self.is_whole = False

    @property
    def request(self) -> tuple[dict[str, str], bytes]:
        """What opens it."""
        wanted = dict(_MEMBERS[method] for method in self.wanted)
        return modern_request("subscriptions/listen", {"notifications": wanted}, self.id)

    async def run(self, port: int) -> None:
        """Listen until the gateway ends it, or this is cancelled."""
        async with exchange(port, "POST", *self.request) as response:
            async for message in response.messages():
                self._take(message)
            self.is_whole = response.is_whole

    def _take(self, message: dict[str, Any]) -> None:
        if self.result is not None:
            self.faults.append(f"after its result came {message}")
        elif "method" not in message:
            self.result = message
        else:
            self._take_note(message["method"], message["params"])

    def _take_note(self, method: str, params: dict[str, Any]) -> None:
        if params["_meta"].get(f"{_PREFIX}subscriptionId") != self.id:
            self.faults.append(f"not tagged as its own: {params}")
        if method == ACKNOWLEDGED:
            granted = dict(_MEMBERS[wanted] for wanted in self.wanted)
            if self.acknowledged.is_set() or params["notifications"] != granted:
                self.faults.append(f"not what was to be granted: {params}")
            self.acknowledged.set()
        elif not self.acknowledged.is_set() or method not in self.wanted:
            self.faults.append(f"never wanted: {method}")
        self.told[method] += 1

    @property
    def is_complete(self) -> bool:
        """Whether the gateway ended it as the specification wants."""
        return self.is_whole and self.result is not None and self._is_right(self.result)

    def _is_right(self, answer: dict[str, Any]) -> bool:
        result = answer.get("result", {})
        tag = result.get("_meta", {}).get(f"{_PREFIX}subscriptionId")
        return answer["id"] == self.id == tag and result.get("resultType") == "complete"


class SessionClient:
    """A client of the handshake era: its session, the session's stream, and calls beside it."""

    def __init__(self, port: int) -> None:
        self.told: Counter[str] = Counter()
        self.calls = 0
        self.is_open = asyncio.Event()
        self.is_whole = False
        self._port = port
        self._headers = {**_POSTED, "MCP-Protocol-Version": LEGACY}

    async def begin(self) -> None:
        """Initialize, and subscribe to the resource that changes."""
        params = {
            "protocolVersion": LEGACY,
            "capabilities": {},
            "clientInfo": {"name": "listener", "version": "1"},
        }
        headers, _ = await self._request("initialize", params)
        self._headers["Mcp-Session-Id"] = headers["mcp-session-id"]
        body = json.dumps({"jsonrpc": "2.0", "method": "notifications/initialized"}).encode()
        async with exchange(self._port, "POST", self._headers, body) as response:
            assert response.status == 202
        await self._request("resources/subscribe", {"uri": WATCHED})

    async def listen(self) -> None:
        """Hold the session's stream until the gateway ends it."""
        headers = {**self._headers, "Accept": "text/event-stream"}
        async with exchange(self._port, "GET", headers) as response:
            assert response.status == 200
            self.is_open.set()
            async for message in response.messages():
                assert "id" not in message, "no answer belongs on this stream"
                self.told[message["method"]] += 1
            self.is_whole = response.is_whole

    async def call_tool(self, tool: str, **arguments: object) -> None:
        """One call, with progress; its answer must be the last thing said about it."""
        token = f"progress-{next(_ids)}"
        params = {"name": tool, "arguments": arguments, "_meta": {"progressToken": token}}
        _, said = await self._request("tools/call", params)
        assert all(note["params"]["progressToken"] == token for note in said[:-1])
        assert not said[-1]["result"].get("isError"), said
        self.calls += 1

    async def end(self) -> None:
        """DELETE the session."""
        async with exchange(self._port, "DELETE", self._headers) as response:
            assert response.status == 204

    async def _request(
        self, method: str, params: Mapping[str, object]
    ) -> tuple[Mapping[str, str], list[dict[str, Any]]]:
        message = {"jsonrpc": "2.0", "id": next(_ids), "method": method, "params": params}
        body = json.dumps(message).encode()
        async with exchange(self._port, "POST", self._headers, body) as response:
            said = [one async for one in response.messages()]
            assert response.is_whole
            assert "result" in said[-1], said
            assert said[-1]["id"] == message["id"]
            return response.headers, said


async def listen_and_never_read(port: int, count: int, *uris: str) -> None:
    """Open `count` subscriptions, read each acknowledgement, and nothing thereafter."""
    wanted = {**dict(_MEMBERS.values()), "resourceSubscriptions": uris or [WATCHED]}
    loop = asyncio.get_running_loop()
    kept: list[socket.socket] = []
    for number in range(count):
        request = modern_request("subscriptions/listen", {"notifications": wanted}, str(number))
        one = socket.socket()
        # Before it connects: the system, too, shall take in little on behalf of who does not read.
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        one.setblocking(False)
        await loop.sock_connect(one, ("127.0.0.1", port))
        await loop.sock_sendall(one, _encode("POST", "/mcp", *request))
        said = b""
        while ACKNOWLEDGED.encode() not in said:
            said += await loop.sock_recv(one, 1024)
        kept.append(one)
    print("listening", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(listen_and_never_read(int(sys.argv[1]), int(sys.argv[2]), *sys.argv[3:]))
