"""What a token endpoint gives is kept as it was meant, or not at all."""

import pytest

from bascule.upstreams.oauth.failures import (
    AuthorizationFailed,
    AuthorizationUnavailable,
    GrantRefused,
)
from bascule.upstreams.oauth.ports import Registration
from bascule.upstreams.oauth.tokens import Asked, TokenEndpoint, is_sendable
from fakes.authorization import Said, document
from fakes.ways import BACK, World


def asked(world: World, **fields: object) -> Asked:
    client = Registration("https://a", "c")
    usual = {"endpoint": f"{world.server.url}/token", "resource": "https://h/mcp", "client": client}
    return Asked(**(usual | fields))  # type: ignore[arg-type]


async def test_a_code_is_redeemed_with_its_verifier_for_its_resource(world: World) -> None:
    world.server.overrides["/token"] = document(
        {"access_token": "t", "token_type": "bearer", "scope": "read write", "expires_in": "60"}
    )

    grant = await TokenEndpoint(world.exchange, lambda: 1000.0).redeem(
        asked(world, scopes=("read", "more")), "code", "verifier", BACK
    )

    assert (grant.issuer, grant.resource, grant.client_id) == ("https://a", "https://h/mcp", "c")
    assert grant.scopes == ("read", "more", "write")
    assert grant.expires_at == 1060.0
    assert grant.refresh_token is None
    assert world.server.redeemed == [
        {
            "grant_type": "authorization_code",
            "code": "code",
            "redirect_uri": BACK,
            "code_verifier": "verifier",
            "client_id": "c",
            "resource": "https://h/mcp",
        }
    ]


async def test_a_refresh_names_the_resource_and_keeps_what_is_not_replaced(world: World) -> None:
    world.server.overrides["/token"] = document({"access_token": "t", "token_type": "Bearer"})

    grant = await TokenEndpoint(world.exchange).refresh(
        asked(world, refresh_token="r", scopes=("read",))
    )

    assert (grant.refresh_token, grant.scopes, grant.expires_at) == ("r", ("read",), None)
    assert world.server.redeemed[0]["resource"] == "https://h/mcp"


@pytest.mark.parametrize(
    ("answer", "failure"),
    [
        (document({"error": "invalid_grant"}, 400), GrantRefused),
        (document({"error": "invalid_client"}, 401), AuthorizationFailed),
        (document({"error": "of their own"}, 400), AuthorizationFailed),
        (Said(429), AuthorizationUnavailable),
        (Said(500), AuthorizationUnavailable),
        (Said(302, b"", [("location", "/elsewhere")]), AuthorizationUnavailable),
        (document({}), AuthorizationFailed),
        (document({"access_token": ""}), AuthorizationFailed),
        (document({"access_token": 7}), AuthorizationFailed),
        (document({"access_token": "a b"}), AuthorizationFailed),
        (document({"access_token": "t", "token_type": "mac"}), AuthorizationFailed),
        (document({"access_token": "t", "token_type": 7}), AuthorizationFailed),
    ],
)
async def test_an_answer_without_a_token_is_a_failure(
    world: World, answer: Said, failure: type[Exception]
) -> None:
    world.server.overrides["/token"] = answer

    with pytest.raises(failure) as raised:
        await TokenEndpoint(world.exchange).redeem(asked(world), "code", "verifier", BACK)

    assert type(raised.value) is failure
    assert "of their own" not in str(raised.value)


async def test_a_token_endpoint_without_tls_is_shown_nothing(world: World) -> None:
    endpoint = asked(world, endpoint="http://tokens.example/token")

    with pytest.raises(AuthorizationFailed):
        await TokenEndpoint(world.exchange).redeem(endpoint, "code", "verifier", BACK)


@pytest.mark.parametrize(
    ("expires_in", "seconds"),
    [(60, 60.0), (" 60 ", 60.0), (-5, 0.0), (1e99, 366 * 86400.0), (True, None), ("soon", None)],
)
async def test_how_long_a_token_lives_is_read_with_care(
    world: World, expires_in: object, seconds: float | None
) -> None:
    world.server.overrides["/token"] = document({"access_token": "t", "expires_in": expires_in})

    grant = await TokenEndpoint(world.exchange, lambda: 0.0).redeem(
        asked(world), "code", "verifier", BACK
    )

    assert grant.expires_at == seconds


def test_only_what_fits_a_header_is_sent() -> None:
    assert is_sendable("abc.-_~+/=")
    assert not any(map(is_sendable, ["", "a b", "a\n", "ä", "x" * 40_000]))
