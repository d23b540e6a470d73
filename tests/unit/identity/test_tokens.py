"""Bearers of access tokens, known again while nothing changed."""

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc.jwk import OctKey, RSAKey

from bascule.gateway.call import Call, Endpoint, EndpointKind, Method
from bascule.gateway.errors import ErrorCode
from bascule.gateway.principal import Certificate, Means, Person, Presented, Principal
from bascule.gateway.snapshot import Snapshot
from bascule.gateway.verdict import PASS, Refuse
from bascule.identity.api_keys import UNKNOWN_KEY, ApiKeys, RevokedKeys
from bascule.identity.authenticate import Authenticate, place_of
from bascule.identity.key_sets import KeyRules
from bascule.identity.rejections import Reason
from bascule.identity.tokens import Tokens
from fakes.issuers import (
    NOW,
    URL,
    Clock,
    FakeIssuer,
    claims_of,
    encode,
    issuer_of,
    key_for,
    public,
    sign,
    sign_text,
    snapshot_of,
    token_of,
    tokens_of,
)

SNAPSHOT = snapshot_of()


async def ask(
    tokens: Tokens, token: str, snapshot: Snapshot = SNAPSHOT, **presented: Any
) -> Principal | Refuse:
    """As `Authenticate` asks: what is known at once, and else whoever has to be waited for."""
    shown = Presented(token, **{"place": "/mcp", **presented})
    found = tokens.known(shown, snapshot)
    return await tokens.identify(shown, snapshot) if found is None else found


async def accepted(tokens: Tokens, token: str, *rest: Any, **presented: Any) -> Principal:
    found = await ask(tokens, token, *rest, **presented)
    assert isinstance(found, Principal), found
    return found


async def refused(tokens: Tokens, token: str, *rest: Any, **presented: Any) -> Refuse:
    found = await ask(tokens, token, *rest, **presented)
    assert isinstance(found, Refuse), found
    return found


async def test_the_bearer_of_a_token_is_who_its_issuer_says() -> None:
    principal = await accepted(tokens_of(), token_of(azp="agent", groups=["makers"]))
    assert (principal.tenant, principal.subject, principal.agent) == ("acme", "id:ann", "agent")
    assert principal.roles == {"user", "developer"}
    assert principal.may("tools:write")
    assert principal.means is Means.TOKEN
    assert principal.owner == f"token|{URL}|ann"


async def test_a_token_is_verified_once_and_gives_the_same_principal_again() -> None:
    tokens, token = tokens_of(), token_of()
    first = await accepted(tokens, token)
    assert tokens.known(Presented(token), SNAPSHOT) is first
    assert len(tokens) == 1


async def test_through_the_stage_a_token_comes_with_its_call() -> None:
    stage, token = Authenticate(ApiKeys(RevokedKeys()), tokens_of()), token_of()
    call = Call(Method.TOOLS_CALL, "c", credential=token)
    call.snapshot = SNAPSHOT
    assert await stage.inbound(call) is PASS
    assert call.principal is not None
    assert call.principal.subject == "id:ann"
    assert call.credential is None
    assert call.bearer is not None
    assert call.bearer.for_exchange() == token


async def test_with_the_next_snapshot_the_bearer_is_judged_anew() -> None:
    tokens, token = tokens_of(), token_of()
    first = await accepted(tokens, token)
    ann = Person("u1", "Ann", frozenset({"developer"}))
    later = snapshot_of(people={(URL, "ann"): ann})
    known = tokens.known(Presented(token), later)
    assert isinstance(known, Principal)
    assert (known.subject, known.roles) == ("Ann", {"user", "developer"})
    assert known is not first
    assert tokens.known(Presented(token), later) is known


@pytest.mark.parametrize(
    "ann",
    [Person("u1", "Ann", is_active=False), Person("u1", "Ann", signed_out_at=NOW - 5)],
    ids=["deactivated", "signed out everywhere"],
)
async def test_who_must_not_come_in_any_more_does_not(ann: Person) -> None:
    reasons: list[Reason] = []
    tokens, token = tokens_of(on_refused=reasons.append), token_of()
    await accepted(tokens, token)
    found = tokens.known(Presented(token), snapshot_of(people={(URL, "ann"): ann}))
    assert isinstance(found, Refuse)
    assert found.error is ErrorCode.INVALID_TOKEN
    assert reasons == [Reason.STANDING]


