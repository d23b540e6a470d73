from typing import Any

import pytest

from bascule.identity.jws import Envelope
from bascule.identity.kinds import wrong_kind
from bascule.identity.rejections import Reason


def envelope(kind: str = "", **claims: Any) -> Envelope:
    return Envelope("RS256", None, kind, claims, b"", b"")


@pytest.mark.parametrize(
    "one",
    [
        envelope(),
        envelope("jwt"),
        envelope("at+jwt"),
        envelope("jwt", token_use="access"),
        envelope("jwt", typ="Bearer", nonce="n"),
        envelope("at+jwt", nonce="n"),
        envelope(typ=5, token_use=["id"]),
    ],
    ids=range(7),
)
def test_an_access_token_may_be_one(one: Envelope) -> None:
    assert wrong_kind(one) is None


@pytest.mark.parametrize(
    "one",
    [
        envelope("logout+jwt"),
        envelope("dpop+jwt"),
        envelope("secevent+jwt"),
        envelope("jwt", nonce="n"),
        envelope("jwt", at_hash="h"),
        envelope("at+jwt", at_hash="h"),
        envelope(c_hash="h"),
        envelope(s_hash="h"),
        envelope(typ="ID"),
        envelope(typ="Refresh"),
        envelope(typ="Offline"),
        envelope(typ="Logout"),
        envelope(token_use="id"),
    ],
    ids=range(13),
)
def test_any_other_token_is_told_from_one(one: Envelope) -> None:
    found = wrong_kind(one)
    assert found is not None
    assert found.reason is Reason.KIND
    assert "access token" in found.refuse().public
