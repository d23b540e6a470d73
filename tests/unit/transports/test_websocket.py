import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from bascule.gateway.call import Call, Method, Result
from bascule.transports.channel import DuplexConfig
from bascule.transports.websocket import WebSocketDoor
from fakes.catalogue import KEY
from fakes.channel import FakeGateway, initialize
from fakes.mcp import modern
from fakes.served import served

BEARER = {"Authorization": f"Bearer {KEY}"}


@asynccontextmanager
async def connected(
    door: WebSocketDoor, path: str = "/mcp/ws", **options: Any
) -> AsyncGenerator[ClientConnection]:
    options = {"additional_headers": BEARER, "subprotocols": ["mcp"], "proxy": None} | options
    async with served(door) as where, connect(f"ws://{where}{path}", **options) as socket:
        yield socket


async def ask(socket: ClientConnection, message: dict[str, Any]) -> dict[str, Any]:
    async with asyncio.timeout(5):
        await socket.send(json.dumps(message))
        return json.loads(await socket.recv())


async def closing(socket: ClientConnection) -> tuple[int, str]:
    async with asyncio.timeout(5):
        with pytest.raises(ConnectionClosed) as closed:
            await socket.recv()
    assert closed.value.rcvd is not None
    return closed.value.rcvd.code, closed.value.rcvd.reason


async def test_both_eras_are_spoken_and_the_subprotocol_agreed_on() -> None:
    async with connected(WebSocketDoor(FakeGateway().entrance())) as socket:
        stateless = await ask(socket, modern("tools/list"))
        handshake = await ask(socket, initialize("2025-06-18"))

        assert socket.subprotocol == "mcp"
    assert stateless["result"]["resultType"] == "complete"
    assert handshake["id"] == "init"


@pytest.mark.parametrize(
    ("options", "status"),
    [
        ({"origin": "https://evil.example"}, 403),
        ({"additional_headers": {}}, 401),
        ({"additional_headers": {"Authorization": "Bearer bsc_wrong"}}, 401),
        ({"subprotocols": ["other"]}, 426),
        ({"subprotocols": None}, 426),
        ({"path": "/mcp/nothing"}, 404),
    ],
)
async def test_who_may_not_come_in_is_refused_before_the_upgrade(options, status) -> None:
    gateway = FakeGateway()
    with pytest.raises(InvalidStatus) as refused:
        async with connected(WebSocketDoor(gateway.entrance()), **options):
            raise AssertionError

    assert refused.value.response.status_code == status
    assert refused.value.response.body is not None
    assert "error" in json.loads(refused.value.response.body)


async def test_a_key_in_the_address_is_no_key() -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with connected(
            WebSocketDoor(FakeGateway().entrance()), f"/mcp/ws?token={KEY}", additional_headers={}
        ):
            raise AssertionError

    assert refused.value.response.status_code == 401


async def test_a_plain_request_is_told_to_upgrade() -> None:
    async with (
        served(WebSocketDoor(FakeGateway().entrance())) as where,
        httpx2.AsyncClient(trust_env=False) as client,
    ):
        answer = await client.get(f"http://{where}/mcp/ws", headers=BEARER)

    assert (answer.status_code, answer.headers["upgrade"]) == (426, "websocket")


async def test_a_withdrawn_key_closes_the_connection_with_the_next_message() -> None:
    gateway = FakeGateway()
    async with connected(WebSocketDoor(gateway.entrance())) as socket:
        await ask(socket, modern("tools/list"))
        gateway.revoked.revoke("key-1")
        refused = await ask(socket, modern("tools/list", id=2))

        assert refused["error"]["data"]["code"] == "E1002"
        assert (await closing(socket))[0] == 1008


async def test_a_binary_frame_closes_the_connection() -> None:
    async with connected(WebSocketDoor(FakeGateway().entrance())) as socket:
        await socket.send(b"\x00")

        assert await closing(socket) == (1003, "send JSON-RPC in text frames")


@pytest.mark.parametrize("size", [101, 2_000_000])
async def test_a_frame_over_the_bound_closes_the_connection(size: int) -> None:
    """Over the server's own bound, too, which is the one that keeps it out of memory."""
    entrance = FakeGateway().entrance(DuplexConfig(max_message_bytes=100))
    async with connected(WebSocketDoor(entrance)) as socket:
        await socket.send("x" * size)

        assert (await closing(socket))[0] == 1009


async def test_connections_are_bounded() -> None:
    door = WebSocketDoor(FakeGateway().entrance(), most_channels=1)
    async with connected(door) as socket:
        await ask(socket, modern("tools/list"))
        with pytest.raises(InvalidStatus) as refused:
            async with connected(door):
                raise AssertionError

    assert refused.value.response.status_code == 503


async def test_a_client_that_leaves_has_its_calls_cancelled() -> None:
    started, ended = asyncio.Event(), asyncio.Event()

    async def endless(_: Call) -> Result:
        started.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()
        raise AssertionError

    gateway = FakeGateway({Method.TOOLS_CALL: endless})
    async with asyncio.timeout(5):
        async with connected(WebSocketDoor(gateway.entrance())) as socket:
            await socket.send(json.dumps(modern()))
            await started.wait()
        await ended.wait()


async def test_draining_closes_idle_connections_and_takes_no_new_ones() -> None:
    door = WebSocketDoor(FakeGateway().entrance())
    async with connected(door) as socket:
        await ask(socket, modern("tools/list"))
        door.drain()

        assert (await closing(socket))[0] == 1001
    with pytest.raises(InvalidStatus):
        async with connected(door):
            raise AssertionError


async def test_messages_that_are_no_json_are_answered_and_the_connection_goes_on() -> None:
    async with connected(WebSocketDoor(FakeGateway().entrance())) as socket:
        await socket.send("{")
        refused = json.loads(await socket.recv())
        answer = await ask(socket, modern("tools/list"))

    assert refused["error"]["code"] == -32700
    assert "result" in answer


async def test_a_server_that_cannot_say_why_still_refuses() -> None:
    events: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "websocket.connect"}

    async def send(event: dict[str, Any]) -> None:
        events.append(event)

    scope = {"type": "websocket", "path": "/mcp/ws", "headers": [(b"host", b"evil.example")]}
    await WebSocketDoor(FakeGateway().entrance())(scope, receive, send)

    assert events == [{"type": "websocket.close", "code": 1008}]


async def test_nobody_alone_takes_all_the_connections() -> None:
    gateway = FakeGateway()
    gateway.admit("bsc_other", "ben")
    door = WebSocketDoor(gateway.entrance(), most_per_caller=1)
    async with served(door) as where:
        options: dict[str, Any] = {"subprotocols": ["mcp"], "proxy": None}
        async with connect(f"ws://{where}/mcp/ws", additional_headers=BEARER, **options) as socket:
            await ask(socket, modern("tools/list"))
            with pytest.raises(InvalidStatus) as refused:
                async with connect(f"ws://{where}/mcp/ws", additional_headers=BEARER, **options):
                    raise AssertionError
            other = {"Authorization": "Bearer bsc_other"}
            async with connect(f"ws://{where}/mcp/ws", additional_headers=other, **options):
                pass

    assert refused.value.response.status_code == 503
