"""Sends requests over pooled connections, each within its deadline."""

import asyncio
import ssl
import time
from types import TracebackType
from typing import Final, Self

from bascule.upstreams.http1.connection import Connection
from bascule.upstreams.http1.failures import (
    Disconnected,
    cut_off,
    timed_out,
    unreachable,
)
from bascule.upstreams.http1.messages import (
    HttpRequest,
    HttpResponse,
    Origin,
    encode_request,
    find_header,
)
from bascule.upstreams.http1.pool import OriginPool
from bascule.upstreams.http1.redirects import MOST_REDIRECTS, redirected
from bascule.upstreams.http1.settings import PoolConfig, TlsSource, client_tls
from bascule.upstreams.http1.stream import ResponseStream

# RFC 9110 section 9.2.1: these read. PUT and DELETE may be repeated by 9.2.2, but whether a write
# is sent twice is not for a connection to decide.
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})


class HttpClient:
    """An HTTP/1.1 client for one event loop; `async with` or `close` ends it.

    A redirect is followed within its origin, of GET and HEAD; any other is the response.
    Compression is not asked for, and cookies are not kept.
    """

    def __init__(
        self, config: PoolConfig | None = None, *, tls: ssl.SSLContext | TlsSource | None = None
    ) -> None:
        """`tls` replaces the context made from `config.ca_file`."""
        self._config = config or PoolConfig()
        self._tls = tls or client_tls(self._config.ca_file)
        self._pools: dict[Origin, OriginPool] = {}
        self._is_closed = False

    @property
    def max_body_bytes(self) -> int:
        """How much of a body is read."""
        return self._config.max_body_bytes

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close every connection; requests under way fail as if the service had hung up."""
        self._is_closed = True
        for pool in self._pools.values():
            await pool.close()
        self._pools.clear()

    async def request(self, request: HttpRequest, deadline: float) -> HttpResponse:
        """Send `request` and read the whole response before `deadline` (`time.monotonic`).

        The deadline covers waiting for a connection, connecting, sending and reading. Where a
        kept connection turns out dead, a request that reads is sent once more; any other
        never is. Cancelling closes the connection.

        Raises:
            UpstreamUnreachable: nothing was sent.
            AddressRefused: the rules forbid the connection; nothing was sent.
            UpstreamTimeout: the deadline passed; the service may have acted.
            UpstreamFailed: no usable response; the service may have acted.
            ValueError: the request cannot be put on the wire (see `encode_request`).
        """
        pool = self._pool(request.origin)
        connection = await self._exchange(pool, request, deadline, self._config.max_body_bytes)
        reader = connection.reader
        response = HttpResponse(reader.status, reader.headers, reader.take())
        pool.release(connection)
        if 300 <= response.status < 400 and self._config.follows_redirects:
            return await self._follow(request, response, deadline)
        return response

    async def _follow(
        self, request: HttpRequest, response: HttpResponse, deadline: float
    ) -> HttpResponse:
        """Where the redirect leads; itself where it is not followed, or one too many."""
        pool = self._pool(request.origin)
        for _ in range(MOST_REDIRECTS):
            further = redirected(request, response.status, response.header("location"))
            if further is None:
                break
            request = further
            connection = await self._exchange(pool, request, deadline, self._config.max_body_bytes)
            reader = connection.reader
            response = HttpResponse(reader.status, reader.headers, reader.take())
            pool.release(connection)
        return response

    async def connect(
        self, origin: Origin, deadline: float, connect_timeout_seconds: float | None = None
    ) -> None:
        """See that a connection to `origin` can be made, and make none where one is open.

        Raises as `request`. Nothing is sent but what TLS takes.
        """
        pool = self._pool(origin)
        connection = await pool.acquire(deadline, connect_timeout_seconds)
        pool.release(connection)

    def stream(self, request: HttpRequest, deadline: float) -> ResponseStream:
        """Like `request`, but the body is read as it comes: `async with … as response`.

        The body may be endless, and so may the deadline (`math.inf`); what is held of the body
        is bounded, the sender is slowed down. It may be opened in one task and read in another.
        Leaving the block early closes the connection, or, where the end follows within
        moments, keeps it.
        """
        return ResponseStream(self.open_stream, request, deadline, self._config.max_body_bytes)

    async def open_stream(self, request: HttpRequest, deadline: float) -> Connection:
        """A connection on which the head of the response has come; for `ResponseStream`."""
        pool = self._pool(request.origin)
        connection = await self._exchange(pool, request, deadline, None)
        for _ in range(MOST_REDIRECTS):
            reader = connection.reader
            if not 300 <= reader.status < 400 or not self._config.follows_redirects:
                break
            further = redirected(request, reader.status, find_header(reader.headers, "location"))
            if further is None:
                break
            connection.linger()
            request = further
            connection = await self._exchange(pool, request, deadline, None)
        return connection

    def _pool(self, origin: Origin) -> OriginPool:
        pool = self._pools.get(origin)
        if pool is None:
            if self._is_closed:
                raise unreachable(origin, "the client is closed")
            tls = self._tls if origin.scheme == "https" else None
            pool = OriginPool(origin, self._config, tls, asyncio.get_running_loop())
            self._pools[origin] = pool
        return pool

    async def _exchange(
        self, pool: OriginPool, request: HttpRequest, deadline: float, body_limit: int | None
    ) -> Connection:
        payload = encode_request(request)
        if deadline <= time.monotonic():
            raise timed_out(request.origin, "it was on its way here", sent=False)
        cap = request.connect_timeout_seconds
        bodyless = request.method == "HEAD"
        connection = pool.take_idle() or await pool.acquire(deadline, cap)
        try:
            try:
                await connection.start(payload, deadline, bodyless=bodyless, body_limit=body_limit)
            except Disconnected as cut:
                if not _may_repeat(request, connection, cut):
                    raise
                connection = await pool.acquire_fresh(deadline, cap)
                await connection.start(payload, deadline, bodyless=bodyless, body_limit=body_limit)
        except Disconnected as cut:
            raise cut_off(request.origin, cut) from cut
        except BaseException:
            connection.abort()
            raise
        return connection


def _may_repeat(request: HttpRequest, connection: Connection, cut: Disconnected) -> bool:
    if not cut.sent:
        return True
    return connection.served and not cut.answered and request.method in _SAFE
