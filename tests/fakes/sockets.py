"""The official client over WebSocket, for which it has no transport of its own."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import anyio
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from mcp.shared.message import SessionMessage
from mcp_types import jsonrpc_message_adapter
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed


@asynccontextmanager
async def websocket_client(url: str, key: str | None = None) -> AsyncGenerator[Any]:
    """A transport as the client takes them: a stream to read messages from, and one to write."""
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    arriving, incoming = anyio.create_memory_object_stream[SessionMessage | Exception](16)
    outgoing, leaving = anyio.create_memory_object_stream[SessionMessage](16)
    async with (
        connect(url, subprotocols=["mcp"], additional_headers=headers, proxy=None) as socket,
        anyio.create_task_group() as tasks,
        arriving, incoming, outgoing, leaving,
    ):  # fmt: skip
        tasks.start_soon(_read, socket, arriving)
        tasks.start_soon(_write, socket, leaving)
        yield incoming, outgoing
        tasks.cancel_scope.cancel()


async def _read(
    socket: ClientConnection, arriving: MemoryObjectSendStream[SessionMessage | Exception]
) -> None:
    try:
        async for text in socket:
            message = jsonrpc_message_adapter.validate_json(text, by_name=False)
            await arriving.send(SessionMessage(message))
    except ConnectionClosed:
        return


async def _write(
    socket: ClientConnection, leaving: MemoryObjectReceiveStream[SessionMessage]
) -> None:
    async for one in leaving:
        await socket.send(one.message.model_dump_json(by_alias=True, exclude_unset=True))
