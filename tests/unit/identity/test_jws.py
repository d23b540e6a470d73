import json
from typing import Any

import pytest

from bascule.identity.jws import Envelope, looks_like_token, open_envelope
from bascule.identity.rejections import Reason, Rejection
from fakes.issuers import encode, token_of


def made(header: Any, claims: Any = None, signature: bytes = b"s") -> str:
    parts = (json.dumps(header).encode(), json.dumps(claims or {}).encode(), signature)
    return ".".join(encode(part) for part in parts)


def opened(token: str) -> Envelope:
    envelope = open_envelope(token)
    assert isinstance(envelope, Envelope), envelope
    return envelope


def test_a_token_is_taken_apart_and_nothing_of_it_believed() -> None:
    token = made({"alg": "none", "kid": "k", "typ": "application/AT+JWT", "jwk": {}}, {"iss": "x"})
    envelope = opened(token)
    assert (envelope.algorithm, envelope.key_id, envelope.type) == ("none", "k", "at+jwt")
    assert envelope.claims == {"iss": "x"}
    assert envelope.message == token.rpartition(".")[0].encode()
    assert envelope.signature == b"s"
    assert (opened(made({"alg": "RS256"})).key_id, opened(made({"alg": "RS256"})).type) == (
        None,
        "",
    )


@pytest.mark.parametrize(
    ("token", "reason"),
    [
        ("", "not three parts"),
        ("a.b", "not three parts"),
        ("a.b.c.d", "not three parts"),
        ("." * 16_000, "not three parts"),
        ("a.b.c.d.e", "encrypted"),
        ("x" * 16_385, "longer than 16,384"),
        ("é.b.c", "cannot be decoded"),
        ("e30=.e30.AA", "cannot be decoded"),
        ("e31.e30.AA", "cannot be decoded"),
        ("e30.e30.A", "cannot be decoded"),
        (made([]), "no JSON object"),
        (made({"alg": "RS256"}, [1]), "no JSON object"),
        (made({"alg": "RS256", "typ": 5}), "typ"),
        (made({"alg": "RS256", "kid": 5}), "kid"),
        (made({"alg": "RS256", "kid": None}), "kid"),
        (made({"alg": "RS256", "kid": "x" * 501}), "kid"),
        (made({"alg": "RS256", "crit": []}), "crit"),
        (made({"alg": "RS256", "b64": True}), "b64"),
        (f"{encode(b'{}' + b' ' * 3)}x.e30.AA", "cannot be decoded"),
        (f"{encode(b'[' * 6000)}.e30.AA", "cannot be decoded"),
        (f"{encode(json.dumps({'alg': 'RS256'}).encode('utf-16'))}.e30.AA", "cannot be decoded"),
    ],
    ids=range(21),
)
def test_what_is_malformed_says_how(token: str, reason: str) -> None:
    found = open_envelope(token)
    assert isinstance(found, Rejection)
    assert found.reason is Reason.MALFORMED
    assert reason in found.private


@pytest.mark.parametrize("header", [{}, {"alg": None}, {"alg": 5}, {"alg": ["RS256"]}])
def test_a_token_without_an_algorithm_is_refused(header: Any) -> None:
    found = open_envelope(made(header))
    assert isinstance(found, Rejection)
    assert found.reason is Reason.ALGORITHM


def test_tokens_are_told_from_keys_by_their_parts() -> None:
    assert looks_like_token(token_of())
    assert looks_like_token("a.b.c.d.e")
    assert not any(looks_like_token(one) for one in ("", "secret", "a.b", "a.b.c.d", "a.b.c d"))
