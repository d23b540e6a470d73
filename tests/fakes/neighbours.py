"""An instance with two tenants whose servers, tools and people have the same names, and its doors.

Everything that belongs to a tenant says so by its mark: what its services answer, too.
"""

import asyncio
import json
import re
from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx2
from mcp.server import MCPServer
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from bascule.gateway.principal import KeyRecord, Principal
from bascule.storage.repositories.tenants import Tenants
from bascule.storage.seed import BUILTIN_ROLES, seed_roles
from fakes.fronts import Site, fronted
from fakes.mcp import headers_of, legacy, modern
from fakes.served import served
from fakes.tenants import MARKS

LEGACY: Final = "2025-11-25"
MODERN: Final = "2026-07-28"
SLICES: Final = ("/mcp", "/mcp/bundles/shop", "/mcp/servers/words")
ASKED: Final[tuple[tuple[str, dict[str, Any]], ...]] = (
    ("tools/list", {}),
    ("tools/call", {"name": "item", "arguments": {"q": "same"}}),
    ("tools/call", {"name": "search", "arguments": {"q": "same"}}),
    ("tools/call", {"name": "zebracrossing", "arguments": {}}),
    ("resources/list", {}),
    ("resources/templates/list", {}),
    ("resources/read", {"uri": "note://shared"}),
    ("resources/read", {"uri": "item://words/7"}),
    ("resources/read", {"uri": "note://zebracrossing"}),
    ("prompts/list", {}),
    ("prompts/get", {"name": "greet", "arguments": {"who": "Al"}}),
    ("prompts/get", {"name": "zebracrossing"}),
    (
        "completion/complete",
        {"ref": {"type": "ref/prompt", "name": "greet"}, "argument": {"name": "who", "value": "A"}},
    ),
)
"""What a caller asks at every door."""

