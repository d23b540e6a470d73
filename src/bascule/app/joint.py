"""A pair of pipes joined to a gateway that runs elsewhere, message by message over WebSocket."""

import asyncio
import ssl
from typing import Any, Final
from urllib.parse import quote

import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus, InvalidURI
from websockets.typing import Subprotocol

from bascule.app.pipes import Pipes, until_stopped
from bascule.gateway.call import Endpoint, EndpointKind
from bascule.gateway.errors import (
    AuthRequired,
    ErrorCode,
    Forbidden,
    GatewayError,
    InvalidToken,
    NotFound,
)
from bascule.protocol.codes import INVALID_REQUEST, PARSE_ERROR
from bascule.protocol.results import encode_error
from bascule.transports.lines import LineSplitter
from bascule.transports.websocket import SUBPROTOCOL

_CONNECT_SECONDS: Final = 5.0
_GRACE_SECONDS: Final = 1.0
_MOST_BYTES: Final = 64 * 1024 * 1024
"""Of one message either way; the gateway has bounds of its own."""
_CHUNK_BYTES: Final = 64 * 1024
_FOLDERS: Final = {EndpointKind.BUNDLE: "bundles", EndpointKind.SERVER: "servers"}


class NotConnected(GatewayError):
    """The gateway cannot be reached, or ended the conversation."""

    error = ErrorCode.UNAVAILABLE


class _Envelope(msgspec.Struct):
    """What tells a request from an answer."""

    id: int | float | str | None = None
    method: str | None = None


_envelope = msgspec.json.Decoder(_Envelope).decode


def socket_url(base_url: str, endpoint: Endpoint) -> str:
    """Where the gateway at `base_url` (http or https, without a path) speaks WebSocket."""
    folder = _FOLDERS.get(endpoint.kind)
    middle = f"/{folder}/{quote(endpoint.name, safe='')}" if folder else ""
    return f"ws{base_url.removeprefix('http')}/mcp{middle}/ws"


async def join(url: str, key: str | None, pipes: Pipes, tls: ssl.SSLContext | None = None) -> None:
    """Pass messages on both ways until the pipes' other side ends; `tls` is for wss addresses.

    Raises:
        NotConnected: the gateway is not there, or left first.
        AuthRequired, InvalidToken, Forbidden, NotFound: it does not let this caller in.
    """
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    try:
        socket = await connect(
            url,
            subprotocols=[Subprotocol(SUBPROTOCOL)],
            additional_headers=headers,
            open_timeout=_CONNECT_SECONDS,
            max_size=_MOST_BYTES,
            compression=None,
            proxy=None,
            ssl=tls,
        )
    except InvalidStatus as refused:
        raise _refusal(refused.response.status_code, has_key=bool(key)) from None
    except (OSError, TimeoutError, InvalidHandshake, InvalidURI) as error:
        raise NotConnected(f"{url} cannot be reached: {error or type(error).__name__}.") from None
    async with socket:
        await until_stopped(_Joint(socket, pipes).pass_on())


class _Joint:
    """One conversation; knows which requests wait for an answer, and nothing else of them."""

    def __init__(self, socket: ClientConnection, pipes: Pipes) -> None:
        self._socket = socket
        self._pipes = pipes
        self._waiting: set[Any] = set()
        self._idle = asyncio.Event()
        self._idle.set()

    async def pass_on(self) -> None:
        loop = asyncio.get_running_loop()
        # Not a TaskGroup: the first to end ends the other, and only one end is a failure.
        inward, outward = loop.create_task(self._inward()), loop.create_task(self._outward())
        try:
            await asyncio.wait({inward, outward}, return_when=asyncio.FIRST_COMPLETED)
            if outward.done():
                outward.result()
                return
            waiting = loop.create_task(self._idle.wait())
            await asyncio.wait(
                {waiting, outward},
                timeout=_GRACE_SECONDS,
                return_when=asyncio.FIRST_COMPLETED,
            )
            waiting.cancel()
        finally:
            inward.cancel()
            outward.cancel()
            await asyncio.gather(inward, outward, return_exceptions=True)

    async def _inward(self) -> None:
        splitter = LineSplitter(_MOST_BYTES)
        while data := await self._pipes.source.read(_CHUNK_BYTES):
            for line in splitter.feed(data):
                if line is None:
                    await self._say(encode_error(None, INVALID_REQUEST, "The line is too long."))
                elif line.strip():
                    await self._send(line)

    async def _send(self, line: bytes) -> None:
        try:
            text = line.decode()
        except UnicodeDecodeError:
            await self._say(encode_error(None, PARSE_ERROR, "The line is not UTF-8."))
            return
        message = _read(line)
        # What cannot be read is answered, too: by an error without an id.
        if message is None or (message.method is not None and message.id is not None):
            self._waiting.add(message and message.id)
            self._idle.clear()
        try:
            await self._socket.send(text)
        except ConnectionClosed:
            return  # who reads from it knows why

    async def _outward(self) -> None:
        while True:
            try:
                received = await self._socket.recv()
            except ConnectionClosed as closed:
                reason = closed.rcvd.reason if closed.rcvd else ""
                raise NotConnected(
                    f"The gateway ended the conversation{': ' if reason else ''}{reason}."
                ) from None
            raw = received.encode() if isinstance(received, str) else received
            await self._say(raw)
            message = _read(raw)
            if message is None or message.method is None:
                self._waiting.discard(message and message.id)
                if not self._waiting:
                    self._idle.set()

    async def _say(self, message: bytes) -> None:
        # Line ends in JSON are white space between its tokens; here they would end the message.
        self._pipes.sink.write(message.replace(b"\r", b" ").replace(b"\n", b" ") + b"\n")
        try:
            await self._pipes.sink.drain()
        except OSError:
            raise NotConnected("Nobody reads the answers any more.") from None


def _read(message: bytes) -> _Envelope | None:
    try:
        return _envelope(message)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _refusal(status: int, *, has_key: bool) -> GatewayError:
    if status == 401 and has_key:
        return InvalidToken("This API key is not accepted there.")
    if status == 401:
        return AuthRequired("The gateway asks for an API key: give --key, or BASCULE_KEY.")
    if status == 403:
        return Forbidden("The gateway does not take connections from here.")
    if status == 404:
        return NotFound("The gateway does not speak WebSocket there. Is it an older one?")
    return NotConnected(f"The gateway refused the connection with HTTP {status}.")
