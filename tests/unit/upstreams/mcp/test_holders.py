"""One server, many holders: each as if there were no other."""

import asyncio
import json
import time
from collections.abc import AsyncIterator

import pytest

from bascule.gateway.feed import ListenFilter
from bascule.gateway.tool import Upstream, UpstreamKind
from bascule.protocol.versions import Era
from bascule.upstreams.mcp import McpConfig
from bascule.upstreams.mcp.failures import UpstreamRpcError
from bascule.upstreams.mcp.holders import HoldersChannel
from bascule.upstreams.mcp.messages import Incoming, Outgoing, SessionKey
from bascule.upstreams.oauth.client import GrantedClients
from bascule.upstreams.oauth.failures import ConsentNeeded, NotConnected
from bascule.upstreams.oauth.ports import Grant, Holder
from fakes import ways
from fakes.authorization import Asked, Said, document
from fakes.ways import World

ANN, BOB = SessionKey("t", "key|ann"), SessionKey("t", "key|bob")


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with ways.world() as it:
        for owner, token in (("key|ann", "of-ann"), ("key|bob", "of-bob")):
            it.server.scopes_of[token] = []
            grant = Grant(it.server.issuer, f"{it.service.url}/mcp", "c", token)
            await it.grants.save(Holder("t", owner, "s"), grant)
        yield it


def channel(world: World, *, one_person: bool = False, most: int = 8) -> HoldersChannel:
    access = world.access(world.setup(one_person=one_person))
    record = Upstream("s", UpstreamKind.MCP_HTTP, url=f"{world.service.url}/mcp")
    clients = GrantedClients(access, world.client, world.client)
    return HoldersChannel(record, clients, McpConfig(max_sessions=most))


def soon() -> float:
    return time.monotonic() + 5


def listing(session: SessionKey | None = None) -> Outgoing:
    return Outgoing("tools/list") if session is None else Outgoing("tools/list", session=session)


async def test_each_request_carries_the_token_of_its_caller(world: World) -> None:
    holders = channel(world)
    await asyncio.gather(*(holders.exchange(listing(one), soon()) for one in (ANN, BOB, ANN, BOB)))
    await holders.close()

    lists = [token for method, token in world.service.calls if method == "tools/list"]
    assert sorted(lists, key=str) == ["of-ann", "of-ann", "of-bob", "of-bob"]
    assert holders.era is Era.MODERN
    assert holders.access.owner("key|ann") == "key|ann"


async def test_the_gateways_own_requests_go_in_the_name_of_who_lends(world: World) -> None:
    holders = channel(world)
    await holders.exchange(listing(), soon())
    assert (await holders.describe(soon())).era is Era.MODERN
    await holders.close()

    assert {token for _, token in world.service.calls} == {"of-ann"}


async def test_whose_grant_is_no_good_any_more_is_not_asked_for_a_list(world: World) -> None:
    world.service.refused |= {"of-ann"}
    holders = channel(world)

    with pytest.raises(NotConnected):
        await holders.exchange(listing(), soon())
    assert world.away.asked == []
    await holders.exchange(listing(), soon())
    await holders.close()

    assert world.service.calls[-1] == ("tools/list", "of-bob")


async def test_where_one_person_sits_every_request_is_theirs(world: World) -> None:
    holders = channel(world, one_person=True)
    await holders.exchange(listing(ANN), soon())
    await holders.exchange(listing(), soon())
    await holders.close()

    assert {token for _, token in world.service.calls} == {"token-1"}


async def test_legacy_sessions_are_each_callers_own(world: World) -> None:
    """A session id that was given for one token never goes out with another."""

    def answer(asked: Asked) -> Said:
        token = asked.token
        if asked.method != "POST" or token is None:
            return Said(405 if asked.method != "POST" else 401)
        message = json.loads(asked.body)
        sent = asked.headers.get("mcp-session-id")
        assert sent in (None, f"session-{token}")
        if message["method"] == "server/discover":
            return Said(400)
        result: object = {"tools": []}
        if message["method"] == "initialize":
            result = {"protocolVersion": "2025-11-25", "capabilities": {}, "serverInfo": {}}
        if "id" not in message:
            return Said(202)
        said = document({"jsonrpc": "2.0", "id": message["id"], "result": result})
        return Said(200, said.body, [*said.headers, ("mcp-session-id", f"session-{token}")])

    world.service.overrides["/mcp"] = answer
    holders = channel(world)
    for one in (ANN, BOB, ANN):
        await holders.exchange(listing(one), soon())
    await holders.close()

    ends = [one for one in world.service.asked if one.method == "DELETE"]
    assert {(one.token, one.headers["mcp-session-id"]) for one in ends} == {
        ("of-ann", "session-of-ann"),
        ("of-bob", "session-of-bob"),
    }


async def test_who_has_not_agreed_is_asked_and_opens_nothing(world: World) -> None:
    holders = channel(world)

    with pytest.raises(ConsentNeeded):
        await holders.exchange(listing(SessionKey("t", "key|eve")), soon())
    await holders.close()

    assert world.service.calls == []


async def test_no_more_are_kept_than_there_may_be(world: World) -> None:
    holders = channel(world, most=1)
    for one in (ANN, BOB, ANN):
        await holders.exchange(listing(one), soon())
    await holders.close()

    asked = [method for method, _ in world.service.calls]
    assert asked.count("server/discover") == 3


async def test_changes_are_heard_in_the_name_of_who_lends(world: World) -> None:
    holders = channel(world)
    notes: list[Incoming] = []

    with pytest.raises(UpstreamRpcError):
        async with holders.listen(ListenFilter(tools_list_changed=True), notes.append, soon()):
            pass
    await holders.close()

    assert world.service.calls[-1] == ("subscriptions/listen", "of-ann")
