"""The connections to one origin: last used first, a bounded number, waiters in order."""

import asyncio
import math
import ssl
import time
from collections import deque
from collections.abc import Sequence

from bascule.upstreams.http1.connection import Connection
from bascule.upstreams.http1.failures import timed_out, unreachable
from bascule.upstreams.http1.messages import Origin
from bascule.upstreams.http1.settings import PoolConfig, TlsSource


class OriginPool:
    """Connections to `origin`; each is idle, lent to one exchange, or being opened."""

    def __init__(
        self,
        origin: Origin,
        config: PoolConfig,
        tls: ssl.SSLContext | TlsSource | None,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        """`tls` is None for plain http."""
        self.origin = origin
        self._config = config
        self._tls = tls
        self._loop = loop
        self._connections: set[Connection] = set()
        self._idle: list[Connection] = []
        self._waiters: deque[asyncio.Future[Connection]] = deque()
        self._sweep: asyncio.TimerHandle | None = None
        self._emptied: asyncio.Future[None] | None = None
        self._is_closed = False

    @property
    def size(self) -> int:
        """Connections that are open or being opened."""
        return len(self._connections)

    @property
    def idle_count(self) -> int:
        """Connections nobody uses at the moment."""
        return len(self._idle)

    def take_idle(self) -> Connection | None:
        """Lend the idle connection used last, if one is still good."""
        idle = self._idle
        if not idle:
            return None
        config = self._config
        now = time.monotonic()
        while idle:
            connection = idle.pop()
            if connection.is_usable(now, config.idle_seconds, config.max_lifetime_seconds):
                return connection
            connection.close()
        return None

    async def acquire(self, deadline: float, connect_timeout_seconds: float | None) -> Connection:
        """Lend a connection: idle, new, or the next one to be given back.

        Raises:
            UpstreamUnreachable: no connection could be made; nothing was sent.
            AddressRefused: the rules forbid it.
            UpstreamTimeout: the deadline passed first; nothing was sent either.
        """
        connection = self.take_idle()
        if connection is None:
            if len(self._connections) < self._config.max_connections:
                connection = self._reserve()
            else:
                connection = await self._wait_turn(deadline)
        if not connection.is_open:
            await self._open(connection, deadline, connect_timeout_seconds)
        return connection

    async def acquire_fresh(
        self, deadline: float, connect_timeout_seconds: float | None
    ) -> Connection:
        """Lend a connection that is new, or that served somebody this very moment.

        For a second try: where one idle connection was dead, the others likely are.
        Raises as `acquire` does.
        """
        if len(self._connections) >= self._config.max_connections and self._idle:
            self._idle.pop(0).abort()
        if len(self._connections) < self._config.max_connections:
            connection = self._reserve()
        else:
            connection = await self._wait_turn(deadline)
        if not connection.is_open:
            await self._open(connection, deadline, connect_timeout_seconds)
        return connection

    def release(self, connection: Connection) -> None:
        """Take back a connection; one that did not end cleanly is closed."""
        now = time.monotonic()
        young = now - connection.born < self._config.max_lifetime_seconds
        if not connection.reusable or not young or self._is_closed:
            connection.abort()
            return
        connection.rest(now)
        self._hand_on(connection)

    def _hand_on(self, connection: Connection) -> None:
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                waiter.set_result(connection)
                return
        self._idle.append(connection)
        if self._sweep is None:
            self._sweep = self._loop.call_later(self._config.idle_seconds, self._close_expired)

    def connection_closed(self, connection: Connection) -> None:
        """Forget a connection and let the next waiter open one in its place."""
        if connection not in self._connections:
            return
        self._connections.discard(connection)
        if connection in self._idle:
            self._idle.remove(connection)
        self._grant_places()
        if not self._connections and self._emptied is not None and not self._emptied.done():
            self._emptied.set_result(None)

    async def close(self) -> None:
        """Abort every connection and fail every waiter; returns when all are gone."""
        self._is_closed = True
        if self._sweep is not None:
            self._sweep.cancel()
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_exception(unreachable(self.origin, "the client is being closed"))
        self._waiters.clear()
        for connection in list(self._connections):
            connection.abort()
        if self._connections:
            self._emptied = self._loop.create_future()
            await self._emptied

    def _reserve(self) -> Connection:
        connection = Connection(self, self.origin, self._loop, self._config.max_header_bytes)
        self._connections.add(connection)
        return connection

    def _grant_places(self) -> None:
        while self._waiters and len(self._connections) < self._config.max_connections:
            waiter = self._waiters.popleft()
            if not waiter.done():
                waiter.set_result(self._reserve())

    async def _wait_turn(self, deadline: float) -> Connection:
        waiter: asyncio.Future[Connection] = self._loop.create_future()
        self._waiters.append(waiter)
        try:
            # uvloop cannot wait for a time that never comes.
            left = None if deadline == math.inf else deadline - time.monotonic()
            async with asyncio.timeout(left):
                return await waiter
        except TimeoutError:
            self._decline(waiter)
            raise timed_out(self.origin, "waiting for a free connection", sent=False) from None
        except asyncio.CancelledError:
            self._decline(waiter)
            raise

    def _decline(self, waiter: "asyncio.Future[Connection]") -> None:
        # The place may have been granted in the very moment the wait ended.
        if not waiter.done() or waiter.cancelled() or waiter.exception() is not None:
            return
        connection = waiter.result()
        if connection.is_open:
            self._hand_on(connection)
        else:
            self.connection_closed(connection)

    async def _open(
        self, connection: Connection, deadline: float, connect_timeout_seconds: float | None
    ) -> None:
        cap = connect_timeout_seconds or self._config.connect_timeout_seconds
        remaining = deadline - time.monotonic()
        origin = self.origin
        try:
            async with asyncio.timeout(min(cap, remaining)):
                await self._connect(connection, min(cap, remaining))
        except TimeoutError:
            self._give_up(connection)
            if remaining <= cap:
                raise timed_out(origin, "connecting", sent=False) from None
            raise unreachable(origin, f"not connected within {cap} seconds") from None
        except OSError as error:
            self._give_up(connection)
            raise unreachable(origin, f"{type(error).__name__}: {error}") from error
        except BaseException:
            self._give_up(connection)
            raise

    async def _connect(self, connection: Connection, seconds: float) -> None:
        """Connect to the first of the origin's addresses that answers.

        The system is not asked for the name again: it could give an address nobody judged.
        """
        until = time.monotonic() + seconds
        addresses = await self._config.rules.addresses(self.origin.host, self.origin.port)
        tls = await self._tls() if callable(self._tls) else self._tls
        name = self.origin.host.removesuffix(".") if tls else None
        failures: list[OSError] = []
        for left, address in zip(range(len(addresses), 0, -1), addresses, strict=True):
            # One address that swallows everything must not use up the time of the others.
            share = (until - time.monotonic()) / left if left > 1 else None
            try:
                async with asyncio.timeout(share):
                    await self._loop.create_connection(
                        lambda: connection,
                        address,
                        self.origin.port,
                        ssl=tls,
                        server_hostname=name,
                    )
            except ssl.SSLError:
                raise
            except OSError as error:
                failures.append(error)
            else:
                return
        raise _sum_of(failures)

    def _give_up(self, connection: Connection) -> None:
        connection.abort()
        self.connection_closed(connection)

    def _close_expired(self) -> None:
        self._sweep = None
        oldest_allowed = time.monotonic() - self._config.idle_seconds
        expired = [one for one in self._idle if one.idle_since <= oldest_allowed]
        self._idle = [one for one in self._idle if one.idle_since > oldest_allowed]
        for connection in expired:
            connection.close()
        if self._idle:
            due = min(one.idle_since for one in self._idle) - oldest_allowed
            self._sweep = self._loop.call_later(max(due, 0.001), self._close_expired)


def _sum_of(failures: Sequence[OSError]) -> OSError:
    if len(failures) == 1:
        return failures[0]
    reasons = (str(one) or "no answer in time" for one in failures)
    return ConnectionError("; ".join(dict.fromkeys(reasons)))
