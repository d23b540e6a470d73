"""Reads responses from bytes, one after the other. No I/O.

Framing by RFC 9112 section 6.3, done by llhttp; added here are limits, interim responses,
answers without a body, bodies that end with the connection, and the detection of surplus bytes.
"""

from enum import IntEnum
from typing import Final

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

_MAX_INTERIM_RESPONSES: Final = 16
_COMPACT_AFTER_PIECES: Final = 256
_VERSIONS: Final = frozenset({"1.1", "1.0"})


class Garbled(Exception):
    """The bytes are not a response this client accepts; the message says why."""


class Stage(IntEnum):
    """How far the current response is."""

    IDLE = 0
    HEAD = 1
    BODY = 2
    DONE = 3


class ResponseReader:
    """Parses the responses of one connection.

    Body pieces gather until `take`: `pending_bytes` of them, `body_bytes` in all. `started` is
    True once a byte of the current response has come, `surplus` once bytes came that no request
    asked for: the connection must then not be used again, or those bytes would answer the next
    caller.
    """

    __slots__ = (
        "_body_limit",
        "_bodyless",
        "_bulk",
        "_fault",
        "_header_limit",
        "_interim_count",
        "_is_interim",
        "_parser",
        "_quiet_bytes",
        "body_bytes",
        "chunks",
        "headers",
        "keep_alive",
        "pending_bytes",
        "stage",
        "started",
        "status",
        "surplus",
    )

    def __init__(self, header_limit: int) -> None:
        """`header_limit` in bytes bounds the header section, and anything else without body."""
        self._header_limit = header_limit
        self._parser = HttpResponseParser(self)
        self.stage = Stage.IDLE
        self.surplus = False
        self._reset(bodyless=False, body_limit=None)

    def begin(self, *, bodyless: bool, body_limit: int | None) -> None:
        """Expect the next response; `bodyless` for the answer to HEAD, `body_limit` in bytes."""
        self._reset(bodyless=bodyless, body_limit=body_limit)
        self.stage = Stage.HEAD

    def _reset(self, *, bodyless: bool, body_limit: int | None) -> None:
        self._bodyless = bodyless
        self._body_limit = body_limit
        self._fault: str | None = None
        self._interim_count = 0
        self._is_interim = False
        self._quiet_bytes = 0
        self.body_bytes = 0
        self.pending_bytes = 0
        self.chunks: list[bytes] = []
        self._bulk = bytearray()
        self.headers: list[tuple[str, str]] = []
        self.keep_alive = False
        self.started = False
        self.status = 0

    @property
    def done(self) -> bool:
        """The response is whole."""
        return self.stage is Stage.DONE

    @property
    def reusable(self) -> bool:
        """The response is whole and the connection fit for another request."""
        return self.stage is Stage.DONE and self.keep_alive and not self.surplus

    def take(self) -> bytes:
        """Hand over the body that has come since the last time."""
        chunks = self.chunks
        if not chunks:
            return b""
        self.chunks = []
        self.pending_bytes = 0
        if len(chunks) == 1 and not self._bulk:
            return chunks[0]
        bulk, self._bulk = self._bulk, bytearray()
        return b"".join((bulk, *chunks))

    def feed(self, data: bytes) -> None:
        """Take in bytes from the connection.

        Raises:
            Garbled: not acceptable; the connection is of no further use.
        """
        if self.stage is Stage.IDLE or self.stage is Stage.DONE:
            self.surplus = True
            return
        self.started = True
        self._quiet_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except HttpParserUpgrade:
            raise Garbled("it switched protocols without being asked") from None
        except HttpParserError as error:
            if not self.done:
                raise Garbled(f"its answer is not HTTP/1.1 ({error})") from None
            self.surplus = True
        if self._fault is not None:
            raise Garbled(self._fault)
        if self._quiet_bytes > self._header_limit and not self.done:
            raise Garbled(f"its headers are larger than {self._header_limit} bytes")

    def end(self) -> bool:
        """Take note that the peer closed; True if that completes the response."""
        if self.stage is Stage.BODY and not self._has_framing():
            self.stage = Stage.DONE
            self.keep_alive = False
        return self.stage is Stage.DONE

    def _has_framing(self) -> bool:
        return any(name in {"content-length", "transfer-encoding"} for name, _ in self.headers)

    # Callbacks of the parser. They note faults rather than raise: an exception here would reach
    # `feed` wrapped beyond recognition.

    def on_message_begin(self) -> None:
        """A status line begins."""
        if self.stage is not Stage.HEAD:
            self.surplus = True

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header, or a trailer, which is dropped."""
        if self.stage is Stage.HEAD:
            self.headers.append((name.lower().decode("latin-1"), value.strip().decode("latin-1")))

    def on_headers_complete(self) -> None:
        """The header section is whole; the status decides what follows."""
        if self.stage is not Stage.HEAD:
            return
        parser = self._parser
        self.status = status = parser.get_status_code()
        if parser.get_http_version() not in _VERSIONS:
            self._fault = f"it answered in HTTP/{parser.get_http_version()}"
        if status < 200:
            self._note_interim(status)
            return
        self.stage = Stage.BODY
        self.keep_alive = parser.should_keep_alive()
        self._check_head()
        if self._bodyless:
            # llhttp cannot be told that this is an answer to HEAD; it would wait for the body.
            self.stage = Stage.DONE
            self._parser = HttpResponseParser(self)

    def _note_interim(self, status: int) -> None:
        self._is_interim = True
        self._interim_count += 1
        if status < 100 or self._interim_count > _MAX_INTERIM_RESPONSES:
            self._fault = f"it sent status {status} {self._interim_count} times"

    def _check_head(self) -> None:
        size = 0
        limit = self._body_limit
        for name, value in self.headers:
            size += len(name) + len(value) + 4
            if name == "content-length":
                if limit is not None and int(value) > limit and not self._bodyless:
                    self._fault = f"its answer is larger than {limit} bytes"
            elif name == "transfer-encoding" and value.lower() != "chunked":
                self._fault = f"it used the transfer encoding {value[:64]!r}, which is not known"
        if size > self._header_limit:
            self._fault = f"its headers are larger than {self._header_limit} bytes"
        self._quiet_bytes = 0

    def on_body(self, piece: bytes) -> None:
        """A piece of the body."""
        if self.stage is not Stage.BODY:
            self.surplus = True
            return
        self._quiet_bytes = 0
        self.body_bytes += len(piece)
        self.pending_bytes += len(piece)
        if self._body_limit is not None and self.body_bytes > self._body_limit:
            self._fault = f"its answer is larger than {self._body_limit} bytes"
            return
        if len(self.chunks) >= _COMPACT_AFTER_PIECES:
            # A body that comes in crumbs would otherwise weigh twenty times its size.
            self._bulk += b"".join(self.chunks)
            self.chunks.clear()
        self.chunks.append(piece)

    def on_message_complete(self) -> None:
        """The response is whole, or an interim one is over."""
        if self._is_interim:
            self._is_interim = False
            self.headers = []
        elif self.stage is Stage.BODY:
            self.stage = Stage.DONE
