import json

import pytest

from bascule.gateway.errors import ErrorCode
from bascule.gateway.issuer import Issuer
from bascule.gateway.snapshot import Snapshot
from bascule.gateway.verdict import Refuse
from bascule.transports.metadata import Metadata
from bascule.transports.places import WELL_KNOWN, Place
from bascule.transports.reply import Reply

ISSUER = Issuer(
    "id", "https://id.example/realm", "acme",
    scopes={"see": ("tools:list",), "use": ("tools:execute",), "admin": ("users:manage",)},
)  # fmt: skip
OTHER = Issuer("other", "https://other.example", "globex")
SNAPSHOT = Snapshot(
    1, issuers={one.issuer: one for one in (OTHER, ISSUER)}, hosts={"acme.example": "acme"}
)
HEADERS = {b"host": b"localhost:8000"}


def answer(
    path: str = "",
    method: str = "GET",
    snapshot: Snapshot = SNAPSHOT,
    host: bytes = HEADERS[b"host"],
) -> Reply:
    found = Metadata(Place(), lambda: snapshot, "Bascule").answer(
        method, WELL_KNOWN + path, {b"host": host}
    )
    assert isinstance(found, Reply)
    return found


def refused(path: str, snapshot: Snapshot = SNAPSHOT, host: bytes = b"localhost") -> Refuse:
    found = Metadata(Place(), lambda: snapshot).answer("GET", WELL_KNOWN + path, {b"host": host})
    assert isinstance(found, Refuse)
    return found


def test_the_document_says_where_tokens_come_from_and_what_they_are_for() -> None:
    reply = answer("/mcp")
    assert reply.status == 200
    assert json.loads(reply.body) == {
        "resource": "http://localhost:8000/mcp",
        "authorization_servers": ["https://id.example/realm", "https://other.example"],
        "bearer_methods_supported": ["header"],
        "scopes_supported": ["see", "use"],
        "resource_name": "Bascule",
        "resource_documentation": "http://localhost:8000/",
    }
    headers = dict(reply.headers)
    assert headers[b"content-type"] == b"application/json"
    assert headers[b"access-control-allow-origin"] == b"*"
    assert headers[b"cache-control"] == b"public, max-age=60"


def test_each_path_describes_its_own_resource() -> None:
    for path in ("", "/mcp/bundles/desk", "/mcp/servers/x y", "/mcp/ws", "/mcp/sse"):
        expected = "http://localhost:8000" + path.replace(" ", "%20")
        assert json.loads(answer(path).body)["resource"] == expected


def test_what_exists_and_what_does_not_are_described_alike() -> None:
    there, not_there = (json.loads(answer(f"/mcp/bundles/{one}").body) for one in ("a", "b"))
    assert there.pop("resource") != not_there.pop("resource")
    assert there == not_there


def test_the_host_of_a_tenant_tells_of_its_own_issuers() -> None:
    document = json.loads(answer("/mcp", host=b"acme.example").body)
    assert document["authorization_servers"] == ["https://id.example/realm"]


def test_issuers_without_scopes_leave_them_out() -> None:
    snapshot = Snapshot(1, issuers={OTHER.issuer: OTHER})
    assert "scopes_supported" not in json.loads(answer("", snapshot=snapshot).body)


def test_where_there_are_only_keys_it_is_said() -> None:
    refusal = refused("/mcp", Snapshot())
    assert refusal.error is ErrorCode.NOT_FOUND
    assert "API keys" in refusal.public


def test_what_is_no_resource_is_not_described() -> None:
    assert refused("/mcp/bundles/a/b").error is ErrorCode.NOT_FOUND
    assert refused("/mcp", host=b"").error is ErrorCode.NOT_FOUND


def test_browsers_may_ask_first_and_others_see_only_the_head() -> None:
    assert answer("/mcp", "OPTIONS").status == 204
    assert answer("/mcp", "HEAD") == answer("/mcp")._replace(body=b"")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_nothing_can_be_changed_here(method: str) -> None:
    reply = answer("/mcp", method)
    assert (reply.status, dict(reply.headers)[b"allow"]) == (405, b"GET, HEAD, OPTIONS")
