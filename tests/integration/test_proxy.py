"""The relay of one MCP server, as a whole: real servers behind it, and its real journal."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import psutil
import pytest
import uvicorn
from mcp.server import MCPServer

from bascule.app import relisting
from bascule.app.proxy import NothingToRelay, open_proxy
from bascule.app.upstreams import UpstreamSet
from bascule.gateway.call import Call, Method
from bascule.gateway.errors import GatewayError
from bascule.gateway.principal import Principal
from bascule.gateway.snapshot import Snapshot, TenantView
from bascule.gateway.tool import McpSource, Tool, Upstream, UpstreamKind
from bascule.settings.loading import load
from fakes.hostile import hostile_upstream
from fakes.mcp import headers_of, modern
from fakes.processes import survivors
from unit.cli.shell import run

CHILD = """
import os
from mcp.server import MCPServer
server = MCPServer("child", log_level="ERROR")

@server.tool()
def hold(fifo: str) -> int:
    "Gives the process id once somebody wrote to the pipe."
    with open(fifo) as pipe:
        pipe.read()
    return os.getpid()

server.run("stdio")
"""


def greet() -> str:
    """Greets."""
    return "hello"


def part() -> str:
    """Parts."""
    return "goodbye"


class Moody:
    """A real MCP server that can be told to hang, or to hang up."""

    def __init__(self, *tools: Any) -> None:
        self.sdk = MCPServer("real", log_level="ERROR")
        for tool in tools:
            self.sdk.add_tool(tool)
        self.url = ""
        self.down = False
        self.lists = 0
        self.asked = asyncio.Event()
        self.awake = asyncio.Event()
        self.awake.set()
        self._app: Any = self.sdk.streamable_http_app(json_response=True)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if dict(scope.get("headers", ())).get(b"mcp-method") == b"tools/list":
            self.lists += 1
            self.asked.set()
            await self.awake.wait()
        if self.down and scope["type"] == "http":
            await send({"type": "http.response.start", "status": 502, "headers": []})
            await send({"type": "http.response.body", "body": b"bad gateway"})
            return
        await self._app(scope, receive, send)


@asynccontextmanager
async def listening(moody: Moody) -> AsyncIterator[Callable[[], Awaitable[None]]]:
    """Serve it; gives what stops it before the block ends."""
    config = uvicorn.Config(
        moody, host="127.0.0.1", port=0, log_config=None, timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(config)
    async with asyncio.timeout(30), asyncio.TaskGroup() as group:
        serving = group.create_task(server._serve())
        while not server.started:
            await asyncio.sleep(0)
        moody.url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}/mcp"

        async def stop() -> None:
            moody.awake.set()
            server.should_exit = True
            await serving

        try:
            yield stop
        finally:
            await stop()


@dataclass
class Relay:
    """A relay, and what it wrote down."""

    client: httpx2.AsyncClient
    directory: Path

    async def ask(self, method: str, name: str = "", headers: Mapping[str, str] | None = None):
        params: dict[str, object] = {"name": name, "arguments": {}} if name else {}
        message = modern(method, params)
        wanted = {**headers_of(message), "Host": "127.0.0.1", **(headers or {})}
        return await self.client.post("/mcp", json=message, headers=wanted)

    async def names(self) -> list[str]:
        answer = (await self.ask("tools/list")).json()
        return [tool["name"] for tool in answer["result"]["tools"]]

    async def error(self, method: str, name: str = "") -> str:
        """The code the answer is on record with."""
        await self.ask(method, name)
        return self.records()[-1]["error_code"]

    def records(self) -> list[dict[str, Any]]:
        lines = [
            json.loads(line)
            for path in sorted((self.directory / "audit").rglob("*.jsonl"))
            for line in path.read_bytes().splitlines()
        ]
        records = [line.get("record", line) for line in lines]
        return [one for one in records if one.get("action", "").startswith("tools/")]


def over_http(url: str, seconds: float = 5.0) -> Upstream:
    return Upstream(
        "proxied",
        UpstreamKind.MCP_HTTP,
        url=url,
        connect_timeout_seconds=seconds,
        timeout_seconds=seconds,
    )


def child() -> Upstream:
    command = (sys.executable, "-c", CHILD)
    return Upstream("proxied", UpstreamKind.MCP_STDIO, command=command, timeout_seconds=20)


@asynccontextmanager
async def relaying(upstream: Upstream, tmp_path: Path, **flags: object) -> AsyncIterator[Relay]:
    named = {name.replace("__", "."): value for name, value in flags.items()}
    directory = tmp_path / "proxy-1"
    async with (
        asyncio.timeout(30),
        open_proxy(load(None, {}, named), upstream, directory) as (front, _),
        httpx2.AsyncClient(
            transport=httpx2.ASGITransport(front),  # type: ignore[arg-type]
            base_url="http://127.0.0.1",
        ) as client,
    ):
        yield Relay(client, directory)


@pytest.fixture
def never_fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each question gets a look of its own, however soon it follows another."""
    monkeypatch.setattr(relisting, "_FRESH_SECONDS", 0.0)


