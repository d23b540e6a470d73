import asyncio
import json
import time

import pytest
from structlog.testing import capture_logs

from bascule.gateway.errors import UpstreamFailed, UpstreamTimeout
from bascule.gateway.feed import ListenFilter
from bascule.gateway.identifiers import Identifiers
from bascule.protocol.versions import Era
from bascule.upstreams.mcp.conversation import Conversation, HandshakeBroken
from bascule.upstreams.mcp.failures import UpstreamRpcError
from bascule.upstreams.mcp.hooks import Hooks
from bascule.upstreams.mcp.messages import Incoming, Outgoing, member
from bascule.upstreams.mcp.settings import McpConfig

CALL = Outgoing("tools/call", member("name", "x"))


def soon() -> float:
    return time.monotonic() + 5


class FakeLines:
    """What the child reads, and a way to wait for it."""

    def __init__(self) -> None:
        self.messages: list[dict] = []
        self.raw: list[bytes] = []
        self.reads = True
        self._changed = asyncio.Condition()

    def write(self, line: bytes) -> bool:
        if not self.reads:
            return False
        self.raw.append(line)
        self.messages.append(json.loads(line))
        return True

    @property
    def methods(self) -> list[str]:
        return [one.get("method", "") for one in self.messages]


def begin(*, probe: bool = True, **limits: float) -> tuple[Conversation, FakeLines]:
    conversation, lines = Conversation("peer", Identifiers()), FakeLines()
    config = McpConfig(**limits)  # type: ignore[arg-type]
    conversation.begin(lines, config, probe=probe)
    return conversation, lines


def say(conversation: Conversation, **members: object) -> None:
    conversation.take_line(json.dumps({"jsonrpc": "2.0", **members}).encode())


def modern() -> tuple[Conversation, FakeLines]:
    conversation, lines = begin()
    say(conversation, id=lines.messages[0]["id"], result={"supportedVersions": ["2026-07-28"]})
    return conversation, lines


def legacy() -> tuple[Conversation, FakeLines]:
    conversation, lines = begin(probe=False)
    say(conversation, id=lines.messages[0]["id"], result={"protocolVersion": "2025-11-25"})
    return conversation, lines


async def sent(conversation: Conversation, request: Outgoing = CALL, *, deadline: float = 0.0):
    """Start an exchange and let it write."""
    running = asyncio.ensure_future(conversation.exchange(request, deadline or soon()))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    return running


async def test_responses_find_their_requests_in_any_order() -> None:
    conversation, lines = modern()
    first, second = await sent(conversation), await sent(conversation)
    say(conversation, id=lines.messages[2]["id"], result={"n": 2})
    say(conversation, id=lines.messages[1]["id"], result={"n": 1})
    assert (bytes(await first), bytes(await second)) == (b'{"n": 1}', b'{"n": 2}')


async def test_requests_speak_the_era_of_the_server() -> None:
    conversation, lines = modern()
    running = await sent(conversation)
    assert "_meta" in lines.messages[-1]["params"]
    running.cancel()
    conversation, lines = legacy()
    running = await sent(conversation)
    assert lines.methods == ["initialize", "notifications/initialized", "tools/call"]
    assert "_meta" not in lines.messages[-1]["params"]
    running.cancel()


async def test_message_never_spans_lines() -> None:
    conversation, lines = modern()
    request = Outgoing("tools/call", b'"name":"x","arguments":{\r\n "a": "b\\nc"\n}')
    running = await sent(conversation, request)
    assert b"\n" not in lines.raw[-1]
    assert b"\r" not in lines.raw[-1]
    assert lines.messages[-1]["params"]["arguments"] == {"a": "b\nc"}
    running.cancel()


async def test_error_of_the_server_is_carried() -> None:
    conversation, lines = modern()
    running = await sent(conversation)
    say(conversation, id=lines.messages[-1]["id"], error={"code": -32602, "message": "why"})
    with pytest.raises(UpstreamRpcError, match="why"):
        await running


async def test_request_waits_for_the_handshake() -> None:
    conversation, lines = begin()
    running = await sent(conversation)
    assert lines.methods == ["server/discover"]
    say(conversation, id=lines.messages[0]["id"], result={"supportedVersions": ["2026-07-28"]})
    async with asyncio.timeout(5):
        while len(lines.messages) < 2:
            await asyncio.sleep(0)
    say(conversation, id=lines.messages[1]["id"], result={})
    await running
    assert conversation.era is Era.MODERN


async def test_handshake_outlives_who_waits_for_it() -> None:
    conversation, lines = begin()
    with pytest.raises(UpstreamTimeout, match="Nothing was sent"):
        await conversation.exchange(CALL, time.monotonic() + 0.01)
    running = await sent(conversation)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    say(conversation, id=lines.messages[0]["id"], result={"supportedVersions": ["2026-07-28"]})
    assert conversation.era is Era.MODERN
    assert not conversation.is_over


async def test_silence_leads_to_initialize() -> None:
    _, lines = begin(probe_seconds=0.01)
    async with asyncio.timeout(5):
        while len(lines.messages) < 2:
            await asyncio.sleep(0)
    assert lines.methods == ["server/discover", "initialize"]


