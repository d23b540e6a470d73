"""Listening: sockets, the ready signal, draining on shutdown."""

import asyncio
import errno
import gc
import logging
import signal
import socket
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, cast

import uvicorn
from uvicorn.server import ServerState

from bascule.app.connections import BoundedProtocol, KnownWebSocket
from bascule.app.front import Front
from bascule.app.tls import TlsServer, tls_config
from bascule.gateway.errors import ErrorCode, GatewayError
from bascule.settings.model import Server
from bascule.transports.access import loopback_only
from bascule.transports.express import ExpressLane, LaneConfig
from bascule.transports.tls import Tls, TlsConfig, check_files

# Who listens everywhere is reached on loopback, whose name is always served.
_LOOPBACK_OF: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - compared, not bound
_MOST_UNSENT_BYTES: Final = 128 * 1024


class CannotListen(GatewayError):
    """The address cannot be had; the message says what to do."""

    error = ErrorCode.UNAVAILABLE


@dataclass(frozen=True, slots=True)
class ListenConfig:
    """Where to listen; `port` 0 takes any free one.

    `grace_seconds` bounds how long calls under way may take to finish on shutdown.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    allow_remote: bool = False
    grace_seconds: float = 30.0
    tls: TlsConfig | None = None


def listen_config(server: Server) -> ListenConfig:
    """Where the settings say to listen, and how."""
    return ListenConfig(
        server.host,
        server.port,
        server.allow_remote,
        server.shutdown_grace_seconds,
        tls_config(server),
    )


def bind(config: ListenConfig) -> socket.socket:
    """Bind the listening socket.

    Raises:
        CannotListen: not loopback without consent, port taken, not permitted, no such address.
        TlsUnusable: the files of `config.tls`; says what to do.
    """
    if config.tls is not None:
        check_files(config.tls)
    if not config.allow_remote and not loopback_only([config.host]):
        raise CannotListen(
            f"{config.host} can be reached from other machines. Set server.allow_remote: true "
            "(or --allow-remote) if that is meant, with TLS (server.tls_certificate) or behind "
            "a proxy that has it."
        )
    family = socket.AF_INET6 if ":" in config.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        _bound_unsent(listener)
        listener.bind((config.host, config.port))
    except OSError as error:
        listener.close()
        raise CannotListen(_reason(config, error)) from error
    return listener


def _bound_unsent(listener: socket.socket) -> None:
    """Keep what a client does not read in this process, where it is counted, bounded and cut off.

    The system alone would take in some megabytes for each such connection. Accepted connections
    inherit the option; not every system has it.
    """
    option = getattr(socket, "TCP_NOTSENT_LOWAT", None)
    if option is not None:
        listener.setsockopt(socket.IPPROTO_TCP, option, _MOST_UNSENT_BYTES)


def base_url(listener: socket.socket, config: ListenConfig) -> str:
    """The address under which `listener` is reached, without a path."""
    host, port = listener.getsockname()[:2]
    host = _LOOPBACK_OF.get(str(host), str(host))
    scheme = "http" if config.tls is None else "https"
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"


def own_certificate(config: ListenConfig) -> str | None:
    """Where commands of this machine find the certificate to expect."""
    return None if config.tls is None else str(config.tls.certificate.resolve())


def _reason(config: ListenConfig, error: OSError) -> str:
    where = f"{config.host}:{config.port}"
    if error.errno == errno.EADDRINUSE:
        return (
            f"{where} is in use. Stop what listens there, or choose another --port (0: any free)."
        )
    if error.errno == errno.EACCES:
        return f"{where} needs privileges. Choose a --port above 1023."
    return f"{where} cannot be listened on: {error.strerror or error}."


class _Server(uvicorn.Server):
    """uvicorn, saying when it is ready and when it begins to drain."""

    def __init__(
        self,
        config: uvicorn.Config,
        front: Front,
        on_ready: Callable[[], None],
        on_drain: Callable[[], None],
        secured: tuple[socket.socket, Tls] | None = None,
    ) -> None:
        """`secured` is the listener whose connections begin with a TLS handshake."""
        super().__init__(config)
        self._secured = secured
        self._front = front
        self._on_ready = on_ready
        self._on_drain = on_drain

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self._secured is not None:
            acceptor = TlsServer(*self._secured, self._protocol)
            acceptor.start(self.config.backlog)
            self.servers.append(cast("asyncio.Server", acceptor))
        # What was loaded to get here lives as long as the process: looking through it for
        # garbage again and again costs calls several microseconds each.
        gc.collect()
        gc.freeze()
        self._on_ready()

    def _protocol(self) -> asyncio.Protocol:
        return cast("Callable[..., asyncio.Protocol]", self.config.http_protocol_class)(
            config=self.config, server_state=self.server_state, app_state=self.lifespan.state
        )

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        """Let SIGTERM and SIGINT begin the drain, and a second SIGINT end it.

        uvicorn's own raises the signal anew after the drain, so that the process dies before
        its journal, database and child processes are closed.
        """
        loop = asyncio.get_running_loop()
        numbers = (signal.SIGINT, signal.SIGTERM)
        for number in numbers:
            loop.add_signal_handler(number, self.handle_exit, number, None)
        try:
            yield
        finally:
            for number in numbers:
                loop.remove_signal_handler(number)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._on_drain()
        self._front.drain()
        await super().shutdown(sockets)


def _connection(
    front: Front,
    lane: LaneConfig,
    config: uvicorn.Config,
    server_state: ServerState,
    app_state: dict[str, Any],
    _loop: asyncio.AbstractEventLoop | None = None,
) -> ExpressLane:
    """The protocol of a new connection, on behalf of uvicorn."""
    complete = partial(BoundedProtocol, config, server_state, app_state, _loop)
    return ExpressLane(front, server_state, lane, complete)


async def listen(
    front: Front,
    listener: socket.socket,
    config: ListenConfig,
    *,
    on_ready: Callable[[], None],
    on_drain: Callable[[], None],
    until: Awaitable[None] | None = None,
) -> None:
    """Serve `front` on `listener` until SIGTERM or SIGINT, or until `until` is done.

    Then no connection is accepted any more, calls under way finish within the grace, and
    connections that outlast it are closed.

    Raises:
        TlsUnusable: the files of `config.tls`; says what to do.
    """
    tls = None if config.tls is None else Tls(config.tls)
    lane = LaneConfig()
    server = _Server(
        uvicorn.Config(
            front,  # pyright: ignore[reportArgumentType] - the same contract under other names
            # Made per connection by whatever is called here; uvicorn's annotation knows classes.
            http=cast("type[asyncio.Protocol]", partial(_connection, front, lane)),
            # Only a door of the front takes them up; the front closes all others.
            ws=KnownWebSocket,
            ws_max_size=front.max_body_bytes,
            ws_per_message_deflate=False,
            lifespan="off",
            access_log=False,
            proxy_headers=False,
            log_config=None,
            log_level=logging.WARNING,
            server_header=False,
            timeout_keep_alive=round(lane.keep_alive_seconds),
            timeout_graceful_shutdown=round(config.grace_seconds),
            backlog=2048,
            limit_concurrency=lane.max_connections,
        ),
        front,
        on_ready,
        on_drain,
        None if tls is None else (listener, tls),
    )
    sockets = [listener] if tls is None else []
    if until is None:
        await server.serve(sockets)
        return
    async with asyncio.TaskGroup() as group:
        watcher = group.create_task(_stop_when(until, server))
        await server.serve(sockets)
        watcher.cancel()


async def _stop_when(until: Awaitable[None], server: uvicorn.Server) -> None:
    await until
    server.should_exit = True
