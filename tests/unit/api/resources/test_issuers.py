"""Issuers are for system administrators: kept, tried, and tokens of theirs explained."""

import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from bascule.identity.key_sets import KeyRules
from bascule.identity.tokens import Tokens
from bascule.upstreams.secrets.failures import SecretUnavailable
from fakes.issuers import (
    ADDRESS,
    URL,
    Clock,
    FakeIssuer,
    claims_of,
    encode,
    key_for,
    public,
    sign,
    tokens_of,
)
from unit.api.site import Site, altered, error_of

PATH = "/api/admin/issuers"
ID: dict[str, Any] = {"name": "id", "issuer": URL, "role_map": {"staff": ["user"]}}
NOW = time.time()


@asynccontextmanager
async def believing(
    site: Site, issuer: FakeIssuer | None = None, **rules: Any
) -> AsyncGenerator[Site]:
    """The same site with access tokens."""
    tokens = tokens_of(issuer, clock=Clock(NOW), rules=KeyRules(**rules))
    async with altered(site, tokens=tokens) as other:
        yield other


def token(**changes: Any) -> str:
    claims = claims_of(**{"iat": NOW - 5, "exp": NOW + 600, **changes})
    return sign({"alg": "RS256", "kid": "k0"}, claims)


async def make(site: Site, **changes: Any) -> dict[str, Any]:
    made = await site.post(PATH, "system_admin", json={**ID, **changes})
    assert made.status_code == 201, made.text
    return made.json()


async def refused(site: Site, **changes: Any) -> dict[str, Any]:
    answer = await site.post(PATH, "system_admin", json={**ID, **changes})
    assert answer.is_client_error, answer.text
    return error_of(answer)


async def test_an_issuer_is_made_shown_changed_and_removed(site: Site) -> None:
    made = await make(
        site, preset="keycloak", issuer="https://sso.example/realms/a", audiences=["t"]
    )
    assert made["tenant"] == "default"
    assert made["is_active"]
    assert made["roles_claims"] == ["realm_access.roles", "resource_access.t.roles"]
    assert made["algorithms"] == ["RS256", "ES256"]
    assert (await site.get(f"{PATH}/id", "system_admin")).json() == made
    assert (await site.get(PATH, "system_admin")).json() == {"issuers": [made], "total": 1}
    changed = await site.ask("PUT", f"{PATH}/id", "system_admin", json={**ID, "audiences": ["x"]})
    assert changed.json()["audiences"] == ["x"]
    assert changed.json()["roles_claims"] == ["roles"]
    off = await site.post(f"{PATH}/id/status", "system_admin", json={"is_active": False})
    assert (off.json()["is_active"], off.json()["audiences"]) == (False, ["x"])
    assert site.control.snapshot().issuers == {}
    gone = await site.delete(f"{PATH}/id", "system_admin")
    assert gone.json() == {"removed": "id"}
    assert error_of(await site.get(f"{PATH}/id", "system_admin"))["code"] == "E2011"


async def test_what_a_preset_says_gives_way_to_what_is_given(site: Site) -> None:
    made = await make(site, roles_claims=["teams"], groups_claims=[], subject_claim="uid")
    assert (made["roles_claims"], made["groups_claims"], made["subject_claim"]) == (
        ["teams"], [], "uid",
    )  # fmt: skip


async def test_an_issuer_leads_where_it_is_said_to_and_stays_there(site: Site) -> None:
    made = await make(site, tenant="acme")
    assert made["tenant"] == "acme"
    assert site.control.snapshot().issuers[URL].tenant == "acme"
    kept = await site.ask("PUT", f"{PATH}/id", "system_admin", json=ID)
    assert kept.json()["tenant"] == "acme"
    moved = await site.ask("PUT", f"{PATH}/id", "system_admin", json={**ID, "tenant": "default"})
    assert "for good" in error_of(moved)["message"]