async def test_a_token_issued_after_signing_out_everywhere_is_good() -> None:
    ann = Person("u1", "Ann", signed_out_at=NOW - 20)
    await accepted(tokens_of(), token_of(), snapshot_of(people={(URL, "ann"): ann}))


@pytest.mark.parametrize(
    "issuers",
    [
        (issuer_of(issuer="https://other.example"),),
        (issuer_of(role_map={}),),
        (issuer_of(audiences=("x",)),),
    ],
    ids=["removed", "roles changed", "audience changed"],
)
async def test_what_an_issuer_verified_falls_with_its_record(issuers: Any) -> None:
    tokens, token = tokens_of(), token_of()
    await accepted(tokens, token)
    assert tokens.known(Presented(token), snapshot_of(*issuers)) is None
    assert len(tokens) == 0


async def test_an_equal_record_in_a_new_snapshot_keeps_what_it_verified() -> None:
    tokens, token = tokens_of(), token_of()
    await accepted(tokens, token)
    assert isinstance(tokens.known(Presented(token), snapshot_of(issuer_of())), Principal)


async def test_a_token_is_good_until_it_expires_and_the_clocks_may_be_off_a_little() -> None:
    clock = Clock()
    tokens, token = tokens_of(clock=clock), token_of()
    await accepted(tokens, token)
    clock.seconds = NOW + 629
    await accepted(tokens, token)
    clock.seconds = NOW + 630
    assert (await refused(tokens, token)).error is ErrorCode.TOKEN_EXPIRED
    assert len(tokens) == 0
    assert (await refused(tokens, token)).error is ErrorCode.TOKEN_EXPIRED


async def test_the_standing_of_a_token_that_expires_ends_with_it_in_a_new_snapshot() -> None:
    clock = Clock()
    tokens, token = tokens_of(clock=clock), token_of()
    await accepted(tokens, token)
    clock.seconds = NOW + 700
    assert (await refused(tokens, token, snapshot_of())).error is ErrorCode.TOKEN_EXPIRED


async def test_tokens_beyond_the_bound_make_room_for_each_other() -> None:
    tokens = tokens_of(max_tokens=2)
    made = [token_of(sub=name) for name in ("a", "b", "c")]
    for token in made:
        await accepted(tokens, token)
    assert len(tokens) == 2
    assert tokens.known(Presented(made[0]), SNAPSHOT) is None
    assert tokens.known(Presented(made[2]), SNAPSHOT) is not None


async def test_without_room_each_call_is_verified_anew() -> None:
    tokens, token = tokens_of(max_tokens=0), token_of()
    first = await accepted(tokens, token)
    assert await accepted(tokens, token) is not first
    assert len(tokens) == 0


async def test_a_flood_of_one_bad_token_is_verified_once() -> None:
    clock = Clock()
    tokens, token = tokens_of(clock=clock), token_of(aud="https://elsewhere.example")
    first = await refused(tokens, token)
    assert tokens.known(Presented(token), SNAPSHOT) is not None
    assert await refused(tokens, token) == first
    assert tokens.known(Presented(token), snapshot_of()) is None, "a snapshot may change that"
    await refused(tokens, token)
    clock.seconds += 11
    assert tokens.known(Presented(token), SNAPSHOT) is None, "and so may time"


async def test_a_token_that_is_not_valid_yet_is_looked_at_again() -> None:
    clock = Clock()
    tokens, token = tokens_of(clock=clock), token_of(nbf=NOW + 31)
    assert "not valid yet" in (await refused(tokens, token)).public
    clock.seconds += 1
    await accepted(tokens, token)


async def test_bad_tokens_are_remembered_up_to_a_bound() -> None:
    tokens = tokens_of()
    made = [f"a.b{number}.c" for number in range(4097)]
    for token in made:
        await refused(tokens, token)
    assert tokens.known(Presented(made[0]), SNAPSHOT) is None
    assert tokens.known(Presented(made[-1]), SNAPSHOT) is not None


