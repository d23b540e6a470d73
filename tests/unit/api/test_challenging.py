"""What REST callers are told to come back with."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from bascule.api.challenging import Needs
from bascule.gateway.issuer import Issuer
from bascule.gateway.principal import Evidence, Means, Presented, Principal
from bascule.gateway.record import Status
from bascule.gateway.snapshot import Snapshot
from bascule.transports.places import Place
from unit.api.site import Site, add_key, altered, error_of, key_of

ISSUER = Issuer(
    "id", "https://id.example", "default",
    scopes={"see": ("tools:list",), "people": ("users:manage",)},
)  # fmt: skip
METADATA = "https://gw.example/.well-known/oauth-protected-resource"
LIMITED = Principal(
    "default", "ann", frozenset({"admin"}), frozenset({"tools:list"}),
    withheld=frozenset({"users:manage", "policies:read"}),
    evidence=Evidence(Means.TOKEN, "default", ISSUER.issuer, "0815", "ann"),
)  # fmt: skip


class FakeAuthenticator:
    """Takes every credential for a token of the same bearer."""

    async def identify(self, presented: Presented, snapshot: Snapshot) -> Principal:
        return LIMITED


@pytest.fixture
async def known(site: Site) -> AsyncIterator[Site]:
    """A site with an issuer, at a public address."""
    snapshot = site.control.snapshot

    def with_issuer() -> Snapshot:
        return replace(snapshot(), issuers={ISSUER.issuer: ISSUER})

    async with altered(site, snapshot=with_issuer, place=Place("https://gw.example")) as other:
        yield other


async def test_a_stranger_learns_where_tokens_come_from_and_which_this_takes(known: Site) -> None:
    plain = f'Bearer realm="bascule", resource_metadata="{METADATA}"'
    keys = await known.get("/api/admin/keys", None)
    assert keys.headers["www-authenticate"] == f'{plain}, scope="people"'
    audit = await known.get("/api/admin/audit-logs", None)  # which no scope brings
    assert audit.headers["www-authenticate"] == plain
    nothing = await known.get("/api/nothing", None)
    assert nothing.headers["www-authenticate"] == plain
    wrong = await known.get("/api/admin/keys", key="bsc_wrong")
    assert (
        f'{plain}, scope="people", error="invalid_token", error_description="This API key'
        in (wrong.headers["www-authenticate"])
    )


async def test_a_token_with_too_small_a_scope_is_told_which_it_takes(known: Site) -> None:
    async with altered(known, authenticator=FakeAuthenticator()) as site:
        refused = await site.get("/api/admin/keys")
        error = error_of(refused)
        assert (refused.status_code, error["code"]) == (403, "E1009")
        assert error["details"] == {"permissions": ["users:manage"], "scopes": ["people"]}
        assert refused.headers["www-authenticate"].startswith(
            f'Bearer realm="bascule", resource_metadata="{METADATA}", scope="people", '
            'error="insufficient_scope"'
        )
        assert (site.recorder.last.status, site.recorder.last.error_code) == (
            Status.DENIED, "E1009",
        )  # fmt: skip
        without = await site.get("/api/admin/policies")  # a permission that no scope brings
        assert (without.status_code, error_of(without)["code"]) == (403, "E1009")
        assert "www-authenticate" not in without.headers
        lacking = await site.get("/api/admin/audit-logs")  # which ann's role does not have, either
        assert (lacking.status_code, error_of(lacking)["code"]) == (403, "E1004")
        assert (await site.get("/api/mcp/tools")).status_code == 200


async def test_a_key_that_is_limited_gets_a_sentence_and_no_challenge(site: Site) -> None:
    async with site.rows() as (session, tenant_id):
        await add_key(session, tenant_id, "admin", "bsc_limited", name="limited")
    snapshot = site.control.snapshot()
    keys = {
        digest: replace(
            one, principal=replace(one.principal, permissions=frozenset({"tools:list"}),
                                   withheld=frozenset({"users:manage"})),
        )
        for digest, one in snapshot.keys.items()
    }  # fmt: skip
    async with altered(site, snapshot=lambda: replace(snapshot, keys=keys)) as other:
        refused = await other.get("/api/admin/keys", key="bsc_limited")
    assert (refused.status_code, error_of(refused)["code"]) == (403, "E1009")
    assert "www-authenticate" not in refused.headers
    assert "limited" in error_of(refused)["message"]


@pytest.mark.parametrize("query", ["access_token=x", "API-KEY=x", "q=bsc_x", "token"])
async def test_a_credential_in_the_address_is_refused_and_in_no_record(
    site: Site, query: str
) -> None:
    alone = await site.get(f"/api/admin/tools?{query}", None)
    beside = await site.get(f"/api/admin/tools?{query}")
    assert (alone.status_code, error_of(alone)["code"]) == (401, "E1001")
    assert (beside.status_code, error_of(beside)["code"]) == (400, "E2001")
    assert "header" in error_of(beside)["message"]
    assert query not in repr(site.recorder.records)


async def test_two_credentials_are_refused(site: Site) -> None:
    header = ("authorization", f"Bearer {key_of('admin')}")
    refused = await site.client.get("/api/admin/tools", headers=[header, header])
    assert (refused.status_code, error_of(refused)["code"]) == (400, "E2001")


def test_needs_are_those_that_the_routes_declare(site: Site) -> None:
    needs = Needs(site.app.routes)
    assert needs.of("GET", "/api/admin/keys") == {"users:manage"}
    assert needs.of("DELETE", "/api/admin/keys/7") == {"users:manage"}
    assert needs.of("GET", "/api/admin/keys/7/nothing") == frozenset()
    assert needs.of("PUT", "/api/admin/keys") == frozenset()
