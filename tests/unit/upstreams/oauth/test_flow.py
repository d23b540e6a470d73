"""The steps from a refusal to a grant, each with what the last one found."""

import msgspec
import pytest

from bascule.gateway.connector import UserGrants
from bascule.gateway.errors import GatewayError
from bascule.upstreams.oauth.challenges import Demand
from bascule.upstreams.oauth.failures import AuthorizationFailed, GrantRefused
from bascule.upstreams.oauth.flow import Flow
from bascule.upstreams.oauth.metadata import ResourceMetadata
from bascule.upstreams.oauth.ports import Callback, Grant, Holder, Pending, Registration
from fakes.authorization import Said
from fakes.ways import BACK, World

ANN = Holder("t", "key|ann", "s")
DOCUMENT = "https://gateway.example/oauth/client.json"


async def begun(world: World, flow: Flow, held: Grant | None = None, *scopes: str) -> Pending:
    demand = Demand(scopes=scopes)
    return await flow.begin(ANN, demand, await flow.resource(demand), held)


async def granted(world: World, flow: Flow, pending: Pending) -> Grant:
    callback = await world.setup().consent.ask(pending)
    return await flow.finish(pending, callback)


async def test_consent_ends_in_a_grant_for_the_resource(world: World) -> None:
    flow = world.flow()
    grant = await granted(world, flow, await begun(world, flow, None, "read"))

    assert (grant.issuer, grant.client_id) == (world.server.issuer, "client-1")
    assert grant.resource == f"{world.service.url}/mcp"
    assert grant.scopes == ("read",)


async def test_a_registration_is_made_once_and_anew_for_another_address(world: World) -> None:
    flow = world.flow()
    await begun(world, flow)
    await begun(world, world.flow())
    assert world.server.paths("POST") == ["/register"]

    made = Registration(world.server.issuer, "old", redirect_uri="https://moved.example/callback")
    await world.registrations.save("t", made)
    await begun(world, flow)

    assert world.server.paths("POST") == ["/register", "/register"]
    assert await world.registrations.load("t", world.server.issuer) == Registration(
        world.server.issuer, "client-1", redirect_uri=BACK
    )


async def test_a_document_of_ones_own_takes_the_place_of_a_registration(world: World) -> None:
    world.server.metadata = {"client_id_metadata_document_supported": True}
    flow = world.flow(setup=world.setup(document_url=DOCUMENT))
    pending = await begun(world, flow)

    grant = await granted(world, flow, pending)

    assert pending.client_id == grant.client_id == DOCUMENT
    assert "/register" not in world.server.paths()


async def test_scopes_of_before_are_kept_at_the_same_server_alone(world: World) -> None:
    flow = world.flow()
    held = Grant(world.server.issuer, f"{world.service.url}/mcp", "c", "t", scopes=("read",))
    elsewhere = Grant("https://old.example", held.resource, "c", "t", scopes=("read",))

    assert (await begun(world, flow, held, "write")).scopes == ("read", "write")
    assert (await begun(world, flow, elsewhere, "write")).scopes == ("write",)


async def test_the_first_server_that_can_be_used_is_used(world: World) -> None:
    world.service.described = {
        "authorization_servers": [f"{world.service.url}/gone", world.server.issuer]
    }
    flow = world.flow()

    assert (await begun(world, flow)).issuer == world.server.issuer


async def test_no_more_servers_are_tried_than_are_likely_to_be_meant(world: World) -> None:
    named = [f"{world.server.url}/{number}" for number in range(8)]
    metadata = ResourceMetadata(f"{world.service.url}/mcp", tuple(named))

    with pytest.raises(AuthorizationFailed):
        await world.flow().begin(ANN, Demand(), metadata, None)

    assert len(world.server.asked) <= 9


@pytest.mark.parametrize("issuer", ["https://other.example", ""])
async def test_a_client_made_by_hand_is_shown_nowhere_else(world: World, issuer: str) -> None:
    flow = world.flow(UserGrants("mine", "secret", issuer))

    with pytest.raises(AuthorizationFailed):
        await begun(world, flow)

    assert world.server.asked == []


async def test_a_client_made_by_hand_proves_itself_each_time(world: World) -> None:
    world.server.token = {"refresh_token": "r"}
    flow = world.flow(UserGrants("mine", "secret", world.server.issuer))
    grant = await granted(world, flow, await begun(world, flow))

    await flow.refresh(grant)

    assert grant.client_id == "mine"
    proofs = [one.headers["authorization"] for one in world.server.asked if one.path == "/token"]
    assert proofs == ["Basic bWluZTpzZWNyZXQ="] * 2


async def test_a_grant_of_another_client_cannot_be_refreshed(world: World) -> None:
    flow = world.flow()
    grant = await granted(world, flow, await begun(world, flow))
    with pytest.raises(GrantRefused):
        await flow.refresh(grant)

    world.server.token = {"refresh_token": "r"}
    fresh = await granted(world, flow, await begun(world, flow))
    await world.registrations.save("t", Registration(world.server.issuer, "another"))
    with pytest.raises(GrantRefused):
        await flow.refresh(fresh)
    assert [one["grant_type"] for one in world.server.redeemed] == ["authorization_code"] * 2


async def test_a_grant_from_before_the_client_was_made_by_hand_is_not_refreshed(
    world: World,
) -> None:
    old = Grant("https://old.example", f"{world.service.url}/mcp", "mine", "t", "r")
    flow = world.flow(UserGrants("mine", "secret", world.server.issuer))

    with pytest.raises(GatewayError):
        await flow.refresh(old)


async def test_consent_is_worth_nothing_once_the_upstream_is_another(world: World) -> None:
    flow = world.flow()
    pending = await begun(world, flow)
    moved = msgspec.structs.replace(pending, resource="https://other.example/mcp")

    with pytest.raises(AuthorizationFailed):
        await flow.finish(moved, Callback(moved.state, "code", moved.issuer))

    assert world.server.redeemed == []


async def test_who_comes_as_nobody_is_told_what_is_wanted(world: World) -> None:
    assert await world.flow().demand() == Demand()

    challenge = [("www-authenticate", 'Bearer resource_metadata="https://h/x"')]
    world.service.overrides["/mcp"] = Said(401, b"", challenge)
    assert await world.flow().demand() == Demand("https://h/x")
    world.service.overrides["/mcp"] = Said(401)
    assert await world.flow().demand() == Demand()