@pytest.mark.parametrize("credential", ["secret", "a.b", "", None, "\ud800", "é"], ids=ascii)
async def test_what_is_no_token_is_a_key_that_is_not_known(credential: str | None) -> None:
    tokens = tokens_of()
    presented = Presented(credential)
    assert tokens.known(presented, SNAPSHOT) is None
    assert await tokens.identify(presented, SNAPSHOT) is UNKNOWN_KEY


async def test_a_token_that_is_too_long_is_refused_unread() -> None:
    found = tokens_of().known(Presented("x" * 16_385), SNAPSHOT)
    assert isinstance(found, Refuse)
    assert "longer than" in found.private


PLACES = [
    ("https://tools.example", {"/mcp", "/mcp/bundles/x", "/mcp/servers/y", ""}),
    ("https://tools.example/mcp", {"/mcp", "/mcp/bundles/x", "/mcp/servers/y"}),
    ("https://tools.example/mcp/bundles/x", {"/mcp/bundles/x", "/mcp/bundles/x@1.0.0"}),
    (
        ["https://tools.example/mcp/bundles/x", "https://tools.example/mcp/servers/y"],
        {"/mcp/bundles/x", "/mcp/servers/y", "/mcp/bundles/x@1.0.0"},
    ),
]


@pytest.mark.parametrize(("audience", "good_at"), PLACES)
async def test_a_token_is_good_where_its_audience_says(audience: Any, good_at: set[str]) -> None:
    tokens, token = tokens_of(), token_of(aud=audience)
    places = [
        "/mcp",
        "/mcp/bundles/x",
        "/mcp/bundles/x@1.0.0",
        "/mcp/bundles/z",
        "",
        "/mcp/servers/y",
    ]
    for _ in range(2):  # verified, then known
        for place in places:
            found = await ask(tokens, token, place=place)
            wanted = place in good_at or ("/mcp" in good_at and place != "")
            assert isinstance(found, Principal) is wanted, place


async def test_a_token_for_another_endpoint_says_so_to_the_record_only() -> None:
    token = token_of(aud="https://tools.example/mcp/bundles/x")
    found = await refused(tokens_of(), token, place="/mcp/bundles/z")
    assert "/mcp/bundles/x" in found.private
    assert "bundles" not in found.public


def test_the_place_of_a_call_is_the_path_of_its_endpoint() -> None:
    assert place_of(Endpoint()) == "/mcp"
    assert place_of(Endpoint(EndpointKind.BUNDLE, "x")) == "/mcp/bundles/x"
    assert place_of(Endpoint(EndpointKind.SERVER, "y")) == "/mcp/servers/y"


async def test_the_stage_tells_which_endpoint_is_called() -> None:
    stage = Authenticate(ApiKeys(RevokedKeys()), tokens_of())
    token = token_of(aud="https://tools.example/mcp/bundles/x")
    for name, verdict in (("x", True), ("z", False)):
        endpoint = Endpoint(EndpointKind.BUNDLE, name)
        call = Call(Method.TOOLS_CALL, "c", credential=token, endpoint=endpoint)
        call.snapshot = SNAPSHOT
        assert (await stage.inbound(call) is PASS) is verdict


async def test_a_token_bound_to_a_certificate_is_good_in_its_hands_only() -> None:
    thumbprint = bytes(range(32))
    token = token_of(cnf={"x5t#S256": encode(thumbprint)})
    own = Certificate("CN=ann", "CN=ca", thumbprint.hex())
    other = replace(own, sha256="00" * 32)
    tokens = tokens_of()
    for _ in range(2):
        await accepted(tokens, token, certificate=own)
        for certificate in (None, other):
            found = await refused(tokens, token, certificate=certificate)
            assert found.error is ErrorCode.INVALID_TOKEN
            assert "bound to a client certificate" in found.private


