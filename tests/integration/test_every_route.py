"""Nothing is public by accident: every route, door and page, asked by whoever should not get in."""

import json
import re
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import httpx2
import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Subprotocol

from bascule.gateway.issuer import Issuer
from bascule.gateway.principal import Evidence, KeyRecord, Means, Principal
from bascule.storage.seed import BUILTIN_ROLES
from fakes.fronts import Site, fronted
from fakes.mcp import headers_of, legacy, modern

Route = tuple[str, str]

PUBLIC: Final[frozenset[Route]] = frozenset(
    {
        ("GET", "/"),
        ("GET", "/health"),
        ("GET", "/healthz"),
        ("GET", "/readyz"),
        ("GET", "/api/openapi.json"),
    }
)
"""What answers strangers: that there is a gateway, whether it is well, how its API looks."""

FOR_PEOPLE: Final[dict[Route, int]] = {
    ("GET", "/sign-in"): 200,
    ("POST", "/sign-in"): 403,
    ("GET", "/sign-in/{name}"): 404,
    ("GET", "/sign-in/{name}/callback"): 403,
    ("GET", "/sign-out"): 303,
    ("POST", "/sign-out"): 200,
    ("GET", "/setup/{token}"): 404,
    ("POST", "/setup/{token}"): 404,
    ("GET", "/account"): 303,
    ("POST", "/account/password"): 303,
    ("POST", "/account/sessions/{session_id}/end"): 303,
    ("POST", "/account/sign-out-everywhere"): 303,
    ("GET", "/elevations"): 303,
    ("GET", "/elevations/{elevation_id}"): 303,
    ("POST", "/elevations/{elevation_id}/{action}"): 303,
    ("GET", "/elevate/{token}"): 404,
    ("POST", "/elevate/{token}"): 404,
    ("GET", "/oauth/callback"): 404,
    ("GET", "/oauth/client.json"): 404,
    ("GET", "/oauth/consent/{link}"): 404,
    ("POST", "/oauth/consent/{link}"): 404,
    ("GET", "/api/session/providers"): 200,
    ("POST", "/api/session"): 400,
}
"""By which people become known, and what a stranger with empty hands gets there; where it is a
page, or leads to the one for signing in. Each has tests of its own."""

OF_THE_CALLER: Final[frozenset[Route]] = frozenset(
    {
        ("GET", "/api/me"),
        ("GET", "/api/me/grants"),
        ("POST", "/api/me/grants"),
        ("DELETE", "/api/me/grants/{grant_id}"),
        ("GET", "/api/me/keys"),
        ("POST", "/api/me/keys"),
        ("DELETE", "/api/me/keys/{key_id}"),
        ("GET", "/api/mcp/explain"),
        ("GET", "/api/elevations"),
        ("POST", "/api/elevations"),
        ("GET", "/api/elevations/{elevation_id}"),
        ("POST", "/api/elevations/{elevation_id}/cancel"),
        ("POST", "/api/elevations/{elevation_id}/revoke"),
        ("GET", "/api/session"),
        ("DELETE", "/api/session"),
        ("POST", "/api/session/password"),
        ("POST", "/api/session/sign-out-everywhere"),
    }
)
"""What needs a credential, but no permission: it is about the caller alone."""

GOOD, SMALL, EXPIRED, LIMITED = "bsc_good", "bsc_small", "bsc_expired", "bsc_limited"
_ALL: Final = frozenset().union(*(permissions for _, permissions in BUILTIN_ROLES.values()))
_ISSUER: Final = Issuer(
    "id",
    "https://id.example",
    "default",
    scopes={"see": ("tools:list",), "use": ("tools:list", "tools:execute"), "run": tuple(_ALL)},
)
_EVIDENCE: Final = Evidence(Means.TOKEN, "default", _ISSUER.issuer, "0815", "ann")


def _principal(*permissions: str, **members: Any) -> Principal:
    return Principal("default", "ann", frozenset({"admin"}), frozenset(permissions), **members)


