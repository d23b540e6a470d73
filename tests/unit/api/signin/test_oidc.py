"""What is sent to a provider, and what may come back."""

import base64
import hashlib
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis.strategies import text

from bascule.api.signin.oidc import (
    HOME,
    authorization_url,
    begin,
    digest_of,
    local_path,
    objection_to_answer,
    redemption,
    sign_out_url,
    with_query,
)
from bascule.identity.discovery import Metadata
from unit.api.lobby import IDP, ISSUER, query_of

METADATA = Metadata(
    IDP,
    authorization_endpoint=f"{IDP}/authorize?policy=console",
    token_endpoint=f"{IDP}/token",
    end_session_endpoint=f"{IDP}/logout",
    names_itself=True,
)
BACK = "http://127.0.0.1:8000/sign-in/corp/callback"


def test_the_browser_is_sent_with_everything_that_binds_the_answer_to_it() -> None:
    begun = begin(ISSUER, BACK, "cookie", "/account")
    sent = query_of(authorization_url(ISSUER, METADATA, begun, "the-state"))
    digest = hashlib.sha256(begun.verifier.encode()).digest()
    assert sent == {
        "policy": "console",
        "response_type": "code",
        "client_id": "console",
        "redirect_uri": BACK,
        "scope": "openid profile email",
        "state": "the-state",
        "nonce": begun.nonce,
        "code_challenge": base64.urlsafe_b64encode(digest).decode().rstrip("="),
        "code_challenge_method": "S256",
    }
    assert begun.browser == digest_of("cookie") != "cookie"
    assert 43 <= len(begun.verifier) <= 128


def test_openid_is_asked_for_even_where_nobody_wrote_it_down() -> None:
    issuer = replace(ISSUER, sign_in_scopes=("email",))
    begun = begin(issuer, BACK, "cookie", "/")
    assert query_of(authorization_url(issuer, METADATA, begun, "s"))["scope"] == "openid email"


def test_every_sign_in_has_secrets_of_its_own() -> None:
    one, other = begin(ISSUER, BACK, "c", "/"), begin(ISSUER, BACK, "c", "/")
    assert one.nonce != other.nonce
    assert one.verifier != other.verifier


@pytest.mark.parametrize(
    ("answer", "names_itself", "wrong"),
    [
        ({"code": "c", "iss": IDP}, True, None),
        ({"code": "c", "iss": IDP}, False, None),
        ({"code": "c"}, False, None),
        ({"code": "c"}, True, "does not name its issuer"),
        ({"code": "c", "iss": "https://evil.example"}, False, "another issuer"),
        ({"code": "c", "iss": f"{IDP}/"}, True, "another issuer"),
        ({"error": "access_denied", "iss": IDP}, True, "refused: access_denied"),
        ({"error": "<script>", "iss": IDP, "code": "c"}, True, "for its own reasons"),
        ({"error": "access_denied", "iss": "https://evil.example"}, True, "another issuer"),
        ({"iss": IDP}, True, "has no code"),
        ({"iss": IDP, "code": ""}, True, "has no code"),
    ],
)
def test_an_answer_is_looked_at_before_its_code_goes_anywhere(
    answer: dict[str, str], names_itself: bool, wrong: str | None
) -> None:
    metadata = replace(METADATA, names_itself=names_itself)
    found = objection_to_answer(ISSUER, metadata, answer)
    assert found is None if wrong is None else wrong in str(found)
    assert "script" not in str(found)


def test_a_code_is_redeemed_in_the_way_the_provider_knows() -> None:
    begun = begin(ISSUER, BACK, "cookie", "/")
    plain = {
        "grant_type": "authorization_code",
        "code": "c",
        "redirect_uri": BACK,
        "code_verifier": begun.verifier,
    }
    issuer = replace(ISSUER, client_id="a b:c")
    basic = base64.b64encode(b"a+b%3Ac:s%26t").decode()
    for methods in ((), ("client_secret_basic",), ("client_secret_post", "client_secret_basic")):
        metadata = replace(METADATA, token_methods=methods)
        form, headers = redemption(issuer, metadata, begun, "c", "s&t")
        assert (form, headers) == (plain, (("authorization", f"Basic {basic}"),))
    metadata = replace(METADATA, token_methods=("client_secret_post",))
    form, headers = redemption(issuer, metadata, begun, "c", "s&t")
    assert (form, headers) == ({**plain, "client_id": "a b:c", "client_secret": "s&t"}, ())
    form, headers = redemption(issuer, METADATA, begun, "c", "")
    assert (form, headers) == ({**plain, "client_id": "a b:c"}, ())


def test_who_signs_out_may_sign_out_at_the_provider() -> None:
    url = sign_out_url(ISSUER, METADATA, "https://gw/sign-in")
    assert url is not None
    assert url.startswith(f"{IDP}/logout?")
    sent = {"client_id": "console", "post_logout_redirect_uri": "https://gw/sign-in"}
    assert query_of(url) == sent
    assert sign_out_url(ISSUER, replace(METADATA, end_session_endpoint=""), "x") is None


def test_a_query_is_added_to_the_one_there_is() -> None:
    assert with_query("https://x/a", {"b": "c d"}) == "https://x/a?b=c+d"
    assert with_query("https://x/a?z=1", {"b": "c"}) == "https://x/a?z=1&b=c"


@pytest.mark.parametrize(
    "path", ["/", "/account", "/oauth/consent/abc?x=1&y=%2F", "/a#b", "/" + "a" * 5000]
)
def test_a_path_of_ours_is_gone_on_to(path: str) -> None:
    assert local_path(path) == path


@pytest.mark.parametrize(
    "path",
    [
        None,
        "",
        "account",
        "//evil.example",
        "/\\evil.example",
        "https://evil.example",
        "javascript:alert(1)",
        "/a\\b",
        "/a\r\nset-cookie: x",
        "/\t/evil.example",
        "/a b",
        "/é",
        "/" + "a" * 7000,
    ],
)
def test_anything_else_is_not(path: str | None) -> None:
    assert local_path(path) == HOME


@given(text())
def test_what_is_gone_on_to_always_is_a_path_of_one_line(path: str) -> None:
    found = local_path(path)
    assert found[0] == "/"
    assert found[1:2] not in {"/", "\\"}
    assert found.isascii()
    assert found.isprintable()
