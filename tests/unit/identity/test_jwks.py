"""Keys of a set: which are taken, and what they verify."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc.jwk import RSAKey
from joserfc.jws import JWSRegistry

from bascule.identity.fetching import IssuerUnusable
from bascule.identity.jwks import ALGORITHMS, fitting, parse_keys, secret_key
from fakes.issuers import key_for, public

MESSAGE = b"header.payload"


def key_set(*keys: Any) -> bytes:
    return json.dumps({"keys": keys}).encode()


def parse(*keys: Any) -> list[str]:
    return [one.key_id for one in parse_keys(key_set(*keys))]


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_key_verifies_what_its_other_half_signed_and_nothing_else(algorithm: str) -> None:
    (key,) = parse_keys(key_set(public(algorithm)))
    signature = JWSRegistry.algorithms[algorithm].sign(MESSAGE, key_for(algorithm))
    assert key.verifies(algorithm, MESSAGE, signature)
    assert not key.verifies(algorithm, MESSAGE + b"x", signature)
    assert not key.verifies(algorithm, MESSAGE, b"")
    assert not key.verifies("ES256" if algorithm != "ES256" else "RS256", MESSAGE, signature)
    assert not key.verifies("HS256", MESSAGE, signature)
    assert not key.verifies("unknown", MESSAGE, signature)


def test_keys_that_are_for_something_else_are_left_out() -> None:
    taken = public("RS256", alg="RS256", use="sig", key_ops=["verify"], x5c=["junk"], x5t=5)
    assert parse(
        taken,
        public("RS256", 1, use="enc"),
        public("RS256", 1, key_ops=["encrypt"]),
        public("RS256", 1, alg=5),
        public("RS256", 1, kid=5),
        public("RS256", 1, kid="x" * 501),
        {"kty": "oct", "k": "c2VjcmV0", "kid": "secret"},
        {"kty": "AKP", "alg": "ML-DSA-44", "pub": "x", "kid": "quantum"},
        {"kty": ["RSA"]},
        {},
        "key",
    ) == ["k0"]


@pytest.mark.parametrize(
    "broken",
    [
        public("RS256", n="AQAB"),
        public("RS256", n="*"),
        public("RS256", n=5),
        public("RS256", n=None),
        public("RS256", n="x" * 3000),
        public("RS256", e="AA"),
        public("RS256", e=None),
        public("ES256", x="AAAA"),
        public("ES256", crv="P-999"),
        public("ES256", crv=5),
        public("ES256", y=None),
        public("EdDSA", x="AA"),
        public("EdDSA", crv="Ed666"),
        {"kty": "OKP", "kid": "k"},
    ],
)
def test_a_broken_key_does_not_spoil_the_others(broken: Any) -> None:
    assert parse(broken, public("RS256", 1)) == ["k1"]


def test_a_weak_key_is_no_key() -> None:
    with pytest.warns(UserWarning, match="2048"):
        weak = RSAKey.generate_key(1024)
    entry = {**weak.as_dict(private=False), "kid": "weak"}
    with pytest.raises(IssuerUnusable) as failed:
        parse_keys(key_set(entry))
    assert "none of the 1 keys" in failed.value.private


def test_a_private_key_that_an_issuer_gives_away_is_read_as_the_public_one() -> None:
    (key,) = parse_keys(key_set({**key_for("RS256").as_dict(private=True), "kid": "k0"}))
    (again,) = parse_keys(key_set(public("RS256")))
    assert key.text == again.text


def test_the_same_key_twice_is_one() -> None:
    assert parse(public("RS256"), public("RS256")) == ["k0"]
    assert parse(public("RS256"), public("RS256", kid="other")) == ["k0", "other"]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"{}", "has no keys"),
        (b'{"keys": {}}', "has no keys"),
        (b'{"keys": []}', "none of the 0 keys"),
        (key_set(*[{}] * 101), "more than 100 keys"),
        (b"nothing", "is no JSON"),
    ],
)
def test_a_set_that_cannot_be_used_says_why(body: bytes, reason: str) -> None:
    with pytest.raises(IssuerUnusable) as failed:
        parse_keys(body)
    assert reason in failed.value.private


def test_a_token_that_names_no_key_may_be_by_any_that_fits_its_algorithm() -> None:
    keys = parse_keys(
        key_set(
            public("RS256"), public("RS256", 1, alg="PS256"), public("ES256", 2), public("EdDSA", 3)
        )
    )

    def fit(algorithm: str, key_id: str | None = None) -> list[str]:
        return [one.key_id for one in fitting(keys, algorithm, key_id)]

    assert fit("RS256") == ["k0"]
    assert fit("PS256") == ["k0", "k1"]
    assert fit("ES256") == ["k2"]
    assert fit("Ed25519") == ["k3"]
    assert fit("HS256") == []
    assert fit("RS256", "k0") == ["k0"]
    assert fit("RS256", "k2") == []


def test_a_shared_secret_must_be_long_enough_and_is_not_in_its_text() -> None:
    with pytest.raises(IssuerUnusable):
        secret_key("x" * 31)
    key = secret_key("-----BEGIN PUBLIC KEY----- as long as it takes")
    assert "PUBLIC" not in key.text
    assert key.text != secret_key("another of thirty-two characters").text


MEMBER = (
    st.none() | st.integers() | st.text(max_size=400) | st.lists(st.text(max_size=4), max_size=3)
)


@given(
    st.sampled_from([public("RS256"), public("ES256"), public("EdDSA")]),
    st.dictionaries(
        st.sampled_from(["kty", "n", "e", "crv", "x", "y", "use", "key_ops", "alg", "kid"]), MEMBER
    ),
)
def test_keys_of_any_kind_are_read_or_left_out_and_never_fail(
    key: dict[str, Any], changes: dict[str, Any]
) -> None:
    assert "k9" in parse({**key, **changes}, public("RS256", 9))
