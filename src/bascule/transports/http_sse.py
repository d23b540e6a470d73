"""MCP over HTTP with SSE as revision 2024-11-05 had it: one stream, and POSTs beside it.

Source: specification 2024-11-05, basic/transports "HTTP with SSE".
"""

import asyncio
import secrets
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qs, quote

from bascule.gateway.errors import ErrorCode
from bascule.gateway.principal import Principal
from bascule.protocol.messages import MalformedMessage, decode
from bascule.protocol.results import encode_error
from bascule.transports.asgi import Receive, Scope, Send, respond
from bascule.transports.bodies import BodyTooLarge, ClientGone, read_body
from bascule.transports.channel import Caller
from bascule.transports.duplex import Duplex
from bascule.transports.entrance import Entrance, refusal, whose
from bascule.transports.paths import DoorKind, door_at
from bascule.transports.reply import Reply
from bascule.transports.sse import COMMENT, SSE_HEADERS, encode_event

_ACCEPTED: Final = Reply(202, b"Accepted", [(b"content-type", b"text/plain")])


@dataclass(frozen=True, slots=True, eq=False)
class _Stream:
    """A conversation, whose it is, and the path that its POSTs go to."""

    duplex: Duplex
    owner: Principal
    path: str


class HttpSseDoor:
    """An ASGI application for the stream and for the POSTs that belong to it.

    A session is as long as its stream, and its id is a secret of 256 bits; still every POST is
    identified anew, and must be of the caller who opened the stream.
    """

    def __init__(
        self, entrance: Entrance, *, most_streams: int = 1024, most_per_caller: int = 64
    ) -> None:
        """`most_per_caller`: so that nobody alone can take all the streams there are."""
        self._entrance = entrance
        self._most_streams = most_streams
        self._most_per_caller = most_per_caller
        self._streams: dict[str, _Stream] = {}
        self._draining = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a GET of the stream until it ends, or one POST."""
        reply = await self._serve(scope, receive, send)
        if reply is not None:
            await respond(send, *reply)

    def drain(self) -> None:
        """Open no more; each stream ends with the last call on it."""
        self._draining = True
        for stream in list(self._streams.values()):
            stream.duplex.drain()

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> Reply | None:
        reply = self._entrance.turn_away(scope["headers"])
        if reply is not None:
            return reply
        found = door_at(scope["path"])
        posts = found is not None and found.kind is DoorKind.MESSAGES
        wanted = "POST" if posts else "GET"
        if scope["method"] != wanted:
            text = "GET opens the stream, and its first event says where to POST."
            reply = refusal(ErrorCode.INVALID_REQUEST, text, 405)
            return reply._replace(headers=[*reply.headers, (b"allow", wanted.encode())])
        if posts:
            return await self._post(scope, receive)
        return await self._open(scope, receive, send)

    # The stream.

    async def _open(self, scope: Scope, receive: Receive, send: Send) -> Reply | None:
        admitted = await self._entrance.admit(scope)
        if isinstance(admitted, Reply):
            return admitted
        if self._draining or len(self._streams) >= self._most_streams:
            return refusal(ErrorCode.UNAVAILABLE, "No more streams are opened at the moment.")
        caller, owner = admitted
        own = sum(whose(one.owner) == whose(owner) for one in self._streams.values())
        if own >= self._most_per_caller:
            text = f"You have {own} streams open. Close one first."
            return refusal(ErrorCode.UNAVAILABLE, text)
        session_id = secrets.token_urlsafe(32)
        path = f"{scope['path']}/messages"
        stream = _Stream(self._entrance.converse(caller), owner, path)
        self._streams[session_id] = stream
        try:
            await send({"type": "http.response.start", "status": 200, "headers": SSE_HEADERS})
            first = f"event: endpoint\ndata: {quote(path)}?session={session_id}\n\n"
            await _write(send, first.encode())
            await _until_over(
                stream.duplex, receive, send, self._entrance.config.keep_alive_seconds
            )
        finally:
            del self._streams[session_id]
            await stream.duplex.close()
        return None

    # The POSTs.

    async def _post(self, scope: Scope, receive: Receive) -> Reply | None:
        addressed = await self._addressed(scope)
        if isinstance(addressed, Reply):
            return addressed
        stream, caller = addressed
        headers = dict(scope["headers"])
        most = self._entrance.config.max_message_bytes
        try:
            body = await read_body(receive, headers.get(b"content-length"), most)
        except ClientGone:
            return None
        except BodyTooLarge:
            return refusal(ErrorCode.TOO_LARGE, f"Send a message of up to {most} bytes.")
        try:
            decode(body)
        except MalformedMessage as fault:
            return _malformed(fault)
        await stream.duplex.take(body, caller)
        return _ACCEPTED

    async def _addressed(self, scope: Scope) -> tuple[_Stream, Caller] | Reply:
        """The stream that a POST belongs to, and who sends it, judged by its head alone."""
        admitted = await self._entrance.admit(scope)
        if isinstance(admitted, Reply):
            return admitted
        kind: bytes = dict(scope["headers"]).get(b"content-type", b"")
        if kind.split(b";", 1)[0].strip().lower() != b"application/json":
            text = "Send the message as Content-Type: application/json."
            return refusal(ErrorCode.UNSUPPORTED_MEDIA, text)
        stream = self._find(scope)
        # One answer for all: an id says nothing to who did not open the stream.
        if stream is None or whose(stream.owner) != whose(admitted[1]):
            text = "There is no such stream. Open a new one with GET."
            return refusal(ErrorCode.SESSION_UNKNOWN, text)
        return stream, admitted[0]

    def _find(self, scope: Scope) -> _Stream | None:
        given = parse_qs(scope.get("query_string", b"").decode("latin-1")).get("session", [""])
        stream = self._streams.get(given[0])
        return stream if stream is not None and stream.path == scope["path"] else None


async def _until_over(
    duplex: Duplex, receive: Receive, send: Send, keep_alive_seconds: float
) -> None:
    """Send what the conversation gives, until it is over or the client has left."""
    loop = asyncio.get_running_loop()
    # Not a TaskGroup: the first to end ends the other, and neither is a failure.
    writer = loop.create_task(_write_all(duplex, send, keep_alive_seconds))
    watcher = loop.create_task(_until_gone(receive))
    try:
        await asyncio.wait({writer, watcher}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        writer.cancel()
        watcher.cancel()
        await asyncio.gather(writer, watcher, return_exceptions=True)


async def _write_all(duplex: Duplex, send: Send, keep_alive_seconds: float) -> None:
    while True:
        try:
            async with asyncio.timeout(keep_alive_seconds):
                message = await duplex.outbox.next()
        except TimeoutError:
            await _write(send, COMMENT)
            continue
        if message is None:
            await send({"type": "http.response.body", "body": b""})
            return
        await _write(send, encode_event(message))


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _write(send: Send, data: bytes) -> None:
    await send({"type": "http.response.body", "body": data, "more_body": True})


def _malformed(fault: MalformedMessage) -> Reply:
    text = fault.reason[:1].upper() + fault.reason[1:500]
    body = encode_error(fault.message_id, fault.rpc_code, text)
    return Reply(400, body, [(b"content-type", b"application/json")])
