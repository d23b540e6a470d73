"""From a refusal to the server that can help, by what is published alone."""

import pytest

from bascule.upstreams.oauth.challenges import Demand
from bascule.upstreams.oauth.discovery import Discovery
from bascule.upstreams.oauth.failures import AuthorizationFailed, AuthorizationUnavailable
from fakes.authorization import NOT_FOUND, Said, document
from fakes.ways import World

ROOT = "/.well-known/oauth-protected-resource"
OAUTH = "/.well-known/oauth-authorization-server"
OPENID = "/.well-known/openid-configuration"


async def test_the_place_in_the_challenge_is_the_only_one(world: World) -> None:
    said = document({"resource": world.service.url, "authorization_servers": ["https://a"]})
    world.service.overrides["/custom.json"] = said

    found = await Discovery(world.exchange).resource(Demand(f"{world.service.url}/custom.json"))

    assert found.resource == world.service.url
    assert world.service.paths() == ["/custom.json"]
    with pytest.raises(AuthorizationFailed):
        await Discovery(world.exchange).resource(Demand(f"{world.service.url}/nothing.json"))


async def test_without_one_the_path_comes_before_the_root(world: World) -> None:
    world.service.overrides[f"{ROOT}/mcp"] = NOT_FOUND
    world.service.overrides[ROOT] = document(
        {"resource": world.service.url, "authorization_servers": ["https://a"]}
    )

    await Discovery(world.exchange).resource(Demand())

    assert world.service.paths() == [f"{ROOT}/mcp", ROOT]


async def test_metadata_of_another_service_is_refused(world: World) -> None:
    world.service.described = {"resource": "https://evil.example/mcp"}

    with pytest.raises(AuthorizationFailed):
        await Discovery(world.exchange).resource(Demand())


async def test_servers_are_looked_up_in_the_order_of_the_specification(world: World) -> None:
    world.server.prefix = "/tenant1"
    said = document({"issuer": world.server.issuer})
    world.server.overrides[f"{OAUTH}/tenant1"] = NOT_FOUND
    world.server.overrides[f"/tenant1{OPENID}"] = said

    found = await Discovery(world.exchange).server(world.server.issuer)

    assert found.issuer == world.server.issuer
    assert world.server.paths() == [f"{OAUTH}/tenant1", f"{OPENID}/tenant1", f"/tenant1{OPENID}"]


async def test_a_document_of_another_issuer_is_passed_over(world: World) -> None:
    world.server.overrides[OAUTH] = document({"issuer": "https://other.example"})
    world.server.overrides[OPENID] = document({"issuer": world.server.issuer})

    assert (await Discovery(world.exchange).server(world.server.issuer)).issuer
    world.server.overrides[OPENID] = NOT_FOUND
    with pytest.raises(AuthorizationFailed):
        await Discovery(world.exchange).server(world.server.issuer)


async def test_a_server_that_is_down_is_told_apart_from_one_that_is_wrong(world: World) -> None:
    world.server.overrides[OAUTH] = Said(503)

    with pytest.raises(AuthorizationUnavailable):
        await Discovery(world.exchange).server(world.server.issuer)


async def test_what_a_server_says_is_kept_for_a_while(world: World) -> None:
    now = [0.0]
    discovery = Discovery(world.exchange, lambda: now[0])
    await discovery.server(world.server.issuer)
    await discovery.server(world.server.issuer)
    assert len(world.server.asked) == 1

    now[0] = 601.0
    await discovery.server(world.server.issuer)

    assert len(world.server.asked) == 2


async def test_many_servers_do_not_fill_memory(world: World) -> None:
    discovery = Discovery(world.exchange)
    for number in range(20):
        issuer = f"{world.server.url}/{number}"
        world.server.overrides[f"{OAUTH}/{number}"] = document({"issuer": issuer})
        await discovery.server(issuer)
    count = len(world.server.asked)

    await discovery.server(f"{world.server.url}/19")
    assert len(world.server.asked) == count
    await discovery.server(f"{world.server.url}/0")
    assert len(world.server.asked) == count + 1


@pytest.mark.parametrize("issuer", ["http://a.example", "javascript:x", "https://a/?b=c"])
async def test_what_can_be_no_issuer_is_not_asked(world: World, issuer: str) -> None:
    with pytest.raises(AuthorizationFailed):
        await Discovery(world.exchange).server(issuer)
