import asyncio
import itertools
import time

import pytest

from bascule.gateway.errors import UpstreamFailed, UpstreamTimeout
from bascule.gateway.feed import ListenFilter
from bascule.gateway.identifiers import Identifiers
from bascule.upstreams.mcp.chores import Chores
from bascule.upstreams.mcp.hooks import Hooks
from bascule.upstreams.mcp.legacy import LegacyHttp
from bascule.upstreams.mcp.messages import Incoming, Outgoing, SessionKey
from bascule.upstreams.mcp.sessions import LegacySessions


def soon() -> float:
    return time.monotonic() + 5


def request(caller: str = "ann", capabilities: bytes = b"{}") -> Outgoing:
    return Outgoing("tools/list", session=SessionKey("t", caller, capabilities))


class Peer:
    """A legacy server that hands out sessions s1, s2, … and forgets those in `lost`."""

    def __init__(self, wire) -> None:
        self._wire = wire
        self._numbers = itertools.count(1)
        self.lost: set[str] = set()
        self.forgets_all = False
        self.hold: asyncio.Event | None = None

    async def __call__(self, seen):
        session_id = seen.headers.get("mcp-session-id", "")
        if seen.method == "initialize":
            if self.hold is not None:
                await self.hold.wait()
            reply = self._wire.result(seen, protocolVersion="2025-11-25")
            reply.headers["Mcp-Session-Id"] = f"s{next(self._numbers)}"
            return reply
        if "id" not in seen.message:
            return self._wire.Reply(202)
        if self.forgets_all or session_id in self.lost:
            return self._wire.Reply(404)
        return self._wire.result(seen, session=session_id)


@pytest.fixture
def peer(wire) -> Peer:
    return Peer(wire)


@pytest.fixture
async def sessions(serve, endpoint, peer):
    server, chores = await serve(peer), Chores()
    there = endpoint(server)
    sessions = LegacySessions(LegacyHttp(there, Identifiers()), there, chores, 2)
    sessions.server = server  # type: ignore[attr-defined]
    yield sessions
    await chores.close()


async def used(sessions: LegacySessions, caller: str) -> bytes:
    return bytes(await sessions.exchange(request(caller), soon()))


async def test_caller_keeps_a_session_and_shares_it_with_nobody(sessions) -> None:
    assert await used(sessions, "ann") == b'{"session": "s1"}'
    assert await used(sessions, "bob") == b'{"session": "s2"}'
    assert await used(sessions, "ann") == b'{"session": "s1"}'


async def test_lost_session_is_opened_anew_and_the_request_sent_again(sessions, peer) -> None:
    await used(sessions, "ann")
    peer.lost.add("s1")
    assert await used(sessions, "ann") == b'{"session": "s2"}'


async def test_server_that_forgets_every_session_fails(sessions, peer) -> None:
    peer.forgets_all = True
    with pytest.raises(UpstreamFailed, match="forgets"):
        await used(sessions, "ann")
    assert sessions.server.methods.count("initialize") == 2


async def test_requests_at_once_open_one_session(sessions) -> None:
    results = await asyncio.gather(*(used(sessions, "ann") for _ in range(5)))
    assert set(results) == {b'{"session": "s1"}'}
    assert sessions.server.methods.count("initialize") == 1


async def test_waiting_for_a_handshake_ends_at_the_deadline(sessions, peer) -> None:
    peer.hold = asyncio.Event()
    first = asyncio.ensure_future(used(sessions, "ann"))
    await sessions.server.until(lambda server: len(server.seen) == 1)
    with pytest.raises(UpstreamTimeout, match="Nothing was sent"):
        await sessions.exchange(request(), time.monotonic() + 0.02)
    peer.hold.set()
    assert await first == b'{"session": "s1"}'


async def test_session_used_longest_ago_makes_way(sessions) -> None:
    for caller in ("ann", "bob", "ann", "cid"):
        await used(sessions, caller)
    assert len(sessions) == 2
    ended = [one for one in sessions.server.seen if one.verb == "DELETE"]
    assert [one.headers["mcp-session-id"] for one in ended] == ["s2"]
    assert await used(sessions, "ann") == b'{"session": "s1"}'


async def test_session_in_use_does_not_make_way(sessions, peer) -> None:
    await used(sessions, "ann")
    peer.hold = asyncio.Event()
    waiting = [asyncio.ensure_future(used(sessions, name)) for name in ("bob", "cid")]
    await sessions.server.until(lambda server: server.methods.count("initialize") == 3)
    assert len(sessions) == 2  # ann made way; bob and cid are being served
    third = asyncio.ensure_future(used(sessions, "dan"))
    await sessions.server.until(lambda server: server.methods.count("initialize") == 4)
    assert len(sessions) == 3
    peer.hold.set()
    await asyncio.gather(*waiting, third)


async def test_closing_ends_every_session(sessions) -> None:
    await used(sessions, "ann")
    await used(sessions, "bob")
    await sessions.close()
    assert sessions.server.methods[-2:] == ["DELETE", "DELETE"]
    assert len(sessions) == 0


ASKABLE = b'{"elicitation":{}}'
WANTED = ListenFilter(tools_list_changed=True, resource_subscriptions=("a:1",))


