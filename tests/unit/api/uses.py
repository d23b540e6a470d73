"""For every route of the API a request that succeeds for whoever may make it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import uuid4

from sqlalchemy.ext.asyncio import AsyncSession

from bascule.gateway.elevation import Scope, ScopeKind
from bascule.gateway.issuer import CertificateRule, Issuer
from bascule.gateway.rule import Action, Effect, Rule
from bascule.gateway.secrets import SealedSecret
from bascule.gateway.tool import RiskLevel, Upstream, UpstreamKind
from bascule.policy.elevation import ElevationStatus, Holder
from bascule.storage.repositories.certificate_rules import CertificateRules
from bascule.storage.repositories.elevations import (
    ElevationDraft,
    Elevations,
    Ending,
    Filter,
    Origin,
    Ruling,
)
from bascule.storage.repositories.grants import GrantDraft, GrantKey, UserGrants
from bascule.storage.repositories.groups import Groups
from bascule.storage.repositories.issuers import Issuers
from bascule.storage.repositories.policies import Policies
from bascule.storage.repositories.roles import Roles
from bascule.storage.repositories.scope import TenantId
from bascule.storage.repositories.tenants import Tenants
from bascule.storage.repositories.upstreams import Upstreams
from bascule.storage.repositories.users import Identity, UserDraft, Users
from bascule.storage.seed import BUILTIN_ROLES, seed_roles
from fakes.grpc_service import descriptors
from fakes.modules import MANIFEST, module
from unit.api.conversing import talk_for
from unit.api.equipment import DECISION, LISTED, SERVER, make_pin
from unit.api.shelf import a_tool, make_desk, stock
from unit.api.site import TENANTS, Site, add_key, document

Route = tuple[str, str]


ANYBODY: Final = ""
"""In place of a permission: whoever is identified may."""


@dataclass(frozen=True)
class Use:
    """A request that succeeds for whoever holds `permission`.

    What is `personal` is for people who have an account, and refused to keys of nobody.
    """

    permission: str
    options: dict[str, Any] = field(default_factory=dict[str, Any])
    personal: bool = False


_SERVER = {"name": "notes", "url": "http://127.0.0.1:9/mcp"}
_RULE = {"name": "rule", "effect": "allow", "roles": ["user"]}
_CHANGES = {"changes": {"listed": {"type": "deny_list", "tools": ["x"]}}}
_TEST = {"case": {"tool": "x"}, "expect": "deny"}
_MADE = {"name": "made", "bundle": "shop", "upstream": "shop-api", "method": "GET", "path": "/made"}
_OFF = {"status": "inactive"}
_BORROWED = {"tool": "listing", "name": "other"}
_RELEASE = {"version": "2.0.0"}
_DOCUMENT = json.dumps(document()).encode()
_UPLOAD = {"files": {"file": ("f", _DOCUMENT)}, "data": {"bundle_id": "shop"}}
_GRPC = {"bundle_id": "orders", "target": "grpc://127.0.0.1:1"}
_DESCRIPTORS = {"files": {"file": ("f", descriptors())}, "data": _GRPC}
MODULE = {
    "files": {"file": ("f.wasm", module()), "manifest": ("f.yaml", MANIFEST)},
    "data": {"bundle_id": "text"},
}
_CONSENT = {"json": {"upstream": "notes"}}
_CONNECTED = {"json": {"bundle_id": "wired", "address": "shop"}}
_ROLE = {"name": "porter", "permissions": ["tools:list"]}
CERTIFICATES = {"pattern": "URI:spiffe://example.org/agents/*", "roles": ["user"]}
_SECRET = {"value": "opensesame"}
_SERVICE = {"url": "http://127.0.0.1:9"}
_ISSUER = {"name": "id", "issuer": "https://id.example"}
IDENTITY = {"issuer": "https://people.example", "subject": "s-0"}
_LINKED = {"json": {"issuer": IDENTITY["issuer"], "subject": "s-1", "from_user": "bo"}}
_INACTIVE = {"is_active": False}
_WISH = {"reason": "why", "name": "wiping"}
_NO_WORDS: dict[str, Any] = {"json": {}}

_SAID = {"json": {"text": "Hello"}}
_TALK = "/api/chat/conversations/{conversation_id}"
_MESSAGE = f"{_TALK}/messages/{{message_id}}"
_CALL = f"{_MESSAGE}/calls/{{call_id}}"
_ANSWERED = {"json": {"answers": {"q": {"action": "decline"}}}}

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
    ("POST", "/api/admin/modules"): Use("tools:write", MODULE),
    ("POST", "/api/admin/connectors/{name}"): Use("mcp:manage_servers", _CONNECTED),
    ("GET", "/api/admin/plugins"): Use("mcp:view_servers"),
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
    ("GET", "/api/admin/policies/{name}"): Use("policies:read"),
    ("GET", "/api/admin/policy/versions"): Use("policies:read"),
    ("POST", "/api/admin/policy/versions"): Use("policies:write", {"json": _CHANGES}),
    ("GET", "/api/admin/policy/versions/{number}"): Use("policies:read"),
    ("GET", "/api/admin/policy/versions/{number}/diff"): Use("policies:read"),
    ("POST", "/api/admin/policy/versions/{number}/revert"): Use("policies:write"),
    ("POST", "/api/admin/policy/versions/{number}/restore"): Use("policies:write"),
    ("GET", "/api/admin/policy/drafts"): Use("policies:read"),
    ("GET", "/api/admin/policy/drafts/{name}"): Use("policies:read"),
    ("PUT", "/api/admin/policy/drafts/{name}"): Use("policies:write", {"json": _CHANGES}),
    ("PATCH", "/api/admin/policy/drafts/{name}"): Use("policies:write", {"json": {}}),
    ("DELETE", "/api/admin/policy/drafts/{name}"): Use("policies:write"),
    ("GET", "/api/admin/policy/drafts/{name}/diff"): Use("policies:read"),
    ("POST", "/api/admin/policy/drafts/{name}/test"): Use("policies:read"),
    ("POST", "/api/admin/policy/drafts/{name}/publish"): Use("policies:write"),
    ("GET", "/api/admin/policy/tests"): Use("policies:read"),
    ("GET", "/api/admin/policy/tests/{name}"): Use("policies:read"),
    ("PUT", "/api/admin/policy/tests/{name}"): Use("policies:write", {"json": _TEST}),
    ("DELETE", "/api/admin/policy/tests/{name}"): Use("policies:write"),
    ("POST", "/api/admin/policy/test"): Use("policies:read"),
    ("GET", "/api/admin/keys"): Use("users:manage"),
    ("POST", "/api/admin/keys"): Use("users:manage", {"json": {"name": "n", "roles": ["user"]}}),
    ("DELETE", "/api/admin/keys/{key_id}"): Use("users:manage"),
    ("POST", "/api/admin/keys/{key_id}/rotate"): Use("users:manage", {"json": {}}),
    ("GET", "/api/admin/users"): Use("users:manage"),
    ("POST", "/api/admin/users"): Use("users:manage", {"json": {"name": "new"}}),
    ("GET", "/api/admin/users/{name}"): Use("users:manage"),
    ("PATCH", "/api/admin/users/{name}"): Use("users:manage", {"json": {"roles": ["user"]}}),
    ("DELETE", "/api/admin/users/{name}"): Use("users:manage"),
    ("POST", "/api/admin/users/{name}/deactivate"): Use("users:manage"),
    ("POST", "/api/admin/users/{name}/activate"): Use("users:manage"),
    ("POST", "/api/admin/users/{name}/sign-out"): Use("users:manage"),
    ("POST", "/api/admin/users/{name}/password"): Use("users:manage", {"json": {}}),
    ("GET", "/api/admin/users/{name}/identities"): Use("users:manage"),
    ("POST", "/api/admin/users/{name}/identities"): Use("users:manage", _LINKED),
    ("DELETE", "/api/admin/users/{name}/identities"): Use("users:manage", {"params": IDENTITY}),
    ("GET", "/api/admin/permissions"): Use("users:manage"),
    ("GET", "/api/admin/roles"): Use("users:manage"),
    ("POST", "/api/admin/roles"): Use("users:manage", {"json": _ROLE}),
    ("GET", "/api/admin/roles/{name}"): Use("users:manage"),
    ("PATCH", "/api/admin/roles/{name}"): Use("users:manage", {"json": {"permissions": []}}),
    ("DELETE", "/api/admin/roles/{name}"): Use("users:manage"),
    ("GET", "/api/admin/groups"): Use("users:manage"),
    ("GET", "/api/admin/groups/{name}"): Use("users:manage"),
    ("PUT", "/api/admin/groups/{name}"): Use("users:manage", {"json": {"roles": ["user"]}}),
    ("DELETE", "/api/admin/groups/{name}"): Use("users:manage"),
    ("GET", "/api/admin/tenants"): Use("system_admin"),
    ("POST", "/api/admin/tenants"): Use("system_admin", {"json": {"name": "new"}}),
    ("GET", "/api/admin/tenants/{name}"): Use("system_admin"),
    ("PATCH", "/api/admin/tenants/{name}"): Use("system_admin", {"json": {"is_active": False}}),
    ("DELETE", "/api/admin/tenants/{name}"): Use("system_admin"),
    ("GET", "/api/admin/certificate-rules"): Use("system_admin"),
    ("PUT", "/api/admin/certificate-rules/{name}"): Use("system_admin", {"json": CERTIFICATES}),
    ("DELETE", "/api/admin/certificate-rules/{name}"): Use("system_admin"),
    ("GET", "/api/me"): Use(ANYBODY),
    ("GET", "/api/me/grants"): Use(ANYBODY),
    ("POST", "/api/me/grants"): Use(ANYBODY, _CONSENT),
    ("DELETE", "/api/me/grants/{grant_id}"): Use(ANYBODY),
    ("GET", "/api/admin/grants"): Use("users:manage"),
    ("POST", "/api/admin/grants"): Use("mcp:manage_servers", _CONSENT),
    ("DELETE", "/api/admin/grants/{grant_id}"): Use("users:manage"),
    ("GET", "/api/elevations"): Use(ANYBODY),
    ("POST", "/api/elevations"): Use(ANYBODY, {"json": _WISH}),
    ("GET", "/api/elevations/{elevation_id}"): Use(ANYBODY),
    ("POST", "/api/elevations/{elevation_id}/cancel"): Use(ANYBODY),
    ("POST", "/api/elevations/{elevation_id}/revoke"): Use(ANYBODY),
    ("GET", "/api/admin/elevations"): Use("elevations:approve"),
    ("GET", "/api/admin/elevations/{elevation_id}"): Use("elevations:approve"),
    ("POST", "/api/admin/elevations/{elevation_id}/approve"): Use("elevations:approve", _NO_WORDS),
    ("POST", "/api/admin/elevations/{elevation_id}/deny"): Use("elevations:approve", _NO_WORDS),
    ("POST", "/api/admin/elevations/{elevation_id}/revoke"): Use("elevations:approve", _NO_WORDS),
    ("GET", "/api/me/keys"): Use(ANYBODY, personal=True),
    ("POST", "/api/me/keys"): Use(ANYBODY, {"json": {"name": "own"}}, personal=True),
    ("DELETE", "/api/me/keys/{key_id}"): Use(ANYBODY, personal=True),
    ("GET", "/api/admin/issuers"): Use("system_admin"),
    ("POST", "/api/admin/issuers"): Use("system_admin", {"json": _ISSUER}),
    ("GET", "/api/admin/issuers/{name}"): Use("system_admin"),
    ("PUT", "/api/admin/issuers/{name}"): Use("system_admin", {"json": _ISSUER}),
    ("POST", "/api/admin/issuers/{name}/status"): Use("system_admin", {"json": _INACTIVE}),
    ("DELETE", "/api/admin/issuers/{name}"): Use("system_admin"),
    ("POST", "/api/admin/issuers/{name}/test"): Use("system_admin"),
    ("POST", "/api/admin/issuers/{name}/explain"): Use("system_admin", {"json": {"token": "x"}}),
    ("GET", "/api/admin/audit-logs"): Use("audit:read"),
    ("GET", "/api/admin/audit-logs/export"): Use("audit:read"),
    ("POST", "/api/admin/policy/explain"): Use("policies:read", {"json": {"tool": "listing"}}),
    ("POST", "/api/admin/policy/simulate"): Use("policies:read", {"json": {"tool": "listing"}}),
    ("POST", "/api/admin/policy/who-can"): Use("policies:read", {"json": {}}),
    ("POST", "/api/admin/policy/replay"): Use("audit:read", {"json": {}}),
    ("GET", "/api/mcp/explain"): Use(ANYBODY, {"params": {"tool": "listing"}}),
    ("GET", "/metrics"): Use("metrics:read"),
    ("GET", "/api/chat/config"): Use("tools:execute"),
    ("GET", "/api/chat/tools"): Use("tools:execute"),
    ("GET", "/api/chat/conversations"): Use("tools:execute"),
    ("POST", "/api/chat/conversations"): Use("tools:execute", {"json": {"title": "One"}}),
    ("GET", _TALK): Use("tools:execute"),
    ("PATCH", _TALK): Use("tools:execute", {"json": {"title": "Other"}}),
    ("DELETE", _TALK): Use("tools:execute"),
    ("POST", f"{_TALK}/restore"): Use("tools:execute"),
    ("GET", f"{_TALK}/export"): Use("tools:execute"),
    ("GET", f"{_TALK}/messages"): Use("tools:execute"),
    ("POST", f"{_TALK}/messages"): Use("tools:execute", _SAID),
    ("POST", f"{_MESSAGE}/retry"): Use("tools:execute"),
    ("GET", f"{_MESSAGE}/stream"): Use("tools:execute"),
    ("POST", f"{_MESSAGE}/stop"): Use("tools:execute"),
    ("POST", f"{_CALL}/decision"): Use("tools:execute", {"json": {"decision": "deny"}}),
    ("POST", f"{_CALL}/answer"): Use("tools:execute", _ANSWERED),
    ("POST", f"{_CALL}/proceed"): Use("tools:execute"),
}


async def key_that(site: Site, secret: str, **changes: Any) -> str:
    """An administrator's key; gives its id."""
    async with site.rows() as (session, tenant_id):
        return await add_key(session, tenant_id, "admin", secret, name=secret, **changes)


