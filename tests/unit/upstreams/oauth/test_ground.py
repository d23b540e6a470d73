"""Tokens are sought over TLS, and only this machine's services may do without."""

import pytest

from bascule.upstreams.oauth.ground import Ground, is_loopback

AFAR = Ground("https://mcp.example/public/mcp")
HERE = Ground("http://localhost:8080/mcp")


@pytest.mark.parametrize(
    ("url", "canonical"),
    [
        ("https://mcp.example", "https://mcp.example"),
        ("https://mcp.example/", "https://mcp.example"),
        ("https://MCP.example:443/a/", "https://mcp.example/a/"),
        ("https://mcp.example:8443/a?b=c", "https://mcp.example:8443/a?b=c"),
    ],
)
def test_the_canonical_uri_has_no_lone_slash(url: str, canonical: str) -> None:
    assert Ground(url).canonical == canonical


@pytest.mark.parametrize(
    ("resource", "covered"),
    [
        ("https://mcp.example/public/mcp", True),
        ("https://mcp.example/public/mcp/", True),
        ("https://mcp.example/public", True),
        ("https://mcp.example/", True),
        ("https://mcp.example", True),
        ("https://mcp.example/public/mcp2", False),
        ("https://mcp.example/public/mcp/more", False),
        ("https://mcp.example/pub", False),
        ("https://mcp.example/other", False),
        ("https://mcp.example/public?x=1", False),
        ("https://mcp.example:444/public/mcp", False),
        ("http://mcp.example/public/mcp", False),
        ("https://evil.example/public/mcp", False),
        ("https://mcp.example@evil.example/public/mcp", False),
        ("urn:mcp", False),
        ("", False),
    ],
)
def test_a_resource_is_the_upstream_or_what_holds_it(resource: str, covered: bool) -> None:
    assert AFAR.covers(resource) is covered


def test_an_upstream_with_a_query_is_the_same_with_that_query() -> None:
    assert Ground("https://h/mcp?a=1").covers("https://h/mcp?a=1")
    assert not Ground("https://h/mcp?a=1").covers("https://h/mcp?a=2")


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "data:text/html,x",
        "file:///etc/passwd",
        "ftp://h/x",
        "//h/x",
        "https://",
        "https://u:p@h/x",
        "https://h/x#y",
        "https://h /x",
        "http://h/x",
        "http://localhost/x",
        "https://h/" + "x" * 3000,
        "",
    ],
)
def test_what_is_no_address_of_an_authorization_server_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"URL|https"):
        AFAR.check_server(url)


def test_a_service_here_may_have_its_authorization_server_beside_it() -> None:
    assert HERE.check_server("http://127.0.0.1:9000/token")[1] == "/token"
    assert HERE.check_server("https://auth.example/token")[1] == "/token"
    with pytest.raises(ValueError, match="https"):
        HERE.check_server("http://auth.example/token")


def test_what_an_upstream_says_of_itself_may_come_as_it_is_spoken_to() -> None:
    inside = Ground("http://mcp.corp/mcp")

    assert inside.resolve("http://mcp.corp/.well-known/x")[1] == "/.well-known/x"
    with pytest.raises(ValueError, match="https"):
        inside.resolve("http://other.corp/.well-known/x")
    with pytest.raises(ValueError, match="https"):
        inside.check_issuer("http://mcp.corp")


def test_an_issuer_has_no_query() -> None:
    AFAR.check_issuer("https://auth.example/tenant")
    with pytest.raises(ValueError, match="query"):
        AFAR.check_issuer("https://auth.example/tenant?a=b")


@pytest.mark.parametrize(
    ("host", "here"),
    [
        ("localhost", True),
        ("LOCALHOST.", True),
        ("127.8.9.1", True),
        ("::1", True),
        ("localhost.example", False),
        ("10.0.0.1", False),
        ("192.0.2.1", False),
        ("example", False),
    ],
)
def test_this_machine_is_known_by_its_spelling(host: str, here: bool) -> None:
    assert is_loopback(host) is here
