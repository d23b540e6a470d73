"""A gateway with everything behind it and two callers before it, for the security checks."""

import json
import re
import socketserver
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest

from bascule.gateway.sealing import owner_of
from bascule.gateway.seals import Seals
from bascule.protocol.messages import CAPABILITIES_KEY
from e2e.test_user_grants import SCRIPT as NOTES_SCRIPT
from e2e.test_user_grants import Notes, Office
from fakes import mcp
from fakes.echo import Echo, echoing
from fakes.instances import Instance, post, serving
from fakes.issuer import TokenIssuer, issuing
from fakes.processes import Child, running
from fakes.wicked import EMPTY_SCHEMA, Wicked, misbehaving

ROOT = Path(__file__).parents[2]
CANDID = Path(__file__).parents[1] / "fakes" / "candid_server.py"
COMMAND = [sys.executable, str(CANDID), "two words", "; $(touch pwned)", "*"]
TOOL = "place_order"
TASKS = {"extensions": {"io.modelcontextprotocol/tasks": {}}}
ELICITATION = {"elicitation": {}}
LEGACY = "2025-11-25"
UPSTREAM_SECRET = "upstream-secret-4f1e8a2d97"
"""What the REST service is shown, out of the gateway's own store."""
HOST_SECRET = "host-secret-77c1d0a3b5"
"""In the environment of the gateway, and none of its children's business."""
SETTINGS = {
    "observability.log_level": "debug",
    "cache.list_page_size": "10",
    "server.max_streams_per_principal": "4",
    "upstreams.allowed_networks": "127.0.0.2/32",
}
# Resolves the names of a domain of its own, as who controls a name may: `flip` changes its mind.
RESOLVER = """
import itertools, socket
_real = socket.getaddrinfo
_names = {
    "loop.test": itertools.repeat(["127.0.0.1"]),
    "inside.test": itertools.repeat(["10.0.0.7"]),
    "both.test": itertools.repeat(["127.0.0.2", "127.0.0.1"]),
    "flip.test": itertools.chain([["127.0.0.2"]], itertools.repeat(["127.0.0.1"])),
}
def getaddrinfo(host, port, *rest, **more):
    if host not in _names:
        return _real(host, port, *rest, **more)
    return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, port)) for one in next(_names[host])]
socket.getaddrinfo = getaddrinfo
"""


@dataclass
class Trap:
    """A listener that counts who connects to it."""

    port: int = 0
    hits: int = 0


@dataclass
class Reference:
    """The reference server, seen from its operator's side."""

    url: str
    child: Child

    @property
    def seen(self) -> list[dict[str, Any]]:
        """The requests that came: headers and body."""
        return httpx2.get(f"{self.url}/_seen", trust_env=False).json()


