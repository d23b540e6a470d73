"""A server with the official Python SDK that lets nobody in without a token of its own users.

It is its own authorization server: registration, consent at `/login`, PKCE, rotating refresh tokens
of which a second use ends them all. `/_seen` says what came, `/_do` changes what it does next.
"""

import json
import logging
import secrets
import socket
import time
from typing import Any

import uvicorn
from mcp.server.auth.middleware.auth_context import get_access_token
from mcp.server.auth.provider import (
    AccessToken,
    AuthorizationCode,
    AuthorizationParams,
    OAuthAuthorizationServerProvider,
    RefreshToken,
    TokenError,
    construct_redirect_uri,
)
from mcp.server.auth.settings import AuthSettings, ClientRegistrationOptions
from mcp.server.mcpserver import MCPServer
from mcp.shared.auth import OAuthClientInformationFull, OAuthToken
from pydantic import AnyHttpUrl
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

SCOPE = "notes"
listener = socket.create_server(("127.0.0.1", 0))
url = f"http://127.0.0.1:{listener.getsockname()[1]}"


class Everything:
    """What it knows. `issuer_said` replaces the `iss` of its answers, where set."""

    def __init__(self) -> None:
        self.clients: dict[str, OAuthClientInformationFull] = {}
        self.flows: dict[str, tuple[str, AuthorizationParams]] = {}
        self.codes: dict[str, AuthorizationCode] = {}
        self.tokens: dict[str, AccessToken] = {}
        self.refresh: dict[str, RefreshToken] = {}
        self.spent: dict[str, str] = {}
        self.life_seconds = 3600
        self.issuer_said: str | None = None
        self.refreshed = 0
        self.thefts = 0
        self.redeemed = 0
        self.calls: list[dict[str, str]] = []

    def end_all_of(self, subject: str) -> None:
        for kept in (self.tokens, self.refresh):
            for one in [key for key, token in kept.items() if token.subject == subject]:
                del kept[one]


known = Everything()


class Provider(OAuthAuthorizationServerProvider[AuthorizationCode, RefreshToken, AccessToken]):
    async def get_client(self, client_id: str) -> OAuthClientInformationFull | None:
        return known.clients.get(client_id)

    async def register_client(self, client_info: OAuthClientInformationFull) -> None:
        known.clients[str(client_info.client_id)] = client_info

    async def authorize(
        self, client: OAuthClientInformationFull, params: AuthorizationParams
    ) -> str:
        flow = secrets.token_urlsafe(16)
        known.flows[flow] = str(client.client_id), params
        return f"{url}/login?flow={flow}"

    async def load_authorization_code(
        self, client: OAuthClientInformationFull, authorization_code: str
    ) -> AuthorizationCode | None:
        return known.codes.get(authorization_code)

    async def exchange_authorization_code(
        self, client: OAuthClientInformationFull, authorization_code: AuthorizationCode
    ) -> OAuthToken:
        del known.codes[authorization_code.code]
        known.redeemed += 1
        code = authorization_code
        return self._grant(str(client.client_id), code.subject, code.scopes, code.resource)

    async def load_refresh_token(
        self, client: OAuthClientInformationFull, refresh_token: str
    ) -> RefreshToken | None:
        thief = known.spent.get(refresh_token)
        if thief is not None:
            known.thefts += 1
            known.end_all_of(thief)
        return known.refresh.get(refresh_token)

    async def exchange_refresh_token(
        self, client: OAuthClientInformationFull, refresh_token: RefreshToken, scopes: list[str]
    ) -> OAuthToken:
        if known.refresh.pop(refresh_token.token, None) is None:
            raise TokenError("invalid_grant")
        known.spent[refresh_token.token] = str(refresh_token.subject)
        known.refreshed += 1
        old = refresh_token
        return self._grant(str(client.client_id), old.subject, old.scopes, old.resource)

    async def load_access_token(self, token: str) -> AccessToken | None:
        found = known.tokens.get(token)
        return None if found is None or (found.expires_at or 0) < time.time() else found

    async def revoke_token(self, token: AccessToken | RefreshToken) -> None:
        known.end_all_of(str(token.subject))

    def _grant(
        self, client_id: str, subject: str | None, scopes: list[str], resource: str | None
    ) -> OAuthToken:
        access, refresh = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
        end = int(time.time()) + known.life_seconds
        known.tokens[access] = AccessToken(
            token=access,
            client_id=client_id,
            scopes=scopes,
            expires_at=end,
            resource=resource,
            subject=subject,
        )
        known.refresh[refresh] = RefreshToken(
            token=refresh, client_id=client_id, scopes=scopes, resource=resource, subject=subject
        )
        return OAuthToken(
            access_token=access,
            refresh_token=refresh,
            expires_in=known.life_seconds,
            scope=" ".join(scopes),
        )