async def test_a_key_that_its_issuer_withdraws_ends_what_it_verified() -> None:
    clock, issuer = Clock(), FakeIssuer()
    tokens = tokens_of(issuer, clock=clock)
    token = token_of()
    await accepted(tokens, token)
    issuer.publish(public("RS256", 1))
    clock.seconds += 590
    await tokens.verifier.keys.refresh_due([issuer_of()])
    assert tokens.known(Presented(token), SNAPSHOT) is None
    assert "has no RS256 key" in (await refused(tokens, token)).private


async def test_while_an_issuer_cannot_be_asked_its_tokens_may_be_good() -> None:
    issuer, clock = FakeIssuer(), Clock()
    issuer.is_down = True
    tokens, token = tokens_of(issuer, clock=clock), token_of()
    found = await refused(tokens, token)
    assert found.error is ErrorCode.UNAVAILABLE
    assert "Try again" in found.public
    issuer.is_down = False
    clock.seconds += 6
    await accepted(tokens, token)


async def test_a_thousand_callers_at_once_have_the_keys_fetched_once() -> None:
    issuer = FakeIssuer()
    issuer.gate = asyncio.Event()
    tokens = tokens_of(issuer)
    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        asked = [group.create_task(ask(tokens, token_of(sub=str(one)))) for one in range(1000)]
        while not issuer.fetched:
            await asyncio.sleep(0)
        issuer.gate.set()
    assert all(isinstance(one.result(), Principal) for one in asked)
    assert issuer.times == 1


async def test_random_key_ids_do_not_make_the_gateway_hammer_an_issuer() -> None:
    clock, issuer = Clock(), FakeIssuer()
    tokens = tokens_of(issuer, clock=clock)
    await accepted(tokens, token_of())
    for second in range(40):
        clock.seconds += 1
        for number in range(5):
            head = {"alg": "RS256", "kid": f"r{second}-{number}"}
            found = await refused(tokens, sign(head, claims_of()))
            assert "has no RS256 key" in found.private
    assert issuer.times <= 5


async def test_a_new_key_is_found_at_once() -> None:
    clock, issuer = Clock(), FakeIssuer()
    tokens = tokens_of(issuer, clock=clock)
    await accepted(tokens, token_of())
    issuer.publish(public("RS256"), public("RS256", 1))
    clock.seconds += 11
    new = sign({"alg": "RS256", "kid": "k1"}, claims_of(), key_for("RS256", 1))
    await accepted(tokens, new)
    await accepted(tokens, token_of())
    assert issuer.times == 2


async def test_a_token_of_a_key_to_come_is_tried_again_soon() -> None:
    clock, issuer = Clock(), FakeIssuer()
    tokens = tokens_of(issuer, clock=clock)
    new = sign({"alg": "RS256", "kid": "k1"}, claims_of(), key_for("RS256", 1))
    await refused(tokens, new)
    issuer.publish(public("RS256"), public("RS256", 1))
    clock.seconds += 10
    await accepted(tokens, new)


@pytest.mark.parametrize(
    "algorithm",
    [
        "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA",
        "Ed25519",
    ],
)  # fmt: skip
async def test_every_signature_that_an_issuer_lists_is_verified(algorithm: str) -> None:
    tokens = tokens_of(FakeIssuer(public(algorithm)))
    snapshot = snapshot_of(issuer_of(algorithms=(algorithm,)))
    await accepted(tokens, token_of(algorithm), snapshot)
    signature = token_of(algorithm, sub="bob").rpartition(".")[2]
    forged = token_of(algorithm).rpartition(".")[0]
    assert "no signature" in (await refused(tokens, f"{forged}.{signature}", snapshot)).private


async def test_what_an_issuer_does_not_list_is_refused() -> None:
    tokens = tokens_of(FakeIssuer(public("RS384")))
    found = await refused(tokens, token_of("RS384"))
    assert "its alg 'RS384' is not one of RS256, ES256" in found.private


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "nOnE", "HS256", "", "x" * 300])
async def test_no_signature_and_symmetric_ones_are_refused(algorithm: str) -> None:
    header = f'{{"alg": "{algorithm}", "kid": "k0"}}'.encode()
    body = f"{encode(header)}.{encode(json.dumps(claims_of()).encode())}"
    for signature in ("", "AAAA"):
        found = await refused(tokens_of(), f"{body}.{signature}")
        assert found.error is ErrorCode.INVALID_TOKEN
        assert "alg" in found.private