KEYS: Final = {
    GOOD: KeyRecord("good", _principal(*_ALL, key_id="good")),
    SMALL: KeyRecord("small", replace(_principal(key_id="small"), roles=frozenset({"user"}))),
    EXPIRED: KeyRecord("expired", _principal(*_ALL, key_id="expired"), expires_at=1.0),
    LIMITED: KeyRecord("limited", _principal(withheld=_ALL, evidence=_EVIDENCE)),
}
"""By the secret. The last stands for a token whose scopes bring nothing of what its bearer may."""

STRANGERS: Final = {
    "none": ({}, "E1001"),
    "another scheme": ({"authorization": "Basic YTpi"}, "E1001"),
    "wrong": ({"authorization": "Bearer bsc_wrong"}, "E1002"),
    "no token": ({"authorization": "Bearer aaaa.bbbb.cccc"}, "E1002"),
    "two in one": ({"authorization": f"Bearer {GOOD} {GOOD}"}, "E1002"),
    "expired": ({"authorization": f"Bearer {EXPIRED}"}, "E1003"),
}
NOBODY: Final = "00000000-0000-4000-8000-000000000000"
"""A name and an id that nothing has."""
_MCP: Final = Subprotocol("mcp")
METADATA: Final = "/.well-known/oauth-protected-resource"


@asynccontextmanager
async def site(folder: Path, **settings: str) -> AsyncGenerator[Site]:
    """An instance with these keys, and an issuer whose tokens it knows."""
    async with fronted(folder, KEYS, **settings) as one:
        one.believe(_ISSUER)
        yield one


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("routes")


def routes(api: FastAPI) -> Iterator[Route]:
    """Everything that FastAPI answers, whether its description names it or not."""
    for one in iter_route_contexts(api.routes):
        path = one.path
        assert path is not None, one
        for method in one.methods or {"GET"}:
            if method != "HEAD":
                yield method, path


def guarded(api: FastAPI) -> list[Route]:
    """What strangers must not get into. Metrics are open on loopback, and have a test below."""
    known = {*PUBLIC, *FOR_PEOPLE, ("GET", "/metrics")}
    return [one for one in routes(api) if one not in known]


def filled(path: str, value: str) -> str:
    return re.sub(r"\{[^}]+\}", value, path)


def code_of(response: httpx2.Response) -> str:
    error = response.json()["error"]
    return error["code"] if isinstance(error["code"], str) else error["data"]["code"]


def bearer(secret: str) -> dict[str, str]:
    return {"authorization": f"Bearer {secret}"}


# The REST API.


async def test_what_is_public_is_what_this_list_says(folder: Path) -> None:
    async with site(folder) as one:
        found = frozenset(routes(one.api))
        assert FOR_PEOPLE.keys() <= found
        assert found >= OF_THE_CALLER
        for method, path in PUBLIC:
            assert (await one.ask(method, path)).status_code == 200, path
        for (method, path), status in FOR_PEOPLE.items():
            assert (await one.ask(method, filled(path, NOBODY))).status_code == status, path
        for method, path in guarded(one.api):
            assert (await one.ask(method, filled(path, NOBODY))).status_code == 401, path


async def test_a_stranger_learns_nothing_on_any_route(folder: Path) -> None:
    async with site(folder) as one:
        for method, path in guarded(one.api):
            for headers, code in STRANGERS.values():
                # The same for what is there (the default tenant, role, bundle) and what is not.
                seen = {
                    (answer.status_code, code_of(answer))
                    for name in ("default", "user", NOBODY)
                    for answer in [await one.ask(method, filled(path, name), headers=headers)]
                }
                assert seen == {(401, code)}, (method, path, headers)
                answer = await one.ask(method, filled(path, "x"), headers=headers)
                challenge = answer.headers["www-authenticate"]
                assert f'resource_metadata="{one.url}{METADATA}"' in challenge
                assert ("invalid_token" in challenge) == (code != "E1001")


async def test_a_role_that_is_too_small_opens_no_route(folder: Path) -> None:
    async with site(folder) as one:
        for method, path in guarded(one.api):
            if (method, path) in OF_THE_CALLER:
                continue
            for name in ("default", NOBODY):
                answer = await one.ask(method, filled(path, name), headers=bearer(SMALL))
                assert (answer.status_code, code_of(answer)) == (403, "E1004"), (method, path)
                assert "www-authenticate" not in answer.headers


