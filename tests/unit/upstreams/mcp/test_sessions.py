import asyncio
import itertools
import time

import pytest

from bascule.gateway.errors import UpstreamFailed, UpstreamTimeout
from bascule.gateway.identifiers import Identifiers
from bascule.upstreams.mcp.legacy import LegacyHttp
from bascule.upstreams.mcp.messages import Outgoing
from bascule.upstreams.mcp.sessions import LegacySessions


def soon() -> float:
    return time.monotonic() + 5


def request(caller: str = "ann") -> Outgoing:
    return Outgoing("tools/list", caller=caller)


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
    server = await serve(peer)
    sessions = LegacySessions(LegacyHttp(endpoint(server), Identifiers()), "peer", 2)
    sessions.server = server  # type: ignore[attr-defined]
    return sessions


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
