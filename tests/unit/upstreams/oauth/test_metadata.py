"""Documents are looked for where the specification says, and read without trust."""

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bascule.upstreams.oauth.metadata import (
    read_resource,
    read_server,
    resource_places,
    server_places,
)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=12,
)
NAMES = st.sampled_from(
    ["resource", "authorization_servers", "scopes_supported", "issuer", "token_endpoint",
     "code_challenge_methods_supported", "client_id_metadata_document_supported", "other"]
)  # fmt: skip


def test_a_service_is_looked_up_beneath_its_path_then_at_the_root() -> None:
    assert resource_places("https://h:8/public/mcp/?a=b") == (
        "https://h:8/.well-known/oauth-protected-resource/public/mcp",
        "https://h:8/.well-known/oauth-protected-resource",
    )
    assert resource_places("https://h") == ("https://h/.well-known/oauth-protected-resource",)


def test_an_issuer_with_a_path_is_looked_up_in_three_places() -> None:
    assert server_places("https://h/tenant1") == (
        "https://h/.well-known/oauth-authorization-server/tenant1",
        "https://h/.well-known/openid-configuration/tenant1",
        "https://h/tenant1/.well-known/openid-configuration",
    )


@pytest.mark.parametrize("issuer", ["https://h", "https://h/"])
def test_an_issuer_without_a_path_is_looked_up_in_two(issuer: str) -> None:
    assert server_places(issuer) == (
        "https://h/.well-known/oauth-authorization-server",
        "https://h/.well-known/openid-configuration",
    )


def test_members_that_mean_nothing_spoil_no_others() -> None:
    found = read_server(
        json.dumps(
            {
                "issuer": "https://h",
                "token_endpoint": 7,
                "registration_endpoint": None,
                "scopes_supported": "a b",
                "code_challenge_methods_supported": ["S256", 1],
                "token_endpoint_auth_methods_supported": ["none"],
                "client_id_metadata_document_supported": "yes",
            }
        ).encode(),
        "https://h",
    )

    assert found.token_endpoint == found.registration_endpoint == ""
    assert found.scopes_supported == found.code_challenge_methods_supported == ()
    assert found.token_endpoint_auth_methods_supported == ("none",)
    assert not found.client_id_metadata_document_supported


def test_scopes_that_are_not_said_are_not_the_same_as_none() -> None:
    said = {"resource": "https://h", "authorization_servers": ["https://a"]}

    assert read_resource(json.dumps(said).encode()).scopes_supported is None
    none = read_resource(json.dumps({**said, "scopes_supported": []}).encode())
    assert none.scopes_supported == ()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"<html>",
        b"\xff",
        b'{"authorization_servers": ["https://a"]}',
        b'{"resource": "https://h"}',
        b'{"resource": "https://h", "authorization_servers": []}',
        b'{"resource": "https://h", "authorization_servers": "https://a"}',
        b'{"resource": "h", "authorization_servers": [%b"a"]}' % (b'"a",' * 8),
        b"[" * 100_000,
    ],
)
def test_a_document_of_no_use_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"JSON|malformed|names no"):
        read_resource(body)


@pytest.mark.parametrize(
    "said", ["https://h/", "https://H", "https://h:443", "http://h", "https://h/x", ""]
)
def test_an_issuer_must_be_the_same_to_the_letter(said: str) -> None:
    with pytest.raises(ValueError, match="issuer"):
        read_server(json.dumps({"issuer": said}).encode(), "https://h")


@given(st.dictionaries(NAMES, JSON))
def test_any_object_is_read_or_refused(members: dict[str, object]) -> None:
    body = json.dumps(members).encode()
    with suppress(ValueError):
        assert read_resource(body).authorization_servers
    with suppress(ValueError):
        assert read_server(body, "https://h").issuer == "https://h"
