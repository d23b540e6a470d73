"""The express lane: an HTTP/1.1 connection that carries plain POSTs to MCP, and little else.

Nearly every call comes as one POST with a Content-Length on a connection that stays open, under
a head that is the same as the one before it. Such requests are read and answered here, without
the detour over ASGI. Whatever is not of that kind (other paths and methods, chunked bodies,
upgrades, HTTP/1.0, anything odd) hands the connection over, with the bytes as they came, to a
complete HTTP implementation, which keeps it.

Sources: RFC 9112 sections 2 to 6 (message syntax, framing), 9.3 (persistence).
"""

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final, Protocol, Self, cast

import structlog

from bascule.transports.reply import Head, HeaderList, Reply

_log = structlog.get_logger(__name__)

MOST_HEAD_BYTES: Final = 64 * 1024
_MOST_WAITING_BYTES: Final = 64 * 1024

# Stricter than RFC 9112 allows, so that nobody behind or in front can read it differently.
_HEAD: Final = re.compile(
    rb"POST (/mcp[A-Za-z0-9._~/-]*) HTTP/1\.1\r\n"
    rb"((?:[!#$%&'*+.^_`|~0-9A-Za-z-]+:[\t -~\x80-\xff]*\r\n)+)\r\n"
)
_UNUSUAL: Final = frozenset({b"transfer-encoding", b"upgrade", b"expect", b"te", b"trailer"})
_LENGTH: Final = re.compile(rb"[0-9]{1,9}")
_STATUS_LINES: Final = {
    status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode() for status in HTTPStatus
}


class Service(Protocol):
    """What answers the requests of the lane. Larger bodies are not for the lane."""

    max_body_bytes: int

    def judge(self, path: str, headers: HeaderList) -> Head | None:
        """Judge a POST by its head, whatever its body; None for one to be handed over."""
        ...

    def answer(self, head: Head, body: bytes, peer: str, watch: "Watch") -> Awaitable[Reply | None]:
        """Answer the request; None where nobody is left to answer. Does not raise."""
        ...


class Listener(Protocol):
    """The server around the connections: what it counts, waits for, and puts on each answer."""

    connections: set[Any]
    tasks: set["asyncio.Task[None]"]
    default_headers: HeaderList


@dataclass(frozen=True, slots=True)
class LaneConfig:
    """Bounds of a connection. `patience_seconds` is for a request that has begun, or the first."""

    patience_seconds: float = 30.0
    keep_alive_seconds: float = 75.0
    max_connections: int = 10_000


class Watch:
    """Cancels the entering task once the client has gone; afterwards `gone` says that it has.

    Closing the connection is how a modern client cancels (specification 2026-07-28,
    basic/patterns/cancellation).
    """

    __slots__ = ("_task", "gone")

    def __init__(self) -> None:
        self.gone = False
        self._task: asyncio.Task[Any] | None = None

    def __enter__(self) -> Self:
        self._task = task = asyncio.current_task()
        if self.gone and task is not None:
            task.cancel()
        return self

    def __exit__(self, kind: object, value: object, traceback: object) -> bool:
        task, self._task = self._task, None
        if self.gone and isinstance(value, asyncio.CancelledError) and task is not None:
            return task.uncancel() == 0
        return False

    def leave(self) -> None:
        """The client has gone."""
        self.gone = True
        if self._task is not None:
            self._task.cancel()


