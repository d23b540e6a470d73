"""The express lane: an HTTP/1.1 connection that carries plain POSTs to MCP, and little else.

Nearly every call comes as one POST with a Content-Length on a connection that stays open, under
a head that is the same as the one before it. Such requests are read and answered here, without
the detour over ASGI. Whatever is not of that kind (other paths and methods, chunked bodies,
upgrades, HTTP/1.0, requests refused by their head, anything odd) hands the connection over, with
the bytes as they came, to a complete HTTP implementation, which keeps it.

Source: RFC 9112 section 9.3 (persistence).
"""

import asyncio
import contextvars
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final, Protocol, cast

import structlog

from bascule.transports.disconnect import Watch
from bascule.transports.heads import END, may_become_plain, read_head
from bascule.transports.outlet import Outlet
from bascule.transports.peers import NOBODY, Peer, peer_of
from bascule.transports.reply import Head, HeaderList, Reply

_log = structlog.get_logger(__name__)

_MOST_WAITING_BYTES: Final = 64 * 1024
_LONGEST_REMEMBERED_HEAD: Final = 8 * 1024
_STATUS_LINES: Final = {
    status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode() for status in HTTPStatus
}


class Service(Protocol):
    """What answers the requests of the lane. Larger bodies are not for the lane."""

    max_body_bytes: int

    def judge(self, path: str, headers: HeaderList, peer: Peer) -> Head | None:
        """Judge a POST from `peer` by its head, whatever its body; None for one to be handed over.

        The same head of the same peer is always judged the same.
        """
        ...

    def answer(
        self, head: Head, body: bytes, watch: Watch, outlet: Outlet
    ) -> Awaitable[Reply | None]:
        """Answer the request.

        None where nobody is left to answer, or where everything was said through `outlet`.
        """
        ...


class Listener(Protocol):
    """The server around the connections: what it counts, waits for, and puts on each answer."""

    connections: set[Any]
    tasks: set["asyncio.Task[None]"]
    default_headers: HeaderList


@dataclass(frozen=True, slots=True)
class LaneConfig:
    """Bounds of a connection.

    `patience_seconds` is for a request that has begun, for the first one, and for a client that
    reads nothing of its answer. `max_connections` bounds the calls that outlive theirs, too.
    """

    patience_seconds: float = 30.0
    keep_alive_seconds: float = 75.0
    max_connections: int = 10_000