@pytest.mark.parametrize(
    ("changes", "field", "advice"),
    [
        ({"issuer": "http://id.example"}, "issuer", "https://"),
        ({"issuer": "id.example"}, "issuer", "must begin with https://"),
        (
            {"issuer": "https://id.example/.well-known/openid-configuration"},
            "issuer",
            "write https://id.example, or",
        ),
        ({"issuer": "https://acme.auth0.com", "preset": "auth0"}, "issuer", "acme.auth0.com/"),
        ({"jwks_url": "ftp://x"}, "jwks_url", "https://"),
        ({"algorithms": ["RS255"]}, "algorithms", "Did you mean RS256"),
        ({"algorithms": ["none"]}, "algorithms", "There are "),
        ({"algorithms": ["HS256"]}, "algorithms", "shared_secret"),
        ({"shared_secret": "open"}, "shared_secret", "must not be written out"),
        ({"shared_secret": "${secret:x}"}, "shared_secret", "development"),
        ({"role_map": {"staff": ["usre"]}}, "role_map", "Did you mean user"),
        ({"default_roles": ["chief"]}, "default_roles", "There is no role chief"),
        ({"scopes": {"read": ["tools:lst"]}}, "scopes", "Did you mean tools:list"),
        ({"tenants": {"o": "acme"}}, "tenant_claim", "give both"),
        ({"tenant_claim": "org"}, "tenant_claim", "give both"),
        ({"tenant_claim": "org", "tenants": {"o": "acne"}}, "tenants", "There is no tenant acne"),
        ({"client_secret": "open", "client_id": "c"}, "client_secret", "must not be written out"),
        ({"client_secret": "${secret:x}"}, "client_secret", "needs the client_id"),
    ],
    ids=str,
)
async def test_a_record_that_cannot_be_says_what_to_change(
    site: Site, changes: dict[str, Any], field: str, advice: str
) -> None:
    async with believing(site) as other:
        error = await refused(other, **changes)
    assert error["code"] == "E2004"
    assert error["details"]["field"] == field
    assert advice in error["message"]


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "a:b"},
        {"name": ""},
        {"preset": "okta"},
        {"colour": "red"},
        {"algorithms": []},
        {"audiences": [""]},
        {"role_map": {"staff": "user"}},
        {"client_id": "a\nb"},
    ],
    ids=str,
)
async def test_a_body_that_is_none_names_the_field(site: Site, changes: dict[str, Any]) -> None:
    error = await refused(site, **changes)
    assert error["code"] == "E2004"
    assert next(iter(changes)) in error["message"]


async def test_a_tenant_that_is_not_there_is_not_found(site: Site) -> None:
    assert (await refused(site, tenant="absent"))["code"] == "E2011"


async def test_each_issuer_exists_once(site: Site) -> None:
    await make(site)
    assert (await refused(site, issuer="https://other.example"))["code"] == "E2012"
    error = await refused(site, name="other", tenant="acme")
    assert error["code"] == "E2012"
    assert "tenant_claim" in error["message"]


async def test_a_name_in_the_body_is_the_one_in_the_path(site: Site) -> None:
    await make(site)
    wrong = await site.ask("PUT", f"{PATH}/other", "system_admin", json=ID)
    assert error_of(wrong)["details"]["field"] == "name"


async def test_a_shared_secret_is_for_development(site: Site) -> None:
    async with believing(site, allows_secrets=True) as other:
        made = await make(other, shared_secret="${secret:x}")
        assert made["algorithms"] == []
        tried = (await other.post(f"{PATH}/id/test", "system_admin")).json()
        assert (tried["ok"], tried["algorithms"]) == (True, ["HS256"])
        assert tried["secrets"] == [
            {"field": "shared_secret", "reference": "${secret:x}", "is_usable": True}
        ]
    async with believing(site) as elsewhere:
        tried = (await elsewhere.post(f"{PATH}/id/test", "system_admin")).json()
        assert not tried["ok"]
        assert "development only" in tried["problems"][0]


async def test_trying_an_issuer_reports_what_it_answered(site: Site) -> None:
    async with believing(
        site, FakeIssuer(public("RS256"), public("ES256", 1, alg="ES256"))
    ) as other:
        await make(other)
        tried = (await other.post(f"{PATH}/id/test", "system_admin")).json()
    assert tried == {
        "ok": True,
        "issuer": URL,
        "jwks_url": f"{URL}/keys",
        "keys": [
            {"key_id": "k0", "kind": "RSA", "algorithm": ""},
            {"key_id": "k1", "kind": "EC", "algorithm": "ES256"},
        ],
        "algorithms": ["RS256", "ES256"],
        "secrets": [],
        "problems": [],
    }
    assert site.recorder.last.action == "issuer.test"


