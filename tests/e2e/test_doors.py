"""The other doors of a running instance: the same tools and the same refusals as at /mcp."""

import asyncio
import json
import signal
import subprocess
from pathlib import Path
from typing import Any

import httpx2
import pytest
from mcp.client.client import Client
from mcp.client.sse import sse_client
from mcp.client.stdio import StdioServerParameters, stdio_client
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect as connect_here

from fakes.instances import BASCULE, Instance, environment, serving
from fakes.mcp import modern
from fakes.sockets import websocket_client

DOORS = ("sse", "ws", "stdio")
MODES = ("auto", "legacy")
SLICES = ("", "/bundles/service-booking")


def transport(demo: Instance, door: str, where: str = "") -> Any:
    """A way into the running demo as its user; `where` is the slice."""
    if door == "sse":
        headers = {"authorization": f"Bearer {demo.demo_key}"}
        return sse_client(f"{demo.mcp_url}{where}/sse", headers=headers)
    if door == "ws":
        address = f"ws{demo.mcp_url.removeprefix('http')}{where}/ws"
        return websocket_client(address, demo.demo_key)
    options = ["--bundle", where.rpartition("/")[2]] if where else []
    command, *arguments = [*BASCULE, "stdio", "--data", str(demo.data), *options]
    settings = environment() | {"BASCULE_KEY": demo.demo_key}
    return stdio_client(StdioServerParameters(command=command, args=arguments, env=settings))


@pytest.mark.parametrize("where", SLICES)
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("door", DOORS)
async def test_the_tools_are_there_and_can_be_called(
    demo: Instance, door: str, mode: str, where: str
) -> None:
    async with asyncio.timeout(20), Client(transport(demo, door, where), mode=mode) as client:
        tools = (await client.list_tools()).tools
        found = await client.call_tool("get_nearby_dealers", {"city": "Pune"})
        wrong = await client.call_tool("get_nearby_dealers", {"city": 5})

    assert len(tools) == 7
    assert found.structured_content["total"] == 4
    assert wrong.is_error
    assert wrong.content[0].text.startswith("E2002")


@pytest.mark.parametrize("door", DOORS)
async def test_every_call_is_on_record(demo: Instance, door: str) -> None:
    def recorded() -> int:
        with demo.api() as admin:
            logs = admin.get("/api/admin/audit-logs?tool_name=get_nearby_dealers&limit=100")
            return len(logs.json()["logs"])

    before = recorded()
    async with asyncio.timeout(20), Client(transport(demo, door), mode="auto") as client:
        await client.call_tool("get_nearby_dealers", {"city": "Pune"})

    assert recorded() == before + 1


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "evil.example"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Authorization": "Bearer bsc_wrong"}, 401),
    ],
)
def test_who_may_not_come_in_is_refused_at_each_door(
    demo: Instance, headers: dict[str, str], status: int
) -> None:
    with demo.api(demo.demo_key) as client:
        for verb, path in (("GET", "/mcp/sse"), ("POST", "/mcp/sse/messages?session=x")):
            refused = client.request(verb, path, headers=headers, json={})
            assert refused.status_code == status, path
    own = {"Authorization": f"Bearer {demo.demo_key}"} | headers
    options: Any = {"origin": own.pop("Origin", None), "subprotocols": ["mcp"], "proxy": None}
    with pytest.raises(InvalidStatus) as kept_out:
        connect_here(f"ws{demo.mcp_url.removeprefix('http')}/ws", additional_headers=own, **options)
    assert kept_out.value.response.status_code in {status, 400}, "two Hosts are no request at all"


async def test_a_frame_too_large_closes_the_connection_and_nothing_else(narrow: Instance) -> None:
    url = f"ws{narrow.mcp_url.removeprefix('http')}/ws"
    headers = {"Authorization": f"Bearer {narrow.admin_key}"}
    options: Any = {"subprotocols": ["mcp"], "additional_headers": headers, "proxy": None}
    async with (
        asyncio.timeout(10),
        connect(url, **options) as other,
        connect(url, **options) as socket,
    ):
        await socket.send("x" * 70_000)
        with pytest.raises(ConnectionClosed) as closed:
            await socket.recv()
        await other.send(json.dumps(modern("tools/list")))
        answer = json.loads(await other.recv())

    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1009
    assert "result" in answer


async def test_it_stops_in_time_whatever_is_open(tmp_path: Path) -> None:
    with serving(tmp_path / "data") as instance:
        headers = {"Authorization": f"Bearer {instance.admin_key}"}
        url = f"ws{instance.mcp_url.removeprefix('http')}/ws"
        async with (
            asyncio.timeout(20),
            connect(url, subprotocols=["mcp"], additional_headers=headers, proxy=None) as socket,  # type: ignore[list-item]
            httpx2.AsyncClient(headers=headers, trust_env=False, timeout=10) as client,
            client.stream("GET", f"{instance.mcp_url}/sse") as stream,
        ):
            await socket.send(json.dumps(modern("tools/list")))
            await socket.recv()
            lines = stream.aiter_lines()
            assert await anext(lines) == "event: endpoint"
            await asyncio.to_thread(instance.stop)
            with pytest.raises(ConnectionClosed) as closed:
                await socket.recv()
            rest = [line async for line in lines if line.startswith("event")]

    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code in {1001, 1012}
    assert rest == []


def test_a_killed_bridge_leaves_the_instance_as_it_was(demo: Instance) -> None:
    for _ in range(5):
        child = subprocess.Popen(
            [*BASCULE, "stdio", "--data", str(demo.data)],
            env=environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdin.write(json.dumps(modern("tools/list")).encode() + b"\n")
        child.stdin.flush()
        assert b'"result"' in child.stdout.readline()
        child.send_signal(signal.SIGKILL)
        assert child.wait(5) == -signal.SIGKILL
        child.stdin.close()
        child.stdout.close()

    assert demo.call("get_nearby_dealers", city="Pune").status_code == 200
