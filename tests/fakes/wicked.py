"""An MCP server of the stateless era, over HTTP, that says whatever it is told to: true or not."""

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

Json = dict[str, Any]
EMPTY_SCHEMA: Json = {"type": "object"}
KNOWN = (
    "server/discover", "tools/list", "tools/call", "resources/list", "resources/read",
    "resources/templates/list",
)  # fmt: skip


class Document(NamedTuple):
    """What is answered to a GET."""

    status: int = 200
    body: bytes = b""
    location: str = ""
    trickles: bool = False
    """The body comes byte by byte, until nobody wants it any more."""


class Seen(NamedTuple):
    """A POST as it came."""

    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass
class Wicked:
    """`answers` are results by the name of the tool or the URI, or what makes one of the params.

    While `challenge` is set, it is all that anybody gets without a token. `documents` are by path;
    `fetched` are the paths that were asked for.
    """

    url: str = ""
    tools: list[Json] = field(default_factory=list)
    resources: list[str] = field(default_factory=list)
    answers: dict[str, Json | Callable[[Json], Json]] = field(default_factory=dict)
    documents: dict[str, Document] = field(default_factory=dict)
    server_info: Json = field(default_factory=lambda: {"name": "wicked", "version": "1"})
    challenge: str = ""
    seen: list[Seen] = field(default_factory=list)
    fetched: list[str] = field(default_factory=list)
    stop: threading.Event = field(default_factory=threading.Event)
    """Ends what trickles."""

    def offer(self, name: str, answer: Json | Callable[[Json], Json], **members: Any) -> None:
        """Have a tool of this name, which answers so."""
        self.tools = [one for one in self.tools if one["name"] != name]
        self.tools.append({"name": name, "inputSchema": EMPTY_SCHEMA, **members})
        self.answers[name] = answer

    def result_of(self, message: Json) -> Json:
        """The result of a request."""
        method, params = message["method"], message.get("params") or {}
        about = {"ttlMs": 0, "cacheScope": "private"}
        if method == "server/discover":
            capabilities = {"tools": {}, "resources": {}}
            return {"supportedVersions": ["2026-07-28"], "capabilities": capabilities, **about}
        if method == "tools/list":
            return {"tools": self.tools, **about}
        if method == "resources/list":
            listed = [{"uri": one, "name": one} for one in self.resources]
            return {"resources": listed, **about}
        if method == "resources/templates/list":
            return {"resourceTemplates": [], **about}
        answer = self.answers[params.get("name") or params.get("uri")]
        return answer(params) if callable(answer) else answer


def text(words: str, **members: Any) -> Json:
    """A tool's result."""
    return {"content": [{"type": "text", "text": words}], **members}


class _Handler(BaseHTTPRequestHandler):
    timeout = 10
    wicked: Wicked

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.wicked.seen.append(Seen(self.path, dict(self.headers.items()), body))
        if self.path == "/mcp" and self.wicked.challenge:
            self._send(401, b"{}", {"www-authenticate": self.wicked.challenge})
            return
        if self.path != "/mcp":
            registered = {"client_id": "client"}
            self._send(201, json.dumps({**json.loads(body), **registered}).encode())
            return
        message = json.loads(body)
        answer: Json = {"jsonrpc": "2.0", "id": message.get("id")}
        if message["method"] not in KNOWN:
            error = {"code": -32601, "message": "Method not found"}
            self._send(404, json.dumps({**answer, "error": error}).encode())
            return
        answer["result"] = {
            "resultType": "complete",
            "_meta": {"io.modelcontextprotocol/serverInfo": self.wicked.server_info},
            **self.wicked.result_of(message),
        }
        self._send(200, json.dumps(answer).encode())

    def do_GET(self) -> None:
        self.wicked.fetched.append(self.path)
        if self.path == "/mcp" and self.wicked.challenge:
            self._send(401, b"{}", {"www-authenticate": self.wicked.challenge})
            return
        found = self.wicked.documents.get(self.path, Document(404))
        if found.trickles:
            self._trickle()
            return
        self._send(found.status, found.body, {"location": found.location} if found.location else {})

    def _trickle(self) -> None:
        self.send_response(200)
        self.send_header("content-length", "1000000")
        self.end_headers()
        with suppress(OSError):
            while not self.wicked.stop.wait(0.2):
                self.wfile.write(b" ")

    def _send(self, status: int, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"content-type": "application/json", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        """Say nothing."""


@contextmanager
def misbehaving() -> Iterator[Wicked]:
    """Serve one on loopback, in threads of its own, for as long as the block."""
    wicked = Wicked()
    handler = type("Handler", (_Handler,), {"wicked": wicked})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        wicked.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield wicked
        finally:
            wicked.stop.set()
            server.shutdown()
            thread.join(5)