class ExpressLane(asyncio.Protocol):
    """One connection; its requests are answered one after the other, in order.

    It is also the outlet of the request under way. A response in pieces is the connection's last:
    a stream may last for hours, and whatever a client sent behind it would wait as long.
    """

    __slots__ = (
        "_body", "_closing", "_config", "_context", "_ended", "_fallback", "_head", "_head_bytes",
        "_length", "_listener", "_loop", "_missing", "_peer", "_served", "_service", "_since",
        "_task", "_timer", "_transport", "_unread", "_unsent", "_watch", "_writable",
        "_writing_paused", "begun",
    )  # fmt: skip

    def __init__(
        self,
        service: Service,
        listener: Listener,
        config: LaneConfig,
        fallback: Callable[[], asyncio.Protocol],
    ) -> None:
        """`fallback` makes the protocol that takes the connection over."""
        self._service = service
        self._listener = listener
        self._config = config
        self._fallback = fallback
        self._loop = asyncio.get_running_loop()
        # Every call has a copy of its own: what one binds must not show in the next.
        self._context = contextvars.copy_context()
        self._transport: asyncio.Transport | None = None
        self._peer = NOBODY
        self._watch = Watch()
        self._task: asyncio.Task[None] | None = None
        self._closing = False
        self._writing_paused = False
        self._writable: asyncio.Event | None = None  # made by who waits for it
        self.begun = self._ended = False  # of an answer in pieces
        self._served = False
        self._unsent = 0  # bytes of answers, when the timer last looked
        self._unread = b""  # what came and belongs to no request under way
        # The head read last, and what was made of it: the next one is most likely the same.
        self._head_bytes = b""
        self._head: Head | None = None
        self._length = 0
        self._body = bytearray()  # what has come of a body
        self._missing = 0  # and how many bytes of it are still to come

    # The connection.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin; a first request must come in time."""
        self._transport = cast("asyncio.Transport", transport)
        self._since = self._loop.time()
        self._timer = self._loop.call_later(self._config.patience_seconds / 2, self._check_time)
        self._peer = peer_of(transport)
        if len(self._listener.connections) >= self._config.max_connections:
            self._hand_over(b"")
        else:
            self._listener.connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """End; a call under way is cancelled if its era says so, or runs on."""
        self._timer.cancel()
        self._listener.connections.discard(self)
        self._transport = None
        self._wake_writer()
        self._watch.leave()
        self._account_for_task()

    def shutdown(self) -> None:
        """Close, at once or after the answer under way."""
        self._closing = True
        if self._task is None:
            if self._transport is not None:
                self._transport.close()
        else:
            self._account_for_task()

    def pause_writing(self) -> None:
        """The client does not read: take no further request from it."""
        self._writing_paused = True

    def resume_writing(self) -> None:
        """The client reads again."""
        self._writing_paused = False
        self._wake_writer()
        if self._task is None:
            self._read_on()

    def _account_for_task(self) -> None:
        """Let the server wait for a call that its connection may not outlive."""
        task, tasks = self._task, self._listener.tasks
        if task is not None and task not in tasks:
            tasks.add(task)
            task.add_done_callback(tasks.discard)

    def _check_time(self) -> None:
        transport, task = self._transport, self._task
        if transport is None:
            return
        now = self._loop.time()
        unsent = transport.get_write_buffer_size()
        if unsent != self._unsent:
            self._unsent = unsent
            self._since = now  # it reads, be it slowly
        config = self._config
        begun = bool(unsent or self._missing or self._unread) or not self._served
        patience = config.patience_seconds if begun else config.keep_alive_seconds
        is_late = task is None and now - self._since >= patience
        # A task that was cancelled before its first step has not answered, and will not.
        if is_late or (task is not None and task.done()):
            transport.abort() if begun else transport.close()
            return
        self._timer = self._loop.call_later(config.patience_seconds / 2, self._check_time)

    # Requests.

    def data_received(self, data: bytes) -> None:
        """Take in bytes."""
        if self._task is not None or self._writing_paused:
            self._unread += data
            if len(self._unread) > _MOST_WAITING_BYTES and self._transport is not None:
                self._transport.pause_reading()
        elif self._missing:
            self._take_body(data)
        elif self._unread:
            self._take(self._unread + data, len(self._unread))
        else:
            self._take(data)

    def _take(self, data: bytes, searched: int = 0) -> None:
        """Read a request that begins with `data`, of which `searched` bytes hold no whole head."""
        if self._head_bytes and data.startswith(self._head_bytes):
            start = len(self._head_bytes)
        else:
            start = data.find(END, max(0, searched - 3)) + len(END)
            if start < len(END) and may_become_plain(data, searched):
                self._keep_begun(data)
                return
            if start < len(END) or not self._read_head(data[:start]):
                self._hand_over(data)
                return
        if len(self._listener.tasks) >= self._config.max_connections:
            self._hand_over(data)  # which refuses, as there is too much going on
            return
        end = start + self._length
        if len(data) == end:
            self._unread = b""
            self._begin(data[start:])
        elif len(data) > end:
            self._unread = data[end:]
            self._begin(data[start:end])
        else:
            self._keep_begun(b"")
            self._body = bytearray(data[start:])
            self._missing = end - len(data)

    def _keep_begun(self, data: bytes) -> None:
        """Keep the beginning of a head; the time for the whole request runs from its first byte."""
        if not self._unread:
            self._since = self._loop.time()
        self._unread = data

    def _take_body(self, data: bytes) -> None:
        if len(data) < self._missing:
            self._body += data
            self._missing -= len(data)
            return
        self._body += data[: self._missing]
        self._unread = data[self._missing :]
        body, self._body = bytes(self._body), bytearray()
        self._missing = 0
        self._begin(body)

    def _read_head(self, raw: bytes) -> bool:
        """Read a head; False for one that is not for the lane."""
        plain = read_head(raw)
        if plain is None or plain.length > self._service.max_body_bytes:
            return False
        head = self._service.judge(plain.path, plain.headers, self._peer)
        if head is None or head.refusal is not None:
            return False
        self._head, self._length = head, plain.length
        self._head_bytes = raw if len(raw) <= _LONGEST_REMEMBERED_HEAD else b""
        return True

    def _hand_over(self, data: bytes) -> None:
        """Let the complete implementation have the connection, from these bytes on."""
        transport = self._transport
        if transport is None:
            return
        self._timer.cancel()
        self._listener.connections.discard(self)
        self._transport = None
        self._unread = b""
        transport.resume_reading()
        successor = self._fallback()
        transport.set_protocol(successor)
        successor.connection_made(transport)
        if data:
            successor.data_received(data)

    # Answers.

    def _begin(self, body: bytes) -> None:
        # Not a TaskGroup: a connection has no task of its own that could hold one.
        self._task = self._loop.create_task(self._serve(body), context=self._context.copy())

    async def _serve(self, body: bytes) -> None:
        head = self._head
        assert head is not None  # noqa: S101 - `_begin` follows a head
        try:
            reply = await self._service.answer(head, body, self._watch, self)
            answer = None if reply is None else self._encode(reply)
        except asyncio.CancelledError:
            self._closing = True
            answer = self._encode(_SHUTTING_DOWN)
        except Exception:  # noqa: BLE001 - the edge: a bug must not leave the client waiting
            _log.exception("express.crashed")
            self._closing = True
            answer = self._encode(_CRASHED)
        self._finish(answer)

    def _finish(self, answer: bytes | None) -> None:
        self._task = None
        transport = self._transport
        if transport is None:
            return
        if self.begun and not self._ended:
            transport.abort()  # given up half-way: the client must not take it for the whole
            return
        if answer is not None and not self.begun:
            transport.write(answer)
        self._served = True
        if self._closing or answer is None:
            transport.close()
            return
        self._since = self._loop.time()
        if self._unread:
            self._read_on()

    # An answer in pieces.

    @property
    def unsent(self) -> int:
        """As `Outlet.unsent`."""
        transport = self._transport
        return 0 if transport is None else transport.get_write_buffer_size()

    def begin(self, status: int, headers: HeaderList) -> None:
        """As `Outlet.begin`."""
        self.begun = self._closing = True
        if self._transport is not None:
            parts = self._encode_head(status, headers)
            parts.append(b"transfer-encoding: chunked\r\nconnection: close\r\n\r\n")
            self._transport.write(b"".join(parts))

    def write(self, data: bytes) -> None:
        """As `Outlet.write`."""
        if self._transport is not None and data and not self._ended:
            self._transport.write(b"%x\r\n%b\r\n" % (len(data), data))

    async def drained(self) -> None:
        """As `Outlet.drained`."""
        while self._writing_paused and self._transport is not None:
            self._writable = self._writable or asyncio.Event()
            self._writable.clear()
            await self._writable.wait()

    def end(self) -> None:
        """As `Outlet.end`."""
        if self._transport is not None and not self._ended:
            self._ended = True
            self._transport.write(b"0\r\n\r\n")

    def abort(self) -> None:
        """As `Outlet.abort`."""
        if self._transport is not None:
            self._transport.abort()

    def _wake_writer(self) -> None:
        if self._writable is not None:
            self._writable.set()

    # Encoding.

    def _encode_head(self, status: int, headers: HeaderList) -> list[bytes]:
        parts = [_STATUS_LINES[status]]
        for name, value in self._listener.default_headers:
            parts += (name, b": ", value, b"\r\n")
        for name, value in headers:
            parts += (name, b": ", value, b"\r\n")
        return parts

    def _encode(self, reply: Reply) -> bytes:
        parts = self._encode_head(reply.status, reply.headers)
        if self._closing:
            parts.append(b"connection: close\r\n")
        parts += (b"content-length: %d\r\n\r\n" % len(reply.body), reply.body)
        return b"".join(parts)

    def _read_on(self) -> None:
        """Read what came while an answer was under way, and more where that leaves room."""
        if self._writing_paused or self._closing:
            return
        unread, self._unread = self._unread, b""
        if unread:
            (self._take_body if self._missing else self._take)(unread)
        if self._transport is not None and len(self._unread) <= _MOST_WAITING_BYTES:
            self._transport.resume_reading()


_JSON: Final = (b"content-type", b"application/json")
_SHUTTING_DOWN: Final = Reply(
    503,
    b'{"jsonrpc":"2.0","error":{"code":-32603,"message":'
    b'"The gateway is shutting down. The call was given up; it may have been executed."}}',
    [_JSON, (b"retry-after", b"5")],
)
_CRASHED: Final = Reply(
    500,
    b'{"jsonrpc":"2.0","error":{"code":-32603,"message":"The gateway failed."}}',
    [_JSON],
)