async def test_trying_an_issuer_says_what_is_wrong(site: Site) -> None:
    issuer = FakeIssuer(public("EdDSA"))
    async with believing(site, issuer) as other:
        await make(other)
        tried = (await other.post(f"{PATH}/id/test", "system_admin")).json()
        assert "Set algorithms to what it signs with" in tried["problems"][0]
        issuer.is_down = True
        tried = (await other.post(f"{PATH}/id/test", "system_admin")).json()
        assert (tried["ok"], tried["keys"]) == (False, [])
        assert "nothing answers" in tried["problems"][0]


WITH_SECRET = {"client_id": "console", "client_secret": "${secret:console}"}


async def test_trying_an_issuer_reads_the_secret_of_the_gateway_there(site: Site) -> None:
    asked: list[tuple[str, str]] = []
    answers = iter(["s3cret", ""])

    async def resolve(tenant: str, text: str) -> str:
        asked.append((tenant, text))
        value = next(answers, None)
        if value is None:
            raise SecretUnavailable("There is no secret console. Set it.")
        return value

    issuer = FakeIssuer(public("RS256"))
    async with believing(site, issuer) as one, altered(one, resolve=resolve) as other:
        await make(other, tenant="acme", **WITH_SECRET)
        good, empty, missing = [
            (await other.post(f"{PATH}/id/test", "system_admin")).json() for _ in range(3)
        ]
        issuer.is_down = True
        both = (await other.post(f"{PATH}/id/test", "system_admin")).json()
    used = {"field": "client_secret", "reference": "${secret:console}"}
    assert asked[0] == ("acme", "${secret:console}")
    assert (good["ok"], good["secrets"]) == (True, [{**used, "is_usable": True}])
    assert "s3cret" not in str(good)
    assert (empty["ok"], empty["secrets"]) == (False, [{**used, "is_usable": False}])
    assert empty["problems"][0].startswith("client_secret: ${secret:console} is empty")
    assert missing["problems"] == ["client_secret: There is no secret console. Set it."]
    assert len(both["problems"]) == 2, "one problem does not hide another"


async def test_a_process_that_reads_no_secrets_says_so(site: Site) -> None:
    async with believing(site) as other:
        await make(other, **WITH_SECRET)
        tried = (await other.post(f"{PATH}/id/test", "system_admin")).json()
    assert "This process reads no secrets" in tried["problems"][0]


async def test_how_its_keys_stand_is_said_of_each_issuer(site: Site) -> None:
    assert (await make(site))["key_set"] is None, "this process accepts no tokens"
    issuer = FakeIssuer()
    async with believing(site, issuer) as other:
        unasked = (await other.get(f"{PATH}/id", "system_admin")).json()["key_set"]
        assert unasked == {
            "keys": 0, "fetched_at": None, "age_seconds": None, "is_stale": False,
            "usable_until": None, "failures": 0, "last_error": "", "last_error_at": None,
        }  # fmt: skip
        tokens = other.control.tokens
        assert tokens is not None
        known = other.control.snapshot().issuers.values()
        await tokens.verifier.keys.refresh_due(known)
        listed = (await other.get(PATH, "system_admin")).json()["issuers"]
        found = listed[0]["key_set"]
        assert (found["keys"], found["age_seconds"], found["is_stale"]) == (1, 0, False)
        assert found["fetched_at"] < found["usable_until"]
        assert found["fetched_at"].endswith("Z")


async def test_why_keys_could_not_be_fetched_is_said(site: Site) -> None:
    issuer = FakeIssuer()
    issuer.is_down = True
    async with believing(site, issuer) as other:
        await make(other)
        tokens = other.control.tokens
        assert tokens is not None
        await tokens.verifier.keys.refresh_due(other.control.snapshot().issuers.values())
        found = (await other.get(f"{PATH}/id", "system_admin")).json()["key_set"]
    assert (found["keys"], found["failures"]) == (0, 1)
    assert "nothing answers" in found["last_error"]
    assert found["last_error_at"] is not None


