import asyncio
import json
import time

import pytest

from bascule.gateway.errors import UpstreamFailed, UpstreamTimeout
from bascule.gateway.feed import ListenFilter
from bascule.gateway.identifiers import Identifiers
from bascule.protocol.versions import Era
from bascule.upstreams.mcp.dialogue import Dialogue
from bascule.upstreams.mcp.failures import UpstreamRpcError
from bascule.upstreams.mcp.hooks import Hooks
from bascule.upstreams.mcp.messages import Incoming, Outgoing, decode

CALL = Outgoing("tools/call", progress_token="ours")


def soon() -> float:
    return time.monotonic() + 5


class Peer:
    """The other side: what it was sent, and what it says."""

    def __init__(self, era: Era = Era.LEGACY, *, is_private: bool = True) -> None:
        self.sent: list[dict] = []
        self.dialogue = Dialogue("peer", Identifiers(), self, is_private=is_private)
        self._era = era
        self._changed = asyncio.Condition()

    async def send(self, message: bytes) -> None:
        async with self._changed:
            self.post(message)
            self._changed.notify_all()

    def post(self, message: bytes) -> None:
        self.sent.append(json.loads(message))

    async def until(self, count: int) -> dict:
        async with asyncio.timeout(5), self._changed:
            await self._changed.wait_for(lambda: len(self.sent) >= count)
        return self.sent[count - 1]

    def say(self, **members: object) -> None:
        message = decode(json.dumps({"jsonrpc": "2.0", **members}).encode())
        assert message is not None
        self.dialogue.take(message, self._era)

    def begin(self, hooks: Hooks | None = None, deadline: float = 0.0) -> "asyncio.Future[bytes]":
        era = self._era
        running = self.dialogue.exchange(CALL, era, deadline or soon(), hooks)
        return asyncio.ensure_future(running)  # type: ignore[arg-type]


async def test_responses_find_their_requests_in_any_order() -> None:
    peer = Peer()
    first, second = peer.begin(), peer.begin()
    await peer.until(2)
    peer.say(id=peer.sent[1]["id"], result=2)
    peer.say(id=peer.sent[0]["id"], result=1)
    assert (bytes(await first), bytes(await second)) == (b"1", b"2")


async def test_error_and_end_are_failures() -> None:
    peer = Peer()
    refused, ended = peer.begin(), peer.begin()
    await peer.until(2)
    peer.say(id=peer.sent[0]["id"], error={"code": -1, "message": "never"})
    with pytest.raises(UpstreamRpcError, match="never"):
        await refused
    peer.dialogue.end("it broke")
    with pytest.raises(UpstreamFailed, match="it broke"):
        await ended
    with pytest.raises(UpstreamFailed, match="it broke"):
        await peer.begin()


async def test_server_is_told_when_nobody_waits_any_more() -> None:
    peer = Peer()
    with pytest.raises(UpstreamTimeout):
        await peer.begin(deadline=time.monotonic() + 0.01)
    running = peer.begin()
    asked = await peer.until(3)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert [one["method"] for one in peer.sent[1::2]] == ["notifications/cancelled"] * 2
    assert peer.sent[3]["params"]["requestId"] == asked["id"]


async def test_notes_reach_the_exchange_they_are_about() -> None:
    peer, heard = Peer(), list[Incoming]()
    running = peer.begin(Hooks(heard.append))
    asked = await peer.until(1)
    assert asked["params"]["_meta"]["progressToken"] == "ours"
    peer.say(method="notifications/progress", params={"progressToken": "ours", "progress": 1})
    peer.say(method="notifications/progress", params={"progressToken": "else", "progress": 1})
    peer.say(id=asked["id"], result={})
    await running
    peer.say(method="notifications/progress", params={"progressToken": "ours", "progress": 2})
    assert len(heard) == 1


