from bascule.gateway.issuer import Issuer
from bascule.identity.rejections import Reason, Rejection
from bascule.identity.verifying import Verified
from fakes.issuers import (
    NOW,
    URL,
    FakeIssuer,
    claims_of,
    encode,
    issuer_of,
    public,
    sign,
    token_of,
    tokens_of,
)

ISSUERS: dict[str, Issuer] = {URL: issuer_of()}


async def verify(token: str, issuer: FakeIssuer | None = None) -> Verified | Rejection:
    return await tokens_of(issuer).verifier.verify(token, ISSUERS)


async def test_a_good_token_says_whose_where_and_by_which_key() -> None:
    thumbprint = bytes(32)
    found = await verify(token_of(cnf={"x5t#S256": encode(thumbprint)}))
    assert isinstance(found, Verified)
    assert found.issuer is ISSUERS[URL]
    assert found.key.key_id == "k0"
    assert found.reach.places is None
    assert found.thumbprint == thumbprint.hex()


async def test_each_rule_refuses_what_breaks_it() -> None:
    made = {
        Reason.MALFORMED: "a.b.c",
        Reason.ISSUER: token_of(iss="https://id.example/"),
        Reason.ALGORITHM: sign({"alg": "RS512", "kid": "k0"}, claims_of()),
        Reason.KEY: sign({"alg": "RS256", "kid": "k1"}, claims_of()),
        Reason.KIND: token_of(nonce="n"),
        Reason.EXPIRED: token_of(exp=NOW - 30),
        Reason.NOT_YET: token_of(nbf=NOW + 31),
        Reason.AUDIENCE: token_of(aud="x"),
        Reason.BINDING: token_of(cnf={"jkt": "x"}),
        Reason.CLAIMS: token_of(sub=None),
    }
    for reason, token in made.items():
        found = await verify(token)
        assert isinstance(found, Rejection)
        assert found.reason is reason


async def test_an_issuer_that_is_no_text_is_nobodys() -> None:
    for iss in (None, 5, [URL], {"a": URL}):
        found = await verify(token_of(iss=iss))
        assert isinstance(found, Rejection)
        assert found.reason is Reason.ISSUER


async def test_of_many_keys_without_an_id_only_some_are_tried() -> None:
    """A token costs a bounded number of signatures, however many keys there are."""
    many = [public("RS256", number, kid=None) for number in range(1, 18)]
    token = sign({"alg": "RS256"}, claims_of())
    found = await verify(token, FakeIssuer(*many, public("RS256", kid=None)))
    assert isinstance(found, Rejection)
    assert found.reason is Reason.SIGNATURE
    assert isinstance(
        await verify(token, FakeIssuer(*many[:15], public("RS256", kid=None))), Verified
    )


async def test_keys_that_cannot_be_had_are_no_fault_of_the_token() -> None:
    issuer = FakeIssuer()
    issuer.is_down = True
    found = await verify(token_of(), issuer)
    assert isinstance(found, Rejection)
    assert found.reason is Reason.UNAVAILABLE
    assert "nothing answers" in found.private
