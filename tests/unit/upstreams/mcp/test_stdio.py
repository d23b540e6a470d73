import asyncio
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from bascule.gateway.errors import (
    RecordingFailed,
    UpstreamFailed,
    UpstreamTimeout,
    UpstreamUnreachable,
)
from bascule.gateway.tool import Upstream, UpstreamKind
from bascule.upstreams.mcp.failures import UpstreamRpcError
from bascule.upstreams.mcp.messages import Outgoing, member
from bascule.upstreams.mcp.stdio import BeforeFirst, StdioChannel

# A server whose answer to each method is an expression over `params`.
SERVER = """
import json, os, sys, time
def answer(method, params):
    {rules}
    return {{"error": {{"code": -32601, "message": "unknown"}}}}
for line in sys.stdin:
    message = json.loads(line)
    if "id" in message:
        reply = answer(message["method"], message.get("params", {{}}))
        if reply is not None:
            print(json.dumps({{"jsonrpc": "2.0", "id": message["id"], **reply}}), flush=True)
"""
MODERN = """
    if method == "server/discover": return {"result": {"supportedVersions": ["2026-07-28"]}}
    if method == "tools/list": return {"result": {"pid": os.getpid()}}
    if method == "crash": os._exit(7)
    if method == "sleep": return None
"""
LEGACY = """
    if method == "initialize": return {"result": {"protocolVersion": "2025-06-18"}}
    if method == "tools/list": return {"result": {"pid": os.getpid()}}
"""
LIST = Outgoing("tools/list")


def soon() -> float:
    return time.monotonic() + 10


def server(rules: str) -> str:
    lines = [line.strip() for line in rules.splitlines()]
    return SERVER.format(rules="\n    ".join(lines))


@pytest.fixture
async def connect(quick) -> AsyncIterator[Callable]:
    channels: list[StdioChannel] = []

    def connect(
        code: str, before_first: BeforeFirst | None = None, **environment: str
    ) -> StdioChannel:
        command = (sys.executable, "-c", code)
        record = Upstream("peer", UpstreamKind.MCP_STDIO, command=command)
        channels.append(StdioChannel(record, quick, environment, before_first=before_first))
        return channels[-1]

    yield connect
    for channel in channels:
        await channel.close()


async def test_child_is_started_once_for_all_callers(connect) -> None:
    channel = connect(server(MODERN))
    results = await asyncio.gather(*(channel.exchange(LIST, soon()) for _ in range(5)))
    assert len({bytes(one) for one in results}) == 1


async def test_command_is_told_before_it_runs_for_the_first_time_alone(connect, tmp_path) -> None:
    told: list[tuple[tuple[str, ...], bool]] = []
    trace = tmp_path / "ran"

    async def note(argv: tuple[str, ...]) -> None:
        told.append((argv, trace.exists()))

    code = f"open({str(trace)!r}, 'w')\n{server(MODERN)}"
    channel = connect(code, note, SECRET="of the environment")
    await channel.exchange(LIST, soon())
    with pytest.raises(UpstreamFailed):
        await channel.exchange(Outgoing("crash"), soon())
    await channel.exchange(LIST, soon())
    assert told == [((sys.executable, "-c", code), False)]


async def test_command_that_cannot_be_told_of_does_not_run(connect, tmp_path) -> None:
    trace = tmp_path / "ran"
    tries: list[int] = []

    async def note(argv: tuple[str, ...]) -> None:
        tries.append(len(argv))
        if len(tries) == 1:
            raise RecordingFailed("The disk is full.")

    channel = connect(f"open({str(trace)!r}, 'w')\n{server(MODERN)}", note)
    with pytest.raises(RecordingFailed):
        await channel.exchange(LIST, soon())
    assert not trace.exists()
    await channel.exchange(LIST, soon())
    assert tries == [3, 3]


async def test_legacy_child_is_initialized(connect) -> None:
    channel = connect(server(LEGACY))
    assert b"pid" in bytes(await channel.exchange(LIST, soon()))


async def test_silent_child_is_taken_for_a_legacy_one(connect) -> None:
    channel = connect(server('if method == "server/discover": return None\n' + LEGACY))
    assert b"pid" in bytes(await channel.exchange(LIST, soon()))


