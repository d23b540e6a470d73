"""A service that wants tokens, and the authorization server that gives them; both can turn hostile.

They run on loopback within the test's own event loop, and remember what they were asked.
"""

import asyncio
import base64
import hashlib
import json
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

Headers = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as it came; header names in lower case."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(self.target).query))

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode()))

    @property
    def token(self) -> str | None:
        kind, _, token = self.headers.get("authorization", "").partition(" ")
        return token if kind == "Bearer" else None


@dataclass(frozen=True, slots=True)
class Said:
    """What is answered. With `slowly`, the head comes, and the body never does."""

    status: int = 200
    body: bytes = b""
    headers: Headers = field(default_factory=list[tuple[str, str]])
    slowly: bool = False


def document(members: object, status: int = 200) -> Said:
    return Said(status, json.dumps(members).encode(), [("content-type", "application/json")])


NOT_FOUND = Said(404, b"nothing here")


class Site:
    """An HTTP server that answers as `answer` says."""

    def __init__(self) -> None:
        self.url = ""
        self.asked: list[Asked] = []
        self.overrides: dict[str, Said | Callable[[Asked], Said]] = {}
        """By path: what is said in place of the usual."""

    def paths(self, method: str = "") -> list[str]:
        return [one.path for one in self.asked if method in ("", one.method)]

    async def answer(self, asked: Asked) -> Said:
        raise NotImplementedError

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            while True:
                asked = await _read(reader)
                self.asked.append(asked)
                other = self.overrides.get(asked.path)
                said = other(asked) if callable(other) else other
                said = said or await self.answer(asked)
                lines = [f"HTTP/1.1 {said.status} X", f"content-length: {len(said.body)}"]
                lines += [f"{name}: {value}" for name, value in said.headers]
                writer.write("\r\n".join(lines).encode() + b"\r\n\r\n")
                if said.slowly:
                    await reader.read()
                    break
                writer.write(said.body)
                await writer.drain()
        writer.close()


class AuthorizationServer(Site):
    """Sends everybody straight back with a code; gives a token for it if PKCE fits."""

    def __init__(self) -> None:
        super().__init__()
        self.prefix = ""
        self.metadata: dict[str, Any] = {}
        """Members in place of the usual; None leaves one out."""
        self.iss: str | None = "correct"
        """`correct`, None for none, or what is sent."""
        self.error = ""
        self.client_id = "client-1"
        self.registration: dict[str, Any] = {}
        self.token: dict[str, Any] = {}
        self.refresh: Said | None = None
        self.scopes_of: dict[str, list[str]] = {}
        self.challenges: dict[str, tuple[str, str]] = {}
        self.count = 0

    @property
    def issuer(self) -> str:
        return self.url + self.prefix

    @property
    def authorizations(self) -> list[dict[str, str]]:
        return [one.query for one in self.asked if one.path == f"{self.prefix}/authorize"]

    @property
    def redeemed(self) -> list[dict[str, str]]:
        return [one.form for one in self.asked if one.path == f"{self.prefix}/token"]

    async def answer(self, asked: Asked) -> Said:
        path = asked.path.removesuffix(self.prefix) if self.prefix else asked.path
        if path == "/.well-known/oauth-authorization-server":
            return document(self.described())
        steps: dict[str, Callable[[Asked], Said]] = {
            f"{self.prefix}/register": self._register,
            f"{self.prefix}/authorize": self.authorize,
            f"{self.prefix}/token": self._token,
        }
        step = steps.get(asked.path)
        return NOT_FOUND if step is None else step(asked)

    def described(self) -> dict[str, Any]:
        usual = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "registration_endpoint": f"{self.issuer}/register",
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": True,
            "token_endpoint_auth_methods_supported": ["none"],
        }
        return {name: one for name, one in (usual | self.metadata).items() if one is not None}

    def _register(self, asked: Asked) -> Said:
        return document({"client_id": self.client_id} | self.registration, 201)

    def authorize(self, asked: Asked) -> Said:
        query, code = asked.query, f"code-{len(self.challenges)}"
        self.challenges[code] = query["code_challenge"], query.get("scope", "")
        back = {"state": query["state"]}
        back |= {"error": self.error} if self.error else {"code": code}
        if self.iss is not None:
            back["iss"] = self.issuer if self.iss == "correct" else self.iss
        return Said(302, b"", [("location", f"{query['redirect_uri']}?{urlencode(back)}")])

    def _token(self, asked: Asked) -> Said:
        form = asked.form
        if form["grant_type"] == "refresh_token":
            if self.refresh is not None:
                return self.refresh
            scope = ""
        else:
            digest = hashlib.sha256(form["code_verifier"].encode()).digest()
            challenge, scope = self.challenges.pop(form["code"], ("", ""))
            if base64.urlsafe_b64encode(digest).rstrip(b"=").decode() != challenge:
                return document({"error": "invalid_grant", "error_description": "SECRET"}, 400)
        self.count += 1
        token = f"token-{self.count}"
        self.scopes_of[token] = scope.split()
        usual = {"access_token": token, "token_type": "Bearer", "expires_in": 3600}
        members = {name: one for name, one in (usual | self.token).items() if one is not None}
        return document(members)


