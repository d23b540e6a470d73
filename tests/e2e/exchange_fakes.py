"""An identity provider that signs and exchanges tokens, and an API that takes only exchanged ones.

Both on loopback. Each exchanged token names the person it is for; the API says who came.
"""

import base64
import json
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any
from urllib.parse import parse_qs, unquote_plus, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT = ("gateway", "exchange-secret-of-the-gateway")
AUDIENCE = "orders-api"
EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"


@dataclass(slots=True)
class Provider:
    """Signs tokens for `audience`, the gateway; exchanges them for its API's."""

    url: str = ""
    key: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "k1"}))
    life_seconds: int = 3600
    given: dict[str, str] = field(default_factory=dict[str, str])
    asked: list[dict[str, str]] = field(default_factory=list[dict[str, str]])
    refuses: set[str] = field(default_factory=set[str])
    lock: Lock = field(default_factory=Lock)

    def token(self, who: str, audience: str) -> str:
        """An access token of `who` for the gateway."""
        now = int(time.time())
        claims = {"iss": self.url, "sub": who, "aud": audience, "iat": now, "exp": now + 600}
        return jwt.encode(
            {"alg": "RS256", "kid": "k1"}, {**claims, "roles": ["staff"], "jti": who}, self.key
        )

    def exchange(self, form: dict[str, str], basic: str) -> tuple[int, dict[str, Any]]:
        """RFC 8693 section 2."""
        name, _, secret = base64.b64decode(basic).decode().partition(":")
        if (unquote_plus(name), unquote_plus(secret)) != CLIENT:
            return 401, {"error": "invalid_client", "error_description": secret}
        if form.get("grant_type") != EXCHANGE or form.get("subject_token_type") != ACCESS_TOKEN:
            return 400, {"error": "invalid_request"}
        claims = jwt.decode(form["subject_token"], self.key).claims
        who = str(claims["sub"])
        if who in self.refuses:
            return 400, {"error": "invalid_grant", "error_description": form["subject_token"]}
        token = f"exchanged.{secrets.token_urlsafe(24)}"
        with self.lock:
            self.asked.append({**form, "who": who})
            self.given[token] = who
        kind = {"token_type": "Bearer", "issued_token_type": ACCESS_TOKEN}
        return 200, {"access_token": token, "expires_in": self.life_seconds, **kind}

    def forget(self) -> None:
        """No token given out so far is good any more."""
        with self.lock:
            self.given.clear()

    def documents(self) -> dict[str, Any]:
        """What it publishes, by path."""
        keys = {"keys": [{**self.key.as_dict(private=False), "use": "sig", "alg": "RS256"}]}
        about = {
            "issuer": self.url,
            "jwks_uri": f"{self.url}/keys",
            "token_endpoint": f"{self.url}/token",
            "authorization_endpoint": f"{self.url}/authorize",
        }
        return {"/keys": keys, "/.well-known/openid-configuration": about}


@dataclass(slots=True)
class Orders:
    """An API that says for whom it was called. `tokens` are all that it was ever shown."""

    provider: Provider
    url: str = ""
    tokens: list[str] = field(default_factory=list[str])
    refused: int = 0


Answer = Callable[[BaseHTTPRequestHandler, bytes], tuple[int, Any]]


def _provide(provider: Provider) -> Answer:
    def answer(request: BaseHTTPRequestHandler, body: bytes) -> tuple[int, Any]:
        path = urlsplit(request.path).path
        if request.command == "POST" and path == "/token":
            form = {name: values[0] for name, values in parse_qs(body.decode()).items()}
            basic = request.headers.get("authorization", "").removeprefix("Basic ")
            return provider.exchange(form, basic)
        found = provider.documents().get(path)
        return (404, {}) if found is None else (200, found)

    return answer


def _serve(orders: Orders) -> Answer:
    def answer(request: BaseHTTPRequestHandler, _: bytes) -> tuple[int, Any]:
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        orders.tokens.append(token)
        who = orders.provider.given.get(token)
        if who is None:
            orders.refused += 1
            return 401, {"message": "not yours", "shown": token}
        return 200, {"who": who, "correlated": bool(request.headers.get("x-correlation-id"))}

    return answer


@contextmanager
def _listening(answer: Answer) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Say nothing."""

        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            status, said = answer(self, body)
            content = json.dumps(said).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def do_POST(self) -> None:
            self.do_GET()

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def exchange_fakes() -> Iterator[Orders]:
    """Both, for as long as the block lasts."""
    provider = Provider()
    orders = Orders(provider)
    with _listening(_provide(provider)) as provider.url, _listening(_serve(orders)) as orders.url:
        yield orders


def document(url: str) -> bytes:
    """The description of the API: two operations, one of which may be kept."""
    answers = {"200": {"description": "ok", "content": {"application/json": {"schema": {}}}}}

    def operation(name: str) -> dict[str, Any]:
        return {"operationId": name, "summary": name, "responses": answers}

    paths = {"/mine": {"get": operation("list_mine")}, "/pay": {"post": operation("pay_mine")}}
    about = {"openapi": "3.1.0", "info": {"title": "Orders", "version": "1"}}
    return json.dumps({**about, "servers": [{"url": url}], "paths": paths}).encode()