async def test_child_that_dies_of_the_probe_is_started_again_without_one(connect) -> None:
    channel = connect(server('if method == "server/discover": os._exit(1)\n' + LEGACY))
    assert b"pid" in bytes(await channel.exchange(LIST, soon()))


async def test_death_fails_the_call_and_the_next_one_has_a_new_child(connect) -> None:
    channel = connect(server(MODERN))
    before = bytes(await channel.exchange(LIST, soon()))
    waiting = asyncio.ensure_future(channel.exchange(Outgoing("sleep"), soon()))
    with pytest.raises(UpstreamFailed, match="may have acted"):
        await channel.exchange(Outgoing("crash"), soon())
    with pytest.raises(UpstreamFailed):
        await waiting
    assert bytes(await channel.exchange(LIST, soon())) != before


async def test_child_that_keeps_dying_is_given_a_pause(connect) -> None:
    channel = connect("raise SystemExit(1)")
    with pytest.raises(UpstreamFailed, match="status 1"):
        await channel.exchange(LIST, soon())  # one life with a probe, one without
    began = time.monotonic()
    with pytest.raises(UpstreamUnreachable) as caught:
        await channel.exchange(LIST, soon())
    assert "keeps ending" in caught.value.private
    assert time.monotonic() - began < 1


async def test_child_that_refuses_to_initialize_is_given_a_pause_too(connect) -> None:
    channel = connect(server("pass"))
    with pytest.raises(UpstreamFailed, match="refused to initialize"):
        await channel.exchange(LIST, soon())
    with pytest.raises(UpstreamFailed, match="refused to initialize"):
        await channel.exchange(LIST, soon())
    with pytest.raises(UpstreamUnreachable):
        await channel.exchange(LIST, soon())


async def test_late_answer_does_not_end_the_child(connect) -> None:
    channel = connect(server(MODERN))
    before = bytes(await channel.exchange(LIST, soon()))
    with pytest.raises(UpstreamTimeout):
        await channel.exchange(Outgoing("sleep"), time.monotonic() + 0.05)
    assert bytes(await channel.exchange(LIST, soon())) == before


async def test_error_of_the_server_is_carried(connect) -> None:
    channel = connect(server(MODERN))
    with pytest.raises(UpstreamRpcError, match="unknown"):
        await channel.exchange(Outgoing("nope", member("a", 1)), soon())


async def test_slow_start_goes_on_though_its_first_caller_gave_up(connect, tmp_path: Path) -> None:
    starts = tmp_path / "starts"
    slowly = f"open({str(starts)!r}, 'a').write('once ')\nimport time; time.sleep(0.3)\n"
    channel = connect(slowly + server(MODERN))
    with pytest.raises(UpstreamTimeout, match="Nothing was sent"):
        await channel.exchange(LIST, time.monotonic() + 0.05)
    assert b"pid" in bytes(await channel.exchange(LIST, soon()))
    assert starts.read_text() == "once "


async def test_configured_variables_reach_the_child(connect) -> None:
    rules = MODERN.replace('{"pid": os.getpid()}', "dict(os.environ)")
    channel = connect(server(rules), API_KEY="k")
    assert b'"API_KEY": "k"' in bytes(await channel.exchange(LIST, soon()))


async def test_absent_command_is_unreachable(quick) -> None:
    record = Upstream("peer", UpstreamKind.MCP_STDIO, command=("no-such-command-here",))
    with pytest.raises(UpstreamUnreachable) as caught:
        await StdioChannel(record, quick, {}).exchange(LIST, soon())
    assert "no-such-command-here" in caught.value.private


@pytest.mark.parametrize("command", [(), ("",)])
def test_upstream_without_a_command_is_refused(quick, command: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="command"):
        StdioChannel(Upstream("peer", UpstreamKind.MCP_STDIO, command=command), quick, {})


async def test_closed_channel_starts_nothing(connect) -> None:
    channel = connect(server(MODERN))
    waiting = asyncio.ensure_future(channel.exchange(Outgoing("sleep"), soon()))
    await channel.exchange(LIST, soon())
    await channel.close()
    with pytest.raises(UpstreamFailed):
        await waiting
    with pytest.raises(UpstreamUnreachable):
        await channel.exchange(LIST, soon())
