"""MCP over WebSocket: one JSON-RPC message per text frame, subprotocol `mcp`."""

import asyncio
from collections.abc import Mapping
from typing import Any, Final

from bascule.gateway.errors import ErrorCode
from bascule.gateway.principal import Principal
from bascule.transports.asgi import Event, Receive, Scope, Send
from bascule.transports.channel import Caller
from bascule.transports.duplex import Duplex
from bascule.transports.entrance import Entrance, refusal, whose
from bascule.transports.reply import Reply

SUBPROTOCOL: Final = "mcp"

# RFC 6455, section 7.4.1.
_GOING_AWAY: Final = 1001
_UNSUPPORTED: Final = 1003
_NOT_PERMITTED: Final = 1008
_TOO_LARGE: Final = 1009


class WebSocketDoor:
    """An ASGI application for WebSocket connections, and a refusal for plain requests.

    The key comes with the upgrade, and every message is judged by it anew.
    """

    def __init__(
        self, entrance: Entrance, *, most_channels: int = 1024, most_per_caller: int = 64
    ) -> None:
        """`most_per_caller`: so that nobody alone can take all the connections there are."""
        self._entrance = entrance
        self._most_channels = most_channels
        self._most_per_caller = most_per_caller
        self._open: dict[Duplex, tuple[str, str]] = {}
        self._draining = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection until either side ends it."""
        admitted = await self._admit(scope)
        if isinstance(admitted, Reply):
            await _refuse(scope, receive, send, admitted)
            return
        caller, principal = admitted
        duplex = self._entrance.converse(caller)
        self._open[duplex] = whose(principal)
        try:
            if (await receive())["type"] != "websocket.connect":
                return
            await send({"type": "websocket.accept", "subprotocol": SUBPROTOCOL})
            await _Channel(duplex, self._entrance.config.max_message_bytes, receive, send).serve()
        finally:
            del self._open[duplex]
            await duplex.close()

    def drain(self) -> None:
        """Open no more; each connection ends with the last call on it."""
        self._draining = True
        for duplex in list(self._open):
            duplex.drain()

    async def _admit(self, scope: Scope) -> tuple[Caller, Principal] | Reply:
        reply = self._entrance.turn_away(scope["headers"])
        if reply is not None:
            return reply
        admitted = await self._entrance.admit(scope)
        if isinstance(admitted, Reply):
            return admitted
        if scope["type"] != "websocket" or SUBPROTOCOL not in scope.get("subprotocols", ()):
            text = "Connect with WebSocket and the subprotocol mcp (Sec-WebSocket-Protocol: mcp)."
            reply = refusal(ErrorCode.INVALID_REQUEST, text, 426)
            return reply._replace(headers=[*reply.headers, (b"upgrade", b"websocket")])
        if self._draining or len(self._open) >= self._most_channels:
            return refusal(ErrorCode.UNAVAILABLE, "No more connections are taken at the moment.")
        own = sum(one == whose(admitted[1]) for one in self._open.values())
        if own >= self._most_per_caller:
            text = f"You have {own} connections open. Close one first."
            return refusal(ErrorCode.UNAVAILABLE, text)
        return admitted


class _Channel:
    """The frames of one connection."""

    def __init__(self, duplex: Duplex, most_bytes: int, receive: Receive, send: Send) -> None:
        self._duplex = duplex
        self._most_bytes = most_bytes
        self._receive = receive
        self._send = send

    async def serve(self) -> None:
        """Read and write until one of the two is over; a client that left gets no close frame."""
        loop = asyncio.get_running_loop()
        # Not a TaskGroup: the first to end ends the other, and neither is a failure.
        reader, writer = loop.create_task(self._read()), loop.create_task(self._write())
        try:
            await asyncio.wait({reader, writer}, return_when=asyncio.FIRST_COMPLETED)
            code = reader.result() if reader.done() else self._code()
        finally:
            reader.cancel()
            writer.cancel()
            await asyncio.gather(reader, writer, return_exceptions=True)
        if code is not None:
            await self._close(code)

    async def _read(self) -> int | None:
        """Take frames in; gives the code to close with, None where the client has left."""
        while True:
            event: Mapping[str, Any] = await self._receive()
            if event["type"] == "websocket.disconnect":
                return None
            text: str | None = event.get("text")
            if text is None:
                return _UNSUPPORTED
            message = text.encode()
            if len(message) > self._most_bytes:
                return _TOO_LARGE
            await self._duplex.take(message)

    async def _write(self) -> None:
        while (message := await self._duplex.outbox.next()) is not None:
            await self._send({"type": "websocket.send", "text": message.decode()})

    def _code(self) -> int:
        return _GOING_AWAY if self._duplex.refused is None else _NOT_PERMITTED

    async def _close(self, code: int) -> None:
        event: Event = {"type": "websocket.close", "code": code, "reason": _REASONS.get(code, "")}
        try:
            await self._send(event)
        except (OSError, RuntimeError):
            return  # the client was faster; the contract leaves open how a server says so


_REASONS: Final = {
    _UNSUPPORTED: "send JSON-RPC in text frames",
    _NOT_PERMITTED: "this key is not accepted any longer",
    _TOO_LARGE: "the message is too large",
    _GOING_AWAY: "the gateway is shutting down",
}


async def _refuse(scope: Scope, receive: Receive, send: Send, reply: Reply) -> None:
    status, body, headers = reply
    headers = [*headers, (b"content-length", b"%d" % len(body))]
    kind = "http" if scope["type"] == "http" else "websocket.http"
    if kind == "websocket.http":
        await receive()  # the attempt to connect
        if "websocket.http.response" not in scope.get("extensions", {}):
            await send({"type": "websocket.close", "code": _NOT_PERMITTED})  # a plain 403
            return
    await send({"type": f"{kind}.response.start", "status": status, "headers": headers})
    await send({"type": f"{kind}.response.body", "body": body})
