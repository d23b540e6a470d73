import pytest

from bascule.gateway.errors import ErrorCode
from bascule.identity.fetching import IssuerUnusable, is_loopback, objection_to


@pytest.mark.parametrize(
    "url",
    [
        "https://id.example",
        "https://id.example:8443/realms/a?x=1",
        "http://127.0.0.1:9/keys",
        "http://localhost:8080/realms/a",
        "http://[::1]:9",
    ],
)
def test_https_is_asked_and_http_on_loopback(url: str) -> None:
    assert objection_to(url) is None


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://id.example", "https://"),
        ("http://10.0.0.5/keys", "https://"),
        ("http://127.0.0.1.example/keys", "https://"),
        ("ftp://id.example", "https://"),
        ("file:///etc/passwd", "must begin with https://"),
        ("id.example", "must begin with https://"),
        ("", "must begin with https://"),
        ("https://", "names no host"),
        ("https://user@id.example", "a user"),
        ("https://user:word@id.example", "a user"),
        ("https://id.example/#x", "fragment"),
        ("https://id.example:port", "cannot be read"),
        ("https://[id.example", "cannot be read"),
        ("https://id.example/a b", "no URL has"),
        ("https://id.example/\n", "no URL has"),
        ("https://idé.example", "no URL has"),
        ("https://id.example/" + "x" * 2000, "2,000"),
    ],
)
def test_any_other_address_is_objected_to(url: str, reason: str) -> None:
    assert reason in str(objection_to(url))


def test_loopback_is_told_by_the_name_alone() -> None:
    assert [is_loopback(one) for one in ("LOCALHOST", "127.9.9.9", "::1")] == [True] * 3
    assert not any(is_loopback(one) for one in ("10.0.0.1", "localhost.example", ""))


def test_an_issuer_that_cannot_be_used_is_named_in_private() -> None:
    failure = IssuerUnusable("https://id.example: refused")
    assert failure.error is ErrorCode.UNAVAILABLE
    assert "id.example" not in failure.public
    assert failure.private == "https://id.example: refused"
