"""An API manager before five operations of a dealership: tokens, keys, certificates, over TLS.

A real HTTPS service in threads of its own. It believes what it issued itself, and counts.
"""

import base64
import json
import secrets
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock, Thread
from typing import Any
from urllib.parse import parse_qs, unquote_plus, urlsplit

from fakes.certificates import Authority

CLIENT_ID = "gateway"
SCOPE = "dealers.read dealers.write"


@dataclass(slots=True)
class Seen:
    """A request that reached an operation."""

    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: Any
    certificate: str


@dataclass(slots=True)
class ApiManager:
    """What it demands, and what it has seen."""

    authority: Authority
    client_secret: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    subscription_key: str = field(default_factory=lambda: secrets.token_hex(16))
    life_seconds: int = 3600
    url: str = ""
    tokens: dict[str, float] = field(default_factory=dict[str, float])
    token_requests: int = 0
    refused: list[str] = field(default_factory=list[str])
    seen: list[Seen] = field(default_factory=list[Seen])
    lock: Lock = field(default_factory=Lock)

    def expire_tokens(self) -> None:
        """No token given out so far is good any more."""
        with self.lock:
            self.tokens.clear()

    def is_valid(self, token: str) -> bool:
        """Whether it gave out `token`, and not too long ago."""
        with self.lock:
            return time.monotonic() < self.tokens.get(token, 0)

    def grant(self, scope: str) -> dict[str, Any]:
        """A token."""
        token = f"eyJ-test.{secrets.token_urlsafe(24)}"
        with self.lock:
            self.tokens[token] = time.monotonic() + self.life_seconds
        kind = {"token_type": "Bearer", "expires_in": self.life_seconds, "scope": scope}
        return {"access_token": token, **kind}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    manager: ApiManager

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""

    def do_GET(self) -> None:
        self._operation(None)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        if urlsplit(self.path).path == "/oauth2/token":
            self._token(body)
        else:
            self._operation(json.loads(body))

    def do_PUT(self) -> None:
        self.do_POST()

    def _token(self, body: bytes) -> None:
        manager = self.manager
        with manager.lock:
            manager.token_requests += 1
        form = {name: values[0] for name, values in parse_qs(body.decode()).items()}
        given = self.headers.get("authorization", "").removeprefix("Basic ")
        name, _, secret = base64.b64decode(given).decode().partition(":")
        if (unquote_plus(name), unquote_plus(secret)) != (CLIENT_ID, manager.client_secret):
            said = f"the secret {secret} is not that of {name}"
            self._reply(401, {"error": "invalid_client", "error_description": said})
        elif form.get("grant_type") != "client_credentials":
            self._reply(400, {"error": "unsupported_grant_type"})
        elif not set(form.get("scope", "").split()) <= set(SCOPE.split()):
            self._reply(400, {"error": "invalid_scope"})
        else:
            self._reply(200, manager.grant(form.get("scope", "")))

    def _operation(self, body: Any) -> None:
        complaint = self._complaint()
        parts = urlsplit(self.path)
        if complaint is not None:
            # As careless services do: it repeats what it was shown.
            self.manager.refused.append(complaint[1])
            self._reply(complaint[0], {"message": complaint[1], "headers": dict(self.headers)})
            return
        headers = {name.lower(): value for name, value in self.headers.items()}
        query, name = parse_qs(parts.query), self._certificate()
        seen = Seen(self.command, parts.path, query, headers, body, name)
        self.manager.seen.append(seen)
        self._reply(200, {"path": parts.path, "method": self.command, "query": query, "body": body})

    def _complaint(self) -> tuple[int, str] | None:
        manager = self.manager
        if self.headers.get("ocp-apim-subscription-key") != manager.subscription_key:
            return 403, "wrong subscription key"
        scheme, _, token = self.headers.get("authorization", "").partition(" ")
        if scheme != "Bearer" or not manager.is_valid(token):
            return 401, "token not valid"
        for name in ("x-correlation-id", "x-mcp-tool-name", "x-mcp-risk-level", "traceparent"):
            if not self.headers.get(name):
                return 400, f"{name} is missing"
        return None

    def _certificate(self) -> str:
        found: Any = self.connection.getpeercert()  # type: ignore[attr-defined]
        return dict(one[0] for one in found["subject"])["commonName"]

    def _reply(self, status: int, body: object) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


@contextmanager
def api_manager(folder: Path) -> Iterator[ApiManager]:
    """An API manager on loopback, at `url`; it speaks only to who has a certificate of its own."""
    manager = ApiManager(Authority("Dealership authority"))
    handler = type("Handler", (_Handler,), {"manager": manager})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    server.handle_error = lambda *_: None  # type: ignore[method-assign]
    pair = manager.authority.issue("api.dealership.example")
    chain = folder / "server.pem"
    chain.write_text(pair.certificate + pair.key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain)
    context.load_verify_locations(cadata=manager.authority.certificate)
    context.verify_mode = ssl.CERT_REQUIRED
    server.socket = context.wrap_socket(
        server.socket, server_side=True, do_handshake_on_connect=False
    )
    manager.url = f"https://localhost:{server.server_port}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield manager
    finally:
        server.shutdown()
        thread.join(10)
        server.server_close()


def document(url: str) -> dict[str, Any]:
    """The OpenAPI document of the five operations."""
    ok = {"description": "ok", "content": {"application/json": {"schema": _ANSWER}}}
    dealer = {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Dealership", "version": "1.0"},
        "servers": [{"url": url}],
        "paths": {
            "/v1/dealers/{id}/enquiries": {
                "get": {
                    "operationId": "get_dealer_enquiries",
                    "summary": "List the enquiries of a dealer.",
                    "parameters": [dealer, _query("status", "string")],
                    "responses": {"200": ok},
                }
            },
            "/v1/bookings": {
                "post": {
                    "operationId": "create_booking",
                    "summary": "Book a service.",
                    "requestBody": _body(dealer_id="string", slot_id="string"),
                    "responses": {"200": ok},
                }
            },
            "/v1/inventory": {
                "get": {
                    "operationId": "get_vehicle_inventory",
                    "summary": "List vehicles in stock.",
                    "parameters": [_query("model", "string"), _query("limit", "integer")],
                    "responses": {"200": ok},
                }
            },
            "/v1/enquiries/{id}/status": {
                "put": {
                    "operationId": "update_enquiry_status",
                    "summary": "Set the status of an enquiry.",
                    "parameters": [dealer],
                    "requestBody": _body(status="string"),
                    "responses": {"200": ok},
                }
            },
            "/v1/payments": {
                "post": {
                    "operationId": "process_payment",
                    "summary": "Take a payment.",
                    "requestBody": _body(booking_id="string", amount="number"),
                    "responses": {"200": ok},
                }
            },
        },
    }


_ANSWER = {
    "type": "object",
    "required": ["path", "method"],
    "properties": {
        "path": {"type": "string", "examples": ["/v1/sample"]},
        "method": {"type": "string"},
        "query": {"type": "object"},
        "body": {},
    },
}


def _query(name: str, kind: str) -> dict[str, Any]:
    return {"name": name, "in": "query", "schema": {"type": kind}}


def _body(**members: str) -> dict[str, Any]:
    schema = {
        "type": "object",
        "required": list(members),
        "properties": {name: {"type": kind} for name, kind in members.items()},
    }
    return {"required": True, "content": {"application/json": {"schema": schema}}}