_VOLATILE: Final = (
    (re.compile(r"[0-9a-f]{16}-[0-9a-f]{16}"), "CORRELATION"),
    (re.compile(r"127\.0\.0\.1:\d+"), "HOST"),
    (re.compile(r'"(nextCursor|requestState)":"[^"]*"'), r'"\1":"TOKEN"'),
    (re.compile(r'"age_seconds":[\d.]+'), '"age_seconds":0'),
    (re.compile(r'"ttlMs":\d+'), '"ttlMs":0'),
    (re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+(Z|\+00:00)"), "TIME"),
    (re.compile(r"session=[\w-]+"), "session=ID"),
    (re.compile(r"[cg][0-9a-f]{24}\.\d+"), "EVENT"),
)
_HEADERS: Final = frozenset({"date", "content-length", "x-correlation-id", "mcp-session-id"})


class Services:
    """The REST service and the MCP server of each tenant, by its mark in the path."""

    def __init__(self) -> None:
        self.asked: dict[str, int] = dict.fromkeys(MARKS.values(), 0)
        self._servers = {mark: _server(mark) for mark in MARKS.values()}

    @asynccontextmanager
    async def open(self) -> AsyncGenerator[str]:
        """Serve them; gives their address."""
        apps = {
            mark: server.streamable_http_app(streamable_http_path=f"/{mark}/mcp")
            for mark, server in self._servers.items()
        }

        async def app(scope: Any, receive: Any, send: Any) -> None:
            mark = scope["path"].split("/")[1]
            if scope["path"].endswith("/mcp"):
                await apps[mark](scope, receive, send)
                return
            if scope["path"].endswith("/ask"):
                body = json.dumps(_ask(mark, json.loads(await _read(receive)))).encode()
            else:
                self.asked[mark] += 1
                body = json.dumps({"whose": mark, "asked": self.asked[mark]}).encode()
            headers = [(b"content-type", b"application/json")]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": body})

        async with AsyncExitStack() as stack:
            for one in apps.values():
                await stack.enter_async_context(one.router.lifespan_context(one))
            yield f"http://{await stack.enter_async_context(served(app))}"


def _server(mark: str) -> MCPServer:
    sdk = MCPServer("words", log_level="ERROR")
    sdk.add_tool(lambda q="": f"{mark} found {q}", name="search", description=f"For {mark}.")
    for number in range(3):
        sdk.add_tool(lambda: mark, name=f"more_{number}", description=f"More for {mark}.")
    sdk.prompt(name="greet", description=f"By {mark}.")(lambda who: f"{mark} greets {who}")
    sdk.resource("note://shared", name="shared", description=mark)(lambda: f"shared by {mark}")

    @sdk.resource("item://words/{item}", name="item", description=mark)
    def item(item: str) -> str:
        return f"{mark} has {item}"

    return sdk


async def _read(receive: Any) -> bytes:
    body, more = b"", True
    while more:
        event = await receive()
        body, more = body + event.get("body", b""), event.get("more_body", False)
    return body


def _ask(mark: str, message: dict[str, Any]) -> dict[str, Any]:
    """A stateless server whose one tool asks who is there before it answers."""
    params = message["params"]
    if message["method"] == "server/discover":
        result: dict[str, Any] = {"supportedVersions": [MODERN], "capabilities": {"tools": {}}}
    elif message["method"] == "tools/list":
        result = {"tools": [{"name": "ask", "inputSchema": {"type": "object"}}]}
    elif "inputResponses" not in params:
        requests = {"who": {"method": "elicitation/create", "params": _QUESTION}}
        kind = {"resultType": "input_required", "requestState": f"state of {mark}"}
        result = {**kind, "inputRequests": requests}
    else:
        said = [{"type": "text", "text": f"{mark} heard {params['requestState']}"}]
        result = {"resultType": "complete", "content": said}
    return {"jsonrpc": "2.0", "id": message["id"], "result": result}


_QUESTION: Final = {
    "message": "Who is there?",
    "mode": "form",
    "requestedSchema": {"type": "object", "properties": {"name": {"type": "string"}}},
}


def _document(url: str, mark: str) -> dict[str, Any]:
    schema = {"type": "object", "properties": {"whose": {"type": "string"}}}
    answer = {"description": "ok", "content": {"application/json": {"schema": schema}}}
    query = {"name": "q", "in": "query", "schema": {"type": "string"}}
    operation = {
        "operationId": "item",
        "summary": f"An item of {mark}",
        "parameters": [query],
        "responses": {"200": answer},
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": "Shop", "version": "1.0"},
        "servers": [{"url": f"{url}/{mark}"}],
        "paths": {"/item": {"get": operation}},
    }


@dataclass
class Neighbour:
    """The people of one tenant, who send `secret`."""

    site: Site
    tenant: str
    data: Path
    headers: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def secret(self) -> dict[str, str]:
        """The credential as a header."""
        return {"Authorization": f"Bearer {_secret(self.tenant)}", **self.headers}

    async def api(self, method: str, path: str, **options: Any) -> httpx2.Response:
        """A request to the REST API."""
        given = {**self.secret, **options.pop("headers", {})}
        return await self.site.client.request(method, path, headers=given, **options)

    async def furnish(self, url: str) -> None:
        """Import, connect, and have the answers of a tool kept."""
        mark = MARKS[self.tenant]
        upload = {"file": ("f", json.dumps(_document(url, mark)).encode())}
        form = {"bundle_id": "shop", "auto_publish": "true"}
        for answer in (
            await self.api("POST", "/api/admin/openapi", files=upload, data=form),
            await self.api("PATCH", "/api/admin/tools/item", json={"cache_seconds": 60}),
            *[
                await self.api("POST", "/api/admin/servers", json={"name": name, "url": address})
                for name, address in (
                    ("words", f"{url}/{mark}/mcp"),
                    ("others", f"{url}/{mark}/mcp"),
                    ("asking", f"{url}/{mark}/ask"),
                )
            ],
        ):
            assert answer.is_success, answer.text

    async def post(
        self, message: Mapping[str, Any], path: str = "/mcp", **headers: str
    ) -> httpx2.Response:
        """Send an MCP message."""
        given = {**headers_of(message), **self.secret, **headers}
        given.pop("Host")
        given |= self.headers
        return await self.site.client.post(path, json=message, headers=given)

    @asynccontextmanager
    async def listen(self, message: Mapping[str, Any]) -> AsyncGenerator[Any]:
        """What comes in answer to a request that is answered for as long as it is open."""
        given = {**headers_of(message), **self.secret}
        given.pop("Host")
        client = self.site.client
        async with client.stream("POST", "/mcp", json=message, headers=given) as response:
            assert response.status_code == 200
            yield data_of(response)

    async def begin(self, path: str = "/mcp") -> dict[str, str]:
        """Begin a session; gives the headers that belong to it."""
        hello = {"protocolVersion": LEGACY, "capabilities": {}, "clientInfo": _CLIENT}
        answer = await self.post(legacy("initialize", hello), path)
        session = {"Mcp-Session-Id": answer.headers["mcp-session-id"]}
        session["MCP-Protocol-Version"] = LEGACY
        await self.post(_INITIALIZED, path, **session)
        return session

    async def everything(self) -> dict[str, httpx2.Response]:
        """Ask everything there is, of each slice in each era."""
        found: dict[str, httpx2.Response] = {}
        for path in SLICES:
            session = await self.begin(path)
            found[f"{path} server/discover"] = await self.post(modern("server/discover"), path)
            for number, (method, params) in enumerate(ASKED):
                label = f"{path} {number} {method}"
                found[label] = await self.post(modern(method, params), path)
                old = legacy(method, params)
                found[f"{label} of a session"] = await self.post(old, path, **session)
        return found

    async def over_websocket(self, path: str = "/mcp") -> list[str]:
        """The same over a WebSocket."""
        address = f"ws{self.site.url.removeprefix('http')}{path}/ws"
        socket = connect(
            address, subprotocols=[Subprotocol("mcp")], additional_headers=self.secret, proxy=None
        )
        async with asyncio.timeout(20), socket as open_socket:
            found: list[str] = []
            for number, message in enumerate(_conversation()):
                await open_socket.send(json.dumps(message))
                while "id" in message:
                    text = str(await open_socket.recv())
                    if f'"id":{number}' in text.replace(" ", ""):
                        found.append(text)
                        break
            return found

    async def over_sse(self, path: str = "/mcp") -> list[str]:
        """The same over HTTP with SSE."""
        async with asyncio.timeout(20), self.stream(path) as (address, events):
            found: list[str] = []
            for number, message in enumerate(_conversation()):
                answer = await self.api("POST", address, json=message)
                assert answer.status_code == 202, answer.text
                while "id" in message:
                    text = await anext(events)
                    if f'"id":{number}' in text.replace(" ", ""):
                        found.append(text)
                        break
            return found

    @asynccontextmanager
    async def stream(self, path: str = "/mcp") -> AsyncGenerator[tuple[str, Any]]:
        """The stream of HTTP with SSE: the address of its POSTs, and what comes."""
        given = {**self.secret, "Accept": "text/event-stream"}
        async with self.site.client.stream("GET", f"{path}/sse", headers=given) as response:
            assert response.status_code == 200
            events = data_of(response)
            yield await anext(events), events


_CLIENT: Final = {"name": "test", "version": "1"}
_INITIALIZED: Final = {"jsonrpc": "2.0", "method": "notifications/initialized"}


def _conversation() -> list[dict[str, Any]]:
    hello = {"protocolVersion": LEGACY, "capabilities": {}, "clientInfo": _CLIENT}
    asked = [legacy(method, params, id=number + 2) for number, (method, params) in enumerate(ASKED)]
    return [legacy("initialize", hello, id=0), _INITIALIZED, *asked]


async def data_of(response: httpx2.Response) -> AsyncGenerator[str]:
    """The data of each event of a stream."""
    async for line in response.aiter_lines():
        if line.startswith("data:") and line[5:].strip():
            yield line[5:].strip()


def _secret(tenant: str) -> str:
    return f"bsc_of-{tenant}"


def _keys() -> dict[str, KeyRecord]:
    permissions = BUILTIN_ROLES["admin"][1]
    return {
        _secret(tenant): KeyRecord(
            "same", Principal(tenant, "ann", frozenset({"admin"}), permissions, key_id="same")
        )
        for tenant in MARKS
    }


@asynccontextmanager
async def neighbours(
    folder: Path, tenants: tuple[str, ...] = tuple(MARKS), **settings: str
) -> AsyncGenerator[tuple[Neighbour, Neighbour]]:
    """Two tenants of one instance, those of `tenants` with services; by the order of `MARKS`."""
    services = Services()
    async with services.open() as url, fronted(folder, _keys(), **settings) as site:
        async with site.instance.database.change(author="test") as session:
            acme = await Tenants(session).create("acme", hosts=("acme.example",))
            await seed_roles(session, acme.id)
        await site.instance.live.refresh()
        one, other = (Neighbour(site, tenant, folder) for tenant in MARKS)
        for neighbour in (one, other):
            if neighbour.tenant in tenants:
                await neighbour.furnish(url)
        yield one, other


def normal(response: httpx2.Response) -> str:
    """An answer without what differs each time."""
    head = sorted(
        (name, value) for name, value in response.headers.multi_items() if name not in _HEADERS
    )
    return settled(f"{response.status_code}\n{head}\n\n{response.text}")


def settled(text: str) -> str:
    """A text without what differs each time."""
    for pattern, word in _VOLATILE:
        text = pattern.sub(word, text)
    return text