async def names_for(site: Site, method: str, path: str, role: str = "admin") -> dict[str, str]:
    """What `path` is to be about, put there as new, and no leftover in the way of a POST."""
    if path.startswith("/api/admin/polic"):  # it is about what is not there: no change would pass
        await site.delete("/api/admin/policy/tests/one")
    for make in (_imported_for, _stocked_for, _reached_for, _ruled_for, _drafted_for, peopled_for):
        names = await make(site, path)
        if names:
            return names
    if path.startswith(_TALK):
        return await talk_for(site, path, role)
    if "/elevations" in path:
        return await _asked_for(site, method, path, role)
    if "/{grant_id}" in path:
        return {"grant_id": await grant_of(site, f"key|{role}")}
    if (method, path) == ("POST", "/api/admin/servers"):
        await site.delete("/api/admin/servers/notes")
    if (method, path) == ("POST", "/api/admin/policies"):
        await site.delete("/api/admin/policies/rule")
    if (method, path) == ("POST", "/api/admin/issuers"):
        await site.delete("/api/admin/issuers/id", "system_admin")
    return {}


async def grant_of(site: Site, owner: str, upstream: str = "notes") -> str:
    """A grant of `owner`; gives its id."""
    draft = GrantDraft(
        GrantKey(owner, upstream, "https://id.example", f"https://{upstream}.example/mcp"),
        "client",
        ("read",),
        None,
        SealedSecret("", b"n" * 12, b"sealed", "k"),
    )
    async with site.rows() as (session, tenant_id):
        return str((await UserGrants(session, tenant_id).put(draft)).id)


