"""Where an issuer's document is, and what of it is believed."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bascule.identity.discovery import Metadata, discover, metadata_urls, parse_metadata
from bascule.identity.fetching import Fetched, IssuerUnusable
from fakes.issuers import URL, FakeIssuer

OAUTH = f"{URL}/.well-known/oauth-authorization-server"


def test_the_document_of_openid_is_looked_for_first_then_that_of_rfc_8414() -> None:
    assert metadata_urls("https://a.example") == (
        "https://a.example/.well-known/openid-configuration",
        "https://a.example/.well-known/oauth-authorization-server",
    )
    assert metadata_urls("https://a.example:8443/realms/x/") == (
        "https://a.example:8443/realms/x/.well-known/openid-configuration",
        "https://a.example:8443/.well-known/oauth-authorization-server/realms/x",
        "https://a.example:8443/.well-known/openid-configuration/realms/x",
    )


def document(**changes: Any) -> bytes:
    return json.dumps({"issuer": URL, "jwks_uri": f"{URL}/keys", **changes}).encode()


def test_a_document_is_read_as_far_as_it_matters() -> None:
    read = parse_metadata(
        document(
            authorization_endpoint=f"{URL}/authorize",
            token_endpoint=f"{URL}/token",
            end_session_endpoint=f"{URL}/out",
            id_token_signing_alg_values_supported=["RS256", 5, "x" * 301],
            scopes_supported=["openid"],
            code_challenge_methods_supported="S256",
            token_endpoint_auth_methods_supported=["none"],
            authorization_response_iss_parameter_supported=True,
            something="else",
        ),
        URL,
    )
    assert read == Metadata(
        URL,
        f"{URL}/keys",
        f"{URL}/authorize",
        f"{URL}/token",
        f"{URL}/out",
        ("RS256",),
        ("openid",),
        (),
        ("none",),
        names_itself=True,
    )
    assert parse_metadata(json.dumps({"issuer": URL}).encode(), URL) == Metadata(URL)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (document(issuer=URL + "/"), "names the issuer 'https://id.example/'"),
        (document(issuer=URL.upper()), "names the issuer"),
        (document(issuer=None), "names the issuer None"),
        (document(issuer=["a"]), "names the issuer"),
        (document(jwks_uri="http://10.0.0.5/keys"), "jwks_uri"),
        (document(jwks_uri=5), "jwks_uri 5 cannot be used: it is no text"),
        (document(token_endpoint="javascript:alert(1)"), "token_endpoint"),
        (document(authorization_endpoint="data:text/html,x"), "authorization_endpoint"),
        (b"[]", "no JSON object"),
        (b"<html>", "is no JSON"),
        (b"\xff\xfe", "is no JSON"),
        (b"[" * 100_000, "is no JSON"),
        (b" " * 262_145, "larger than"),
    ],
    ids=range(13),
)
def test_a_document_that_cannot_be_used_says_why(body: bytes, reason: str) -> None:
    with pytest.raises(IssuerUnusable) as failed:
        parse_metadata(body, URL)
    assert reason in failed.value.private


@given(st.binary(max_size=200))
def test_any_bytes_are_a_document_or_none(body: bytes) -> None:
    with pytest.raises(IssuerUnusable):
        parse_metadata(body, URL)


async def test_the_first_place_that_has_a_document_counts() -> None:
    issuer = FakeIssuer()
    assert (await discover(issuer, URL)).jwks_url == f"{URL}/keys"
    assert issuer.fetched == [(f"{URL}/.well-known/openid-configuration", True)]
    issuer.documents = {OAUTH: document()}
    assert (await discover(issuer, URL)).jwks_url == f"{URL}/keys"


async def test_where_no_place_has_one_each_is_named_with_its_answer() -> None:
    issuer = FakeIssuer()
    issuer.documents.clear()
    with pytest.raises(IssuerUnusable) as failed:
        await discover(issuer, URL)
    assert f"{OAUTH} answered 404" in failed.value.private
    assert "jwks_url" in failed.value.private


async def test_a_redirect_is_not_followed_and_named() -> None:
    async def moved(url: str, *, chosen_here: bool) -> Fetched:
        return Fetched(302, b"")

    with pytest.raises(IssuerUnusable) as failed:
        await discover(moved, URL)
    assert "302, a redirect, which is not followed" in failed.value.private


async def test_an_issuer_that_may_not_be_asked_is_not() -> None:
    issuer = FakeIssuer()
    with pytest.raises(IssuerUnusable):
        await discover(issuer, "http://id.example")
    assert issuer.fetched == []
