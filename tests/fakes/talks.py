"""A gateway in this process whose assistant asks a scripted model, with a shop behind its tools."""

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx2
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bascule.gateway.principal import KeyRecord, Principal
from bascule.storage.seed import BUILTIN_ROLES
from fakes.fronts import Site, fronted
from fakes.model_servers import Provider, Reply, provider, sse
from fakes.served import served

ANN, BOB, EVE, ADMIN = "bsc_ann", "bsc_bob", "bsc_eve", "bsc_admin"
_TALK: Final = "/api/chat/conversations"
_ALL: Final = frozenset().union(*(permissions for _, permissions in BUILTIN_ROLES.values()))
_USER: Final = frozenset({"tools:list", "tools:execute"})


def _key(name: str, tenant: str = "default", role: str = "user") -> KeyRecord:
    permissions = _ALL if role == "admin" else _USER
    return KeyRecord(name, Principal(tenant, name, frozenset({role}), permissions, key_id=name))


KEYS: Final = {
    ANN: _key("ann"),
    BOB: _key("bob"),
    EVE: _key("eve", "acme"),
    ADMIN: _key("admin", role="admin"),
}


def _chunk(delta: Any = None, finish: str | None = None, **more: Any) -> dict[str, Any]:
    choices = [{"index": 0, "delta": delta or {}, "finish_reason": finish}]
    common = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    return {**common, "choices": choices, **more}


_USAGE: Final = _chunk(choices=[], usage={"prompt_tokens": 21, "completion_tokens": 9})


def says(*texts: str, waits: bool = False) -> Reply:
    """An answer of text; with `waits` it never ends."""
    chunks = sse(*(_chunk({"content": text}) for text in texts))
    if waits:
        return Reply(chunks, waits=True)
    return Reply([*chunks, *sse(_chunk(finish="stop"), _USAGE, "[DONE]")])


def wants(*calls: tuple[str, dict[str, Any]]) -> Reply:
    """An answer that asks for calls."""
    wanted = [
        {
            "index": number,
            "id": f"call_{number}",
            "type": "function",
            "function": {"name": name, "arguments": json.dumps(arguments)},
        }
        for number, (name, arguments) in enumerate(calls)
    ]
    begun = _chunk({"role": "assistant", "content": None, "tool_calls": wanted})
    return Reply(sse(begun, _chunk(finish="tool_calls"), _USAGE, "[DONE]"))


@dataclass
class Shop:
    """The service behind the tools; `booked` are the idempotency keys of what was booked."""

    booked: list[str] = field(default_factory=list[str])
    looked: int = 0

    async def look(self, request: Request) -> Response:
        self.looked += 1
        return JSONResponse({"found": request.query_params.get("city", "")})

    async def book(self, request: Request) -> Response:
        self.booked.append(request.headers.get("idempotency-key", ""))
        return JSONResponse({"number": f"BK{len(self.booked)}"})

    @property
    def app(self) -> Starlette:
        """What is served."""
        return Starlette(
            routes=[
                Route("/look", self.look, methods=["GET"]),
                Route("/book", self.book, methods=["POST"]),
                Route("/wipe", self.book, methods=["DELETE"]),
            ]
        )


_ANSWER: Final = {"200": {"description": "ok", "content": {"application/json": {"schema": {
    "type": "object"}}}}}  # fmt: skip
_CITY: Final = {"name": "city", "in": "query", "schema": {"type": "string"}}
DOCUMENT: Final = {
    "openapi": "3.1.0",
    "info": {"title": "Shop", "version": "1.0"},
    "paths": {
        "/look": {"get": {"operationId": "look", "summary": "Looks.", "parameters": [_CITY],
                          "responses": _ANSWER}},
        "/book": {"post": {"operationId": "book", "summary": "Books.", "parameters": [_CITY],
                           "responses": _ANSWER}},
        "/wipe": {"delete": {"operationId": "wipe", "summary": "Wipes.", "responses": _ANSWER}},
    },
}  # fmt: skip


@dataclass(frozen=True)
class Event:
    """One server-sent event."""

    number: int | None
    kind: str
    data: dict[str, Any]


