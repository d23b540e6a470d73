"""An issuer of access tokens on loopback: discovery, keys that it can change, any token at all."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from joserfc import jwt
from joserfc.jwk import RSAKey


class TokenIssuer:
    """`url` is its `iss`. `asked` are the paths that were fetched, in order."""

    def __init__(self) -> None:
        self.url = ""
        self.jwks_url = ""
        """Where it says that its keys are, if not at its own `/jwks`."""
        self.asked: list[str] = []
        self._keys = [_new_key("key-1")]

    @property
    def key(self) -> RSAKey:
        """What it signs with now."""
        return self._keys[-1]

    def rotate(self) -> RSAKey:
        """Sign with another key from now on and publish that alone; gives the one before."""
        before = self.key
        self._keys.append(_new_key(f"key-{len(self._keys) + 1}"))
        return before

    def token(
        self, subject: str, audience: str, /, *, signed_by: RSAKey | None = None, **claims: Any
    ) -> str:
        """A token that is good for ten minutes unless `claims` say otherwise; None removes one."""
        now = int(time.time())
        usual = {
            "iss": self.url,
            "sub": subject,
            "aud": audience,
            "iat": now,
            "exp": now + 600,
            "roles": ["staff"],
        }
        wanted = {name: one for name, one in {**usual, **claims}.items() if one is not None}
        key = signed_by or self.key
        return jwt.encode({"alg": "RS256", "kid": key.kid, "typ": "at+jwt"}, wanted, key)

    def document(self, path: str) -> dict[str, Any] | None:
        """What it publishes at `path`."""
        if path == "/.well-known/openid-configuration":
            return {
                "issuer": self.url,
                "jwks_uri": self.jwks_url or f"{self.url}/jwks",
                "authorization_endpoint": f"{self.url}/authorize",
                "token_endpoint": f"{self.url}/token",
            }
        return {"keys": [self.key.as_dict(private=False)]} if path == "/jwks" else None


def _new_key(name: str) -> RSAKey:
    return RSAKey.generate_key(2048, {"kid": name, "use": "sig", "alg": "RS256"})


@contextmanager
def issuing() -> Iterator[TokenIssuer]:
    """Serve one for as long as the block, in a thread of its own."""
    issuer = TokenIssuer()

    class Handler(BaseHTTPRequestHandler):
        timeout = 10

        def do_GET(self) -> None:
            issuer.asked.append(self.path)
            found = issuer.document(self.path)
            body = json.dumps(found or {}).encode()
            self.send_response(200 if found else 404)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        issuer.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield issuer
        finally:
            server.shutdown()
            thread.join(5)