async def test_a_token_whose_scopes_are_too_small_is_told_which_it_takes(folder: Path) -> None:
    async with site(folder) as one:
        for method, path in guarded(one.api):
            if (method, path) in OF_THE_CALLER:
                continue
            answer = await one.ask(method, filled(path, "x"), headers=bearer(LIMITED))
            assert (answer.status_code, code_of(answer)) == (403, "E1009"), (method, path)
            challenge = answer.headers["www-authenticate"]
            assert re.search('scope="(see|use|run)", error="insufficient_scope"', challenge)


# MCP.

ENDPOINTS: Final = (
    "/mcp", "/mcp/bundles/default", "/mcp/bundles/nobody", "/mcp/servers/nobody",
)  # fmt: skip
CALL: Final = {"name": "anything", "arguments": {}}
MESSAGES: Final = (
    modern("tools/call", CALL), modern("tools/list"), modern("server/discover"),
    legacy("tools/call", CALL), legacy("tools/list"), legacy("ping"),
    legacy("initialize", {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {}}),
)  # fmt: skip


def sent(message: dict[str, Any], **headers: str) -> dict[str, Any]:
    wanted = {**headers_of(message), **headers}
    for name in ("Host", "Authorization"):
        wanted.pop(name)
    return {"content": json.dumps(message), "headers": wanted | headers}


async def test_a_stranger_learns_nothing_at_any_endpoint_of_mcp(folder: Path) -> None:
    async with site(folder) as one:
        for path in ENDPOINTS:
            for headers, code in STRANGERS.values():
                for message in MESSAGES:
                    options = sent(message)
                    options["headers"] |= headers
                    answer = await one.ask("POST", path, **options)
                    assert (answer.status_code, code_of(answer)) == (401, code), (path, message)
                    challenge = answer.headers["www-authenticate"]
                    assert f'resource_metadata="{one.url}{METADATA}{path}"' in challenge
                    wanted = "use" if message["method"] == "tools/call" else "see"
                    assert f'scope="{wanted}"' in challenge
                    assert ("invalid_token" in challenge) == (code != "E1001")
                for method in ("GET", "DELETE"):
                    accepts = {"accept": "text/event-stream", **headers}
                    answer = await one.ask(method, path, headers=accepts)
                    assert (answer.status_code, code_of(answer)) == (401, code), (path, method)
                for method in ("PUT", "PATCH", "OPTIONS", "TRACE"):
                    assert (await one.ask(method, path, headers=headers)).status_code == 405


async def test_a_token_with_too_small_a_scope_is_told_at_every_endpoint(folder: Path) -> None:
    async with site(folder) as one:
        for path in ENDPOINTS:
            for message in MESSAGES:
                needs = {"tools/call": "use", "tools/list": "see"}.get(message["method"])
                answer = await one.ask("POST", path, **sent(message, **bearer(LIMITED)))
                if needs is None:
                    assert answer.status_code == 200, message
                    continue
                assert (answer.status_code, code_of(answer)) == (403, "E1009"), (path, message)
                challenge = answer.headers["www-authenticate"]
                assert f'scope="{needs}", error="insufficient_scope"' in challenge
                assert f'resource_metadata="{one.url}{METADATA}{path}"' in challenge


async def test_a_role_that_is_too_small_cannot_tell_what_exists(folder: Path) -> None:
    async with site(folder) as one:
        for message in MESSAGES:
            bodies: set[str] = set()
            for path in ("/mcp/bundles/default", "/mcp/bundles/nobody"):
                answer = await one.ask("POST", path, **sent(message, **bearer(SMALL)))
                body = answer.json()
                body.get("error", {}).get("data", {}).pop("correlation_id", None)
                bodies.add(json.dumps([answer.status_code, body], sort_keys=True))
            assert len(bodies) == 1, message


