"""An issuer of access tokens on loopback: discovery, its keys, and a token for the callers."""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from joserfc import jwt
from joserfc.jwk import RSAKey

AUDIENCE: Final = "urn:bench"
_LIFE_SECONDS: Final = 86_400


@dataclass(frozen=True, slots=True)
class TokenIssuer:
    """What a gateway must know of it, and the token that it gave out."""

    url: str
    token: str


@asynccontextmanager
async def issuing() -> AsyncGenerator[TokenIssuer]:
    """Run an issuer for as long as the block lasts; its tokens are RS256 and last for a day."""
    key = RSAKey.generate_key(2048, {"kid": "bench", "use": "sig", "alg": "RS256"})
    documents: dict[str, dict[str, Any]] = {}

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        found = documents.get(head.split(" ")[1])
        body = msgspec.json.encode(found or {})
        status = "200 OK" if found else "404 Not Found"
        writer.write(
            f"HTTP/1.1 {status}\r\ncontent-type: application/json\r\n"
            f"content-length: {len(body)}\r\nconnection: close\r\n\r\n".encode()
            + body
        )
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        url = f"http://127.0.0.1:{port}"
        documents["/.well-known/openid-configuration"] = {
            "issuer": url,
            "jwks_uri": f"{url}/jwks",
            "authorization_endpoint": f"{url}/authorize",
            "token_endpoint": f"{url}/token",
        }
        documents["/jwks"] = {"keys": [key.as_dict(private=False)]}
        yield TokenIssuer(url, _token(url, key))


def _token(issuer: str, key: RSAKey) -> str:
    now = int(time.time())
    claims = {
        "iss": issuer,
        "sub": "bench",
        "aud": AUDIENCE,
        "azp": "load",
        "iat": now,
        "exp": now + _LIFE_SECONDS,
        "preferred_username": "bench@example.com",
        "roles": ["callers"],
    }
    return jwt.encode({"alg": "RS256", "kid": "bench", "typ": "at+jwt"}, claims, key)
