from dataclasses import replace

from bascule.gateway.errors import ErrorCode
from bascule.gateway.principal import Person
from bascule.identity.explaining import Explanation, explain
from fakes.issuers import URL, FakeIssuer, issuer_of, snapshot_of, token_of, tokens_of


async def explained(token: str, issuer: FakeIssuer | None = None) -> Explanation:
    verifier = tokens_of(issuer).verifier
    record = replace(issuer_of(), tenant_claim="org", tenants={"o": "acme"})
    people = {(URL, "gone"): Person("u", "Gone", is_active=False)}
    return await explain(token, record, verifier, snapshot_of(people=people))


async def test_a_token_that_is_accepted_comes_with_all_that_was_read() -> None:
    found = await explained(token_of(org="o", azp="agent", secret="not read"))
    assert found.refusal is None
    assert found.principal is not None
    assert found.principal.roles == {"user"}
    assert (found.algorithm, found.key_id) == ("RS256", "k0")
    assert found.claims["roles"] == ["staff"]
    assert found.claims["org"] == "o"
    assert "secret" not in found.claims


async def test_without_a_claim_for_the_tenant_none_is_read() -> None:
    verifier = tokens_of().verifier
    found = await explain(token_of(), issuer_of(), verifier, snapshot_of())
    assert found.principal is not None
    assert set(found.claims) == {"iss", "exp", "iat", "aud", "sub", "roles"}


async def test_a_token_that_is_refused_says_why_and_what_it_claims() -> None:
    found = await explained(token_of(org="o", aud="x"))
    assert found.reason == "audience"
    assert found.refusal is not None
    assert "its audience is" in found.refusal.private
    assert found.claims["aud"] == "x"


async def test_a_token_of_another_issuer_names_both() -> None:
    found = await explained(token_of(iss=URL + "/"))
    assert found.refusal is not None
    assert f"'{URL}/'" in found.refusal.private
    assert f"'{URL}'" in found.refusal.private


async def test_what_is_no_token_says_so() -> None:
    found = await explained("secret")
    assert (found.reason, found.claims) == ("malformed", {})


async def test_a_good_token_of_somebody_who_may_not_come_in_says_so() -> None:
    found = await explained(token_of(org="o", sub="gone"))
    assert found.reason == "standing"
    assert found.verified is not None
    assert found.refusal is not None
    assert found.refusal.error is ErrorCode.INVALID_TOKEN
