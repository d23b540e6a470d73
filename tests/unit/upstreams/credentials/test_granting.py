"""What is asked and what is understood, by RFC 6749."""

import base64
import json
from urllib.parse import parse_qs, unquote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bascule.gateway.connector import ClientCredentials
from bascule.upstreams.credentials.failures import TokenRefused, TokenUnavailable
from bascule.upstreams.credentials.granting import (
    USUAL_SECONDS,
    Grant,
    read_grant,
    token_request,
)
from bascule.upstreams.http1 import HttpResponse, Origin

URL = "https://login.example/oauth2/token?tenant=1"
ENDPOINT = Origin("https", "login.example", 443)
TEXTS = st.text(alphabet=st.characters(exclude_categories=["Cs"]), min_size=1)


def wanted(**changes) -> ClientCredentials:
    return ClientCredentials(URL, "${ID}", "${SECRET}", **changes)


def answer(members: object, status: int = 200) -> HttpResponse:
    return HttpResponse(status, [], json.dumps(members).encode())


@given(TEXTS, TEXTS)
def test_id_and_secret_travel_in_the_header_and_come_out_the_same(name: str, secret: str) -> None:
    request = token_request(wanted(scope="a b", audience="api"), name, secret)
    assert (request.origin, request.method, request.target) == (
        ENDPOINT, "POST", "/oauth2/token?tenant=1",
    )  # fmt: skip
    headers = dict(request.headers)
    kind, encoded = headers["authorization"].split(" ")
    given_name, given_secret = base64.b64decode(encoded).decode().split(":")
    assert kind == "Basic"
    assert (unquote_plus(given_name), unquote_plus(given_secret)) == (name, secret)
    form = {"grant_type": ["client_credentials"], "scope": ["a b"], "audience": ["api"]}
    assert parse_qs(request.body.decode()) == form
    assert headers["content-type"] == "application/x-www-form-urlencoded"


@given(TEXTS, TEXTS)
def test_or_in_the_body_where_the_endpoint_wants_it_there(name: str, secret: str) -> None:
    request = token_request(wanted(secret_in_body=True), name, secret)
    assert "authorization" not in dict(request.headers)
    form = parse_qs(request.body.decode(), keep_blank_values=True)
    assert form["client_id"] == [name]
    assert form["client_secret"] == [secret]


def test_a_url_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="http"):
        token_request(ClientCredentials("login.example", "a", "b"), "a", "b")


@pytest.mark.parametrize(
    ("expires_in", "seconds"),
    [
        (3600, 3600),
        (3599.5, 3599.5),
        ("3599", 3599),
        (" 60 ", 60),
        (0, 0),
        (-5, -5),
        (10**12, 86_400),
        ("999999999999999", 86_400),
        (None, USUAL_SECONDS),
        ("soon", USUAL_SECONDS),
        (True, USUAL_SECONDS),
        ([], USUAL_SECONDS),
    ],
)
def test_a_life_is_read_however_it_is_written(expires_in: object, seconds: float) -> None:
    members = {"access_token": "t", "token_type": "Bearer", "expires_in": expires_in}
    assert read_grant(answer(members), ENDPOINT) == Grant("t", seconds)


def test_what_an_answer_may_leave_out_has_its_usual_value() -> None:
    assert read_grant(answer({"access_token": "t"}), ENDPOINT) == Grant("t", USUAL_SECONDS)


@pytest.mark.parametrize(
    "members",
    [{}, [], "t", {"access_token": ""}, {"access_token": 5}, {"access_token": "a b"},
     {"access_token": "a" * 32_769}, {"access_token": "a\r\nx: y"}, {"access_token": "ü"},
     {"access_token": "t", "token_type": "mac"}, {"access_token": "t", "token_type": 1}],
)  # fmt: skip
def test_an_answer_without_a_usable_token_is_none(members: object) -> None:
    with pytest.raises(TokenUnavailable):
        read_grant(answer(members), ENDPOINT)


@pytest.mark.parametrize("body", [b"", b"<html>", b"\xff", b"[" * 100_000])
def test_an_answer_that_is_no_json_is_none(body: bytes) -> None:
    with pytest.raises(TokenUnavailable, match="No token"):
        read_grant(HttpResponse(200, [], body), ENDPOINT)


@pytest.mark.parametrize("status", [400, 401, 403, 404])
def test_a_refusal_is_told_by_its_code_and_without_its_words(status: int) -> None:
    members = {"error": "invalid_client", "error_description": "hunter2 is wrong"}
    with pytest.raises(TokenRefused) as caught:
        read_grant(answer(members, status), ENDPOINT)
    assert f"https://login.example answered with status {status} (invalid_client)" in (
        caught.value.private
    )
    assert "hunter2" not in caught.value.private + caught.value.public


@pytest.mark.parametrize("status", [302, 408, 429, 500, 503])
def test_what_may_pass_is_no_refusal(status: int) -> None:
    with pytest.raises(TokenUnavailable) as caught:
        read_grant(answer({"error": "hunter2"}, status), ENDPOINT)
    assert "hunter2" not in caught.value.private
