"""A request carries its holder's token, and is sent again where another one may do."""

import asyncio
import math
import time
from dataclasses import replace

import pytest

from bascule.upstreams.http1 import HttpRequest, Origin
from bascule.upstreams.oauth.client import GrantedClient, GrantedClients
from bascule.upstreams.oauth.failures import AuthorizationFailed
from bascule.upstreams.oauth.ports import Callback, Grant, Holder, Pending
from fakes.authorization import Said
from fakes.ways import BACK, World

BODY = b'{"jsonrpc": "2.0", "id": 1, "method": "tools/list"}'


def request(world: World, method: str = "POST", **fields: object) -> HttpRequest:
    origin, target = Origin.locate(f"{world.service.url}/mcp")
    headers = (("Authorization", "Bearer of-the-caller"), ("x-other", "1"))
    body = BODY if method == "POST" else b""
    return HttpRequest(origin, method, target, headers, body)._replace(**fields)  # type: ignore[arg-type]


def client(world: World, owner: str = "") -> GrantedClient:
    clients = GrantedClients(world.access(), world.client, world.client)
    return clients.of(owner)[0]


def soon() -> float:
    return time.monotonic() + 5


async def test_a_refused_request_is_sent_again_with_a_token(world: World) -> None:
    response = await client(world).request(request(world), soon())

    assert response.status == 200
    first, second = [one for one in world.service.asked if one.method == "POST"]
    assert first.headers["authorization"] == "Bearer of-the-caller"
    assert second.headers["authorization"] == "Bearer token-1"
    assert second.headers["x-other"] == "1"
    assert first.body == second.body == BODY


async def test_a_stream_is_opened_again_with_a_token_and_without_a_deadline(world: World) -> None:
    sender = client(world)
    async with sender.stream(request(world), math.inf) as response:
        assert response.status == 200
        assert await response.read()
    async with sender.stream(request(world), soon()) as response:
        assert response.status == 200
    assert sender.max_body_bytes == world.client.max_body_bytes


class Late:
    """A person who comes back when the deadline of the request has passed."""

    redirect_uri = BACK

    def __init__(self, world: World, deadline: float) -> None:
        self._inner = world.setup().consent
        self._deadline = deadline

    async def ask(self, pending: Pending) -> Callback:
        loop = asyncio.get_running_loop()
        passed: asyncio.Future[None] = loop.create_future()
        loop.call_later(self._deadline - time.monotonic() + 0.01, passed.set_result, None)
        await passed
        return await self._inner.ask(pending)


async def test_the_time_a_person_takes_does_not_count(world: World) -> None:
    deadline = time.monotonic() + 0.5
    setup = replace(world.setup(), consent=Late(world, deadline))
    sender, _ = GrantedClients(world.access(setup), world.client, world.client).of("")

    response = await sender.request(request(world), deadline)

    assert response.status == 200
    assert time.monotonic() > deadline


async def test_an_endless_refusal_ends(world: World) -> None:
    world.service.refused |= {f"token-{number}" for number in range(100)}
    sender = client(world)

    with pytest.raises(AuthorizationFailed):
        await sender.request(request(world), soon())
    with pytest.raises(AuthorizationFailed):
        async with sender.stream(request(world), soon()):
            pass

    assert len(world.service.asked) < 12


async def test_a_request_is_sent_no_more_than_four_times(world: World) -> None:
    wanted = iter(range(100))
    world.service.needed = lambda method: [f"scope-{next(wanted)}"]

    response = await client(world).request(request(world), soon())
    async with client(world).stream(request(world), soon()) as streamed:
        assert streamed.status == 403

    assert response.status == 403
    posts = [one for one in world.service.asked if one.method == "POST"]
    assert len(posts) == 8


async def test_a_refusal_for_another_reason_is_the_answer(world: World) -> None:
    world.service.overrides["/mcp"] = Said(403, b"no", [("www-authenticate", "Bearer")])

    assert (await client(world).request(request(world), soon())).status == 403
    assert world.server.asked == []


async def test_the_end_of_a_session_asks_nobody(world: World) -> None:
    world.service.overrides["/mcp"] = Said(401)

    assert (await client(world).request(request(world, "DELETE"), soon())).status == 401
    assert world.server.asked == []


async def test_a_token_goes_to_its_upstream_alone(world: World) -> None:
    holder = Holder("t", "", "s")
    grant = Grant(world.server.issuer, f"{world.service.url}/mcp", "c", "of-the-holder")
    await world.grants.save(holder, grant)
    elsewhere, _ = Origin.locate(world.server.url)

    await client(world).request(request(world, "GET", origin=elsewhere, headers=()), soon())

    assert world.server.asked[0].token is None


async def test_what_was_opened_for_one_access_closes_with_it(world: World) -> None:
    closed: list[bool] = []

    async def release() -> None:
        closed.append(True)

    clients = GrantedClients(world.access(), world.client, world.client, release)
    await clients.close()

    assert closed == [True]
    await GrantedClients(world.access(), world.client, world.client).close()
