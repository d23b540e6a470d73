import asyncio
import itertools
import json
import time
from collections.abc import AsyncIterator

import pytest

from bascule.gateway.errors import UpstreamFailed, UpstreamTimeout
from bascule.gateway.feed import ListenFilter
from bascule.gateway.identifiers import Identifiers
from bascule.protocol.versions import Era
from bascule.upstreams.mcp.chores import Chores
from bascule.upstreams.mcp.failures import EraMismatch, UpstreamRpcError
from bascule.upstreams.mcp.hooks import Hooks
from bascule.upstreams.mcp.messages import Incoming, Outgoing, SessionKey, member
from bascule.upstreams.mcp.sse_client import SseSessions

ANN = SessionKey("t", "ann")
BOB = SessionKey("t", "bob", b'{"elicitation":{}}')
CAPABILITIES = {"tools": {"listChanged": True}, "logging": {}}


def soon() -> float:
    return time.monotonic() + 5


def call(name: str = "x", key: SessionKey = ANN, **fields) -> Outgoing:
    return Outgoing("tools/call", member("name", name), session=key, **fields)


class Peer:
    """A server of the first revision: a stream per session, told apart by its POST target."""

    def __init__(self, wire) -> None:
        self._wire = wire
        self._numbers = itertools.count(1)
        self.streams: dict[str, asyncio.Queue[bytes | None]] = {}
        self.endpoint = "/messages?sid={}"
        self.version = "2024-11-05"
        self.said: list[dict] = []
        self.post_status = 202
        self.said_more = asyncio.Condition()

    async def __call__(self, seen):
        if seen.verb == "GET":
            sid = str(next(self._numbers))
            queue = self.streams[sid] = asyncio.Queue()
            first = f"event: endpoint\ndata: {self.endpoint.format(sid)}\n\n".encode()
            return self._wire.stream(first, later=queue)
        if (
            "mcp-protocol-version" in seen.headers
            or seen.message.get("method") == "server/discover"
        ):
            return self._wire.Reply(405)
        async with self.said_more:
            self.said.append(seen.message)
            self.said_more.notify_all()
        if self.post_status == 202:
            self._answer(seen.message)
        return self._wire.Reply(self.post_status)

    def _answer(self, message: dict) -> None:
        queue = self.streams[str(len(self.streams))]
        name = message.get("params", {}).get("name")
        if message.get("method") == "initialize":
            result = {"protocolVersion": self.version, "capabilities": CAPABILITIES}
            self.say(queue, id=message["id"], result=result)
        elif name == "fail":
            self.say(queue, id=message["id"], error={"code": -1, "message": "never"})
        elif name == "hang up":
            queue.put_nowait(None)
        elif name == "ask":
            self.say(queue, id="q", method="elicitation/create", params={"call": message["id"]})
        elif name == "progress":
            token = message["params"]["_meta"]["progressToken"]
            note = {"progressToken": token, "progress": 1}
            self.say(queue, method="notifications/progress", params=note)
            self.say(queue, id=message["id"], result={})
        elif "result" in message and message["id"] == "q":
            asked = next(one for one in self.said if one.get("params", {}).get("name") == "ask")
            self.say(queue, id=asked["id"], result=message["result"])
        elif "id" in message and name != "silence":
            self.say(queue, id=message["id"], result={"n": len(self.streams)})

    def say(self, queue, **members) -> None:
        queue.put_nowait(self._wire.event({"jsonrpc": "2.0", **members}))

    @property
    def methods(self) -> list[str]:
        return [one.get("method", "response") for one in self.said]

    async def until_said(self, method: str) -> None:
        async with asyncio.timeout(5), self.said_more:
            await self.said_more.wait_for(lambda: method in self.methods)


@pytest.fixture
def peer(wire) -> Peer:
    return Peer(wire)


@pytest.fixture
async def sessions(serve, endpoint, peer) -> AsyncIterator[SseSessions]:
    chores = Chores()
    sessions = SseSessions(endpoint(await serve(peer)), Identifiers(), chores, 2)
    yield sessions
    await sessions.close()
    await chores.close()


async def test_answers_come_on_the_stream_that_named_the_endpoint(sessions, peer) -> None:
    assert bytes(await sessions.exchange(call(), soon())) == b'{"n": 1}'
    assert bytes(await sessions.exchange(call(), soon())) == b'{"n": 1}'
    assert peer.methods == ["initialize", "notifications/initialized", "tools/call", "tools/call"]