async def test_handshake_without_end_is_given_up() -> None:
    conversation, _ = begin(probe_seconds=0.01, start_seconds=0.02)
    with pytest.raises(UpstreamFailed, match="handshake"):
        await conversation.exchange(CALL, soon())
    assert conversation.is_over


async def test_refused_handshake_fails_every_request() -> None:
    conversation, lines = begin(probe=False)
    running = await sent(conversation)
    say(conversation, id=lines.messages[0]["id"], error={"code": -1, "message": "no"})
    with pytest.raises(UpstreamFailed, match="refused to initialize"):
        await running
    with pytest.raises(UpstreamFailed, match="refused to initialize"):
        await conversation.exchange(CALL, soon())
    assert conversation.is_over


async def test_death_during_the_probe_is_told_apart() -> None:
    conversation, _ = begin()
    running = await sent(conversation)
    conversation.take_end("its process ended")
    with pytest.raises(HandshakeBroken):
        await running


async def test_death_during_initialize_is_a_failure() -> None:
    conversation, _ = begin(probe=False)
    running = await sent(conversation)
    conversation.take_end("its process ended")
    with pytest.raises(UpstreamFailed, match="process ended"):
        await running


async def test_death_before_the_handshake_began_is_noticed() -> None:
    conversation, lines = Conversation("peer", Identifiers()), FakeLines()
    conversation.take_end("its process ended")
    conversation.begin(lines, McpConfig(), probe=True)
    assert lines.messages == []
    with pytest.raises(UpstreamFailed):
        await conversation.exchange(CALL, soon())


async def test_death_fails_what_is_under_way_and_what_follows() -> None:
    conversation, _ = modern()
    running = await sent(conversation)
    conversation.take_end("its process ended with status 1")
    with pytest.raises(UpstreamFailed, match="status 1"):
        await running
    with pytest.raises(UpstreamFailed):
        await conversation.exchange(CALL, soon())
    assert conversation.is_over


async def test_child_that_does_not_read_fails_the_request() -> None:
    conversation, lines = modern()
    lines.reads = False
    with pytest.raises(UpstreamFailed, match="does not read"):
        await conversation.exchange(CALL, soon())


async def test_late_request_is_cancelled_in_words() -> None:
    conversation, lines = modern()
    with pytest.raises(UpstreamTimeout, match="may have acted"):
        await conversation.exchange(CALL, time.monotonic() + 0.01)
    assert lines.methods[-1] == "notifications/cancelled"
    assert lines.messages[-1]["params"]["requestId"] == lines.messages[1]["id"]


async def test_abandoned_request_is_cancelled_and_its_answer_ignored() -> None:
    conversation, lines = modern()
    running = await sent(conversation)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert lines.methods[-1] == "notifications/cancelled"
    say(conversation, id=lines.messages[1]["id"], result={})
    assert conversation._dialogue._pending == {}


async def test_legacy_server_gets_answers_and_a_modern_one_none() -> None:
    conversation, lines = legacy()
    say(conversation, id=1, method="roots/list")
    say(conversation, id="p", method="ping")
    say(conversation, method="notifications/message")
    assert lines.messages[2]["error"]["code"] == -32601
    assert lines.messages[3] == {"jsonrpc": "2.0", "id": "p", "result": {}}
    assert len(lines.messages) == 4
    conversation, lines = modern()
    say(conversation, id=1, method="roots/list")
    assert lines.methods == ["server/discover"]


async def test_noise_is_logged_within_bounds_and_does_no_harm() -> None:
    conversation, lines = modern()
    running = await sent(conversation)
    with capture_logs() as logs:
        for _ in range(100):
            conversation.take_line(b"Listening on stdio!" * 100)
        conversation.take_line(b"   ")
        say(conversation, id="unknown", result={})
        say(conversation, id=17, result={})
    assert len(logs) == 20
    assert all(len(entry["line"]) <= 200 for entry in logs)
    say(conversation, id=lines.messages[1]["id"], result={})
    await running


async def test_server_describes_itself_in_its_handshake() -> None:
    for conversation, era in ((modern()[0], Era.MODERN), (legacy()[0], Era.LEGACY)):
        assert (await conversation.describe(soon())).era is era


async def test_question_on_a_callers_own_child_is_answered() -> None:
    async def answer(_: Incoming) -> bytes:
        return b'{"roots":\n[]}'

    conversation, lines = legacy()
    running = asyncio.ensure_future(
        conversation.exchange(CALL, soon(), Hooks(lambda _: None, answer))
    )
    async with asyncio.timeout(5):
        while lines.methods[-1] != "tools/call":
            await asyncio.sleep(0)
        asked = lines.messages[-1]["id"]
        say(conversation, id="q", method="roots/list")
        while lines.messages[-1].get("id") != "q":
            await asyncio.sleep(0)
    assert lines.messages[-1]["result"] == {"roots": []}
    assert b"\n" not in lines.raw[-1]
    say(conversation, id=asked, result={})
    await running


async def test_changes_are_heard_until_the_child_ends() -> None:
    conversation, lines = legacy()
    heard: list[Incoming] = []
    async with conversation.listen(ListenFilter(), heard.append, soon()) as listening:
        say(conversation, method="notifications/tools/list_changed")
        conversation.take_end("it died")
        async with asyncio.timeout(5):
            assert await listening.ended() == "it died"
    assert len(heard) == 1
    assert "resources/subscribe" not in lines.methods