server = MCPServer(
    "notes",
    auth_server_provider=Provider(),
    auth=AuthSettings(
        issuer_url=AnyHttpUrl(url),
        resource_server_url=AnyHttpUrl(f"{url}/mcp"),
        required_scopes=[SCOPE],
        validate_token_resource=True,
        client_registration_options=ClientRegistrationOptions(
            enabled=True, valid_scopes=[SCOPE], default_scopes=[SCOPE]
        ),
    ),
)


@server.tool()
def whoami() -> str:
    """Say for whom the call came."""
    token = get_access_token()
    assert token is not None
    known.calls.append({"subject": str(token.subject), "token": token.token})
    return str(token.subject)


@server.custom_route("/login", methods=["GET"])
async def login(request: Request) -> Response:
    """Where a person says who they are, and agrees; `deny` refuses."""
    client_id, params = known.flows[request.query_params["flow"]]
    user = request.query_params.get("user")
    issuer = url + "/" if known.issuer_said is None else known.issuer_said
    back = str(params.redirect_uri)
    if user is None:
        return JSONResponse({"who": "are you?", "scopes": params.scopes})
    if user == "deny":
        text = "<script>alert(1)</script>"
        denied = {"error": "access_denied", "error_description": text, "state": params.state}
        return RedirectResponse(construct_redirect_uri(back, iss=issuer, **denied), 302)
    code = secrets.token_urlsafe(24)
    known.codes[code] = AuthorizationCode(
        code=code,
        scopes=params.scopes or [SCOPE],
        expires_at=time.time() + 300,
        client_id=client_id,
        code_challenge=params.code_challenge,
        redirect_uri=params.redirect_uri,
        redirect_uri_provided_explicitly=params.redirect_uri_provided_explicitly,
        resource=params.resource,
        subject=user,
    )
    found = construct_redirect_uri(back, code=code, state=params.state, iss=issuer)
    return RedirectResponse(found, 302)


@server.custom_route("/_seen", methods=["GET"])
async def seen(_: Request) -> Response:
    return JSONResponse(
        {
            "calls": known.calls,
            "refreshed": known.refreshed,
            "redeemed": known.redeemed,
            "thefts": known.thefts,
            "clients": [str(one.redirect_uris) for one in known.clients.values()],
            "secrets": [*known.tokens, *known.refresh, *known.spent],
        }
    )


@server.custom_route("/_do", methods=["POST"])
async def do(request: Request) -> Response:
    wanted: dict[str, Any] = await request.json()
    known.life_seconds = wanted.get("life_seconds", known.life_seconds)
    known.issuer_said = wanted.get("issuer_said", known.issuer_said)
    if "expire" in wanted:
        for token in known.tokens.values():
            token.expires_at = 1
    if "end" in wanted:
        known.end_all_of(wanted["end"])
    return Response()


def main() -> None:
    logging.disable(logging.CRITICAL)
    app = server.streamable_http_app()
    print(json.dumps({"url": url}), "is ready", flush=True)
    config = uvicorn.Config(app, log_level="critical", ws="none")
    uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main()