@dataclass
class Hall:
    """Where people talk to the assistant."""

    site: Site
    script: Provider
    shop: Shop

    async def ask(self, method: str, path: str, key: str = ANN, **options: Any) -> httpx2.Response:
        """A request of who has `key`, below `/api/chat/conversations` unless it says otherwise."""
        whole = path if path.startswith("/api") else _TALK + path
        headers = {"authorization": f"Bearer {key}", **options.pop("headers", {})}
        return await self.site.ask(method, whole, headers=headers, **options)

    async def begin(self, key: str = ANN) -> str:
        """A conversation; gives its path below all of them."""
        made = await self.ask("POST", "", key, json={})
        assert made.status_code == 201, made.text
        return f"/{made.json()['id']}"

    async def told(self, method: str, path: str, key: str = ANN, **options: Any) -> list[Event]:
        """All events of a stream that ends."""
        answer = await self.ask(method, path, key, **options)
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert "no-store" in answer.headers["cache-control"]
        return events_of(answer.text)

    async def say(self, talk: str, text: str, key: str = ANN, **options: Any) -> list[Event]:
        """Send a message, and read its answer to the end."""
        options = {"json": {"text": text}, **options}
        return await self.told("POST", f"{talk}/messages", key, **options)

    async def answer(self, talk: str, key: str = ANN) -> dict[str, Any]:
        """The last message of the branch that is shown."""
        found = await self.ask("GET", f"{talk}/messages", key)
        return found.json()["messages"][-1]

    @asynccontextmanager
    async def listening(
        self, method: str, path: str, key: str = ANN, **options: Any
    ) -> AsyncGenerator["asyncio.Queue[Event | None]"]:
        """The events of a stream as they come, then None."""
        queue: asyncio.Queue[Event | None] = asyncio.Queue()
        headers = {"authorization": f"Bearer {key}"}

        async def read() -> None:
            client = self.site.client
            async with client.stream(method, _TALK + path, headers=headers, **options) as answer:
                text = ""
                async for piece in answer.aiter_text():
                    *whole, text = (text + piece).split("\n\n")
                    for one in events_of("\n\n".join(whole) + "\n\n"):
                        queue.put_nowait(one)
            queue.put_nowait(None)

        reading = asyncio.ensure_future(read())
        try:
            yield queue
        finally:
            reading.cancel()
            await asyncio.wait([reading])


def events_of(text: str) -> list[Event]:
    """The events in `text`, comments left out."""
    found: list[Event] = []
    for block in text.split("\n\n"):
        members = dict(line.split(": ", 1) for line in block.splitlines() if line[:1] != ":")
        if members:
            number = int(members["id"]) if "id" in members else None
            found.append(Event(number, members["event"], json.loads(members["data"])))
    return found


@asynccontextmanager
async def talking(
    folder: Path, *replies: Reply, settings: Mapping[str, str] | None = None
) -> AsyncGenerator[Hall]:
    """A gateway whose model gives `replies`, where users may use the tools of the shop."""
    shop = Shop()
    async with AsyncExitStack() as stack:
        script = await stack.enter_async_context(provider(*replies))
        authority = await stack.enter_async_context(served(shop.app))
        llm = {
            "llm__provider": "compatible",
            "llm__base_url": f"{script.url}/v1",
            "llm__model": "scripted",
            "elevation__privileged": "allow",
            **(settings or {}),
        }
        site = await stack.enter_async_context(fronted(folder, KEYS, **llm))
        hall = Hall(site, script, shop)
        made = await hall.ask("POST", "/api/admin/tenants", ADMIN, json={"name": "acme"})
        assert made.status_code in {201, 409}, made.text
        await _publish(hall, f"http://{authority}")
        yield hall


async def _publish(hall: Hall, url: str) -> None:
    imported = await hall.ask(
        "POST",
        "/api/admin/openapi",
        ADMIN,
        files={"file": ("openapi.json", json.dumps(DOCUMENT).encode())},
        data={"bundle_id": "shop", "auto_publish": "true", "base_url": url},
    )
    assert imported.is_success, imported.text
    rule = {"name": "shoppers", "effect": "allow", "roles": ["user"], "bundles": ["shop"]}
    allowed = await hall.ask("PUT", "/api/admin/policies/shoppers", ADMIN, json=rule)
    assert allowed.is_success, allowed.text
