"""Each holder has their own grant, got once, and no more often than is of use."""

import asyncio
import time

import pytest

from bascule.upstreams.oauth.challenges import Demand
from bascule.upstreams.oauth.failures import (
    AuthorizationFailed,
    AuthorizationUnavailable,
    ConsentNeeded,
    NotConnected,
)
from bascule.upstreams.oauth.headless import HeadlessConsent
from bascule.upstreams.oauth.ports import Callback, Grant, Holder, Pending
from bascule.upstreams.oauth.setup import Setup
from fakes.authorization import Said, document
from fakes.ways import BACK, World

ANN = "key|ann"


def holder(owner: str = ANN) -> Holder:
    return Holder("t", owner, "s")


def kept(world: World, value: str = "one", **fields: object) -> Grant:
    usual = {
        "issuer": world.server.issuer,
        "resource": f"{world.service.url}/mcp",
        "client_id": "client-1",
        "access_token": value,
    }
    return Grant(**(usual | fields))  # type: ignore[arg-type]


async def test_who_has_nothing_comes_with_nothing(world: World) -> None:
    assert await world.access().current(ANN) is None
    assert world.server.asked == []


async def test_many_who_wait_for_the_same_holder_share_one_way(world: World) -> None:
    access = world.access()

    found = await asyncio.gather(*(access.satisfy("", None, Demand()) for _ in range(5)))

    assert {one.access_token for one in found} == {"token-1"}
    assert len(world.server.authorizations) == 1


async def test_what_another_process_got_is_used_before_a_person_is_asked(world: World) -> None:
    access = world.access(world.setup(one_person=False))
    old = kept(world)
    await world.grants.save(holder(), kept(world, "two"))

    assert (await access.satisfy(ANN, old, Demand())).access_token == "two"
    assert (await access.satisfy(ANN, None, Demand())).access_token == "two"
    assert world.away.asked == []


async def test_who_is_away_is_asked_and_served_once_they_were_there(world: World) -> None:
    access = world.access(world.setup(one_person=False))
    with pytest.raises(ConsentNeeded):
        await access.satisfy(ANN, None, Demand())

    (pending,) = world.away.asked
    await access.finish(pending, await HeadlessConsent(world.client, BACK).ask(pending))

    grant = await access.current(ANN)
    assert grant is not None
    assert grant.access_token == "token-1"
    assert await access.current("key|bob") is None


async def test_the_gateways_own_requests_ask_nobody(world: World) -> None:
    access = world.access(world.setup(one_person=False))

    with pytest.raises(NotConnected):
        await access.satisfy("", None, Demand())
    assert world.away.asked == []

    with pytest.raises(NotConnected):
        await access.satisfy(ANN, None, Demand(), lent=True)
    assert world.away.asked == []

    with pytest.raises(ConsentNeeded):
        await access.connect("")
    assert world.away.asked[0].owner == ""


async def test_connecting_asks_anew_for_what_was_asked_before(world: World) -> None:
    access = world.access(world.setup(one_person=False))
    await world.grants.save(holder(), kept(world, scopes=("read",)))
    challenge = 'Bearer scope="write"'
    world.service.overrides["/mcp"] = Said(401, b"", [("www-authenticate", challenge)])

    with pytest.raises(ConsentNeeded):
        await access.connect(ANN)

    assert world.away.asked[0].scopes == ("read", "write")


async def test_lists_go_in_the_name_of_who_has_a_grant(world: World) -> None:
    access = world.access(world.setup(one_person=False))
    assert await access.lender() == ""
    await world.grants.save(holder(), kept(world))

    assert await access.lender() == ANN
    assert access.owner(ANN) == ANN
    assert world.access().owner(ANN) == await world.access().lender() == ""


async def test_a_grant_about_to_end_is_refreshed_ahead(world: World) -> None:
    access = world.access()
    await access.satisfy("", None, Demand())
    ending = kept(world, expires_at=time.time() + 5, refresh_token="r")
    await world.grants.save(holder(""), ending)

    found = await asyncio.gather(*(access.current("") for _ in range(5)))

    assert {one.access_token for one in found if one} == {"token-2"}
    assert len(world.server.redeemed) == 2


async def test_a_grant_that_ended_and_cannot_be_refreshed_is_none(world: World) -> None:
    access = world.access()
    await world.grants.save(holder(""), kept(world, expires_at=1.0))

    assert await access.current("") is None
    assert await world.grants.load(holder(""), f"{world.service.url}/mcp") is None


