"""The reference server with a gateway in front of it, as processes, and the ways into both."""

import sys
from collections.abc import AsyncGenerator, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from mcp.client.sse import sse_client
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared._httpx_utils import create_mcp_http_client

from fakes.instances import BASCULE, Instance, environment, serving
from fakes.processes import running
from fakes.sockets import websocket_client

Way = AbstractAsyncContextManager[Any]
"""A transport as the official client takes it."""

_ROOT = Path(__file__).parents[2]
_REFERENCE = (sys.executable, "-m", "conformance.reference")
_NAME = "reference"


class Gateway(NamedTuple):
    """One that passes the reference server on: at `base` itself, or at the server's endpoint."""

    base: str
    path: str = "/mcp"
    key: str | None = None


@contextmanager
def upstream(era: str, transport: str, port: int) -> Iterator[list[str]]:
    """A reference server; gives what the gateway's commands need to reach it."""
    if transport == "stdio":
        yield ["--", *_REFERENCE, "--stdio", "--era", era]
        return
    command = (*_REFERENCE, "--port", str(port), "--era", era)
    with running(*command, cwd=_ROOT) as child:
        yield [f"http://127.0.0.1:{port}/{'sse' if transport == 'sse' else 'mcp'}"]
        assert child.is_running


@contextmanager
def relaying(target: list[str], data: Path) -> Iterator[Gateway]:
    """`bascule proxy` in front of the server."""
    command = [*BASCULE, "proxy", "--port", "0", "--data", str(data), *target]
    with running(*command, environment=environment(), cwd=_ROOT) as child:
        child.wait_for("/mcp relays ")
        said = child.said[: child.said.index("/mcp relays ")]
        yield Gateway(said[said.rindex("http://") :])


@contextmanager
def governing(target: list[str], data: Path) -> Iterator[Gateway]:
    """`bascule up` with the server added by its URL, for a user whom a rule lets do everything."""
    with serving(data) as instance:
        _create(instance, "servers", name=_NAME, url=target[0])
        rule = {"effect": "allow", "roles": ["user"], "bundles": [_NAME]}
        everything = {"tools": ["*"], "prompts": ["*"], "resources": ["*"]}
        _create(instance, "policies", name="users do everything", **rule, **everything)
        made = _create(instance, "keys", name="somebody", roles=["user"])
        yield Gateway(instance.url, f"/mcp/servers/{_NAME}", made["key"])


def _create(instance: Instance, kind: str, **members: object) -> dict[str, Any]:
    with instance.api() as admin:
        created = admin.post(f"/api/admin/{kind}", json=members)
    assert created.status_code == 201, created.text
    return created.json()


def straight(target: list[str], transport: str) -> Way:
    """To the server itself."""
    if transport == "stdio":
        command, *arguments = target[1:]
        return stdio_client(StdioServerParameters(command=command, args=arguments, cwd=_ROOT))
    return sse_client(target[0]) if transport == "sse" else streamable_http_client(target[0])


def door(gateway: Gateway, name: str) -> Way:
    """Into the gateway."""
    base, path, key = gateway
    if name == "ws":
        return websocket_client(f"ws{base.removeprefix('http')}{path}/ws", key)
    if name == "stdio":
        return _bridge(gateway)
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    if name == "sse":
        return sse_client(f"{base}{path}/sse", headers=headers)
    return _streamable(f"{base}{path}", headers)


def _bridge(gateway: Gateway) -> Way:
    own = [] if gateway.path == "/mcp" else ["--server", gateway.path.rpartition("/")[2]]
    settings = environment() | ({"BASCULE_KEY": gateway.key} if gateway.key else {})
    command, *arguments = [*BASCULE, "stdio", "--url", gateway.base, *own]
    return stdio_client(StdioServerParameters(command=command, args=arguments, env=settings))


@asynccontextmanager
async def _streamable(url: str, headers: dict[str, str]) -> AsyncGenerator[Any]:
    async with (
        create_mcp_http_client(headers=headers) as http,
        streamable_http_client(url, http_client=http) as streams,
    ):
        yield streams