class ExpressLane(asyncio.Protocol):
    """One connection; its requests are answered one after the other, in order."""

    __slots__ = (
        "_body", "_closing", "_config", "_fallback", "_head", "_head_bytes", "_length", "_listener",
        "_loop", "_missing", "_peer", "_served", "_service", "_since", "_task", "_timer",
        "_transport", "_unread", "_watch", "_writing_paused",
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
        self._transport: asyncio.Transport | None = None
        self._peer = ""
        self._watch = Watch()
        self._task: asyncio.Task[None] | None = None
        self._closing = False
        self._writing_paused = False
        self._served = False
        self._unread = b""
        """Bytes that came and belong to no request under way."""
        self._head: Head | None = None
        self._head_bytes = b""
        """The head read last, and what was made of it: the next one is most likely the same."""
        self._length = 0
        self._body: list[bytes] = []
        self._missing = 0
        """Bytes of a body still to come, and what has come of it."""

    # The connection.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin; a first request must come in time."""
        self._transport = cast("asyncio.Transport", transport)
        self._since = self._loop.time()
        self._timer = self._loop.call_later(self._config.patience_seconds / 2, self._look)
        peer = transport.get_extra_info("peername")
        self._peer = str(peer[0]) if peer else ""
        if len(self._listener.connections) >= self._config.max_connections:
            self._hand_over(b"")
        else:
            self._listener.connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """End; a call under way is cancelled if its era says so, or runs on."""
        self._timer.cancel()
        self._listener.connections.discard(self)
        self._transport = None
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
        if self._task is None:
            self._go_on()

    def _account_for_task(self) -> None:
        """Let the server wait for a call that its connection may not outlive."""
        task, tasks = self._task, self._listener.tasks
        if task is not None and task not in tasks:
            tasks.add(task)
            task.add_done_callback(tasks.discard)

    def _look(self) -> None:
        if self._transport is None:
            return
        config = self._config
        begun = bool(self._missing or self._unread) or not self._served
        patience = config.patience_seconds if begun else config.keep_alive_seconds
        if self._task is None and self._loop.time() - self._since >= patience:
            self._transport.abort()
            return
        self._timer = self._loop.call_later(config.patience_seconds / 2, self._look)

    # Requests.

    def data_received(self, data: bytes) -> None:
        """Take in bytes."""
        if self._task is not None or self._writing_paused:
            self._unread += data
            if len(self._unread) > _MOST_WAITING_BYTES and self._transport is not None:
                self._transport.pause_reading()
            return
        if self._missing:
            self._take_body(data)
        else:
            self._take(self._unread + data if self._unread else data)

    def _take(self, data: bytes) -> None:
        """Read a request that begins with `data`."""
        if not (self._head_bytes and data.startswith(self._head_bytes)):
            end = data.find(b"\r\n\r\n") + 4
            if end < 4 and len(data) <= MOST_HEAD_BYTES:
                self._wait(data)
                return
            if end < 4 or not self._read_head(data[:end]):
                self._hand_over(data)
                return
        self._unread = b""
        start = len(self._head_bytes)
        end = start + self._length
        if len(data) == end:
            self._begin(data[start:])
        elif len(data) > end:
            self._unread = data[end:]
            self._begin(data[start:end])
        else:
            self._body = [data[start:]]
            self._missing = end - len(data)
            self._since = self._loop.time()

    def _wait(self, data: bytes) -> None:
        if not self._unread:
            self._since = self._loop.time()
        self._unread = data

    def _take_body(self, data: bytes) -> None:
        if len(data) < self._missing:
            self._body.append(data)
            self._missing -= len(data)
            return
        self._body.append(data[: self._missing])
        self._unread = data[self._missing :]
        body, self._body = b"".join(self._body), []
        self._missing = 0
        self._begin(body)

    def _read_head(self, raw: bytes) -> bool:
        """Read and keep a head; False for one that is not for the lane."""
        found = _HEAD.fullmatch(raw)
        if found is None or len(raw) > MOST_HEAD_BYTES:
            return False
        headers: HeaderList = []
        for line in found[2][:-2].split(b"\r\n"):
            name, _, value = line.partition(b":")
            headers.append((name.lower(), value.strip(b" \t")))
        length = _plain_length(headers)
        if length is None or length > self._service.max_body_bytes:
            return False
        head = self._service.judge(found[1].decode("ascii"), headers)
        if head is None:
            return False
        self._head, self._head_bytes, self._length = head, raw, length
        return True

    def _hand_over(self, data: bytes) -> None:
        """Let the complete implementation have the connection, from these bytes on."""
        transport = self._transport
        if transport is None:
            return
        self._timer.cancel()
        self._listener.connections.discard(self)
        self._transport = None
        successor = self._fallback()
        transport.set_protocol(successor)
        successor.connection_made(transport)
        if data:
            successor.data_received(data)

    # Answers.

    def _begin(self, body: bytes) -> None:
        # Not a TaskGroup: a connection has no task of its own; `_finish` ends on every path.
        self._task = self._loop.create_task(self._serve(body))

    async def _serve(self, body: bytes) -> None:
        head = self._head
        assert head is not None  # noqa: S101 - `_begin` follows a head
        try:
            reply = await self._service.answer(head, body, self._peer, self._watch)
        except asyncio.CancelledError:
            reply, self._closing = _SHUTTING_DOWN, True
        except Exception:  # noqa: BLE001 - the edge: a bug must not leave the client waiting
            _log.exception("express.crashed")
            reply, self._closing = _CRASHED, True
        self._finish(reply)

    def _finish(self, reply: Reply | None) -> None:
        self._task = None
        transport = self._transport
        if transport is None:
            return
        if reply is not None:
            transport.write(self._encode(reply))
        self._served = True
        if self._closing or reply is None:
            transport.close()
            return
        self._since = self._loop.time()
        if self._unread:
            self._go_on()

    def _encode(self, reply: Reply) -> bytes:
        parts = [_STATUS_LINES[reply.status]]
        for name, value in self._listener.default_headers:
            parts += (name, b": ", value, b"\r\n")
        for name, value in reply.headers:
            parts += (name, b": ", value, b"\r\n")
        if self._closing:
            parts.append(b"connection: close\r\n")
        parts += (b"content-length: %d\r\n\r\n" % len(reply.body), reply.body)
        return b"".join(parts)

    def _go_on(self) -> None:
        """Read what came while an answer was under way."""
        transport = self._transport
        if transport is None or self._writing_paused or self._closing:
            return
        transport.resume_reading()
        unread, self._unread = self._unread, b""
        if unread:
            self._take(unread)


def _plain_length(headers: HeaderList) -> int | None:
    """The one Content-Length of a request with nothing unusual about it."""
    lengths = [value for name, value in headers if name == b"content-length"]
    if len(lengths) != 1 or not _LENGTH.fullmatch(lengths[0]):
        return None
    for name, value in headers:
        if name in _UNUSUAL or (name == b"connection" and value.lower() != b"keep-alive"):
            return None
    return int(lengths[0])


_TEXT: Final = (b"content-type", b"application/json")
_SHUTTING_DOWN: Final = Reply(
    503,
    b'{"jsonrpc":"2.0","id":null,"error":{"code":-32603,"message":'
    b'"The gateway is shutting down. The call was given up; it may have been executed."}}',
    [_TEXT],
)
_CRASHED: Final = Reply(
    500,
    b'{"jsonrpc":"2.0","id":null,"error":{"code":-32603,"message":"The gateway failed."}}',
    [_TEXT],
)
