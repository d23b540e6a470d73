"""Accepting TLS connections, beside uvicorn: its server knows one context for all its life.

Here each handshake gets the context of the moment, so that renewed certificates count at once,
has a time of its own, and holds nobody else up. Who speaks plain HTTP is told so.
"""

import asyncio
import socket
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, cast

import structlog

from bascule.settings.model import Server
from bascule.transports.tls import Tls, TlsConfig, check_files, make_context

_HANDSHAKE_SECONDS: Final = 10.0
_GOODBYE_SECONDS: Final = 5.0
_LOOK_SECONDS: Final = 2.0
_MOST_WAITING: Final = 1024
_PAUSE_SECONDS: Final = 0.5
_HANDSHAKE_RECORD: Final = b"\x16"  # RFC 8446, section 5.1

_TEXT: Final = b"This port speaks HTTPS only: begin the address with https://.\n"
_PLAIN: Final = (
    b"HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain; charset=utf-8\r\n"
    b"connection: close\r\ncontent-length: %d\r\n\r\n%b" % (len(_TEXT), _TEXT)
)

_log = structlog.get_logger(__name__)


def tls_config(server: Server) -> TlsConfig | None:
    """The TLS that the settings ask for; None for plain HTTP."""
    if not server.tls_certificate:
        return None
    return TlsConfig(
        Path(server.tls_certificate),
        Path(server.tls_key) if server.tls_key else None,
        Path(server.client_ca) if server.client_ca else None,
        requires_client=server.client_certificates == "required",
    )


@dataclass(frozen=True, slots=True)
class Standing:
    """What there is to say of the certificate; `days_left` is negative once it has expired."""

    detail: str
    days_left: int | None = None


def certificate_standing(server: Server) -> Standing:
    """How the certificate of the listener is, and whether its files belong together.

    Raises:
        TlsUnusable: says what is wrong with which file.
    """
    config = tls_config(server)
    if config is None:
        return Standing("plain HTTP")
    make_context(config)
    certificate = check_files(config)
    left = (certificate.not_valid_after_utc - datetime.now(UTC)).days
    name = certificate.subject.rfc4514_string() or str(config.certificate)
    if left < 0:
        return Standing(f"{name} has expired {-left} days ago", left)
    return Standing(f"{name}, good for {left} days", left)


class TlsServer:
    """Hands each connection of `listener` to a protocol, once its handshake is done.

    Stands among the servers of uvicorn, which closes it. Of too many that have begun no handshake,
    the oldest are given up: an honest one is done in milliseconds.
    """

    def __init__(
        self, listener: socket.socket, tls: Tls, protocol: Callable[[], asyncio.Protocol]
    ) -> None:
        self._listener = listener
        self._tls = tls
        self._protocol = protocol
        self._waiting: dict[asyncio.Task[None], None] = {}
        self._own: list[asyncio.Task[None]] = []

    def start(self, backlog: int) -> None:
        """Listen, and follow the files of the certificates, until closed."""
        self._listener.settimeout(0)
        self._listener.listen(backlog)
        loop = asyncio.get_running_loop()
        # Not a TaskGroup: uvicorn starts and closes its servers without a block between.
        self._own = [loop.create_task(self._accept()), loop.create_task(self._follow())]

    def close(self) -> None:
        """Accept nobody any more; who has not come in by now is cut off."""
        self._listener.close()
        for task in (*self._own, *self._waiting):
            task.cancel()

    async def wait_closed(self) -> None:
        """Wait until nothing of it runs any more."""
        await asyncio.gather(*self._own, *self._waiting, return_exceptions=True)

    async def _accept(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                connection, _ = await loop.sock_accept(self._listener)
            except OSError as error:  # of the one who was coming, or no file descriptor is left
                _log.warning("tls.not_accepted", reason=error.strerror)
                await asyncio.sleep(_PAUSE_SECONDS)
                continue
            if len(self._waiting) >= _MOST_WAITING:
                next(iter(self._waiting)).cancel()
            task = loop.create_task(self._welcome(connection))
            self._waiting[task] = None
            task.add_done_callback(self._forget)

    def _forget(self, task: asyncio.Task[None]) -> None:
        self._waiting.pop(task, None)
        if not task.cancelled() and task.exception() is not None:
            _log.error("tls.crashed", exc_info=task.exception())

    async def _welcome(self, connection: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        try:
            connection.settimeout(0)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            async with asyncio.timeout(_HANDSHAKE_SECONDS):
                first = await _first_byte(connection)
                if first == _HANDSHAKE_RECORD:
                    await loop.connect_accepted_socket(
                        self._protocol,
                        connection,
                        ssl=self._tls.context,
                        ssl_handshake_timeout=_HANDSHAKE_SECONDS,
                        ssl_shutdown_timeout=_GOODBYE_SECONDS,
                    )
                elif first:
                    await _send_away(connection)
        except (OSError, TimeoutError):  # left, too slow, or refused, which was logged
            connection.close()
        except asyncio.CancelledError:
            connection.close()
            raise
        else:
            if not first:
                connection.close()

    async def _follow(self) -> None:
        while True:
            await asyncio.sleep(_LOOK_SECONDS)  # whatever writes the files tells nobody
            await asyncio.to_thread(self._tls.look)


async def _first_byte(connection: socket.socket) -> bytes:
    """What the client begins with, left where it is; empty where it has left."""
    try:
        return connection.recv(1, socket.MSG_PEEK)
    except BlockingIOError:
        pass
    loop = asyncio.get_running_loop()
    readable: asyncio.Future[None] = loop.create_future()
    loop.add_reader(connection, lambda: readable.done() or readable.set_result(None))
    try:
        await readable
    finally:
        loop.remove_reader(connection)
    return connection.recv(1, socket.MSG_PEEK)


async def _send_away(connection: socket.socket) -> None:
    """Say why, and read on until the client has left: a reset would take the answer from it."""
    loop = asyncio.get_running_loop()
    transport, protocol = await loop.connect_accepted_socket(_Plain, connection)
    try:
        await protocol.gone.wait()
    finally:
        transport.abort()


class _Plain(asyncio.Protocol):
    def __init__(self) -> None:
        self.gone = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # Not asked for its class: uvloop's has none of asyncio's among its own.
        writing = cast("asyncio.WriteTransport", transport)
        writing.write(_PLAIN)
        writing.write_eof()

    def connection_lost(self, exc: Exception | None) -> None:
        self.gone.set()
