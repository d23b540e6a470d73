"""Nobody without a key gets in anywhere, and a key opens what its role's permissions say."""

import json
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from bascule.gateway.record import EventType, Status
from bascule.storage.repositories.keys import Keys
from bascule.storage.seed import BUILTIN_ROLES
from unit.api.site import ROLES, Site, add_key, contents, document, error_of, key_of

Route = tuple[str, str]


@dataclass(frozen=True)
class Use:
    """A request that succeeds for whoever holds `permission`."""

    permission: str
    options: dict[str, Any] = field(default_factory=dict)


_SERVER = {"name": "notes", "url": "http://127.0.0.1:9/mcp"}
_RULE = {"name": "rule", "effect": "allow", "roles": ["user"]}
_DOCUMENT = json.dumps(document()).encode()
_UPLOAD = {"files": {"file": ("f", _DOCUMENT)}, "data": {"bundle_id": "shop"}}

USES: dict[Route, Use] = {
    ("GET", "/api/admin/tools"): Use("tools:write"),
    ("GET", "/api/admin/tools/{name}"): Use("tools:write"),
    ("POST", "/api/admin/tools/{name}/publish"): Use("tools:write"),
    ("GET", "/api/mcp/tools"): Use("tools:list"),
    ("POST", "/api/admin/openapi"): Use("tools:write", _UPLOAD),
    ("GET", "/api/admin/bundles"): Use("tools:list"),
    ("POST", "/api/admin/bundles"): Use("tools:write", {"json": {"name": "new"}}),
    ("GET", "/api/admin/servers"): Use("mcp:view_servers"),
    ("POST", "/api/admin/servers"): Use("mcp:manage_servers", {"json": _SERVER}),
    ("POST", "/api/admin/servers/{name}/check"): Use("mcp:manage_servers"),
    ("DELETE", "/api/admin/servers/{name}"): Use("mcp:manage_servers"),
    ("GET", "/api/admin/policies"): Use("policies:read"),
    ("POST", "/api/admin/policies"): Use("policies:write", {"json": _RULE}),
    ("DELETE", "/api/admin/policies/{name}"): Use("policies:write"),
    ("GET", "/api/admin/keys"): Use("users:manage"),
    ("POST", "/api/admin/keys"): Use("users:manage", {"json": {"name": "n", "roles": ["user"]}}),
    ("DELETE", "/api/admin/keys/{key_id}"): Use("users:manage"),
    ("GET", "/api/admin/audit-logs"): Use("audit:read"),
}


def routes_of(site: Site) -> set[Route]:
    """Method and path of everything the API documents."""
    paths = site.app.openapi()["paths"]
    return {(method.upper(), path) for path, item in paths.items() for method in item}


async def key_that(site: Site, secret: str, **changes: Any) -> str:
    """An administrator's key; gives its id."""
    async with site.rows() as (session, tenant_id):
        return await add_key(session, tenant_id, "admin", secret, name=secret, **changes)


def test_every_route_has_its_permission_in_this_table(site: Site) -> None:
    assert routes_of(site) == USES.keys()


async def test_without_a_key_no_route_answers_anything_else_than_401(site: Site) -> None:
    before = contents(site)
    for method, path in routes_of(site):
        response = await site.ask(method, path, None)
        assert (response.status_code, error_of(response)["code"]) == (401, "E1001"), path
        assert response.headers["www-authenticate"] == 'Bearer realm="bascule"'
    assert contents(site) == before
    records = site.recorder.records
    assert len(records) == len(list(routes_of(site)))
    assert {(one.event_type, one.status, one.error_code) for one in records} == {
        ("auth_event", "denied", "E1001")
    }


async def test_what_is_not_a_bearer_credential_is_none(
    site: Site, subtests: pytest.Subtests
) -> None:
    for value in [
        "",
        "Bearer",
        "Bearer ",
        "Basic YWRtaW46YWRtaW4=",
        key_of("admin"),
        "bearer\t",
        "Bearer  ",
    ]:
        with subtests.test(repr(value)):
            response = await site.get("/api/admin/keys", None, headers={"authorization": value})
            assert (response.status_code, error_of(response)["code"]) == (401, "E1001")


async def test_a_key_that_is_not_known_is_refused_on_every_route(
    site: Site, subtests: pytest.Subtests
) -> None:
    for secret in [b"bsc_unknown", b"x" * 5000, b"bsc_default-admi", b"\xff"]:
        with subtests.test(repr(secret)):
            header = {"authorization": b"Bearer " + secret}
            for method, path in routes_of(site):
                response = await site.ask(method, path, None, headers=header)
                assert (response.status_code, error_of(response)["code"]) == (401, "E1002"), path
                assert 'error="invalid_token"' in response.headers["www-authenticate"]


