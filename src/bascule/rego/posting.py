"""Posts JSON to one server over connections that are kept: HTTP/1.1, bounded, no redirects."""

import asyncio
import ssl
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

import httptools

MOST_BODY_BYTES: Final = 1024 * 1024
_MOST_HEAD_BYTES: Final = 64 * 1024
_READ_BYTES: Final = 64 * 1024


class Unanswered(Exception):
    """There is no usable answer; the text says why. `was_stale`: a kept connection was closed."""

    def __init__(self, why: str, *, was_stale: bool = False) -> None:
        super().__init__(why)
        self.was_stale = was_stale


@dataclass(frozen=True, slots=True)
class Answer:
    """A status and a body."""

    status: int
    body: bytes


class _Reading:
    """What a parser tells of a response."""

    def __init__(self) -> None:
        self.status = 0
        self.body = bytearray()
        self.head_is_done = False
        self.is_whole = False
        self.has_more = False
        self.can_go_on = False
        """Whether the connection may serve another request."""
        self._parser = httptools.HttpResponseParser(self)

    def feed(self, data: bytes) -> None:
        """Raises httptools' errors where `data` goes on as no response does."""
        self._parser.feed_data(data)

    def on_message_begin(self) -> None:
        """Called by the parser. A second response answers nothing that was asked."""
        self.has_more = self.is_whole

    def on_headers_complete(self) -> None:
        """Called by the parser."""
        self.status = self._parser.get_status_code()
        self.head_is_done = True

    def on_body(self, body: bytes) -> None:
        """Called by the parser."""
        self.body += body

    def on_message_complete(self) -> None:
        """Called by the parser. What informs only (1xx) is no response yet."""
        self.is_whole = self.status >= 200
        self.can_go_on = not self.has_more and self._parser.should_keep_alive()


class _Connection:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._has_served = False

    @property
    def is_open(self) -> bool:
        return not (self._writer.is_closing() or self._reader.at_eof())

    async def exchange(self, request: bytes) -> tuple[Answer, bool]:
        """The answer to `request`, and whether another may follow."""
        reading = _Reading()
        received = 0
        try:
            self._writer.write(request)
            await self._writer.drain()
            while not reading.is_whole:
                data = await self._reader.read(_READ_BYTES)
                if not data:
                    was_stale = self._has_served and not received
                    raise Unanswered("it closed the connection", was_stale=was_stale)
                received += len(data)
                reading.feed(data)
                _check(reading, received)
        except httptools.HttpParserError as error:
            raise Unanswered(f"what it answered is not HTTP: {error}") from None
        except OSError as error:
            was_stale = self._has_served and not received
            raise Unanswered(f"the connection broke: {error}", was_stale=was_stale) from None
        self._has_served = True
        return Answer(reading.status, bytes(reading.body)), reading.can_go_on

    def abort(self) -> None:
        self._writer.transport.abort()

    async def close(self) -> None:
        self._writer.close()
        with suppress(OSError):
            await self._writer.wait_closed()


class Poster:
    """Posts to one URL. It keeps up to `most_idle` connections that nobody uses."""

    def __init__(
        self, url: str, headers: Mapping[str, str], *, most_idle: int, tls: ssl.SSLContext | None
    ) -> None:
        """`headers` go with every request. `tls` replaces the system's trust, for https.

        Raises:
            ValueError: `url` is no http or https URL, or a header cannot be sent.
        """
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError(f"{url!r} is no http or https URL")
        is_https = parts.scheme == "https"
        self._host = parts.hostname
        self._port = parts.port or (443 if is_https else 80)
        self._tls = (tls or ssl.create_default_context()) if is_https else None
        host = parts.netloc.rpartition("@")[2]
        self._head = _head(parts.path or "/", {"Host": host, **headers})
        self._most_idle = most_idle
        self._idle: list[_Connection] = []

    async def close(self) -> None:
        """Close what is kept."""
        idle, self._idle = self._idle, []
        for connection in idle:
            await connection.close()

    async def post(self, body: bytes) -> Answer:
        """What is answered to `body`; whoever calls bounds the time.

        A kept connection that turns out closed is replaced once: what is posted only asks.

        Raises:
            Unanswered: there is no answer, or none that can be used.
        """
        request = b"%sContent-Length: %d\r\n\r\n%s" % (self._head, len(body), body)
        try:
            return await self._send(request, self._kept() or await self._connect())
        except Unanswered as error:
            if not error.was_stale:
                raise
            return await self._send(request, await self._connect())

    async def _send(self, request: bytes, connection: _Connection) -> Answer:
        try:
            answer, can_go_on = await connection.exchange(request)
        except BaseException:
            connection.abort()
            raise
        if can_go_on and len(self._idle) < self._most_idle:
            self._idle.append(connection)
        else:
            connection.abort()
        return answer

    def _kept(self) -> _Connection | None:
        while self._idle:
            connection = self._idle.pop()
            if connection.is_open:
                return connection
            connection.abort()
        return None

    async def _connect(self) -> _Connection:
        try:
            return _Connection(
                *await asyncio.open_connection(self._host, self._port, ssl=self._tls)
            )
        except OSError as error:
            raise Unanswered(f"it cannot be reached: {error}") from None


def _check(reading: _Reading, received: int) -> None:
    if reading.has_more:
        raise Unanswered("it answered more than was asked")
    if not reading.head_is_done and received > _MOST_HEAD_BYTES:
        raise Unanswered(f"the head of its answer is larger than {_MOST_HEAD_BYTES} bytes")
    if len(reading.body) > MOST_BODY_BYTES:
        raise Unanswered(f"its answer is larger than {MOST_BODY_BYTES} bytes")


def _head(target: str, headers: Mapping[str, str]) -> bytes:
    lines = [f"POST {target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    if not all(line.isascii() and line.isprintable() for line in lines):
        raise ValueError("the address or the token holds characters that cannot be sent")
    return "".join(f"{line}\r\n" for line in lines).encode()