# What the upstream lists is what there is.


async def test_tool_added_at_the_upstream_is_in_the_very_next_list(
    never_fresh: None, tmp_path: Path
) -> None:
    moody = Moody(greet)
    async with listening(moody), relaying(over_http(moody.url), tmp_path) as relay:
        assert await relay.names() == ["greet"]
        moody.sdk.add_tool(part)
        assert await relay.names() == ["greet", "part"]
        versions = [record["snapshot_version"] for record in relay.records()]
    assert versions == [1, 2]


async def test_tool_added_at_the_upstream_can_be_called_before_it_is_listed(
    never_fresh: None, tmp_path: Path
) -> None:
    moody = Moody(greet)
    async with listening(moody), relaying(over_http(moody.url), tmp_path) as relay:
        moody.sdk.add_tool(part)
        answer = (await relay.ask("tools/call", "part")).json()
        assert answer["result"]["content"][0]["text"] == "goodbye"
        (record,) = relay.records()
        assert (record["user"], record["tool_version"]) == ("local", "1.0.0")


async def test_tool_that_nobody_has_is_unknown(tmp_path: Path) -> None:
    moody = Moody(greet)
    async with listening(moody), relaying(over_http(moody.url), tmp_path) as relay:
        assert await relay.error("tools/call", "absent") == "E3001"
        assert relay.records()[0]["status"] == "denied"


async def test_metrics_name_the_tools_in_force_and_the_version(
    never_fresh: None, tmp_path: Path
) -> None:
    moody = Moody(greet)
    async with listening(moody), relaying(over_http(moody.url), tmp_path) as relay:
        moody.sdk.add_tool(part)
        for name in ("part", "greet", "absent"):
            await relay.ask("tools/call", name)
        metrics = (await relay.client.get("/metrics")).text
    assert 'bascule_tool_calls_total{status="success",tenant="local",tool="part"} 1.0' in metrics
    assert 'bascule_tool_calls_total{status="success",tenant="local",tool="greet"} 1.0' in metrics
    assert 'tool="unknown"' in metrics
    assert "bascule_snapshot_version 2.0" in metrics


async def test_known_tool_is_called_without_a_look_at_the_list(tmp_path: Path) -> None:
    moody = Moody(greet)
    async with listening(moody), relaying(over_http(moody.url), tmp_path) as relay:
        before = moody.lists
        assert (await relay.ask("tools/call", "greet")).status_code == 200
        assert moody.lists == before


# One look for all.


async def test_everybody_who_waits_shares_one_look(tmp_path: Path) -> None:
    moody = Moody(greet)
    async with listening(moody), relaying(over_http(moody.url), tmp_path) as relay:
        before = moody.lists
        moody.asked.clear()
        moody.awake.clear()
        async with asyncio.TaskGroup() as group:
            lists = [group.create_task(relay.names()) for _ in range(3)]
            await moody.asked.wait()
            moody.awake.set()
        assert [one.result() for one in lists] == [["greet"]] * 3
        assert moody.lists == before + 1


