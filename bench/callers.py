"""The callers of a load: one keep-alive connection each, and the log they share.

Every answer is checked, one in SAMPLE_EVERY decoded and checked in full.
"""

import asyncio
import time
from array import array
from collections.abc import Sequence
from typing import Final, cast

from httptools import HttpParserError, HttpResponseParser

from bench.operations import Exchange

SAMPLE_EVERY: Final = 500
_MOST_REASONS: Final = 5


class Log:
    """What the connections have seen so far. `closed` is set once none is open any more."""

    def __init__(self) -> None:
        self.latencies = array("d")
        self.sent = 0
        self.errors = 0
        self.reasons: list[str] = []
        self.stopping = False
        self.open = 0
        self.closed = asyncio.Event()

    def fail(self, reason: str) -> None:
        """Count an error."""
        self.errors += 1
        if len(self.reasons) < _MOST_REASONS:
            self.reasons.append(reason)


class Connection(asyncio.Protocol):
    """One caller: sends a request, checks the answer, sends the next."""

    __slots__ = (
        "_at",
        "_awaiting",
        "_body",
        "_exchanges",
        "_log",
        "_parser",
        "_sent_at",
        "_transport",
        "_until_sample",
    )

    def __init__(self, log: Log, exchanges: Sequence[Exchange]) -> None:
        self._log = log
        self._exchanges = exchanges
        self._parser = HttpResponseParser(self)
        self._transport: asyncio.WriteTransport | None = None
        self._at = 0
        self._until_sample = 0
        self._body = b""
        self._sent_at = 0.0
        self._awaiting = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Count in; nothing is sent before `send`."""
        self._transport = cast("asyncio.WriteTransport", transport)
        self._log.open += 1

    def connection_lost(self, exc: Exception | None) -> None:
        """Count out; losing an answer that was due is an error."""
        if self._awaiting:
            self._log.fail(f"connection lost before the answer: {exc or 'closed by the target'}")
        self._awaiting = False
        self._log.open -= 1
        if self._log.open == 0:
            self._log.closed.set()

    def send(self) -> None:
        """Send the next request."""
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        self._awaiting = True
        self._log.sent += 1
        self._sent_at = time.perf_counter()
        transport.write(self._exchanges[self._at].request)

    def stop(self) -> None:
        """Close when idle; an answer that is due closes on its arrival."""
        if not self._awaiting and self._transport is not None:
            self._transport.close()

    def give_up(self, reason: str) -> None:
        """Close at once; an answer that is still due is an error."""
        if self._awaiting:
            self._awaiting = False
            self._log.fail(reason)
        self.abort()

    def abort(self) -> None:
        """Close at once."""
        if self._transport is not None:
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        """Parse; the callbacks below go on."""
        try:
            self._parser.feed_data(data)
        except HttpParserError as error:
            self._log.fail(f"not HTTP/1.1: {error!r}")
            self._awaiting = False
            self.abort()

    def on_body(self, body: bytes) -> None:
        """Parser: a part of the body."""
        self._body = self._body + body if self._body else body

    def on_message_complete(self) -> None:
        """Parser: the answer is whole."""
        taken = time.perf_counter() - self._sent_at
        fault = self._fault() if self._awaiting else "an answer nobody had asked for"
        self._awaiting = False
        if fault is None:
            self._log.latencies.append(taken)
        else:
            self._log.fail(fault)
        self._body = b""
        self._at = (self._at + 1) % len(self._exchanges)
        if self._log.stopping:
            self.stop()
        else:
            self.send()

    def _fault(self) -> str | None:
        current = self._exchanges[self._at]
        fault = current.fault(self._parser.get_status_code(), self._body)
        if fault is not None or self._until_sample > 0:
            self._until_sample -= 1
            return fault
        self._until_sample = SAMPLE_EVERY - 1
        return current.full_fault(self._body)
