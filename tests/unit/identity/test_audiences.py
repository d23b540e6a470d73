from typing import Any

import pytest

from bascule.identity.audiences import EVERYWHERE, Reach, normal_uri, reach_of
from bascule.identity.rejections import Reason, Rejection
from fakes.issuers import issuer_of

HERE = ("https://tools.example",)


def reach(aud: Any, addresses: Any = HERE, **changes: Any) -> Reach | Rejection:
    return reach_of({"aud": aud, "client_id": "app"}, issuer_of(**changes), addresses)


@pytest.mark.parametrize(
    "audience",
    [
        "https://tools.example",
        "https://tools.example/",
        "HTTPS://Tools.Example:443/",
        ["https://other.example", "https://tools.example"],
        ["https://tools.example/mcp/bundles/x", "https://tools.example"],
    ],
)
def test_a_token_for_the_gateway_is_good_everywhere(audience: Any) -> None:
    assert reach(audience) == EVERYWHERE


@pytest.mark.parametrize(
    ("audience", "places"),
    [
        ("HTTPS://Tools.Example:443/mcp/", {"/mcp"}),
        ("https://tools.example/mcp/ws", {"/mcp"}),
        ("https://tools.example/mcp/sse", {"/mcp"}),
        (["https://other.example", "https://tools.example/mcp"], {"/mcp"}),
        ("https://tools.example/mcp/bundles/x", {"/mcp/bundles/x"}),
        ("https://tools.example/mcp/bundles/a%20b/", {"/mcp/bundles/a b"}),
        ("https://tools.example/mcp/servers/y", {"/mcp/servers/y"}),
        ("https://tools.example/mcp/servers/y/sse", {"/mcp/servers/y"}),
        ("https://tools.example/mcp/bundles/x/ws", {"/mcp/bundles/x"}),
        ("https://tools.example/mcp/bundles/ws", {"/mcp/bundles/ws"}),
    ],
)
def test_a_token_for_an_endpoint_is_good_there(audience: str, places: set[str]) -> None:
    assert reach(audience) == Reach(frozenset(places))


@pytest.mark.parametrize(
    "audience",
    [
        None, "", 5, [], {}, [5], "tools.example", "https://tools.example.evil.example/mcp",
        "https://tools.example/api", "https://tools.example/mcp/x", "https://tools.example/MCP",
        "http://tools.example/mcp", "https://tools.example:8443/mcp",
        "https://tools.example/mcp?x=1", "https://tools.example/mcp#x",
        "https://ann@tools.example/mcp", "https://[tools/mcp", "https://tools.example:x/mcp",
        "https://tools.example/mcp/bundles/", "https://tools.examplemcp",
        "https://tools.example/ws", "https://tools.example/mcp/bundles/x/y",
    ],
)  # fmt: skip
def test_a_token_for_anything_else_is_not_good(audience: Any) -> None:
    found = reach(audience)
    assert isinstance(found, Rejection)
    assert found.reason is Reason.AUDIENCE


def test_listed_audiences_go_before_the_address() -> None:
    assert reach("api://x", audiences=("api://x",)) == EVERYWHERE
    assert isinstance(reach("https://tools.example/mcp", audiences=("api://x",)), Rejection)
    assert isinstance(reach("API://x", audiences=("api://x",)), Rejection)


def test_the_first_claim_that_is_there_names_the_audience() -> None:
    claims = ("aud", "client_id")
    assert reach(None, audiences=("app",), audience_claims=claims) == EVERYWHERE
    assert isinstance(reach("other", audiences=("app",), audience_claims=claims), Rejection)


def test_a_gateway_that_does_not_know_its_address_says_what_to_set() -> None:
    found = reach("https://tools.example", ())
    assert isinstance(found, Rejection)
    assert "server.public_url" in found.private


def test_releases_of_a_bundle_are_in_it() -> None:
    whole = Reach(frozenset({"/mcp"}))
    assert whole.includes("/mcp/servers/y")
    assert not whole.includes("")
    bundle = Reach(frozenset({"/mcp/bundles/x"}))
    assert bundle.includes("/mcp/bundles/x@1.0.0")
    assert not bundle.includes("/mcp/bundles/xy")
    release = Reach(frozenset({"/mcp/bundles/x@1.0.0"}))
    assert release.includes("/mcp/bundles/x@1.0.0")
    assert not release.includes("/mcp/bundles/x")


def test_addresses_compare_in_one_form() -> None:
    assert normal_uri("HTTP://[::1]:80/") == "http://[::1]"
    assert normal_uri("https://a.example:8443/x/") == "https://a.example:8443/x"
    assert normal_uri("urn:x") == "urn:x"
