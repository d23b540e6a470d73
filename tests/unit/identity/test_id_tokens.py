from typing import Any

import pytest

from bascule.identity.id_tokens import check_id_token
from bascule.identity.jws import Envelope
from bascule.identity.rejections import Reason
from fakes.issuers import NOW, claims_of, issuer_of


def reason(kind: str = "jwt", audience: str = "console", nonce: str = "n", **changes: Any) -> Any:
    claims = claims_of(**{"aud": "console", "nonce": "n", **changes})
    envelope = Envelope("RS256", None, kind, claims, b"", b"")
    found = check_id_token(
        envelope, issuer_of(), audience=audience, nonce=nonce, now=NOW, skew=30.0
    )
    return None if found is None else found.reason


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"kind": ""},
        {"azp": "console"},
        {"aud": ["console"]},
        {"aud": ["console", "other"], "azp": "console"},
        {"at_hash": "h"},
        {"exp": NOW - 29},
    ],
)
def test_an_id_token_for_this_client_and_sign_in_is_good(changes: dict[str, Any]) -> None:
    assert reason(**changes) is None


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"iss": "https://other.example"}, Reason.ISSUER),
        ({"iss": None}, Reason.ISSUER),
        ({"kind": "at+jwt"}, Reason.KIND),
        ({"aud": "other"}, Reason.AUDIENCE),
        ({"aud": None}, Reason.AUDIENCE),
        ({"aud": ["console", "other"]}, Reason.AUDIENCE),
        ({"azp": "other"}, Reason.AUDIENCE),
        ({"aud": ["console", "other"], "azp": "other"}, Reason.AUDIENCE),
        ({"nonce": "m"}, Reason.CLAIMS),
        ({"nonce": ""}, Reason.CLAIMS),
        ({"exp": NOW - 30}, Reason.EXPIRED),
        ({"iat": NOW + 31}, Reason.NOT_YET),
        ({"iat": None}, Reason.CLAIMS),
        ({"sub": None}, Reason.CLAIMS),
        ({"sub": "x" * 501}, Reason.CLAIMS),
    ],
)
def test_any_other_says_why_it_is_not(changes: dict[str, Any], wrong: Reason) -> None:
    assert reason(**changes) is wrong


def test_the_nonce_in_the_token_must_be_a_text() -> None:
    claims = claims_of(aud="console", nonce=5)
    envelope = Envelope("RS256", None, "", claims, b"", b"")
    for nonce in ("", "5"):
        found = check_id_token(
            envelope, issuer_of(), audience="console", nonce=nonce, now=NOW, skew=0.0
        )
        assert found is not None
        assert found.private == "no nonce"
