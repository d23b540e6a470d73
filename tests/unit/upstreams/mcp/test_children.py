import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import replace

import pytest

from bascule.gateway.errors import UpstreamUnreachable
from bascule.gateway.feed import ListenFilter
from bascule.gateway.tool import Upstream, UpstreamKind
from bascule.protocol.versions import Era
from bascule.upstreams.mcp.children import ChildrenChannel
from bascule.upstreams.mcp.hooks import Hooks
from bascule.upstreams.mcp.messages import NOBODY, Incoming, Outgoing, SessionKey
from bascule.upstreams.mcp.stdio import BeforeFirst

# Both servers say what process they are, and what they were told that they may ask for. The
# legacy one asks a question in the middle of "ask".
COMMON = """
import json, os, sys
def say(**members): print(json.dumps({"jsonrpc": "2.0", **members}), flush=True)
declared, asking = None, None
for line in sys.stdin:
    message = json.loads(line)
    method, params = message.get("method"), message.get("params", {})
    meta = params.get("_meta", {})
"""
MODERN = (
    COMMON
    + """
    if method == "server/discover":
        say(id=message["id"], result={"supportedVersions": ["2026-07-28"]})
    elif method == "subscriptions/listen":
        tag = {"io.modelcontextprotocol/subscriptionId": message["id"]}
        granted = {"notifications": params["notifications"], "_meta": tag}
        say(method="notifications/subscriptions/acknowledged", params=granted)
        say(method="notifications/tools/list_changed", params={"_meta": tag})
    elif method == "tools/list":
        declared = meta["io.modelcontextprotocol/clientCapabilities"]
        say(id=message["id"], result={"pid": os.getpid(), "declared": declared})
"""
)
LEGACY = (
    COMMON
    + """
    if method == "server/discover":
        say(id=message["id"], error={"code": -32601, "message": "unknown"})
    elif method == "initialize":
        declared = params["capabilities"]
        result = {"capabilities": {"tools": {"listChanged": True}, "logging": {}}}
        say(id=message["id"], result={"protocolVersion": "2025-06-18", **result})
    elif method == "tools/list":
        say(id=message["id"], result={"pid": os.getpid(), "declared": declared})
    elif method == "logging/setLevel":
        say(id=message["id"], result={})
        say(method="notifications/tools/list_changed")
    elif method == "ask":
        asking = message["id"]
        say(id=1, method="elicitation/create", params={})
    elif method is None and message["id"] == 1:
        say(id=asking, result=message.get("result") or message["error"])
"""
)
CAPABILITIES = b'{"elicitation":{}}'
ANN, BOB = SessionKey("t", "ann", CAPABILITIES), SessionKey("t", "bob", CAPABILITIES)
DEAF = SessionKey("t", "deaf")


def soon() -> float:
    return time.monotonic() + 10


def ask(key: SessionKey, method: str = "tools/list", **fields) -> Outgoing:
    return Outgoing(method, session=key, capabilities=key.capabilities, **fields)


@pytest.fixture
async def connect(quick) -> AsyncIterator[Callable[..., ChildrenChannel]]:
    channels: list[ChildrenChannel] = []

    def connect(
        code: str, before_first: BeforeFirst | None = None, **limits: float
    ) -> ChildrenChannel:
        command = (sys.executable, "-c", code)
        record = Upstream("peer", UpstreamKind.MCP_STDIO, command=command)
        config = replace(quick, **limits)  # type: ignore[arg-type]
        channels.append(ChildrenChannel(record, config, {}, before_first))
        return channels[-1]

    yield connect
    for channel in channels:
        await channel.close()


async def told(channel: ChildrenChannel, key: SessionKey) -> dict:
    return json.loads(bytes(await channel.exchange(ask(key), soon())))


async def test_modern_child_serves_all_callers_and_hears_what_each_can_be_asked(connect) -> None:
    channel = connect(MODERN)
    ann, deaf = await told(channel, ANN), await told(channel, DEAF)
    assert ann["pid"] == deaf["pid"]
    assert (ann["declared"], deaf["declared"]) == ({"elicitation": {}}, {})
    assert channel.era is Era.MODERN


async def test_legacy_server_gets_a_child_for_each_caller_who_can_be_asked(connect) -> None:
    channel = connect(LEGACY)
    ann, bob = await told(channel, ANN), await told(channel, BOB)
    deaf, nobody = await told(channel, DEAF), await told(channel, NOBODY)
    assert len({one["pid"] for one in (ann, bob, deaf)}) == 3
    assert deaf["pid"] == nobody["pid"]
    assert (ann["declared"], deaf["declared"]) == ({"elicitation": {}}, {})
    assert (await told(channel, ANN))["pid"] == ann["pid"]
    assert (await channel.describe(soon())).version == "2025-06-18"


async def test_the_command_is_told_once_however_many_children_there_are(connect) -> None:
    shown: list[str] = []

    async def note(argv: tuple[str, ...]) -> None:
        shown.append(argv[0])

    channel = connect(LEGACY, note)
    assert len({(await told(channel, key))["pid"] for key in (ANN, BOB, NOBODY)}) == 3
    assert shown == [sys.executable]


async def test_question_reaches_the_one_caller_it_can_be_about(connect) -> None:
    async def answer(request: Incoming) -> bytes:
        assert request.method == "elicitation/create"
        return b'{"action":"accept"}'

    channel = connect(LEGACY)
    hooks = Hooks(lambda _: None, answer)
    result = await channel.exchange(ask(ANN, "ask"), soon(), hooks)
    assert json.loads(bytes(result)) == {"action": "accept"}
    refused = await channel.exchange(ask(DEAF, "ask"), soon())
    assert json.loads(bytes(refused))["code"] == -32601


async def test_children_are_bounded_and_nobody_in_need_of_one_is_cut_off(connect) -> None:
    asked = asyncio.Event()
    answered = asyncio.Event()

    async def answer(_: Incoming) -> bytes:
        asked.set()
        await answered.wait()
        return b'{"action":"cancel"}'

    channel = connect(LEGACY, max_children=1)
    hooks = Hooks(lambda _: None, answer)
    busy = asyncio.ensure_future(channel.exchange(ask(ANN, "ask"), soon(), hooks))
    async with asyncio.timeout(10):
        await asked.wait()
    with pytest.raises(UpstreamUnreachable, match="Nothing was sent"):
        await channel.exchange(ask(BOB), soon())
    answered.set()
    await busy
    assert (await told(channel, BOB))["declared"] == {"elicitation": {}}


async def test_idle_child_is_ended(connect) -> None:
    channel = connect(LEGACY, child_idle_seconds=0.05)
    before = (await told(channel, ANN))["pid"]
    async with asyncio.timeout(10):
        while len(channel._own):
            await asyncio.sleep(0.02)
    assert (await told(channel, ANN))["pid"] != before


async def test_changes_are_heard_at_a_child_of_either_era(connect) -> None:
    wanted = ListenFilter(tools_list_changed=True)
    for code in (MODERN, LEGACY):
        channel, heard = connect(code), asyncio.Queue[Incoming]()
        async with asyncio.timeout(10):
            async with channel.listen(wanted, heard.put_nowait, soon()) as listening:
                assert listening.granted == wanted
                if code is LEGACY:
                    await channel.exchange(ask(DEAF, log_level="debug"), soon())
                assert (await heard.get()).method == "notifications/tools/list_changed"
                await channel.close()
                assert await listening.ended()
