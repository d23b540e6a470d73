"""For every route of the API a request that succeeds for whoever may make it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from bascule.gateway.tool import Upstream, UpstreamKind
from bascule.storage.repositories.upstreams import Upstreams
from fakes.grpc_service import descriptors
from unit.api.equipment import DECISION, LISTED, SERVER, make_pin
from unit.api.shelf import a_tool, make_desk, stock
from unit.api.site import Site, add_key, document

Route = tuple[str, str]


@dataclass(frozen=True)
class Use:
    """A request that succeeds for whoever holds `permission`."""

    permission: str
    options: dict[str, Any] = field(default_factory=dict[str, Any])


_SERVER = {"name": "notes", "url": "http://127.0.0.1:9/mcp"}
_RULE = {"name": "rule", "effect": "allow", "roles": ["user"]}
_MADE = {"name": "made", "bundle": "shop", "upstream": "shop-api", "method": "GET", "path": "/made"}
_OFF = {"status": "inactive"}
_BORROWED = {"tool": "listing", "name": "other"}
_RELEASE = {"version": "2.0.0"}
_DOCUMENT = json.dumps(document()).encode()
_UPLOAD = {"files": {"file": ("f", _DOCUMENT)}, "data": {"bundle_id": "shop"}}
_GRPC = {"bundle_id": "orders", "target": "grpc://127.0.0.1:1"}
_DESCRIPTORS = {"files": {"file": ("f", descriptors())}, "data": _GRPC}
_SECRET = {"value": "opensesame"}
_SERVICE = {"url": "http://127.0.0.1:9"}

USES: Final[Mapping[Route, Use]] = {
    ("GET", "/api/admin/tools"): Use("tools:write"),
    ("GET", "/api/admin/tools/{name}"): Use("tools:write"),
    ("POST", "/api/admin/tools"): Use("tools:write", {"json": _MADE}),
    ("PATCH", "/api/admin/tools/{name}"): Use("tools:write", {"json": {"owner": "crm"}}),
    ("POST", "/api/admin/tools/{name}/publish"): Use("tools:write"),
    ("POST", "/api/admin/tools/{name}/status"): Use("tools:write", {"json": _OFF}),
    ("DELETE", "/api/admin/tools/{name}"): Use("tools:write"),
    ("GET", "/api/admin/standards"): Use("tools:write"),
    ("PUT", "/api/admin/standards"): Use("policies:write", {"json": {}}),
    ("GET", "/api/admin/standards/violations"): Use("tools:write"),
    ("GET", "/api/mcp/tools"): Use("tools:list"),
    ("POST", "/api/admin/openapi"): Use("tools:write", _UPLOAD),
    ("GET", "/api/admin/openapi"): Use("tools:write"),
    ("GET", "/api/admin/openapi/{import_id}"): Use("tools:write"),
    ("GET", "/api/admin/openapi/{import_id}/diff"): Use("tools:write"),
    ("GET", "/api/admin/openapi/{import_id}/document"): Use("tools:write"),
    ("POST", "/api/admin/openapi/{import_id}/publish"): Use("tools:write"),
    ("POST", "/api/admin/openapi/{import_id}/discard"): Use("tools:write"),
    ("POST", "/api/admin/openapi/{import_id}/rollback"): Use("tools:write"),
    ("POST", "/api/admin/grpc"): Use("tools:write", _DESCRIPTORS),
    ("GET", "/api/admin/tools/{name}/versions"): Use("tools:write"),
    ("GET", "/api/admin/tools/{name}/diff"): Use("tools:write"),
    ("POST", "/api/admin/tools/{name}/rollback"): Use("tools:write"),
    ("GET", "/api/admin/bundles"): Use("tools:list"),
    ("POST", "/api/admin/bundles"): Use("tools:write", {"json": {"name": "new"}}),
    ("GET", "/api/admin/bundles/{name}"): Use("tools:write"),
    ("PATCH", "/api/admin/bundles/{name}"): Use("tools:write", {"json": {"owner": "crm"}}),
    ("POST", "/api/admin/bundles/{name}/members"): Use("tools:write", {"json": _BORROWED}),
    ("PATCH", "/api/admin/bundles/{name}/members/{member}"): Use("tools:write", {"json": {}}),
    ("DELETE", "/api/admin/bundles/{name}/members/{member}"): Use("tools:write"),
    ("GET", "/api/admin/bundles/{name}/releases"): Use("tools:write"),
    ("POST", "/api/admin/bundles/{name}/release"): Use("tools:write", {"json": _RELEASE}),
    ("POST", "/api/admin/bundles/{name}/rollback"): Use("tools:write", {"json": {"version": ""}}),
    ("DELETE", "/api/admin/bundles/{name}/releases/{version}"): Use("tools:write"),
    ("DELETE", "/api/admin/bundles/{name}"): Use("tools:write"),
    ("GET", "/api/admin/servers"): Use("mcp:view_servers"),
    ("POST", "/api/admin/servers"): Use("mcp:manage_servers", {"json": _SERVER}),
    ("PUT", "/api/admin/servers/{name}"): Use("mcp:manage_servers", {"json": _SERVER}),
    ("POST", "/api/admin/servers/{name}/check"): Use("mcp:manage_servers"),
    ("DELETE", "/api/admin/servers/{name}"): Use("mcp:manage_servers"),
    ("GET", "/api/admin/pins"): Use("mcp:view_servers"),
    ("GET", "/api/admin/pins/{server}/{tool}"): Use("mcp:view_servers"),
    ("POST", "/api/admin/pins/approve"): Use("mcp:manage_servers", {"json": DECISION}),
    ("POST", "/api/admin/pins/reject"): Use("mcp:manage_servers", {"json": DECISION}),
    ("GET", "/api/admin/upstreams"): Use("mcp:view_servers"),
    ("GET", "/api/admin/upstreams/{name}"): Use("mcp:view_servers"),
    ("PUT", "/api/admin/upstreams/{name}"): Use("mcp:manage_servers", {"json": _SERVICE}),
    ("POST", "/api/admin/upstreams/{name}/test"): Use("mcp:manage_servers"),
    ("GET", "/api/admin/upstreams/{name}/health"): Use("mcp:view_servers"),
    ("GET", "/api/admin/upstreams/{name}/breaker"): Use("mcp:view_servers"),
    ("POST", "/api/admin/upstreams/{name}/breaker/reset"): Use("mcp:manage_servers"),
    ("DELETE", "/api/admin/upstreams/{name}"): Use("mcp:manage_servers"),
    ("GET", "/api/admin/conditions"): Use("mcp:view_servers"),
    ("GET", "/api/admin/secrets"): Use("mcp:view_servers"),
    ("PUT", "/api/admin/secrets/{name}"): Use("mcp:manage_servers", {"json": _SECRET}),
    ("DELETE", "/api/admin/secrets/{name}"): Use("mcp:manage_servers"),
    ("POST", "/api/admin/secrets/reseal"): Use("system_admin"),
    ("GET", "/api/admin/policies"): Use("policies:read"),
    ("POST", "/api/admin/policies"): Use("policies:write", {"json": _RULE}),
    ("PUT", "/api/admin/policies/{name}"): Use("policies:write", {"json": _RULE}),
    ("DELETE", "/api/admin/policies/{name}"): Use("policies:write"),
    ("GET", "/api/admin/keys"): Use("users:manage"),
    ("POST", "/api/admin/keys"): Use("users:manage", {"json": {"name": "n", "roles": ["user"]}}),
    ("DELETE", "/api/admin/keys/{key_id}"): Use("users:manage"),
    ("GET", "/api/admin/audit-logs"): Use("audit:read"),
}


async def key_that(site: Site, secret: str, **changes: Any) -> str:
    """An administrator's key; gives its id."""
    async with site.rows() as (session, tenant_id):
        return await add_key(session, tenant_id, "admin", secret, name=secret, **changes)