@dataclass
class World:
    """`issuer` vouches for ann and bob; `modern`, `old` and so on are the services behind."""

    instance: Instance
    issuer: TokenIssuer
    echo: Echo
    modern: Reference
    old: Reference
    wicked: Wicked
    other: Wicked
    office: Office
    tokens: dict[str, str]

    def rpc(
        self,
        who: str | None,
        method: str,
        params: dict[str, Any] | None = None,
        *,
        at: str = "/mcp",
        capabilities: dict[str, Any] | None = None,
        headers: dict[str, str | None] | None = None,
    ) -> httpx2.Response:
        """A request of the stateless era, by ann, bob, the holder of another secret, or nobody."""
        meta = {**mcp.META, CAPABILITIES_KEY: capabilities or {}}
        message = mcp.modern(method, {"_meta": meta, **(params or {})})
        return self.send(who, message, at=at, headers=headers)

    def send(
        self,
        who: str | None,
        message: dict[str, Any],
        *,
        at: str = "/mcp",
        headers: dict[str, str | None] | None = None,
    ) -> httpx2.Response:
        """POST `message`."""
        return self.ask(who, "POST", at, **post(message, headers))

    def ask(self, who: str | None, method: str, path: str, **options: Any) -> httpx2.Response:
        """Any request."""
        headers = {} if who is None else {"authorization": f"Bearer {self.tokens.get(who, who)}"}
        with httpx2.Client(
            base_url=self.instance.url, headers=headers, timeout=20, trust_env=False
        ) as client:
            return client.request(method, path, **options)

    def call(
        self, who: str, tool: str, arguments: dict[str, Any] | None = None, **options: Any
    ) -> dict[str, Any]:
        """tools/call; gives the JSON-RPC answer."""
        more = options.pop("more", {})
        params = {"name": tool, "arguments": arguments or {}, **more}
        return self.rpc(who, "tools/call", params, **options).json()

    def begin(
        self, who: str, at: str = "/mcp", capabilities: dict[str, Any] | None = None
    ) -> dict[str, str | None]:
        """Open a session; gives the headers that go with it."""
        hello = mcp.legacy(
            "initialize",
            {
                "protocolVersion": LEGACY,
                "capabilities": capabilities or {},
                "clientInfo": {"name": "test", "version": "1"},
            },
        )
        opened = self.send(who, hello, at=at)
        assert opened.status_code == 200, opened.text
        session = opened.headers["mcp-session-id"]
        return {"mcp-session-id": session, "mcp-protocol-version": LEGACY}

    def admin(self, method: str, path: str, **options: Any) -> Any:
        """A request of the owner's, which must succeed; gives its JSON."""
        answer = self.ask(self.instance.admin_key, method, f"/api/admin/{path}", **options)
        assert answer.is_success, answer.text
        return answer.json()

    def restart_tools(self, server: str) -> None:
        """Have the gateway ask a server anew what it offers."""
        assert self.admin("POST", f"servers/{server}/check")["reached"]

    def seals(self) -> Seals:
        """What the gateway seals handles with."""
        text = (self.instance.data / "sealing.key").read_text()
        found = re.search(r"[0-9a-f]{64}", text)
        assert found
        return Seals([bytes.fromhex(found[0])])

    def owner(self, who: str) -> str:
        """Whom the handles of ann and bob are sealed for."""
        return owner_of("default", f"token|{self.issuer.url}|{who}")

    def upstreams_saw(self) -> str:
        """All that any service was ever sent, to the last header."""
        told = self.call("ann", "tell", at="/mcp/servers/candid")["result"]["content"][0]["text"]
        rest = [
            (one.line.decode("latin-1"), [(a.decode(), b.decode()) for a, b in one.headers],
             one.body.decode("latin-1"))
            for one in self.echo.received
        ]  # fmt: skip
        wicked = [
            (dict(one.headers), one.body.decode("latin-1"))
            for one in (*self.wicked.seen, *self.other.seen)
        ]
        return json.dumps([told, rest, self.modern.seen, self.old.seen, wicked])

    def gateway_shows(self) -> str:
        """Everything that it printed or wrote down, and its metrics."""
        metrics = self.ask(self.instance.admin_key, "GET", "/metrics").text
        return self.office.everything_shown() + metrics


@contextmanager
def trap() -> Iterator[Trap]:
    """Listen on 127.0.0.1, where nobody may be led."""
    found = Trap()

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            found.hits += 1

    with socketserver.TCPServer(("127.0.0.1", 0), Handler) as server:
        found.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield found
        finally:
            server.shutdown()
            thread.join(5)


def eventually(holds: Callable[[], bool], seconds: float = 15.0) -> None:
    """Return once `holds` does."""
    until = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < until, "it never came to be"


