"""Requests are what the wire asks for, and no wrong answer passes."""

import asyncio

import msgspec
import pytest
from httptools import HttpRequestParser

from bascule.gateway.call import Call, Method
from bascule.transports.reading import read_call
from bench.operations import Address, Exchange, Kind, Operation, exchange
from bench.upstream import Service, Tally

REST = Address(Kind.REST, "127.0.0.1", 8080)
MCP = Address(Kind.MCP, "127.0.0.1", 8000, "/mcp", "secret", "find_customer")


class Parsed:
    def __init__(self, request: bytes) -> None:
        self.headers: list[tuple[bytes, bytes]] = []
        self.body = b""
        self.complete = False
        HttpRequestParser(self).feed_data(request)

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name.lower(), value))

    def on_body(self, body: bytes) -> None:
        self.body += body

    def on_message_complete(self) -> None:
        self.complete = True


class Wire(asyncio.Transport):
    def __init__(self) -> None:
        super().__init__()
        self.sent = b""

    def write(self, data: bytes) -> None:
        self.sent += data

    def close(self) -> None: ...


def ask_upstream(request: bytes) -> tuple[bytes, bytes]:
    """Status line and body of the upstream's answer."""
    wire, service = Wire(), Service(Tally())
    service.connection_made(wire)
    service.data_received(request)
    head, _, body = wire.sent.partition(b"\r\n\r\n")
    assert b"content-length: %d" % len(body) in head
    return head.split(b"\r\n")[0], body


def call_result(one: Exchange, content: bytes, *, message_id: int | None = None) -> bytes:
    echoed = one.message_id if message_id is None else message_id
    return b'{"jsonrpc":"2.0","id":%d,"result":{"structuredContent":%b}}' % (echoed or 0, content)


@pytest.mark.parametrize("operation", Operation)
def test_the_gateway_reads_the_request_as_a_modern_call_without_fault(operation: Operation) -> None:
    address = Address(Kind.MCP, "127.0.0.1", 8000, "/mcp", "secret", operation.value)
    parsed = Parsed(exchange(operation, 42, address).request)
    call = Call(method=Method.MALFORMED, correlation_id="c")
    read_call(call, parsed.body, dict(parsed.headers), parsed.headers)
    assert parsed.complete
    assert call.fault is None
    assert (call.method, call.tool_name, call.message_id) == (Method.TOOLS_CALL, operation, 42)
    assert dict(parsed.headers)[b"authorization"] == b"Bearer secret"


@pytest.mark.parametrize("operation", Operation)
def test_the_answer_of_the_upstream_passes_every_check(operation: Operation) -> None:
    one = exchange(operation, 99_999, REST)
    status, body = ask_upstream(one.request)
    assert status == b"HTTP/1.1 200 OK"
    assert 500 < len(body) < 700
    assert one.fault(200, body) is None
    assert one.full_fault(body) is None


@pytest.mark.parametrize("operation", Operation)
def test_the_answer_to_another_request_is_noticed(operation: Operation) -> None:
    _, body = ask_upstream(exchange(operation, 1, REST).request)
    other = exchange(operation, 2, REST)
    assert "not the answer to" in (other.fault(200, body) or "")
    assert "not the answer to" in (other.full_fault(body) or "")


def test_the_upstream_refuses_what_its_document_does_not_describe() -> None:
    requests = {
        b"GET /v1/customers?mobile=12 HTTP/1.1\r\n\r\n": b"422",
        b"GET /v1/nothing HTTP/1.1\r\n\r\n": b"404",
        b'POST /v1/echo HTTP/1.1\r\ncontent-length: 3\r\n\r\n{"a': b"422",
        b"not http\r\n\r\n": b"400",
    }
    for request, status in requests.items():
        line, body = ask_upstream(request)
        assert line.split(b" ")[1] == status
        assert "error" in msgspec.json.decode(body)


def test_a_tool_result_passes_only_with_its_id_and_content_and_without_error() -> None:
    one = exchange(Operation.FIND_CUSTOMER, 7, MCP)
    good = b'{"id":"CUS-00007"}'
    assert one.fault(200, call_result(one, good)) is None
    assert one.full_fault(call_result(one, good)) is None
    assert one.full_fault(call_result(one, good, message_id=8)) is not None
    assert one.full_fault(call_result(one, b'{"id":"CUS-00008"}')) is not None
    assert one.full_fault(b'{"jsonrpc":"2.0"') is not None


@pytest.mark.parametrize(
    "body",
    [
        b'{"jsonrpc":"2.0","id":7,"error":{"code":-32602,"message":"CUS-00007"}}',
        b'{"id":7,"result":{"isError" : true,"structuredContent":{"id":"CUS-00007"}}}',
        b"",
    ],
)
def test_an_error_under_status_200_is_no_success(body: bytes) -> None:
    one = exchange(Operation.FIND_CUSTOMER, 7, MCP)
    assert "no tool result" in (one.fault(200, body) or "")


def test_another_status_is_told_with_its_body() -> None:
    one = exchange(Operation.FIND_CUSTOMER, 7, MCP)
    assert one.fault(429, b"slow down") == "HTTP 429: slow down"