_ABOUT_A_TOOL = ("/api/admin/policy/explain", "/api/admin/policy/simulate", "/api/mcp/explain")


async def _asked_for(site: Site, method: str, path: str, role: str) -> dict[str, str]:
    """A request for elevation, or what one can be about."""
    if (method, path) == ("POST", "/api/elevations"):
        await stock(site, a_tool("wiping", risk=RiskLevel.PRIVILEGED))
        async with site.rows() as (session, tenant_id):
            everybody = frozenset(BUILTIN_ROLES)
            see = frozenset({Action.DISCOVER})
            rule = Rule("askers", Effect.ALLOW, everybody, see, tools=frozenset({"wiping"}))
            await Policies(session, tenant_id).put(rule)
        await end_requests(site, f"key|{role}")
    own = path.startswith("/api/elevations")
    wish = await request_of(site, role if own else "somebody", granted=path.endswith("/revoke"))
    return {"elevation_id": wish} if "/{elevation_id}" in path else {}


async def request_of(site: Site, name: str, *, granted: bool = False) -> str:
    """A request of a key of that name for a tool of no other request; gives its id."""
    now = datetime.now(UTC)
    scope = Scope(ScopeKind.TOOL, f"tool_{uuid4().hex}")
    keys = site.control.snapshot().keys.values()
    key_id = next((one.key_id for one in keys if one.principal.subject == name), "")
    draft = ElevationDraft(
        Holder(f"key|{name}", name, None, key_id),
        name,
        f"key|{name}",
        scope,
        Origin(scope.name, "shop"),
        "why",
        "",
        60,
        now,
        now + timedelta(days=1),
    )
    ruling = Ruling("boss", now, "", scope, 60, now + timedelta(hours=1), "ELV-1")
    async with site.rows() as (session, tenant_id):
        elevations = Elevations(session, tenant_id)
        made = await elevations.create(draft)
        if granted:
            await elevations.rule(made.id, ruling)
    return str(made.id)