async def explain(site: Site, text: str) -> dict[str, Any]:
    answer = await site.post(f"{PATH}/id/explain", "system_admin", json={"token": text})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_a_token_that_is_accepted_is_explained(site: Site) -> None:
    async with believing(site) as other:
        await make(other, scopes={"list": ["tools:list"]})
        found = await explain(other, token(azp="agent", scope="list", groups=["g"]))
    bearer = found["bearer"]
    assert (found["accepted"], found["explanation"]) == (True, "Accepted.")
    assert (bearer["subject"], bearer["tenant"], bearer["agent"]) == ("id:ann", "default", "agent")
    assert (bearer["roles"], bearer["permissions"]) == (["user"], ["tools:list"])
    assert bearer["withheld"] == ["tools:execute"]
    assert (bearer["claimed_roles"], bearer["claimed_groups"]) == (["staff"], ["g"])
    assert found["claims"]["scope"] == "list"
    assert bearer["expires_at"].startswith("20")


async def test_a_bearer_who_may_do_nothing_is_told_of(site: Site) -> None:
    async with believing(site) as other:
        await make(other, role_map={})
        found = await explain(other, token(exp=2**52))
    assert found["accepted"]
    assert "may do nothing" in found["explanation"]
    assert found["bearer"]["expires_at"].startswith("9999")


@pytest.mark.parametrize(
    ("changes", "code", "reason"),
    [
        ({"aud": "x"}, "E1002", "audience"),
        ({"exp": NOW - 60}, "E1003", "expired"),
        ({"iss": f"{URL}/"}, "E1002", "issuer"),
        ({"cnf": {"jkt": "x"}}, "E1002", "binding"),
    ],
)
async def test_a_token_that_is_refused_is_explained_as_its_bearer_is_not(
    site: Site, changes: dict[str, Any], code: str, reason: str
) -> None:
    async with believing(site) as other:
        await make(other)
        found = await explain(other, token(**changes))
    assert (found["accepted"], found["code"], found["reason"]) == (False, code, reason)
    assert found["explanation"] not in found["told"]
    assert found["claims"]["sub"] == "ann"
    assert found["bearer"] is None


async def test_where_and_by_whom_a_token_may_be_used_is_told(site: Site) -> None:
    async with believing(site) as other:
        await make(other)
        bound = token(aud=f"{ADDRESS}/mcp/bundles/x", cnf={"x5t#S256": encode(bytes(32))})
        found = await explain(other, bound)
    assert found["bearer"]["good_at"] == ["/mcp/bundles/x"]
    assert found["bearer"]["bound_to_certificate"] == "00" * 32


async def test_a_token_of_an_inactive_issuer_is_explained_and_not_accepted(site: Site) -> None:
    async with believing(site) as other:
        await make(other, is_active=False)
        found = await explain(other, token())
    assert not found["accepted"]
    assert "id is not active" in found["explanation"]


async def test_a_token_is_neither_recorded_nor_kept(site: Site) -> None:
    async with believing(site) as other:
        await make(other)
        text = token()
        await explain(other, text)
        assert isinstance(other.control.tokens, Tokens)
        assert len(other.control.tokens) == 0
    (record,) = [one for one in site.recorder.records if one.action == "issuer.explain"]
    assert text not in repr(record)
    forged = sign({"alg": "RS256", "kid": "k0"}, claims_of(), key_for("RS256", 1))
    too_long = await site.post(
        f"{PATH}/id/explain", "system_admin", json={"token": forged + "x" * 20_000}
    )
    assert forged not in too_long.text


async def test_where_no_tokens_are_accepted_none_is_tried(site: Site) -> None:
    await make(site)
    for path, body in (("test", None), ("explain", {"token": "x"})):
        answer = await site.post(f"{PATH}/id/{path}", "system_admin", json=body)
        assert error_of(answer)["code"] == "E5004"


async def test_an_issuer_that_is_not_there_is_not_tried(site: Site) -> None:
    async with believing(site) as other:
        answer = await other.post(f"{PATH}/absent/test", "system_admin")
    assert error_of(answer)["code"] == "E2011"
