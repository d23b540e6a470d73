"""A reverse proxy that only copies: `python -m bench.bare HOST PORT`. The yardstick.

Each request is framed with httptools and sent, byte for byte, on a pooled keep-alive connection
to the upstream; the answer goes back the same way as it arrives. Nothing else is done: no
routing, no headers added, no bodies read, no limits. Not a proxy to be used for anything else:
HEAD, CONNECT, upgrades and pipelining are answered by closing the connection.
"""

import asyncio
import sys
from collections import deque
from typing import Final, cast

from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser, HttpResponseParser

from bench.serving import ProtocolFactory, serve_forever

_BAD_GATEWAY: Final = b"HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n"
_UNSUPPORTED: Final = frozenset({b"HEAD", b"CONNECT"})


class Upstream(asyncio.Protocol):
    """One connection to the upstream; serves one client at a time, idle in the pool between."""

    def __init__(self, pool: "Pool") -> None:
        self._pool = pool
        self._parser = HttpResponseParser(self)
        self._transport: asyncio.WriteTransport | None = None
        self._client: Client | None = None
        self._done = False
        self._reusable = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way out."""
        self._transport = cast("asyncio.WriteTransport", transport)

    def forward(self, client: "Client", request: bytes) -> None:
        """Send `request`; its answer goes to `client`."""
        self._client = client
        self._done = False
        if self._transport is not None:
            self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        """Pass on, and watch for the end of the answer."""
        client = self._client
        if client is None:
            self.discard()
            return
        client.write(data)
        try:
            self._parser.feed_data(data)
        except HttpParserError:
            self.discard()
            return
        if self._done:
            self._release(client)

    def on_message_complete(self) -> None:
        """Parser: the answer is whole."""
        self._done = True
        # Only here: once the parser has reset itself for the next answer, it says no.
        self._reusable = self._parser.should_keep_alive()

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the client that waits, if any."""
        self._pool.forget(self)
        client, self._client = self._client, None
        if client is not None:
            client.upstream_lost()

    def discard(self) -> None:
        """Close: what it is in the middle of is of no use to anyone else."""
        if self._transport is not None:
            self._transport.abort()

    def _release(self, client: "Client") -> None:
        self._client = None
        if self._reusable:
            self._pool.idle.append(self)
        else:
            self.discard()
        client.answered()


class Pool:
    """Idle connections to one upstream, the one used last first."""

    def __init__(self, host: str, port: int, group: asyncio.TaskGroup) -> None:
        self.idle: deque[Upstream] = deque()
        self._host = host
        self._port = port
        self._group = group

    def forward(self, client: "Client", request: bytes) -> None:
        """Send `request` on an idle connection, or on a new one."""
        if self.idle:
            upstream = self.idle.pop()
            client.upstream = upstream
            upstream.forward(client, request)
            return
        self._group.create_task(self._open(client, request))

    def forget(self, upstream: Upstream) -> None:
        """Drop a closed connection."""
        if upstream in self.idle:
            self.idle.remove(upstream)

    async def _open(self, client: "Client", request: bytes) -> None:
        loop = asyncio.get_running_loop()
        try:
            _, upstream = await loop.create_connection(
                lambda: Upstream(self), self._host, self._port
            )
        except OSError:
            client.upstream_lost()
            return
        if client.gone:
            self.idle.append(upstream)
            return
        client.upstream = upstream
        upstream.forward(client, request)


class Client(asyncio.Protocol):
    """One connection from a client; one request at a time."""

    def __init__(self, pool: Pool) -> None:
        self.upstream: Upstream | None = None
        self.gone = False
        self._pool = pool
        self._parser = HttpRequestParser(self)
        self._transport: asyncio.WriteTransport | None = None
        self._request = b""
        self._whole = False
        self._waiting = False
        self._answering = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way back."""
        self._transport = cast("asyncio.WriteTransport", transport)

    def data_received(self, data: bytes) -> None:
        """Collect a request and forward it once it is whole."""
        if self._waiting:
            self._close()
            return
        self._request = self._request + data if self._request else data
        try:
            self._parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade):
            self._close()
            return
        if self._whole:
            request, self._request, self._whole = self._request, b"", False
            self._waiting = True
            self._pool.forward(self, request)

    def on_message_begin(self) -> None:
        """Parser: a request begins; a second one in the same bytes would be pipelining."""
        if self._whole:
            raise _Unsupported

    def on_headers_complete(self) -> None:
        """Parser: the head is whole."""
        if self._parser.get_method() in _UNSUPPORTED:
            raise _Unsupported

    def on_message_complete(self) -> None:
        """Parser: the request is whole."""
        self._whole = True

    def connection_lost(self, exc: Exception | None) -> None:
        """Nobody waits for the answer any more."""
        self.gone = True
        if self.upstream is not None:
            self.upstream.discard()

    def write(self, answer: bytes) -> None:
        """Pass on a part of the answer."""
        self._answering = True
        if self._transport is not None:
            self._transport.write(answer)

    def answered(self) -> None:
        """The answer is whole; the next request may come."""
        self.upstream = None
        self._waiting = self._answering = False

    def upstream_lost(self) -> None:
        """502 where nothing was sent yet; else the broken answer ends here."""
        self.upstream = None
        if self._answering or self._transport is None:
            self._close()
            return
        self._transport.write(_BAD_GATEWAY)
        self._waiting = False

    def _close(self) -> None:
        if self._transport is not None:
            self._transport.close()


class _Unsupported(Exception):
    """Something this proxy does not do; the parser turns it into an HttpParserError."""


def main(arguments: list[str]) -> None:
    """Serve in front of the upstream named by `arguments`: host, port."""
    if len(arguments) != 2 or not arguments[1].isdecimal():
        sys.exit("usage: python -m bench.bare HOST PORT")

    def make(group: asyncio.TaskGroup) -> ProtocolFactory:
        pool = Pool(arguments[0], int(arguments[1]), group)
        return lambda: Client(pool)

    serve_forever(make)


if __name__ == "__main__":
    main(sys.argv[1:])