async def test_an_expired_key_says_so(site: Site) -> None:
    await key_that(site, "bsc_expired", expires_in=timedelta(seconds=-1))
    await key_that(site, "bsc_valid", expires_in=timedelta(minutes=1))
    response = await site.get("/api/admin/keys", key="bsc_expired")
    assert (response.status_code, error_of(response)["code"]) == (401, "E1003")
    assert (await site.get("/api/admin/keys", key="bsc_valid")).status_code == 200


async def test_a_revoked_key_is_as_unknown_as_any_other(site: Site) -> None:
    key_id = await key_that(site, "bsc_revoked")
    assert (await site.get("/api/admin/keys", key="bsc_revoked")).status_code == 200
    async with site.rows() as (session, tenant_id):
        await Keys(session, tenant_id).revoke(UUID(key_id))
    revoked = await site.get("/api/admin/keys", key="bsc_revoked")
    unknown = await site.get("/api/admin/keys", key="bsc_never-made")
    assert revoked.status_code == 401
    assert error_of(revoked)["message"] == error_of(unknown)["message"]


async def test_the_scheme_may_be_written_in_any_case(site: Site) -> None:
    header = {"authorization": f"bEARER {key_of('admin')}"}
    assert (await site.get("/api/admin/keys", None, headers=header)).status_code == 200


@pytest.mark.parametrize("role", ROLES)
async def test_a_role_opens_exactly_the_routes_its_permissions_name(site: Site, role: str) -> None:
    permissions = BUILTIN_ROLES[role][1]
    for (method, path), use in USES.items():
        names = await _things_for(site, method, path)
        response = await site.ask(method, path.format(**names), role, **use.options)
        if use.permission in permissions or "system_admin" in permissions:
            assert response.is_success, (role, path, response.text)
            continue
        error = error_of(response)
        assert (response.status_code, error["code"]) == (403, "E1004"), (role, path)
        assert error["details"] == {"permission": use.permission}
        assert use.permission in error["message"]


async def _things_for(site: Site, method: str, path: str) -> dict[str, str]:
    """Something for `path` to be about, and no leftover in the way of a POST."""
    if path.startswith("/api/admin/tools/"):
        assert (await site.upload(document("listing"))).is_success
        return {"name": "listing"}
    if path.endswith("/{key_id}"):
        return {"key_id": await key_that(site, "bsc_victim")}
    if path.startswith("/api/admin/servers/{name}"):
        await site.post("/api/admin/servers", json=_SERVER)
        return {"name": "notes"}
    if (method, path) == ("POST", "/api/admin/servers"):
        await site.delete("/api/admin/servers/notes")
    if (method, path) == ("DELETE", "/api/admin/policies/{name}"):
        await site.post("/api/admin/policies", json=_RULE)
        return {"name": "rule"}
    if (method, path) == ("POST", "/api/admin/policies"):
        await site.delete("/api/admin/policies/rule")
    return {}


async def test_a_stranger_is_refused_before_their_body_is_read(site: Site) -> None:
    async def endless():
        raise AssertionError("the body was asked for")
        yield b""

    response = await site.post("/api/admin/openapi", None, content=endless())
    assert response.status_code == 401


async def test_the_description_of_the_api_needs_no_key(site: Site) -> None:
    response = await site.get("/api/openapi.json", None)
    assert response.status_code == 200
    assert response.json()["paths"].keys() == {path for _, path in USES}


async def test_who_was_refused_for_want_of_a_permission_is_recorded(site: Site) -> None:
    response = await site.get("/api/admin/keys", "user")
    record = site.recorder.last
    assert (record.event_type, record.status) == (EventType.ADMIN_ACTION, Status.DENIED)
    assert (record.tenant, record.user, record.action) == (
        "default",
        "user",
        "GET /api/admin/keys",
    )
    assert (record.error_code, record.error_message) == ("E1004", "lacks users:manage")
    assert record.correlation_id == response.headers["x-correlation-id"]
    assert record.peer == "127.0.0.1"


async def test_a_key_that_is_not_known_is_in_no_record(site: Site) -> None:
    await site.get("/api/admin/keys", key="bsc_somebody-s-mistyped-key")
    assert (site.recorder.last.error_code, site.recorder.last.user) == ("E1002", "")
    assert "mistyped" not in repr(site.recorder.records)


async def test_a_refusal_stands_even_where_it_cannot_be_recorded(site: Site) -> None:
    site.recorder.fails = True
    assert (await site.get("/api/admin/keys", None)).status_code == 401
    assert (await site.get("/api/admin/keys", "user")).status_code == 403