async def test_while_the_server_is_down_a_grant_serves_to_its_end(world: World) -> None:
    access = world.access()
    await access.satisfy("", None, Demand())
    world.server.refresh = Said(503)
    ending = kept(world, expires_at=time.time() + 5, refresh_token="r")
    await world.grants.save(holder(""), ending)
    assert await access.current("") == ending

    ended = kept(world, expires_at=time.time() - 5, refresh_token="r")
    await world.grants.save(holder(""), ended)
    with pytest.raises(AuthorizationUnavailable):
        await access.current("")


async def test_scopes_that_another_process_got_need_no_person(world: World) -> None:
    access = world.access(world.setup(one_person=False))
    more = Demand(scopes=("write",), error="insufficient_scope")
    await world.grants.save(holder(), kept(world, "two", scopes=("read", "write")))

    assert (await access.satisfy(ANN, kept(world), more)).access_token == "two"
    with pytest.raises(AuthorizationFailed):
        await access.satisfy(ANN, kept(world, "two"), more)


async def test_too_little_of_nothing_named_is_all_that_the_resource_names(world: World) -> None:
    access = world.access(world.setup(one_person=False))
    world.service.described = {"scopes_supported": ["read", "write"]}
    await world.grants.save(holder(), kept(world, scopes=("read",)))

    with pytest.raises(ConsentNeeded):
        await access.satisfy(ANN, kept(world), Demand(error="insufficient_scope"))

    assert world.away.asked[0].scopes == ("read", "write")


async def test_ever_more_scopes_are_not_asked_for(world: World) -> None:
    access = world.access(world.setup(one_person=False))
    for number in range(5):
        more = Demand(scopes=(f"scope-{number}",), error="insufficient_scope")
        with pytest.raises(ConsentNeeded):
            await access.satisfy(ANN, None, more)

    with pytest.raises(AuthorizationFailed):
        await access.satisfy(ANN, None, Demand(scopes=("x",), error="insufficient_scope"))
    with pytest.raises(ConsentNeeded):
        await access.satisfy("key|bob", None, Demand(scopes=("x",), error="insufficient_scope"))


async def test_a_token_refused_as_it_was_given_is_not_sought_again(world: World) -> None:
    access = world.access()
    first = await access.satisfy("", None, Demand())

    with pytest.raises(AuthorizationFailed):
        await access.satisfy("", first, Demand())

    access.accepted("", first)
    access.accepted("", None)
    assert (await access.satisfy("", first, Demand())).access_token == "token-2"


async def test_a_token_refused_as_it_was_refreshed_takes_a_person(world: World) -> None:
    world.server.token = {"refresh_token": "r"}
    access = world.access()
    first = await access.satisfy("", None, Demand())
    access.accepted("", first)
    second = await access.satisfy("", first, Demand())

    await access.satisfy("", second, Demand())

    kinds = [one["grant_type"] for one in world.server.redeemed]
    assert kinds == ["authorization_code", "refresh_token", "authorization_code"]


async def test_a_grant_of_a_server_that_was_replaced_is_not_refreshed(world: World) -> None:
    access = world.access(world.setup(one_person=False))
    old = kept(world, issuer="https://old.example", refresh_token="r")
    await world.grants.save(holder(), old)

    with pytest.raises(ConsentNeeded):
        await access.satisfy(ANN, old, Demand())

    assert world.server.redeemed == []


async def test_a_refresh_token_that_is_refused_is_forgotten(world: World) -> None:
    access = world.access()
    first = await access.satisfy("", None, Demand())
    access.accepted("", first)
    world.server.refresh = document({"error": "invalid_grant"}, 400)
    old = kept(world, first.access_token, refresh_token="r")
    await world.grants.save(holder(""), old)

    assert (await access.satisfy("", old, Demand())).access_token == "token-2"


class Slow:
    """A person who takes their time."""

    redirect_uri = BACK

    def __init__(self) -> None:
        self.back: asyncio.Future[Callback] = asyncio.get_running_loop().create_future()
        self.asked = asyncio.Event()

    async def ask(self, pending: Pending) -> Callback:
        self.asked.set()
        return await self.back


async def test_who_takes_longer_than_a_request_waits_is_told_where_to_go(world: World) -> None:
    slow = Slow()
    setup = Setup(world.grants, world.registrations, slow, one_person=True, consent_seconds=0.3)
    access = world.access(setup)

    with pytest.raises(ConsentNeeded) as needed:
        await access.satisfy("", None, Demand())

    assert needed.value.url.startswith(f"{world.server.url}/authorize?")
    assert slow.asked.is_set()
    await access.close()
    assert slow.back.cancelled()