async def test_callers_share_no_connection_and_declare_their_own_abilities(sessions, peer) -> None:
    await sessions.exchange(call(), soon())
    await sessions.exchange(call(key=BOB), soon())
    declared = [one["params"]["capabilities"] for one in peer.said if "params" in one
                and one["method"] == "initialize"]  # fmt: skip
    assert declared == [{}, {"elicitation": {}}]


async def test_server_describes_itself(sessions) -> None:
    described = await sessions.describe(soon())
    assert (described.era, described.version) == (Era.LEGACY, "2024-11-05")
    assert json.loads(described.capabilities) == CAPABILITIES


async def test_error_is_carried(sessions) -> None:
    with pytest.raises(UpstreamRpcError, match="never"):
        await sessions.exchange(call("fail"), soon())


async def test_lost_stream_fails_the_call_and_the_next_one_reconnects(sessions, peer) -> None:
    with pytest.raises(UpstreamFailed, match="stream ended"):
        await sessions.exchange(call("hang up"), soon())
    assert bytes(await sessions.exchange(call(), soon())) == b'{"n": 2}'


async def test_late_answer_is_cancelled(sessions, peer) -> None:
    await sessions.exchange(call(), soon())
    with pytest.raises(UpstreamTimeout):
        await sessions.exchange(call("silence"), time.monotonic() + 0.05)
    await peer.until_said("notifications/cancelled")


async def test_question_is_answered_over_the_same_connection(sessions) -> None:
    async def answer(request: Incoming) -> bytes:
        assert request.method == "elicitation/create"
        return b'{"action":"accept"}'

    request = call("ask", BOB)
    result = await sessions.exchange(request, soon(), Hooks(lambda _: None, answer))
    assert json.loads(bytes(result)) == {"action": "accept"}


async def test_progress_and_level_are_relayed(sessions, peer) -> None:
    heard: list[Incoming] = []
    request = call("progress", progress_token="ours", log_level="debug")
    await sessions.exchange(request, soon(), Hooks(heard.append))
    assert [one.method for one in heard] == ["notifications/progress"]
    assert "logging/setLevel" in peer.methods


async def test_changes_are_heard_until_the_stream_ends(sessions, peer) -> None:
    heard: list[Incoming] = []
    wanted = ListenFilter(tools_list_changed=True, prompts_list_changed=True)
    async with asyncio.timeout(5), sessions.listen(wanted, heard.append, soon()) as listening:
        assert listening.granted == ListenFilter(tools_list_changed=True)
        queue = peer.streams["1"]
        peer.say(queue, method="notifications/tools/list_changed")
        queue.put_nowait(None)
        assert "ended" in await listening.ended()
    assert [one.method for one in heard] == ["notifications/tools/list_changed"]


@pytest.mark.parametrize("elsewhere", ["http://evil.example/x", "//evil.example/x", "ftp://x/y"])
async def test_endpoint_of_another_origin_is_refused(sessions, peer, elsewhere: str) -> None:
    peer.endpoint = elsewhere
    with pytest.raises(UpstreamFailed, match="endpoint is unusable"):
        await sessions.exchange(call(), soon())
    assert peer.said == []


async def test_server_without_such_a_stream_is_a_mismatch(serve, endpoint, wire) -> None:
    chores = Chores()
    server = await serve(lambda _: wire.Reply(405))
    with pytest.raises(EraMismatch, match="405"):
        await SseSessions(endpoint(server), Identifiers(), chores, 2).exchange(call(), soon())
    await chores.close()


async def test_server_that_refuses_credentials_is_a_failure(serve, endpoint, wire) -> None:
    chores = Chores()
    server = await serve(lambda _: wire.Reply(401))
    with pytest.raises(UpstreamFailed, match="credentials"):
        await SseSessions(endpoint(server), Identifiers(), chores, 2).exchange(call(), soon())
    await chores.close()


async def test_version_nobody_speaks_is_a_failure(sessions, peer) -> None:
    peer.version = "1999-01-01"
    with pytest.raises(UpstreamFailed, match="initialized"):
        await sessions.exchange(call(), soon())


async def test_refused_message_fails_the_call(sessions, peer) -> None:
    await sessions.exchange(call(), soon())
    peer.post_status = 404
    with pytest.raises(UpstreamFailed, match="404"):
        await sessions.exchange(call(), soon())
