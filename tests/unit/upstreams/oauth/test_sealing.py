from dataclasses import replace

import pytest

from bascule.upstreams.oauth.ports import Holder
from bascule.upstreams.oauth.sealing import (
    Place,
    Tokens,
    open_client,
    open_tokens,
    seal_client,
    seal_tokens,
)
from bascule.upstreams.secrets.box import SecretBox
from bascule.upstreams.secrets.failures import SecretUnavailable

BOX = SecretBox([b"k" * 32])
PLACE = Place(Holder("default", "user|1", "notes"), "https://id.example", "https://notes.example")
TOKENS = Tokens("the access token", "the refresh token")


def test_tokens_open_where_they_belong() -> None:
    assert open_tokens(BOX, PLACE, seal_tokens(BOX, PLACE, TOKENS)) == TOKENS
    without = Tokens("the access token")
    assert open_tokens(BOX, PLACE, seal_tokens(BOX, PLACE, without)) == without


@pytest.mark.parametrize(
    "place",
    [
        PLACE._replace(holder=replace(PLACE.holder, tenant="acme")),
        PLACE._replace(holder=replace(PLACE.holder, owner="user|2")),
        PLACE._replace(holder=replace(PLACE.holder, upstream="mail")),
        PLACE._replace(issuer="https://evil.example"),
        PLACE._replace(resource="https://evil.example"),
    ],
    ids=["tenant", "owner", "upstream", "issuer", "resource"],
)
def test_a_row_that_was_moved_opens_no_more(place: Place) -> None:
    sealed = seal_tokens(BOX, PLACE, TOKENS)
    with pytest.raises(SecretUnavailable):
        open_tokens(BOX, place, sealed)


def test_a_row_that_was_changed_opens_no_more() -> None:
    sealed = seal_tokens(BOX, PLACE, TOKENS)
    last = bytes([sealed.ciphertext[-1] ^ 1])
    changed = replace(sealed, ciphertext=sealed.ciphertext[:-1] + last)
    with pytest.raises(SecretUnavailable):
        open_tokens(BOX, PLACE, changed)


def test_parts_cannot_be_shifted_from_one_to_the_next() -> None:
    one = PLACE._replace(issuer='a","b', resource="c")
    other = PLACE._replace(issuer="a", resource='b","c')
    with pytest.raises(SecretUnavailable):
        open_tokens(BOX, other, seal_tokens(BOX, one, TOKENS))


def test_a_secret_of_the_tenant_is_no_grant_and_the_other_way_round() -> None:
    sealed = BOX.close("default", "notes", '{"access_token":"x"}')
    with pytest.raises(SecretUnavailable):
        open_tokens(BOX, PLACE, sealed)
    with pytest.raises(SecretUnavailable):
        BOX.open("default", replace(seal_tokens(BOX, PLACE, TOKENS), name="notes"))


@pytest.mark.parametrize("secret", ["the secret", None])
def test_a_clients_secret_opens_for_its_issuer_alone(secret: str | None) -> None:
    sealed = seal_client(BOX, "default", "https://id.example", secret)
    assert open_client(BOX, "default", "https://id.example", sealed) == secret
    for tenant, issuer in (("acme", "https://id.example"), ("default", "https://id.example/")):
        with pytest.raises(SecretUnavailable):
            open_client(BOX, tenant, issuer, sealed)


def test_tokens_are_not_shown_by_accident() -> None:
    assert "token" not in repr(TOKENS).replace("Tokens", "")
    assert "the access token" not in str(seal_tokens(BOX, PLACE, TOKENS))