async def test_caller_who_leaves_takes_nobody_with_them(tmp_path: Path) -> None:
    moody = Moody(greet)
    async with listening(moody), relaying(over_http(moody.url), tmp_path) as relay:
        before = moody.lists
        moody.asked.clear()
        moody.awake.clear()
        async with asyncio.TaskGroup() as group:
            first = group.create_task(relay.names())
            await moody.asked.wait()
            second = group.create_task(relay.names())
            await asyncio.sleep(0)
            first.cancel()
            await asyncio.wait([first])
            moody.awake.set()
        assert first.cancelled()
        assert second.result() == ["greet"]
        assert moody.lists == before + 1
        statuses = [record["status"] for record in relay.records()]
    assert sorted(statuses) == ["cancelled", "success"]


async def test_failure_is_remembered_for_a_while(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(relisting, "_FRESH_SECONDS", 60.0)  # however slow the machine
    moody = Moody(greet)
    async with listening(moody), relaying(over_http(moody.url), tmp_path) as relay:
        moody.down = True
        before = moody.lists
        codes = [await relay.error("tools/call", "absent") for _ in range(3)]
        assert codes == ["E4004"] * 3
        assert moody.lists == before + 1


async def test_hanging_upstream_holds_callers_no_longer_than_their_own_deadline(
    tmp_path: Path,
) -> None:
    moody = Moody(greet)
    flags = {"server__request_timeout_seconds": 0.3}
    async with listening(moody), relaying(over_http(moody.url, 30), tmp_path, **flags) as relay:
        before = moody.lists
        moody.awake.clear()
        async with asyncio.timeout(5):
            codes = await asyncio.gather(*(relay.error("tools/call", "x") for _ in range(3)))
        assert codes == ["E4002"] * 3
        assert moody.lists == before + 1
        latencies = [record["latency_ms"] for record in relay.records()]
        assert len(latencies) == 3
        assert max(latencies) < 2000


# An upstream that is gone.


async def test_upstream_that_died_leaves_its_last_list_in_force(tmp_path: Path) -> None:
    moody = Moody(greet)
    async with listening(moody) as stop, relaying(over_http(moody.url), tmp_path) as relay:
        await stop()
        assert await relay.names() == ["greet"]
        assert await relay.error("tools/call", "absent") == "E4001"
        outcomes = [(one["action"], one.get("error_code", "")) for one in relay.records()]
    assert outcomes == [("tools/list", ""), ("tools/call", "E4001")]


async def test_upstream_that_listed_nothing_and_died_is_a_named_error_on_record(
    tmp_path: Path,
) -> None:
    moody = Moody()
    async with listening(moody) as stop, relaying(over_http(moody.url), tmp_path) as relay:
        await stop()
        answer = await relay.ask("tools/list")
        assert answer.headers["content-type"] == "application/json"
        assert answer.json()["error"]["data"]["code"] == "E4001"
        (record,) = relay.records()
        assert (record["user"], record["error_code"]) == ("local", "E4001")


@pytest.mark.parametrize("way", ["never", "endless", "broken_json", "no_http", "hang_up", "page"])
async def test_what_is_no_mcp_server_is_not_relayed_and_leaves_no_directory(
    way: str, tmp_path: Path
) -> None:
    with hostile_upstream() as hostile, pytest.raises(NothingToRelay) as refused:
        async with relaying(over_http(f"{hostile.url}/{way}", 1), tmp_path):
            pass
    assert refused.value.failure.error.code.startswith("E4")
    assert list(tmp_path.iterdir()) == []


# Settings.


async def test_hosts_and_origins_of_the_settings_are_let_in(tmp_path: Path) -> None:
    moody = Moody(greet)
    flags = {
        "server__allowed_hosts": ["gw.example"],
        "server__allowed_origins": ["https://console.example"],
    }
    async with listening(moody), relaying(over_http(moody.url), tmp_path, **flags) as relay:
        let_in = {"Host": "gw.example", "Origin": "https://console.example"}
        assert (await relay.ask("tools/list", headers=let_in)).status_code == 200
        for stranger in ({"Host": "other.example"}, {"Origin": "https://other.example"}):
            assert (await relay.ask("tools/list", headers=stranger)).status_code == 403


# The command.


def test_command_that_does_not_exist_is_named_to_the_person_who_typed_it(tmp_path: Path) -> None:
    ended = run("proxy", "--port", "0", "--data", tmp_path / "d", "--", "nosuchcmd")
    assert (ended.code, ended.error["code"]) == (4, "E4001")
    assert "there is no command 'nosuchcmd'" in ended.error["message"]
    assert not (tmp_path / "d").exists()


@pytest.mark.parametrize("rest", [["--timeout", "5"], ["extra"]])
def test_nothing_may_follow_a_url(rest: list[str], tmp_path: Path) -> None:
    ended = run("proxy", "--data", tmp_path / "d", "http://127.0.0.1:9/mcp", *rest)
    assert (ended.code, ended.error["code"]) == (2, "E2001")
    assert rest[0] in ended.error["message"]


def test_url_that_cannot_be_used_says_what_to_change(tmp_path: Path) -> None:
    ended = run("proxy", "--port", "0", "--data", tmp_path / "d", "http://u:p@127.0.0.1/mcp")
    assert (ended.code, ended.error["code"]) == (2, "E2004")
    assert "user or password" in ended.error["message"]


# A child process, and upstreams that are no longer named.


def call_of_hold(fifo: Path) -> Call:
    tool = Tool("hold", "", "b", McpSource("proxied", "hold"), {"type": "object"})
    return Call(
        Method.TOOLS_CALL,
        "c-1",
        tool_name="hold",
        arguments={"fifo": str(fifo)},
        tool=tool,
        principal=Principal("t", "ann", frozenset()),
    )


@asynccontextmanager
async def upstream_set(grace_seconds: float) -> AsyncIterator[UpstreamSet]:
    settings = load(None, {}).settings.upstreams
    async with asyncio.timeout(30), UpstreamSet.open(settings, grace_seconds=grace_seconds) as one:
        yield one


def naming(*upstreams: Upstream) -> Snapshot:
    view = TenantView("t", upstreams={one.name: one for one in upstreams})
    return Snapshot(1, {"t": view})


async def test_child_process_is_relayed(tmp_path: Path) -> None:
    async with relaying(child(), tmp_path) as relay:
        assert await relay.names() == ["hold"]


async def test_upstream_no_longer_named_ends_after_the_calls_it_has(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    async with upstream_set(grace_seconds=20) as upstreams:
        execute = upstreams.executors(naming(child()))["t", "proxied"].execute
        async with asyncio.TaskGroup() as group:
            held = group.create_task(execute(call_of_hold(fifo)))
            with await asyncio.to_thread(fifo.open, "w"):  # opens once the tool has opened it
                upstreams.executors(naming())
                upstreams.retire(naming())
                await asyncio.sleep(0)
                assert not held.done()
        pid = json.loads(bytes(held.result().body["structuredContent"]))["result"]  # type: ignore[arg-type]
        if psutil.pid_exists(pid):
            assert not await asyncio.to_thread(survivors, [psutil.Process(pid)])


async def test_calls_that_outlast_the_grace_are_cut_off(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    async with upstream_set(grace_seconds=0.05) as upstreams:
        execute = upstreams.executors(naming(child()))["t", "proxied"].execute
        async with asyncio.TaskGroup() as group:
            held = group.create_task(_failure_of(execute(call_of_hold(fifo))))
            with await asyncio.to_thread(fifo.open, "w"):
                upstreams.retire(naming())
                failure = await held
    assert failure.error.code.startswith("E4")


async def _failure_of(call: Any) -> GatewayError:
    with pytest.raises(GatewayError) as raised:
        await call
    return raised.value