async def test_a_public_key_is_no_shared_secret() -> None:
    """HS256 with the RSA key as its secret: the confusion of RFC 8725, section 2.1."""
    key = key_for("RS256")
    assert isinstance(key, RSAKey)
    for octets in (key.as_pem(private=False), key.as_der(private=False)):
        secret = OctKey(octets, octets)
        token = token_of("HS256", secret)
        found = await refused(tokens_of(), token)
        assert "HS256" in found.private
        with_secret = snapshot_of(issuer_of(shared_secret="${secret:id}"))
        rules = KeyRules(allows_secrets=True)
        assert "no signature" in (await refused(tokens_of(rules=rules), token, with_secret)).private


async def test_a_shared_secret_counts_in_development_and_where_it_is_set_only() -> None:
    token, rules = token_of("HS256"), KeyRules(allows_secrets=True)
    shared = snapshot_of(issuer_of(shared_secret="${secret:id}"))
    await accepted(tokens_of(rules=rules), token, shared)
    assert "not one of" in (await refused(tokens_of(), token, shared)).private
    assert "not one of" in (await refused(tokens_of(rules=rules), token)).private
    listed = snapshot_of(issuer_of(algorithms=("HS256", "RS256")))
    assert "not one of" in (await refused(tokens_of(rules=rules), token, listed)).private


@pytest.mark.parametrize(
    "members",
    [
        {"jwk": public("RS256", 1)},
        {"jku": "https://evil.example/keys"},
        {"x5u": "https://evil.example/cert"},
        {"x5c": ["MIIB"]},
        {"jwk": public("RS256", 1), "kid": "k1"},
    ],
)
async def test_keys_that_a_token_brings_or_names_are_not_looked_at(members: Any) -> None:
    issuer = FakeIssuer()
    header = {"alg": "RS256", "kid": "k0", **members}
    await refused(tokens_of(issuer), sign(header, claims_of(), key_for("RS256", 1)))
    assert {url.split("/")[2] for url, _ in issuer.fetched} <= {"id.example"}
    good = {**header, "kid": "k0"}
    await accepted(tokens_of(issuer), sign(good, claims_of()))


@pytest.mark.parametrize("name", ["crit", "b64"])
async def test_critical_headers_are_refused(name: str) -> None:
    header = {"alg": "RS256", "kid": "k0", name: ["exp"] if name == "crit" else False}
    assert name in (await refused(tokens_of(), sign(header, claims_of()))).private


async def test_a_token_without_a_key_id_may_be_by_any_key_that_fits() -> None:
    issuer = FakeIssuer(public("RS256", 1), public("ES256"), public("RS256"))
    await accepted(tokens_of(issuer), sign({"alg": "RS256"}, claims_of()))
    found = await refused(
        tokens_of(issuer), sign({"alg": "RS256"}, claims_of(), key_for("RS256", 2))
    )
    assert "no signature" in found.private


async def test_what_comes_before_the_signature_is_told_alike() -> None:
    """Who forges tokens learns nothing of what was wrong with them."""
    made = [
        "a.b.c",
        token_of(iss="https://stranger.example"),
        token_of("RS256", key_for("RS256", 1)),
        sign({"alg": "RS256", "kid": "nobody"}, claims_of()),
        sign({"alg": "RS384", "kid": "k0"}, claims_of()),
    ]
    found = [await refused(tokens_of(), token) for token in made]
    assert len({(one.error, one.public) for one in found}) == 1
    assert len({one.private for one in found}) == len(made)


async def test_nothing_of_a_token_is_in_what_is_said_of_it() -> None:
    for token in (
        token_of(aud="x"),
        token_of("RS256", key_for("RS256", 1)),
        "a.secret-part.signature",
    ):
        found = await refused(tokens_of(), token)
        for part in token.split(".")[1:]:
            assert part not in found.public
            assert part not in found.private


