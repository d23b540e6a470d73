"""A small, fast REST service to stand behind the gateway: `python -m bench.upstream`.

Prints `{"port": …}` once it listens on a free loopback port; serves until SIGTERM.
`GET /served` says how many calls it has answered, so that the harness can tell that every
governed call really came here.
"""

import asyncio
import json
import re
from pathlib import Path
from typing import Any, Final, cast

import msgspec
from httptools import HttpParserError, HttpRequestParser

from bench.serving import serve_forever

_TARGET: Final = re.compile(rb"/v1/customers\?mobile=98765([0-9]{5})")
_CUSTOMER: Final = (
    b'{"id":"CUS-%b","mobile":"98765%b","name":"Rahul Sharma","email":"rahul@example.com",'
    b'"city":"Pune","address":{"line":"14 Baner Road","district":"Pune","state":"Maharashtra",'
    b'"postal_code":"411045"},"vehicles":[{"registration":"MH12AB1234","make":"Maruti Suzuki",'
    b'"model":"Swift ZXI+","year":2023,"odometer_km":18250,"service_due":true},'
    b'{"registration":"MH14CD5678","make":"Hyundai","model":"Creta SX","year":2021,'
    b'"odometer_km":41900,"service_due":false}],"loyalty":{"tier":"gold","points":2480},'
    b'"preferred_dealer":"Arena Hinjewadi","since":"2019-04-11"}'
)
_OK: Final = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b"
_FAILED: Final = b"HTTP/1.1 %b\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b"


def openapi_document(base_url: str) -> bytes:
    """The OpenAPI document of this service, served from `base_url`."""
    path = Path(__file__).with_name("openapi.json")
    document = cast("dict[str, Any]", json.loads(path.read_text()))
    return json.dumps({**document, "servers": [{"url": base_url}]}).encode()


class Tally:
    """Calls answered so far."""

    def __init__(self) -> None:
        self.served = 0


class Service(asyncio.Protocol):
    """One client connection. Answers at once, so pipelined requests are answered in order."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self._parser = HttpRequestParser(self)
        self._target = b""
        self._body = b""
        self._transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way back."""
        self._transport = cast("asyncio.WriteTransport", transport)

    def data_received(self, data: bytes) -> None:
        """Parse; the callbacks below answer."""
        try:
            self._parser.feed_data(data)
        except HttpParserError:
            self._write(_failed(b"400 Bad Request", b"This is no HTTP/1.1 request."))
            if self._transport is not None:
                self._transport.close()

    def on_message_begin(self) -> None:
        """Parser: a request begins."""
        self._target = b""
        self._body = b""

    def on_url(self, url: bytes) -> None:
        """Parser: the target, perhaps in parts."""
        self._target += url

    def on_body(self, body: bytes) -> None:
        """Parser: a part of the body."""
        self._body += body

    def on_message_complete(self) -> None:
        """Parser: the request is whole."""
        self._write(self._answer(self._parser.get_method(), self._target))

    def _answer(self, method: bytes, target: bytes) -> bytes:
        if method == b"GET" and target.startswith(b"/v1/customers"):
            return self._customer(target)
        if method == b"POST" and target == b"/v1/echo":
            return self._echo()
        if method == b"GET" and target == b"/served":
            return _ok(b'{"served":%d}' % self._tally.served)
        return _failed(b"404 Not Found", b"There is nothing at this path; see openapi.json.")

    def _customer(self, target: bytes) -> bytes:
        number = _TARGET.fullmatch(target)
        if number is None:
            return _failed(b"422 Unprocessable Content", b"mobile is ten digits from 9876500000.")
        self._tally.served += 1
        return _ok(_CUSTOMER % (number[1], number[1]))

    def _echo(self) -> bytes:
        try:
            msgspec.json.decode(self._body, type=dict[str, str])
        except msgspec.DecodeError:
            return _failed(b"422 Unprocessable Content", b"Send a JSON object of strings.")
        self._tally.served += 1
        return _ok(b'{"received":%b,"bytes":%d}' % (self._body, len(self._body)))

    def _write(self, answer: bytes) -> None:
        if self._transport is not None:
            self._transport.write(answer)


def _ok(body: bytes) -> bytes:
    return _OK % (len(body), body)


def _failed(status: bytes, message: bytes) -> bytes:
    body = b'{"error":{"message":"%b"}}' % message
    return _FAILED % (status, len(body), body)


if __name__ == "__main__":
    tally = Tally()
    serve_forever(lambda _group: lambda: Service(tally))