@contextmanager
def world(data: Path, port: Callable[[], int]) -> Iterator[World]:
    """Start all of it."""
    with ExitStack() as stack:
        notes = stack.enter_context(running(sys.executable, str(NOTES_SCRIPT)))
        references = [stack.enter_context(_reference(port(), era)) for era in ("both", "legacy")]
        issuer = stack.enter_context(issuing())
        echo = stack.enter_context(echoing())
        wicked, other = (stack.enter_context(misbehaving()) for _ in range(2))
        host = stack.enter_context(pytest.MonkeyPatch.context())
        resolver = data.parent / "resolver"
        resolver.mkdir()
        (resolver / "sitecustomize.py").write_text(RESOLVER)
        host.setenv("PYTHONPATH", str(resolver))
        host.setenv("DATABASE_PASSWORD", HOST_SECRET)
        instance = stack.enter_context(serving(data, settings=SETTINGS))
        notes.wait_for("is ready")
        url = json.loads(notes.said.split(" is ready")[0])["url"]
        audience = instance.url
        tokens = {who: issuer.token(who, audience) for who in ("ann", "bob")}
        made = World(
            instance, issuer, echo, *references, wicked, other, Office(instance, Notes(url)), tokens
        )
        _furnish(made, url)
        yield made


def _furnish(made: World, notes_url: str) -> None:
    trusted = {"name": "id", "issuer": made.issuer.url, "role_map": {"staff": ["user"]}}
    made.admin("POST", "issuers", json={**trusted, "roles_claims": ["roles"]})
    made.admin("PUT", "secrets/shop", json={"value": UPSTREAM_SECRET})
    made.instance.publish(json.dumps(api_document()).encode(), "shop", made.echo.url)
    made.echo.answers["/orders"] = _fine()
    upstream = made.admin("GET", "upstreams")["upstreams"][0]["name"]
    headers = {"headers": {"X-Shop-Key": "${secret:shop}"}}
    made.admin("PUT", f"upstreams/{upstream}", json=headers)
    for name, url in (
        ("modern", made.modern.url),
        ("old", made.old.url),
        ("wicked", made.wicked.url),
        ("other", made.other.url),
    ):
        made.admin("POST", "servers", json={"name": name, "url": f"{url}/mcp", "pinning": "off"})
    made.admin("POST", "servers", json={"name": "pinned", "url": f"{made.other.url}/mcp"})
    made.admin("POST", "servers", json={"name": "candid", "command": COMMAND})
    for name, url in (("notes", notes_url), ("lured", made.wicked.url)):
        server = {"name": name, "url": f"{url}/mcp", "user_grants": {}, "pinning": "off"}
        made.admin("POST", "servers", json=server)
    bundles = ["modern", "old", "wicked", "other", "pinned", "candid", "notes", "lured"]
    rule = {"name": "all", "effect": "allow", "roles": ["user"], "bundles": bundles}
    everything = {"tools": ["*"], "prompts": ["*"], "resources": ["*"]}
    made.admin("POST", "policies", json={**rule, **everything})
    locked = {"name": "locked", "effect": "deny", "roles": ["user"], "tools": ["*forbidden*"]}
    made.admin("POST", "policies", json=locked)
    for name in ("modern", "old"):
        eventually(lambda name=name: made.admin("POST", f"servers/{name}/check")["reached"])


def api_document() -> dict[str, Any]:
    """An API with one operation that takes a secret."""
    member = {"type": "string"}
    body = {
        "type": "object",
        "properties": {"item": member, "password": member, "card": {"type": "integer"}},
    }
    operation = {
        "operationId": TOOL,
        "summary": "Place an order.",
        "requestBody": {"content": {"application/json": {"schema": body}}},
        "responses": {
            "200": {"description": "x", "content": {"application/json": {"schema": EMPTY_SCHEMA}}}
        },
    }
    info = {"title": "Shop", "version": "1"}
    return {"openapi": "3.1.0", "info": info, "paths": {"/orders": {"post": operation}}}


def _fine() -> bytes:
    body = b'{"done":true}'
    head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(body)}"
    return head.encode() + b"\r\n\r\n" + body


@contextmanager
def _reference(port: int, era: str) -> Iterator[Reference]:
    command = (sys.executable, "-m", "conformance.reference", "--port", str(port), "--era", era)
    with running(*command, "--page", "3", cwd=ROOT) as child:
        yield Reference(f"http://127.0.0.1:{port}", child)