async def end_requests(site: Site, owner: str) -> None:
    """Cancel whatever `owner` asked for and nobody decided about."""
    ending = Ending(ElevationStatus.CANCELLED, datetime.now(UTC))
    async with site.rows() as (session, tenant_id):
        elevations = Elevations(session, tenant_id)
        wanted = Filter(ElevationStatus.PENDING, owner=owner, limit=500)
        for one in (await elevations.list(wanted)).items:
            await elevations.end(one.id, ending)


async def _stocked_for(site: Site, path: str) -> dict[str, str]:
    """A tool, or a bundle."""
    if path.startswith("/api/admin/tools") or path in _ABOUT_A_TOOL:
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
    if path == "/api/admin/connectors/{name}":
        return {"name": "queries"}
    if path == "/api/admin/secrets/{name}":
        await site.ask("PUT", "/api/admin/secrets/crm", json=_SECRET)
        return {"name": "crm"}
    return {}


async def _ruled_for(site: Site, path: str) -> dict[str, str]:
    """A rule, or a key, or an issuer of tokens."""
    if path.startswith("/api/admin/issuers/{name}"):
        await site.post("/api/admin/issuers", "system_admin", json=_ISSUER)
        return {"name": "id"}
    if path == "/api/admin/policies/{name}":
        await site.post("/api/admin/policies", json=_RULE)
        return {"name": "rule"}
    if "/{key_id}" in path:
        return {"key_id": await key_that(site, f"bsc_{uuid4().hex}")}
    return {}