class Service(Site):
    """An MCP server of the modern era behind tokens of `server`."""

    def __init__(self, server: AuthorizationServer) -> None:
        super().__init__()
        self.server = server
        self.challenge = 'Bearer resource_metadata="{url}/.well-known/oauth-protected-resource/mcp"'
        self.refused: set[str] = set()
        """Tokens that are not accepted, or not any more."""
        self.needed: Callable[[str], list[str]] = lambda method: []
        self.described: dict[str, Any] = {}
        self.calls: list[tuple[str, str | None]] = []
        """Method and token of each message that was let through."""

    async def answer(self, asked: Asked) -> Said:
        if asked.path == "/.well-known/oauth-protected-resource/mcp":
            usual = {"resource": f"{self.url}/mcp", "authorization_servers": [self.server.issuer]}
            return document(usual | self.described)
        if asked.path != "/mcp" or asked.method != "POST":
            return NOT_FOUND
        message = json.loads(asked.body)
        token = asked.token
        scopes = self.server.scopes_of.get(token or "")
        if scopes is None or token in self.refused:
            return Said(401, b"", [("www-authenticate", self.challenge.format(url=self.url))])
        needed = self.needed(message["method"])
        if not set(needed) <= set(scopes):
            more = f'Bearer error="insufficient_scope", scope="{" ".join(needed)}"'
            return Said(403, b"", [("www-authenticate", more)])
        self.calls.append((message["method"], token))
        result = _result(message)
        if result is None:
            error = {"code": -32601, "message": "not known"}
            return document({"jsonrpc": "2.0", "id": message["id"], "error": error}, 404)
        return document({"jsonrpc": "2.0", "id": message["id"], "result": result})


def _result(message: dict[str, Any]) -> dict[str, Any] | None:
    if message["method"] == "server/discover":
        return {
            "supportedVersions": ["2026-07-28"],
            "capabilities": {"tools": {}},
            "resultType": "complete",
            "ttlMs": 0,
            "cacheScope": "private",
        }
    if message["method"] == "tools/list":
        tools = [{"name": "whoami", "inputSchema": {"type": "object"}}]
        return {"tools": tools, "resultType": "complete", "ttlMs": 0, "cacheScope": "private"}
    if message["method"] == "tools/call":
        return {"content": [{"type": "text", "text": "done"}], "resultType": "complete"}
    return None


@asynccontextmanager
async def at(*sites: Site) -> AsyncGenerator[None]:
    """Have `sites` listen while the block runs."""
    tasks: set[asyncio.Task[None]] = set()
    servers: list[asyncio.Server] = []

    def serving(site: Site) -> Callable[..., Awaitable[None]]:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            tasks.add(task)
            await site.serve(reader, writer)
            tasks.discard(task)

        return serve

    for site in sites:
        server = await asyncio.start_server(serving(site), "127.0.0.1", 0)
        site.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        servers.append(server)
    try:
        yield
    finally:
        for server in servers:
            server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _read(reader: asyncio.StreamReader) -> Asked:
    first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")[:-2]
    method, target, _ = first.split(" ")
    pairs = (line.partition(":") for line in lines)
    headers = {name.lower(): value.strip() for name, _, value in pairs}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Asked(method, target, headers, body)