class Talker(Peer):
    """A peer whose sessions have streams; it advertises, logs, and asks on the stream."""

    def __init__(self, wire) -> None:
        super().__init__(wire)
        self.streams: dict[str, asyncio.Queue[bytes | None]] = {}
        self.has_streams = True
        self.asked: dict[str, str] = {}

    async def __call__(self, seen):
        session_id = seen.headers.get("mcp-session-id", "")
        if seen.verb == "GET" and self.has_streams:
            later = self.streams[session_id] = asyncio.Queue()
            return self._wire.stream(b": \n\n", later=later)
        if seen.method == "initialize":
            capabilities = {
                "tools": {"listChanged": True},
                "resources": {"subscribe": True},
                "logging": {},
            }
            reply = self._wire.result(seen, protocolVersion="2025-11-25", capabilities=capabilities)
            reply.headers["Mcp-Session-Id"] = f"s{next(self._numbers)}"
            return reply
        if seen.method == "ask":
            question = {"jsonrpc": "2.0", "id": 7, "method": "elicitation/create", "params": {}}
            self.streams[session_id].put_nowait(self._wire.event(question))
            later: asyncio.Queue[bytes | None] = asyncio.Queue()
            self.asked[session_id] = seen.message["id"]
            self.streams[seen.message["id"]] = later
            return self._wire.stream(later=later)
        if seen.message.get("id") == 7:
            asked = self.asked[session_id]
            answer = seen.message.get("result") or seen.message["error"]
            message = {"jsonrpc": "2.0", "id": asked, "result": answer}
            self.streams[asked].put_nowait(self._wire.event(message))
            return self._wire.Reply(202)
        return self._wire.Reply(405) if not seen.message else await super().__call__(seen)


@pytest.fixture
def talker(wire) -> Talker:
    return Talker(wire)


@pytest.fixture
async def talks(serve, endpoint, talker):
    server, chores = await serve(talker), Chores()
    there = endpoint(server)
    sessions = LegacySessions(LegacyHttp(there, Identifiers()), there, chores, 2)
    yield sessions, server
    await sessions.close()
    await chores.close()


def ask(caller: str = "ann") -> Outgoing:
    return Outgoing("ask", session=SessionKey("t", caller, ASKABLE))


async def test_stream_is_open_before_the_first_call_of_who_can_be_asked(talks) -> None:
    sessions, server = talks
    await sessions.exchange(request("ann", ASKABLE), soon())
    await sessions.exchange(request("bob"), soon())
    assert server.methods == [
        "initialize", "notifications/initialized", "GET", "tools/list",
        "initialize", "notifications/initialized", "tools/list",
    ]  # fmt: skip
    assert server.seen[0].params["capabilities"] == {"elicitation": {}}


async def test_question_on_the_stream_goes_to_the_one_call_it_can_be_about(talks) -> None:
    async def answer(_: Incoming) -> bytes:
        return b'{"action":"accept"}'

    sessions, _ = talks
    result = await sessions.exchange(ask(), soon(), Hooks(lambda _: None, answer))
    assert bytes(result) == b'{"action": "accept"}'


async def test_question_on_the_stream_that_nobody_takes_is_refused(talks) -> None:
    sessions, _ = talks
    assert b"-32601" in bytes(await sessions.exchange(ask(), soon()))


async def test_level_is_set_in_the_session_that_wants_it(talks) -> None:
    sessions, server = talks
    key = SessionKey("t", "ann")
    for level in ("warning", "debug", "info"):
        await sessions.exchange(Outgoing("tools/list", session=key, log_level=level), soon())
    levels = [one.params["level"] for one in server.seen if one.method == "logging/setLevel"]
    assert levels == ["warning", "debug"]


async def test_changes_are_heard_in_a_session_that_is_no_callers(talks, talker, wire) -> None:
    sessions, server = talks
    heard: list[Incoming] = []
    async with asyncio.timeout(5), sessions.listen(WANTED, heard.append, soon()) as listening:
        assert listening.granted == WANTED
        note = {"jsonrpc": "2.0", "method": "notifications/tools/list_changed"}
        stream = talker.streams["s1"]
        stream.put_nowait(wire.event(note))
        stream.put_nowait(wire.event({"jsonrpc": "2.0", "id": 1, "method": "ping"}))
        await server.until(lambda one: one.seen[-1].message.get("id") == 1)
    assert [one.method for one in heard] == ["notifications/tools/list_changed"]
    assert "resources/unsubscribe" in server.methods


async def test_server_without_a_stream_tells_nothing(talks, talker) -> None:
    sessions, _ = talks
    talker.has_streams = False
    for _ in range(2):
        async with asyncio.timeout(5), sessions.listen(WANTED, _drop, soon()) as listening:
            assert "stream" in await listening.ended()


async def test_server_is_described_by_its_last_handshake(talks) -> None:
    sessions, server = talks
    for _ in range(2):
        described = await sessions.describe(soon())
        assert b'"listChanged"' in described.capabilities
    assert server.methods.count("initialize") == 1


def _drop(_: Incoming) -> None:
    """Nobody listens."""


async def test_session_that_is_given_up_ends_only_after_what_is_under_way_in_it(
    talks, talker
) -> None:
    asked, answered = asyncio.Event(), asyncio.Event()

    async def answer(_: Incoming) -> bytes:
        asked.set()
        await answered.wait()
        return b'{"action":"accept"}'

    sessions, server = talks
    waiting = asyncio.ensure_future(sessions.exchange(ask(), soon(), Hooks(lambda _: None, answer)))
    async with asyncio.timeout(5):
        await asked.wait()
        talker.lost.add("s1")
        await sessions.exchange(request("ann", ASKABLE), soon())
        assert "DELETE" not in server.methods
        answered.set()
        assert bytes(await waiting) == b'{"action": "accept"}'
        await server.until(lambda one: "DELETE" in one.methods)