async def names_for(site: Site, method: str, path: str) -> dict[str, str]:
    """What `path` is to be about, put there as new, and no leftover in the way of a POST."""
    for make in (_imported_for, _stocked_for, _reached_for, _ruled_for):
        names = await make(site, path)
        if names:
            return names
    if (method, path) == ("POST", "/api/admin/servers"):
        await site.delete("/api/admin/servers/notes")
    if (method, path) == ("POST", "/api/admin/policies"):
        await site.delete("/api/admin/policies/rule")
    return {}


async def _stocked_for(site: Site, path: str) -> dict[str, str]:
    """A tool, or a bundle."""
    if path.startswith("/api/admin/tools"):
        await stock(site, a_tool("listing"))
        return {"name": "listing"}
    if path.startswith("/api/admin/bundles/{name}"):
        await make_desk(site)
        return {"name": "desk", "member": "shown", "version": "1.0.0"}
    return {}


async def _reached_for(site: Site, path: str) -> dict[str, str]:
    """A server, what it lists, or another service, or a secret for one."""
    if path.startswith("/api/admin/servers/{name}"):
        await site.post("/api/admin/servers", json=_SERVER)
        return {"name": "notes"}
    if path.startswith("/api/admin/pins/"):
        await make_pin(site)
        return {"server": SERVER, "tool": LISTED}
    if path.startswith("/api/admin/upstreams/{name}"):
        async with site.rows() as (session, tenant_id):
            service = Upstream("crm", UpstreamKind.REST, url="http://127.0.0.1:9")
            await Upstreams(session, tenant_id).upsert(service)
        return {"name": "crm"}
    if path == "/api/admin/secrets/{name}":
        await site.ask("PUT", "/api/admin/secrets/crm", json=_SECRET)
        return {"name": "crm"}
    return {}


async def _ruled_for(site: Site, path: str) -> dict[str, str]:
    """A rule, or a key."""
    if path == "/api/admin/policies/{name}":
        await site.post("/api/admin/policies", json=_RULE)
        return {"name": "rule"}
    if path.endswith("/{key_id}"):
        return {"key_id": await key_that(site, "bsc_victim")}
    return {}


async def _imported_for(site: Site, path: str) -> dict[str, str]:
    """Something imported for `path` to be about; nothing where it is about something else."""
    if path.startswith("/api/admin/openapi/{import_id}"):
        return await _import(site, publish=path.endswith("/rollback"))
    if path.endswith(("{name}/diff", "{name}/rollback")) and "/tools/" in path:
        await _import(site, publish=True)
        return await _import(site, publish=True, summary="Another")
    return {}


async def _import(site: Site, *, publish: bool, summary: str = "One") -> dict[str, str]:
    """An import of a tool of its own, as new."""
    imports = (await site.get("/api/admin/openapi")).json()["total"]
    name = f"imported_{imports}" if summary == "One" else f"imported_{imports - 1}"
    source = document(name, title=name)
    source["paths"][f"/{name}"]["get"]["summary"] = summary
    made = await site.upload(source, role="admin", bundle_id=name, auto_publish=str(publish))
    return {"import_id": made.json()["spec_id"], "name": name}