async def _drafted_for(site: Site, path: str) -> dict[str, str]:
    """A version of policies that nothing was changed about since, a draft or a test."""
    if path.startswith("/api/admin/policy/versions/{number}"):
        before = await site.get("/api/admin/policy/versions")
        body = {"changes": {f"own {before.json()['total']}": _CHANGES["changes"]["listed"]}}
        made = await site.post("/api/admin/policy/versions", json=body)
        return {"number": str(made.json()["version"])}
    if path.startswith("/api/admin/policy/drafts/{name}"):
        await site.ask("PUT", "/api/admin/policy/drafts/night", json={"changes": {}})
        return {"name": "night"}
    if path == "/api/admin/policy/tests/{name}":
        await site.ask("PUT", "/api/admin/policy/tests/one", json=_TEST)
        return {"name": "one"}
    return {}


async def peopled_for(site: Site, path: str) -> dict[str, str]:
    """A user, a role or a group; or a tenant, or what certificates stand for."""
    async with site.rows() as (session, tenant_id):
        if path.startswith("/api/admin/users/{name}"):
            users = Users(session, tenant_id)
            bo = await users.find("bo")
            bo = bo or await users.create(UserDraft("bo", roles=frozenset({"user"})))
            if path.endswith("/identities"):
                await _believe(site, session, tenant_id)
                await users.link(bo.id, Identity(**IDENTITY))
            return {"name": "bo"}
        if path.startswith("/api/admin/roles/{name}"):
            roles = Roles(session, tenant_id)
            if "clerk" not in {role.name for role in await roles.list()}:
                await roles.create("clerk", "Looks things up.", ["tools:list"])
            return {"name": "clerk"}
        if path.startswith("/api/admin/groups/{name}"):
            await Groups(session, tenant_id).put("staff", ["user"])
            return {"name": "staff"}
        if path.startswith("/api/admin/certificate-rules/{name}"):
            rule = CertificateRule("agents", "default", "DNS:agents.example.org", ("user",))
            await CertificateRules(session, tenant_id).put(rule)
            return {"name": "agents"}
    if path.startswith("/api/admin/tenants/{name}"):
        async with site.control.database.change(author="test") as session:
            if await Tenants(session).find("spare") is None:
                await seed_roles(session, (await Tenants(session).create("spare")).id)
        return {"name": "spare"}
    return {}


async def _believe(site: Site, session: AsyncSession, tenant_id: TenantId) -> None:
    """An issuer of people of all tenants."""
    tenants = {name: name for name in TENANTS}
    url = IDENTITY["issuer"]
    if url not in site.control.snapshot().issuers:
        issuer = Issuer("people", url, "default", tenant_claim="org", tenants=tenants)
        await Issuers(session, tenant_id).create(issuer, is_active=True)


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