async def test_the_other_doors_are_as_closed(folder: Path) -> None:
    async with site(folder) as one:
        for slice_path in ENDPOINTS:
            for headers, code in STRANGERS.values():
                for method, door in (("GET", "sse"), ("POST", "sse/messages"), ("GET", "ws")):
                    path = f"{slice_path}/{door}"
                    answer = await one.ask(method, path, headers=headers)
                    assert (answer.status_code, code_of(answer)) == (401, code), path
                    described = f"{slice_path}/{door.partition('/')[0]}"
                    assert f'"{one.url}{METADATA}{described}"' in answer.headers["www-authenticate"]
                address = f"ws{one.url.removeprefix('http')}{slice_path}/ws"
                upgrade = connect(
                    address, subprotocols=[_MCP], additional_headers=headers, proxy=None
                )
                with pytest.raises(InvalidStatus) as refused:
                    await upgrade
                assert refused.value.response.status_code == 401
                assert METADATA in refused.value.response.headers["www-authenticate"]


# Where credentials belong, and from where one may call.


async def test_a_credential_in_the_address_is_refused_everywhere_and_repeated_nowhere(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with site(folder) as one:
        paths = {*ENDPOINTS, "/mcp/sse", "/mcp/ws", "/api/openapi.json"}
        asked = [("POST", path) for path in ENDPOINTS] + [("GET", path) for path in paths]
        asked += [(method, filled(path, "x")) for method, path in guarded(one.api)]
        for method, path in asked:
            for query in (f"access_token={GOOD}", f"Api-Key={GOOD}", f"x={GOOD}"):
                options = sent(modern("tools/list")) if method == "POST" else {}
                options.setdefault("headers", {})["accept"] = "application/json, text/event-stream"
                alone = await one.ask(method, f"{path}?{query}", **options)
                options["headers"] |= bearer(GOOD)
                beside = await one.ask(method, f"{path}?{query}", **options)
                assert (alone.status_code, beside.status_code) == (401, 400), (method, path)
                assert GOOD not in alone.text + beside.text
    assert GOOD not in "".join(capsys.readouterr())


async def test_two_credentials_are_refused_everywhere(folder: Path) -> None:
    async with site(folder) as one:
        twice = [("authorization", f"Bearer {GOOD}")] * 2
        for path in (*ENDPOINTS, "/mcp/sse/messages", "/api/admin/tools"):
            options = sent(modern("tools/list"))
            headers = [*options["headers"].items(), *twice]
            answer = await one.ask("POST", path, content=options["content"], headers=headers)
            assert (answer.status_code, code_of(answer)) == (400, "E2001"), path


async def test_foreign_names_are_refused_on_every_route(folder: Path) -> None:
    async with site(folder) as one:
        asked = [*routes(one.api), *PUBLIC, *(("POST", path) for path in ENDPOINTS)]
        asked += [("GET", f"{METADATA}/mcp"), ("GET", "/mcp/sse"), ("GET", "/mcp/ws")]
        asked += [("OPTIONS", "/mcp"), ("OPTIONS", "/api/admin/tools"), ("GET", "/nothing")]
        for method, path in asked:
            for foreign in (
                {"host": "evil.example"},
                {"origin": "https://evil.example"},
                {"origin": "null"},
            ):
                preflight = {"access-control-request-method": "POST"}
                headers = {**bearer(GOOD), **foreign, **preflight}
                answer = await one.ask(method, filled(path, "x"), headers=headers)
                assert (answer.status_code, code_of(answer)) == (403, "E1005"), (method, path)
                assert "access-control-allow-origin" not in answer.headers


async def test_every_answer_beside_mcp_is_shielded_from_browsers(folder: Path) -> None:
    async with site(folder) as one:
        asked = [*routes(one.api), *PUBLIC, ("GET", f"{METADATA}/mcp"), ("GET", "/nothing")]
        for method, path in asked:
            for headers in ({}, bearer(SMALL), {"host": "evil.example"}):
                answer = await one.ask(method, filled(path, "x"), headers=headers)
                found = answer.headers
                assert found["x-content-type-options"] == "nosniff", (method, path)
                assert "frame-ancestors 'none'" in found["content-security-policy"]
                assert found["referrer-policy"] in {"same-origin", "no-referrer"}
                if path.startswith("/api"):
                    assert (
                        "no-store" in found["cache-control"] or "private" in found["cache-control"]
                    )


# Scripts of other origins.


async def test_pages_of_known_origins_may_call_and_others_may_not(folder: Path) -> None:
    console = "https://console.example"
    async with site(folder, server__allowed_origins=console) as one:
        asking = {
            "origin": console,
            "access-control-request-method": "POST",
            "access-control-request-headers": "authorization, content-type, mcp-param-city, x-evil",
        }
        for path in ("/mcp", "/mcp/bundles/x", "/mcp/sse/messages", "/api/admin/tools"):
            answer = await one.ask("OPTIONS", path, headers=asking)
            assert (answer.status_code, answer.text) == (204, "")
            found = answer.headers
            assert found["access-control-allow-origin"] == console
            assert found["access-control-allow-headers"] == (
                "authorization, content-type, mcp-param-city"
            )
            assert ("access-control-allow-credentials" in found) == path.startswith("/api")
        refused = await one.ask("POST", "/mcp", **sent(modern("tools/list"), origin=console))
        assert refused.status_code == 401
        assert refused.headers["access-control-allow-origin"] == console
        assert "WWW-Authenticate" in refused.headers["access-control-expose-headers"]
        listed = sent(modern("tools/list"), origin="http://localhost:6274", **bearer(GOOD))
        answer = await one.ask("POST", "/mcp", **listed)
        assert answer.status_code == 200
        assert answer.headers["access-control-allow-origin"] == "http://localhost:6274"
        plain = await one.ask("POST", "/mcp", **sent(modern("tools/list"), **bearer(GOOD)))
        assert not [name for name in plain.headers if name.startswith("access-control")]
        tools = await one.ask(
            "GET", "/api/admin/tools", headers={"origin": console, **bearer(GOOD)}
        )
        assert tools.headers["access-control-allow-credentials"] == "true"
        assert "origin" in tools.headers["vary"].lower()


# What is public.


async def test_the_description_of_the_resource_is_for_everybody(folder: Path) -> None:
    async with site(folder) as one:
        for path in ("", *ENDPOINTS, "/mcp/ws", "/mcp/sse", "/mcp/bundles/nobody/sse"):
            answer = await one.ask("GET", METADATA + path, headers={"origin": "http://localhost:1"})
            assert answer.status_code == 200
            assert answer.headers["access-control-allow-origin"] == "*"
            document = answer.json()
            assert document["resource"] == one.url + path
            assert document["authorization_servers"] == [_ISSUER.issuer]
            assert document["scopes_supported"] == ["use"]
        head = await one.ask("HEAD", f"{METADATA}/mcp")
        assert (head.status_code, head.content) == (200, b"")
        assert (await one.ask("OPTIONS", f"{METADATA}/mcp")).status_code == 204
        assert (await one.ask("POST", f"{METADATA}/mcp")).status_code == 405
        assert (await one.ask("GET", f"{METADATA}/api")).status_code == 404


async def test_without_issuers_there_is_nothing_to_describe(folder: Path) -> None:
    async with site(folder) as one:
        one.believe()
        answer = await one.ask("GET", f"{METADATA}/mcp")
        assert answer.status_code == 404
        assert "API keys" in answer.json()["error"]["message"]
        stranger = await one.ask("POST", "/mcp", **sent(modern("tools/list")))
        assert stranger.headers["www-authenticate"] == 'Bearer realm="bascule"'


async def test_metrics_are_open_on_loopback_and_guarded_elsewhere(folder: Path) -> None:
    async with site(folder) as one:
        assert (await one.ask("GET", "/metrics")).status_code == 200
    remote = {"server__host": "0.0.0.0", "server__allow_remote": "true"}  # noqa: S104 - only read
    async with site(folder, **remote) as one:
        assert (await one.ask("GET", "/metrics")).status_code == 401
        assert (await one.ask("GET", "/metrics", headers=bearer(SMALL))).status_code == 403
        allowed = await one.ask("GET", "/metrics", headers=bearer(GOOD))
        assert allowed.status_code == 200
        assert "bascule_build_info" in allowed.text
    async with site(folder, **remote, observability__metrics_public="true") as one:
        assert (await one.ask("GET", "/metrics")).status_code == 200
    async with site(folder, observability__metrics_enabled="false") as one:
        assert (await one.ask("GET", "/metrics", headers=bearer(GOOD))).status_code == 404
