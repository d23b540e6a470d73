"""For every route of the API that changes something a change, and what it is recorded as."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from bascule.storage.repositories.secrets import Secrets
from bascule.storage.repositories.users import UserDraft, Users
from bascule.upstreams.secrets.box import SecretBox
from fakes.grpc_service import descriptors
from unit.api.equipment import DECISION, OLD_KEY, make_pin
from unit.api.shelf import make_desk
from unit.api.site import Site, document
from unit.api.uses import CERTIFICATES, IDENTITY, MODULE, Route, peopled_for


@dataclass(frozen=True)
class Change:
    """A request that `role` may make; `names` fill its path, by way of what `seed` gives."""

    action: str
    names: Mapping[str, str] = field(default_factory=dict[str, str])
    options: Mapping[str, Any] = field(default_factory=dict[str, Any])
    role: str = "admin"

    def path(self, template: str, seeded: Mapping[str, str]) -> str:
        """The path of the request."""
        names = {slot: seeded.get(name, name) for slot, name in self.names.items()}
        return template.format(**names)


_DRAFT: Final = {"import_id": "the draft"}
_LIVE: Final = {"import_id": "the live one"}
_OLD: Final = {"name": "old"}
_DESK: Final = {"name": "desk"}
_BO: Final = {"name": "bo"}
_SPARE: Final = {"name": "spare"}
_NIGHT: Final = {"name": "night"}
_FIRST: Final = {"number": "1"}
_ZEROTH: Final = {"number": "0"}
_DRAFTED: Final = {"json": {"changes": {"listed": {"type": "deny_list", "tools": ["x"]}}}}
_MEMBER: Final = {"name": "desk", "member": "shown"}
_RELEASE: Final = {"name": "desk", "version": "1.0.0"}
_OWNER: Final = {"json": {"owner": "crm"}}
_OFF: Final = {"json": {"status": "inactive"}}
_MADE: Final = {"name": "made", "bundle": "shop", "upstream": "shop-api", "method": "GET"}
_UPLOAD: Final = {
    "files": {"file": ("f", json.dumps(document("a", "b")).encode())},
    "data": {"bundle_id": "new"},
}
_DESCRIPTORS: Final = {
    "files": {"file": ("f", descriptors())},
    "data": {"bundle_id": "new", "target": "grpc://127.0.0.1:1"},
}


def _rule(name: str, effect: str = "deny") -> dict[str, Any]:
    return {"json": {"name": name, "effect": effect, "roles": ["user"]}}


def _server(name: str, port: int = 9) -> dict[str, Any]:
    return {"json": {"name": name, "url": f"http://127.0.0.1:{port}/mcp"}}


def _issuer(name: str, **changes: Any) -> dict[str, Any]:
    return {"json": {"name": name, "issuer": f"https://{name}.example", **changes}}


CHANGES: Final[Mapping[Route, Change]] = {
    ("POST", "/api/admin/openapi"): Change("openapi.import", {}, _UPLOAD),
    ("POST", "/api/admin/grpc"): Change("openapi.import", {}, _DESCRIPTORS),
    ("POST", "/api/admin/modules"): Change("openapi.import", {}, MODULE),
    ("POST", "/api/admin/connectors/{name}"): Change(
        "openapi.import", {"name": "queries"}, {"json": {"bundle_id": "wired", "address": "shop"}}
    ),
    ("POST", "/api/admin/openapi/{import_id}/publish"): Change("openapi.publish", _DRAFT),
    ("POST", "/api/admin/openapi/{import_id}/discard"): Change("openapi.discard", _DRAFT),
    ("POST", "/api/admin/openapi/{import_id}/rollback"): Change("openapi.rollback", _LIVE),
    ("POST", "/api/admin/tools"): Change("tool.create", {}, {"json": {**_MADE, "path": "/made"}}),
    ("PATCH", "/api/admin/tools/{name}"): Change("tool.update", {"name": "live"}, _OWNER),
    ("POST", "/api/admin/tools/{name}/status"): Change("tool.status", {"name": "live"}, _OFF),
    ("POST", "/api/admin/tools/{name}/publish"): Change("tool.publish", {"name": "draft"}),
    ("POST", "/api/admin/tools/{name}/rollback"): Change("tool.rollback", {"name": "live"}),
    ("DELETE", "/api/admin/tools/{name}"): Change("tool.delete", {"name": "live"}),
    ("PUT", "/api/admin/standards"): Change("standard.set", {}, {"json": {"required": ["owner"]}}),
    ("POST", "/api/admin/bundles"): Change("bundle.create", {}, {"json": {"name": "new"}}),
    ("PATCH", "/api/admin/bundles/{name}"): Change("bundle.update", _DESK, _OWNER),
    ("DELETE", "/api/admin/bundles/{name}"): Change("bundle.delete", _DESK),
    ("POST", "/api/admin/bundles/{name}/members"): Change(
        "bundle.member.add", _DESK, {"json": {"tool": "listing", "name": "other"}}
    ),
    ("PATCH", "/api/admin/bundles/{name}/members/{member}"): Change(
        "bundle.member.update", _MEMBER, {"json": {"description": "Says it better."}}
    ),
    ("DELETE", "/api/admin/bundles/{name}/members/{member}"): Change(
        "bundle.member.remove", _MEMBER
    ),
    ("POST", "/api/admin/bundles/{name}/release"): Change(
        "bundle.release", _DESK, {"json": {"version": "2.0.0"}}
    ),
    ("POST", "/api/admin/bundles/{name}/rollback"): Change(
        "bundle.rollback", _DESK, {"json": {"version": "1.0.0"}}
    ),
    ("DELETE", "/api/admin/bundles/{name}/releases/{version}"): Change(
        "bundle.release.delete", _RELEASE
    ),
    ("POST", "/api/admin/servers"): Change("server.add", {}, _server("new")),
    ("PUT", "/api/admin/servers/{name}"): Change("server.put", _OLD, _server("old", 10)),
    ("DELETE", "/api/admin/servers/{name}"): Change("server.remove", _OLD),
    ("POST", "/api/admin/pins/approve"): Change("pin.approve", {}, {"json": DECISION}),
    ("POST", "/api/admin/pins/reject"): Change("pin.reject", {}, {"json": DECISION}),
    ("PUT", "/api/admin/upstreams/{name}"): Change(
        "upstream.set", {"name": "crm"}, {"json": {"timeout_seconds": 7}}
    ),
    ("DELETE", "/api/admin/upstreams/{name}"): Change("upstream.remove", {"name": "crm"}),
    ("PUT", "/api/admin/secrets/{name}"): Change(
        "secret.set", {"name": "new"}, {"json": {"value": "opensesame"}}
    ),
    ("DELETE", "/api/admin/secrets/{name}"): Change("secret.remove", _OLD),
    ("POST", "/api/admin/secrets/reseal"): Change("secret.reseal", role="system_admin"),
    ("POST", "/api/admin/policies"): Change("policy.create", {}, _rule("new")),
    ("PUT", "/api/admin/policies/{name}"): Change("policy.put", _OLD, _rule("old")),
    ("DELETE", "/api/admin/policies/{name}"): Change("policy.delete", _OLD),
    ("POST", "/api/admin/policy/versions"): Change("policy.change", {}, _DRAFTED),
    ("POST", "/api/admin/policy/versions/{number}/revert"): Change("policy.revert", _FIRST),
    ("POST", "/api/admin/policy/versions/{number}/restore"): Change("policy.restore", _ZEROTH),
    ("PUT", "/api/admin/policy/drafts/{name}"): Change("policy_draft.put", _NIGHT, _DRAFTED),
    ("PATCH", "/api/admin/policy/drafts/{name}"): Change(
        "policy_draft.update", _NIGHT, {"json": {"reason": "another"}}
    ),
    ("DELETE", "/api/admin/policy/drafts/{name}"): Change("policy_draft.delete", _NIGHT),
    ("POST", "/api/admin/policy/drafts/{name}/publish"): Change("policy_draft.publish", _NIGHT),
    ("PUT", "/api/admin/policy/tests/{name}"): Change(
        "policy_test.put", {"name": "one"}, {"json": {"case": {"tool": "x"}, "expect": "deny"}}
    ),
    ("DELETE", "/api/admin/policy/tests/{name}"): Change("policy_test.delete", {"name": "kept"}),
    ("POST", "/api/admin/keys"): Change(
        "key.create", {}, {"json": {"name": "new", "roles": ["user"]}}
    ),
    ("DELETE", "/api/admin/keys/{key_id}"): Change("key.revoke", {"key_id": "the key"}),
    ("POST", "/api/admin/keys/{key_id}/rotate"): Change(
        "key.rotate", {"key_id": "the key"}, {"json": {"grace_seconds": 60}}
    ),
    ("POST", "/api/admin/users"): Change("user.create", {}, {"json": {"name": "new"}}),
    ("PATCH", "/api/admin/users/{name}"): Change("user.update", _BO, {"json": {"roles": []}}),
    ("DELETE", "/api/admin/users/{name}"): Change("user.delete", _BO),
    ("POST", "/api/admin/users/{name}/deactivate"): Change("user.deactivate", _BO),
    ("POST", "/api/admin/users/{name}/activate"): Change("user.activate", {"name": "idle"}),
    ("POST", "/api/admin/users/{name}/sign-out"): Change("user.sign_out", _BO),
    ("POST", "/api/admin/users/{name}/password"): Change("user.password", _BO, {"json": {}}),
    ("POST", "/api/admin/users/{name}/identities"): Change(
        "user.identity.link", _BO, {"json": {**IDENTITY, "subject": "s-1"}}
    ),
    ("DELETE", "/api/admin/users/{name}/identities"): Change(
        "user.identity.unlink", _BO, {"params": IDENTITY}
    ),
    ("POST", "/api/admin/roles"): Change(
        "role.create", {}, {"json": {"name": "new", "permissions": ["tools:list"]}}
    ),
    ("PATCH", "/api/admin/roles/{name}"): Change(
        "role.update", {"name": "clerk"}, {"json": {"permissions": []}}
    ),
    ("DELETE", "/api/admin/roles/{name}"): Change("role.delete", {"name": "clerk"}),
    ("PUT", "/api/admin/groups/{name}"): Change(
        "group.put", {"name": "/new"}, {"json": {"roles": ["user"]}}
    ),
    ("DELETE", "/api/admin/groups/{name}"): Change("group.delete", {"name": "staff"}),
    ("POST", "/api/admin/tenants"): Change(
        "tenant.create", {}, {"json": {"name": "new"}}, "system_admin"
    ),
    ("PATCH", "/api/admin/tenants/{name}"): Change(
        "tenant.update", _SPARE, {"json": {"is_active": False}}, "system_admin"
    ),
    ("DELETE", "/api/admin/tenants/{name}"): Change("tenant.delete", _SPARE, role="system_admin"),
    ("PUT", "/api/admin/certificate-rules/{name}"): Change(
        "certificate_rule.put", {"name": "new"}, {"json": CERTIFICATES}, "system_admin"
    ),
    ("DELETE", "/api/admin/certificate-rules/{name}"): Change(
        "certificate_rule.delete", {"name": "agents"}, role="system_admin"
    ),
    ("POST", "/api/admin/issuers"): Change("issuer.create", {}, _issuer("new"), "system_admin"),
    ("PUT", "/api/admin/issuers/{name}"): Change(
        "issuer.put", _OLD, _issuer("old", audiences=["x"]), "system_admin"
    ),
    ("POST", "/api/admin/issuers/{name}/status"): Change(
        "issuer.status", _OLD, {"json": {"is_active": False}}, "system_admin"
    ),
    ("DELETE", "/api/admin/issuers/{name}"): Change("issuer.delete", _OLD, {}, "system_admin"),
}

_TALK: Final = "/api/chat/conversations/{conversation_id}"
_MESSAGE: Final = f"{_TALK}/messages/{{message_id}}"
_OWN: Final = "one's own conversations are no configuration: test_conversations has it"

DEEDS: Final[Mapping[Route, str]] = {
    ("POST", "/api/chat/conversations"): _OWN,
    ("PATCH", _TALK): _OWN,
    ("DELETE", _TALK): _OWN,
    ("POST", f"{_TALK}/restore"): _OWN,
    ("POST", f"{_TALK}/messages"): _OWN,
    ("POST", f"{_MESSAGE}/retry"): _OWN,
    ("POST", f"{_MESSAGE}/stop"): _OWN,
    ("POST", f"{_MESSAGE}/calls/{{call_id}}/decision"): _OWN,
    ("POST", f"{_MESSAGE}/calls/{{call_id}}/answer"): _OWN,
    ("POST", f"{_MESSAGE}/calls/{{call_id}}/proceed"): _OWN,
    ("POST", "/api/me/grants"): "it asks for consent, and stores nothing",
    ("POST", "/api/admin/grants"): "it asks for consent, and stores nothing",
    ("DELETE", "/api/me/grants/{grant_id}"): "no snapshot holds grants: test_grants has it",
    ("DELETE", "/api/admin/grants/{grant_id}"): "no snapshot holds grants: test_grants has it",
    ("POST", "/api/admin/policy/test"): "it runs tests, and stores nothing",
    ("POST", "/api/admin/policy/explain"): "it answers, and stores nothing",
    ("POST", "/api/admin/policy/who-can"): "it answers, and stores nothing",
    ("POST", "/api/admin/policy/simulate"): "it answers, and stores nothing",
    ("POST", "/api/admin/policy/replay"): "it answers, and stores nothing",
    ("POST", "/api/admin/policy/drafts/{name}/test"): "it runs tests, and stores nothing",
    ("POST", "/api/elevations"): "no snapshot holds requests: test_elevations has it",
    ("POST", "/api/elevations/{elevation_id}/cancel"): "as above",
    ("POST", "/api/elevations/{elevation_id}/revoke"): "as above",
    ("POST", "/api/admin/elevations/{elevation_id}/approve"): "as above",
    ("POST", "/api/admin/elevations/{elevation_id}/deny"): "as above",
    ("POST", "/api/admin/elevations/{elevation_id}/revoke"): "as above",
    ("POST", "/api/me/keys"): "it is for people with an account: test_me has it",
    ("DELETE", "/api/me/keys/{key_id}"): "it is for people with an account: test_me has it",
    ("POST", "/api/admin/servers/{name}/check"): "it asks a server, and stores nothing",
    ("POST", "/api/admin/upstreams/{name}/test"): "it reaches a service, and stores nothing",
    ("POST", "/api/admin/issuers/{name}/test"): "it asks an issuer, and stores nothing",
    ("POST", "/api/admin/issuers/{name}/explain"): "it judges a token, and stores nothing",
    ("POST", "/api/admin/upstreams/{name}/breaker/reset"): "breakers are kept in memory only",
}
"""What is no GET but no change either, and why."""


async def seed(site: Site) -> dict[str, str]:
    """Make what the changes are about; gives the ids of what has one."""
    draft = await site.upload(document("draft"))
    for summary in ("First", "Second"):
        source = document("live", title="Live")
        source["paths"]["/live"]["get"]["summary"] = summary
        live = await site.upload(source, bundle_id="live", auto_publish="true")
    assert (await site.post("/api/admin/policies", **_rule("old", "allow"))).is_success
    assert (await site.ask("PUT", "/api/admin/policy/drafts/night", **_DRAFTED)).is_success
    kept = {"case": {"tool": "live", "roles": ["viewer"]}, "expect": "deny"}
    assert (await site.ask("PUT", "/api/admin/policy/tests/kept", json=kept)).is_success
    assert (await site.post("/api/admin/servers", **_server("old"))).is_success
    service = {"url": "http://127.0.0.1:9"}
    assert (await site.ask("PUT", "/api/admin/upstreams/crm", json=service)).is_success
    assert (await site.post("/api/admin/issuers", "system_admin", **_issuer("old"))).is_success
    key = await site.post("/api/admin/keys", json={"name": "old", "roles": ["user"]})
    await make_desk(site)
    await make_pin(site)
    async with site.rows() as (session, tenant_id):
        secret = SecretBox([OLD_KEY]).close("default", "old", "opensesame")
        await Secrets(session, tenant_id).put(secret)
    for path in ("users", "roles", "groups", "tenants", "certificate-rules"):
        await peopled_for(site, f"/api/admin/{path}/{{name}}")
    await peopled_for(site, "/api/admin/users/{name}/identities")
    async with site.rows() as (session, tenant_id):
        await Users(session, tenant_id).create(UserDraft("idle"))
        await Users(session, tenant_id).set_active("idle", is_active=False)
    return {
        "the draft": draft.json()["spec_id"],
        "the live one": live.json()["spec_id"],
        "the key": key.json()["key_id"],
    }