async def test_refusals_are_counted_by_their_class() -> None:
    reasons: list[Reason] = []
    tokens = tokens_of(on_refused=reasons.append)
    await refused(tokens, "a.b.c")
    await refused(tokens, token_of(exp=NOW - 31))
    await refused(tokens, token_of(aud="x"))
    assert reasons == [Reason.MALFORMED, Reason.EXPIRED, Reason.AUDIENCE]


TOKENS = st.one_of(
    st.text(max_size=200),
    st.builds(
        lambda a, b, c: f"{encode(a)}.{encode(b)}.{encode(c)}", *[st.binary(max_size=60)] * 3
    ),
)


@given(TOKENS)
async def test_whatever_comes_as_a_token_is_refused_and_never_fails(token: str) -> None:
    found = await refused(tokens_of(), token)
    assert found.error in {ErrorCode.INVALID_TOKEN, ErrorCode.TOKEN_EXPIRED}


GOOD = token_of()


@given(st.integers(0, len(GOOD) - 1), st.characters(codec="ascii"))
async def test_a_token_with_any_other_character_is_refused(place: int, character: str) -> None:
    mutated = GOOD[:place] + character + GOOD[place + 1 :]
    if mutated != GOOD:
        await refused(tokens_of(), mutated)


@given(st.integers(0, len(GOOD) - 1))
async def test_a_token_cut_short_is_refused(length: int) -> None:
    await refused(tokens_of(), GOOD[:length])


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=8,
)
NAMES = st.sampled_from(
    ["iss", "sub", "aud", "exp", "iat", "nbf", "cnf", "roles", "groups", "scope", "azp", "act",
     "typ", "token_use", "nonce", "_claim_names", "jti", "preferred_username"]
)  # fmt: skip


@given(st.dictionaries(NAMES, JSON, min_size=1, max_size=4))
async def test_claims_of_any_kind_are_read_or_refused_and_never_fail(changes: Any) -> None:
    try:
        token = sign({"alg": "RS256", "kid": "k0"}, {**claims_of(), **changes})
    except UnicodeEncodeError:
        return
    found = await ask(tokens_of(ISSUER), token)
    if isinstance(found, Principal):
        assert found.roles <= {"user", "developer"}
        assert found.tenant == "acme"


@given(
    st.dictionaries(st.sampled_from(["alg", "kid", "typ", "crit", "b64", "cty"]), JSON, max_size=4)
)
async def test_headers_of_any_kind_are_refused_or_understood_and_never_fail(changes: Any) -> None:
    header = json.dumps({"alg": "RS256", "kid": "k0", **changes}).encode()
    await ask(tokens_of(ISSUER), sign_text(header, json.dumps(claims_of()).encode(), "RS256"))


ISSUER = FakeIssuer()


async def test_a_deeply_nested_token_is_refused() -> None:
    payload = b'{"iss":"x","a":' + b"[" * 5000 + b"]" * 5000 + b"}"
    token = f"{encode(b'{}')}.{encode(payload)}.AAAA"
    assert "RecursionError" in (await refused(tokens_of(), token)).private


async def test_an_id_token_is_its_clients_and_one_sign_ins() -> None:
    tokens = tokens_of()
    token = sign({"alg": "RS256", "kid": "k0"}, claims_of(aud="console", nonce="n1"))
    claims = await tokens.verify_id_token(issuer_of(), token, audience="console", nonce="n1")
    assert not isinstance(claims, Refuse)
    assert claims["sub"] == "ann"
    assert len(tokens) == 0
    for audience, nonce in (("other", "n1"), ("console", "n2")):
        found = await tokens.verify_id_token(issuer_of(), token, audience=audience, nonce=nonce)
        assert isinstance(found, Refuse)


@pytest.mark.parametrize(
    "token",
    [
        "a.b.c",
        sign({"alg": "RS256", "kid": "k0"}, claims_of(nonce="n"), key_for("RS256", 1)),
        sign({"alg": "RS384", "kid": "k0"}, claims_of(nonce="n")),
    ],
    ids=["malformed", "forged", "algorithm"],
)
async def test_an_id_token_that_is_not_its_issuers_is_refused(token: str) -> None:
    found = await tokens_of().verify_id_token(issuer_of(), token, audience="a", nonce="n")
    assert isinstance(found, Refuse)
