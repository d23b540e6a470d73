import asyncio
import json
import time

import msgspec
import pytest

from bascule.gateway.errors import UpstreamFailed, UpstreamTimeout
from bascule.gateway.feed import ListenFilter
from bascule.upstreams.mcp.failures import UpstreamRpcError, failed, rpc_error
from bascule.upstreams.mcp.messages import Incoming, Outgoing, RpcError
from bascule.upstreams.mcp.routing import Routing
from bascule.upstreams.mcp.subscribing import LegacySubscriptions, Subscription, listen_request

ALL = (
    b'{"tools":{"listChanged":true},"prompts":{"listChanged":true},'
    b'"resources":{"listChanged":true,"subscribe":true}}'
)
WANTED = ListenFilter(tools_list_changed=True, resource_subscriptions=("a:1", "a:2"))


def soon() -> float:
    return time.monotonic() + 5


def acknowledged(**granted: object) -> Incoming:
    params = msgspec.Raw(json.dumps({"notifications": granted}).encode())
    return Incoming(method="notifications/subscriptions/acknowledged", params=params)


def test_request_says_only_what_is_wanted() -> None:
    members = listen_request(WANTED).members
    assert json.loads(b"{%b}" % members) == {
        "notifications": {"toolsListChanged": True, "resourceSubscriptions": ["a:1", "a:2"]}
    }


async def test_nothing_is_heard_before_the_acknowledgement() -> None:
    heard: list[Incoming] = []
    subscription = Subscription("peer", heard.append)
    change = Incoming(method="notifications/tools/list_changed")
    subscription.take(change)
    subscription.take(acknowledged(toolsListChanged=True))
    subscription.take(change)
    await subscription.opened(soon())
    assert subscription.granted == ListenFilter(tools_list_changed=True)
    assert heard == [change]


@pytest.mark.parametrize("params", [b"{}", b"[]", b'{"notifications":7}'])
async def test_acknowledgement_of_nothing_grants_nothing(params: bytes) -> None:
    subscription = Subscription("peer", lambda _: None)
    note = acknowledged()
    subscription.take(Incoming(method=note.method, params=msgspec.Raw(params)))
    await subscription.opened(soon())
    assert subscription.granted == ListenFilter()


async def test_refusal_is_carried() -> None:
    subscription = Subscription("peer", lambda _: None)
    subscription.response.set_result(Incoming(id="1", error=RpcError(-32601, "no")))
    with pytest.raises(UpstreamRpcError, match="no"):
        await subscription.opened(soon())


async def test_answer_instead_of_an_acknowledgement_is_a_failure() -> None:
    subscription = Subscription("peer", lambda _: None)
    subscription.response.set_result(Incoming(id="1", result=msgspec.Raw(b"{}")))
    with pytest.raises(UpstreamFailed, match="acknowledging"):
        await subscription.opened(soon())


async def test_silence_is_a_timeout() -> None:
    with pytest.raises(UpstreamTimeout):
        await Subscription("peer", lambda _: None).opened(time.monotonic() + 0.01)


async def test_end_says_why() -> None:
    broken = Subscription("peer", lambda _: None)
    broken.end(failed("peer", "it broke"))
    broken.end(failed("peer", "again"))
    graceful = Subscription("peer", lambda _: None)
    graceful.response.set_result(Incoming(id="1", result=msgspec.Raw(b"{}")))
    async with asyncio.timeout(5):
        assert "it broke" in await broken.ended()
        assert "server ended" in await graceful.ended()


class Peer:
    """A legacy server that knows resources, less those that are refused."""

    def __init__(self, refused: str = "", *, broken: bool = False) -> None:
        self.asked: list[tuple[str, str]] = []
        self._refused = refused
        self._broken = broken

    async def ask(self, request: Outgoing, _: float) -> bytes:
        uri = json.loads(b"{%b}" % request.members)["uri"]
        self.asked.append((request.method.removeprefix("resources/"), uri))
        if uri == self._refused:
            raise rpc_error(-32002, "no such resource")
        if self._broken:
            raise failed("peer", "it ended")
        return b"{}"


async def test_legacy_server_grants_what_it_advertised_and_did_not_refuse() -> None:
    peer, heard = Peer("a:2"), list[Incoming]()
    routing = Routing(is_private=True)
    subscriptions = LegacySubscriptions(peer.ask, routing, ALL)
    async with subscriptions.listen(WANTED, heard.append, soon()) as subscription:
        assert subscription.granted == ListenFilter(
            tools_list_changed=True, resource_subscriptions=("a:1",)
        )
        routing.take_note(Incoming(method="notifications/tools/list_changed"))
    assert len(heard) == 1
    assert peer.asked == [("subscribe", "a:1"), ("subscribe", "a:2"), ("unsubscribe", "a:1")]


@pytest.mark.parametrize("capabilities", [b"{}", b'{"tools":{},"resources":[]}'])
async def test_legacy_server_that_advertises_nothing_grants_nothing(capabilities: bytes) -> None:
    peer = Peer()
    subscriptions = LegacySubscriptions(peer.ask, Routing(is_private=True), capabilities)
    async with subscriptions.listen(WANTED, lambda _: None, soon()) as subscription:
        assert subscription.granted == ListenFilter()
    assert peer.asked == []


async def test_resource_is_unsubscribed_when_its_last_listener_leaves() -> None:
    peer = Peer()
    subscriptions = LegacySubscriptions(peer.ask, Routing(is_private=True), ALL)
    wanted = ListenFilter(resource_subscriptions=("a:1",))
    async with subscriptions.listen(wanted, lambda _: None, soon()):
        async with subscriptions.listen(WANTED, lambda _: None, soon()):
            assert peer.asked == [("subscribe", "a:1"), ("subscribe", "a:2")]
        assert peer.asked[2:] == [("unsubscribe", "a:2")]
    assert peer.asked[3:] == [("unsubscribe", "a:1")]


async def test_server_that_cannot_be_spoken_to_is_a_failure() -> None:
    subscriptions = LegacySubscriptions(Peer(broken=True).ask, Routing(is_private=True), ALL)
    with pytest.raises(UpstreamFailed):
        async with subscriptions.listen(WANTED, lambda _: None, soon()):
            raise AssertionError


async def test_lost_session_ends_its_subscriptions_and_is_not_spoken_to() -> None:
    peer = Peer()
    subscriptions = LegacySubscriptions(peer.ask, Routing(is_private=True), ALL)
    async with subscriptions.listen(WANTED, lambda _: None, soon()) as subscription:
        subscriptions.lose("it broke")
        subscriptions.lose("again")
        assert await subscription.ended() == "it broke"
    assert "unsubscribe" not in {method for method, _ in peer.asked}


def test_who_listens_for_tasks_declares_that_it_knows_of_them():
    request = listen_request(ListenFilter(task_ids=("t-1",)))

    assert request.capabilities == b'{"extensions":{"io.modelcontextprotocol/tasks":{}}}'
    assert listen_request(WANTED).capabilities == b"{}"
