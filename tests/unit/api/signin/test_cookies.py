"""How cookies are named, and what is taken for a request of our own pages."""

import pytest
from hypothesis import given
from hypothesis.strategies import text
from starlette.requests import Request
from starlette.responses import Response

from bascule.api.signin.cookies import (
    FORM,
    SESSION,
    Cookies,
    csrf_token,
    new_ticket,
    parse_ticket,
)

LOCAL = Cookies()
PUBLIC = Cookies("https://gw.example.com")


def request(scheme: str = "http", host: str = "127.0.0.1:8000", **headers: str) -> Request:
    sent = {"host": host, **{name.replace("_", "-"): value for name, value in headers.items()}}
    raw = [(name.encode(), value.encode()) for name, value in sent.items()]
    return Request(
        {
            "type": "http",
            "method": "POST",
            "scheme": scheme,
            "path": "/",
            "query_string": b"",
            "headers": raw,
        }
    )


def cookie_of(cookies: Cookies, asked: Request) -> str:
    response = Response()
    cookies.set(asked, response, SESSION, "value")
    return response.headers["set-cookie"]


def test_a_ticket_has_256_random_bits_and_a_tenant() -> None:
    one, other = new_ticket("default"), new_ticket("default")
    assert one.text != other.text
    assert len(one.text.split(".")[0]) == 43
    assert len(one.digest) == 32
    assert one.text not in repr(one.digest)


@given(text(min_size=1, max_size=50))
def test_a_ticket_comes_back_with_its_tenant(tenant: str) -> None:
    made = new_ticket(tenant)
    assert parse_ticket(made.text) == made


def test_what_is_no_ticket_is_none() -> None:
    for value in (
        None,
        "",
        "x",
        "a" * 43,
        "a" * 42 + ".default",
        "a" * 43 + ".",
        "a" * 43 + ".a b",
    ):
        assert parse_ticket(value) is None


def test_on_loopback_the_cookie_has_a_plain_name_and_elsewhere_one_that_https_alone_can_set() -> (
    None
):
    plain = cookie_of(LOCAL, request())
    assert plain.startswith("bascule=value; ")
    assert "secure" not in plain.lower()
    for cookies, asked in [
        (LOCAL, request("https")),
        (LOCAL, request(host="gw.example.com")),
        (PUBLIC, request()),
    ]:
        strict = cookie_of(cookies, asked)
        assert strict.startswith("__Host-bascule=value; ")
        assert "; Secure" in strict
    for cookie in (plain, strict):
        assert "HttpOnly" in cookie
        assert "SameSite=lax" in cookie
        assert "Path=/" in cookie
        assert "Domain" not in cookie


def test_a_cookie_that_another_host_could_have_set_is_not_read_where_https_is_spoken() -> None:
    asked = request("https", cookie="bascule=planted")
    assert LOCAL.read(asked) is None
    assert LOCAL.read(request("https", cookie="__Host-bascule=ours; bascule=planted")) == "ours"
    assert LOCAL.read(request(cookie="bascule=ours; bascule-form=f"), FORM) == "f"


def test_a_cookie_is_taken_back_by_the_name_it_was_given_under() -> None:
    response = Response()
    LOCAL.clear(request("https"), response, SESSION)
    assert response.headers["set-cookie"].startswith('__Host-bascule=""; ')
    assert "Max-Age=0" in response.headers["set-cookie"]


def test_a_token_is_of_one_cookie_and_does_not_tell_it() -> None:
    token = csrf_token("cookie")
    assert token != csrf_token("other")
    assert LOCAL.is_ours(request(), "cookie", token)
    for cookie, sent in [("other", token), ("cookie", "x"), ("cookie", None), (None, token)]:
        assert not LOCAL.is_ours(request(), cookie, sent)
    assert not LOCAL.is_ours(request(), "cookie", "é\ud800")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"origin": "http://127.0.0.1:8000"},
        {"origin": "http://127.0.0.1:8000", "sec_fetch_site": "same-origin"},
    ],
)
def test_a_request_of_our_own_pages_is_taken_for_one(headers: dict[str, str]) -> None:
    assert LOCAL.is_same_origin(request(**headers))


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://127.0.0.1:9000"},
        {"origin": "http://localhost:8000"},
        {"origin": "null"},
        {"origin": "https://evil.example"},
        {"sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "same-site", "origin": "http://127.0.0.1:8000"},
        {"sec_fetch_site": "none"},
    ],
)
def test_a_request_of_any_other_page_is_refused_token_or_not(headers: dict[str, str]) -> None:
    asked = request(**headers)
    assert not LOCAL.is_same_origin(asked)
    assert not LOCAL.is_ours(asked, "cookie", csrf_token("cookie"))


def test_behind_a_proxy_that_changes_the_host_the_public_address_counts() -> None:
    asked = request(origin="https://gw.example.com")
    assert PUBLIC.is_same_origin(asked)
    assert not LOCAL.is_same_origin(asked)


def test_a_console_elsewhere_counts_where_an_operator_named_it() -> None:
    console = Cookies(origins=frozenset({"https://console.example.com"}))
    headers = {"origin": "https://console.example.com", "sec_fetch_site": "same-site"}
    asked = request(host="gw.example.com", **headers)
    assert console.is_same_origin(asked)
    assert not LOCAL.is_same_origin(asked)
    assert not console.is_ours(asked, "cookie", "x")


def test_the_base_url_is_that_of_the_browser() -> None:
    assert LOCAL.base_url(request()) == "http://127.0.0.1:8000"
    assert LOCAL.base_url(request(host="gw.example.com")) == "https://gw.example.com"
