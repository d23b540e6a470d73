"""The official client against a gateway that takes tokens: it finds its way in, and steps up."""

import time
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx2
import pytest
from mcp.client.auth import OAuthClientProvider
from mcp.client.session import ClientSession
from mcp.client.sse import sse_client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared._httpx_utils import create_mcp_http_client
from mcp.shared.auth import (
    AuthorizationCodeResult,
    OAuthClientInformationFull,
    OAuthClientMetadata,
    OAuthToken,
)
from mcp.shared.exceptions import MCPError

from bascule.gateway.principal import KeyRecord, Principal
from bascule.storage.seed import BUILTIN_ROLES
from fakes.authorization import Asked, AuthorizationServer, Said, at, document
from fakes.fronts import Site, fronted
from fakes.issuers import public, sign

BACK = "http://127.0.0.1:9/callback"
ROOT = "bsc_root"
_OWNER = Principal(
    "default", "root", frozenset({"system_admin"}), BUILTIN_ROLES["system_admin"][1], key_id="root"
)


class Issuing(AuthorizationServer):
    """Its tokens are JWTs for the `resource` that was asked for, with the scopes asked for."""

    async def answer(self, asked: Asked) -> Said:
        if asked.path == "/keys":
            return document({"keys": [public("RS256")]})
        said = await super().answer(asked)
        if asked.path != "/token" or said.status != 200:
            return said
        scope = " ".join(self.scopes_of[f"token-{self.count}"])
        now = time.time()
        claims = {
            "iss": self.issuer, "sub": "ann", "aud": asked.form["resource"], "scope": scope,
            "iat": now, "exp": now + 600, "client_id": self.client_id,
        }  # fmt: skip
        token = sign({"alg": "RS256", "kid": "k0", "typ": "at+jwt"}, claims)
        return document({"access_token": token, "token_type": "Bearer", "scope": scope})


@dataclass
class Storage:
    """What a client keeps; the official one asks for such a thing."""

    tokens: OAuthToken | None = None
    client: OAuthClientInformationFull | None = None

    async def get_tokens(self) -> OAuthToken | None:
        return self.tokens

    async def set_tokens(self, tokens: OAuthToken) -> None:
        self.tokens = tokens

    async def get_client_info(self) -> OAuthClientInformationFull | None:
        return self.client

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        self.client = client_info


@dataclass
class Person:
    """Somebody with a browser, who agrees to everything."""

    back: dict[str, str] = field(default_factory=dict[str, str])

    async def visit(self, url: str) -> None:
        async with httpx2.AsyncClient(trust_env=False) as browser:
            answer = await browser.get(url)
        self.back = dict(parse_qsl(urlsplit(answer.headers["location"]).query))

    async def return_(self) -> AuthorizationCodeResult:
        return AuthorizationCodeResult(**self.back)


def signing_in(url: str) -> OAuthClientProvider:
    person = Person()
    about = OAuthClientMetadata.model_validate({"redirect_uris": [BACK], "client_name": "test"})
    return OAuthClientProvider(url, about, Storage(), person.visit, person.return_)


@asynccontextmanager
async def scene(folder: Path) -> AsyncGenerator[tuple[Site, Issuing]]:
    server = Issuing()
    server.metadata = {"scopes_supported": ["see", "use"]}
    keys = {ROOT: KeyRecord("root", _OWNER)}
    async with at(server), fronted(folder, keys) as site:
        issuer: dict[str, Any] = {
            "name": "id",
            "issuer": server.issuer,
            "tenant": "default",
            "jwks_url": f"{server.url}/keys",
            "default_roles": ["user"],
            "scopes": {"see": ["tools:list"], "use": ["tools:list", "tools:execute"]},
        }
        owner = {"authorization": f"Bearer {ROOT}"}
        made = await site.ask("POST", "/api/admin/issuers", json=issuer, headers=owner)
        assert made.status_code == 201, made.text
        yield site, server


@pytest.mark.parametrize("path", ["/mcp", "/mcp/bundles/desk"])
async def test_a_client_signs_in_for_what_it_does_and_steps_up_for_more(
    tmp_path: Path, path: str
) -> None:
    async with scene(tmp_path) as (site, server), AsyncExitStack() as stack:
        url = site.url + path
        client = create_mcp_http_client(auth=signing_in(url))
        http = await stack.enter_async_context(client)
        streams = await stack.enter_async_context(streamable_http_client(url, http_client=http))
        session = await stack.enter_async_context(ClientSession(*streams[:2]))
        await session.initialize()
        assert (await session.list_tools()).tools == []
        assert [one["scope"] for one in server.authorizations] == ["see"]
        with pytest.raises(MCPError, match="Unknown tool"):
            await session.call_tool("anything", {})
        assert [set(one["scope"].split()) for one in server.authorizations[1:]] == [{"see", "use"}]
        for asked in (*server.authorizations, *server.redeemed):
            assert asked["resource"] == url


async def test_a_client_of_the_first_revision_signs_in_as_well(tmp_path: Path) -> None:
    async with scene(tmp_path) as (site, server), AsyncExitStack() as stack:
        url = f"{site.url}/mcp/sse"
        streams = await stack.enter_async_context(sse_client(url, auth=signing_in(url)))
        session = await stack.enter_async_context(ClientSession(*streams))
        await session.initialize()
        assert (await session.list_tools()).tools == []
        assert [one["resource"] for one in server.redeemed] == [url]


async def test_a_token_for_one_bundle_is_not_good_at_another(tmp_path: Path) -> None:
    async with scene(tmp_path) as (site, server), AsyncExitStack() as stack:
        url = f"{site.url}/mcp/bundles/desk"
        auth = signing_in(url)
        http = await stack.enter_async_context(create_mcp_http_client(auth=auth))
        streams = await stack.enter_async_context(streamable_http_client(url, http_client=http))
        session = await stack.enter_async_context(ClientSession(*streams[:2]))
        await session.initialize()
        token = auth.context.current_tokens
        assert token is not None
        headers = {
            "authorization": f"Bearer {token.access_token}",
            "content-type": "application/json",
        }
        ping = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
        for path, status in (("/mcp/bundles/desk", 200), ("/mcp/bundles/x", 401), ("/mcp", 401)):
            answer = await site.ask("POST", path, headers=headers, json=ping)
            assert answer.status_code == status, path
        assert 'error="invalid_token"' in answer.headers["www-authenticate"]
        assert server.authorizations