async def test_question_is_answered_by_the_callers_own_words() -> None:
    async def answer(request: Incoming) -> bytes:
        assert request.method == "elicitation/create"
        return b'{"action":"accept"}'

    peer = Peer()
    running = peer.begin(Hooks(lambda _: None, answer))
    asked = await peer.until(1)
    peer.say(id="q", method="elicitation/create", params={})
    assert await peer.until(2) == {"jsonrpc": "2.0", "id": "q", "result": {"action": "accept"}}
    peer.say(id=asked["id"], result={})
    await running


async def test_time_that_a_question_takes_is_not_the_servers() -> None:
    answered = asyncio.Event()

    async def answer(_: Incoming) -> bytes:
        await answered.wait()
        return b"{}"

    peer = Peer()
    running = peer.begin(Hooks(lambda _: None, answer), time.monotonic() + 0.05)
    asked = await peer.until(1)
    peer.say(id="q", method="roots/list")
    await asyncio.sleep(0.1)
    answered.set()
    await peer.until(2)
    peer.say(id=asked["id"], result={})
    assert bytes(await running) == b"{}"


async def test_server_that_stays_silent_after_its_question_times_out() -> None:
    async def answer(_: Incoming) -> bytes:
        return b"{}"

    peer = Peer()
    running = peer.begin(Hooks(lambda _: None, answer), time.monotonic() + 0.05)
    await peer.until(1)
    peer.say(id="q", method="roots/list")
    with pytest.raises(UpstreamTimeout):
        await running
    assert peer.sent[-1]["method"] == "notifications/cancelled"


async def test_question_that_nobody_can_be_asked_is_politely_refused() -> None:
    peer = Peer()
    peer.say(id=1, method="ping")
    peer.say(id=2, method="sampling/createMessage")
    assert peer.sent[0] == {"jsonrpc": "2.0", "id": 1, "result": {}}
    assert (peer.sent[1]["id"], peer.sent[1]["error"]["code"]) == (2, -32601)


async def test_modern_server_that_asks_gets_no_answer() -> None:
    peer = Peer(Era.MODERN)
    peer.say(id=1, method="ping")
    assert peer.sent == []


async def test_listening_ends_with_a_word_to_the_server() -> None:
    peer, heard = Peer(Era.MODERN, is_private=False), list[Incoming]()
    wanted = ListenFilter(tools_list_changed=True)
    opened = asyncio.Event()
    leave = asyncio.Event()

    async def listen() -> ListenFilter:
        async with peer.dialogue.listen(wanted, heard.append, soon()) as subscription:
            opened.set()
            await leave.wait()
            return subscription.granted

    running = asyncio.ensure_future(listen())
    asked = await peer.until(1)
    meta = {"io.modelcontextprotocol/subscriptionId": asked["id"]}
    granted = {"notifications": {"toolsListChanged": True}, "_meta": meta}
    peer.say(method="notifications/subscriptions/acknowledged", params=granted)
    async with asyncio.timeout(5):
        await opened.wait()
        peer.say(method="notifications/tools/list_changed", params={"_meta": meta})
        leave.set()
        assert await running == wanted
    assert [one.method for one in heard] == ["notifications/tools/list_changed"]
    assert peer.sent[-1]["method"] == "notifications/cancelled"
    assert peer.sent[-1]["params"]["requestId"] == asked["id"]


async def test_end_of_the_channel_ends_the_listening() -> None:
    peer = Peer(Era.MODERN, is_private=False)

    async def listen() -> str:
        async with peer.dialogue.listen(ListenFilter(), lambda _: None, soon()) as subscription:
            peer.dialogue.end("it broke")
            return await subscription.ended()

    running = asyncio.ensure_future(listen())
    asked = await peer.until(1)
    meta = {"io.modelcontextprotocol/subscriptionId": asked["id"]}
    peer.say(method="notifications/subscriptions/acknowledged", params={"_meta": meta})
    async with asyncio.timeout(5):
        assert "it broke" in await running
    assert len(peer.sent) == 1
