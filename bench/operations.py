"""The operations that are measured: how each is asked for, and what a right answer looks like.

Every request names another customer or reference, so no cache can answer for the upstream, and
its answer carries that name, so a mixed-up answer is noticed.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, cast

import msgspec

VARIANTS: Final = 100_000
"""How many different requests an operation has; names are numbered below this."""

PROTOCOL_VERSION: Final = "2026-07-28"
_META: Final = {
    "io.modelcontextprotocol/protocolVersion": PROTOCOL_VERSION,
    "io.modelcontextprotocol/clientInfo": {"name": "bascule-bench", "version": "1"},
    "io.modelcontextprotocol/clientCapabilities": {},
}
_NOTE: Final = (
    "Vehicle came in with a noise from the front left wheel above 60 km/h. Bearing replaced, "
    "wheels balanced, brake pads at 40 percent, next inspection advised in six months. Customer "
    "asked to be called before any further work; the loan car was returned with a full tank. "
    "Parts: front hub bearing, split pin, grease. Labour: 2.5 hours. Test drive of 12 km without "
    "findings; road noise normal, steering straight, no fault codes stored in the control units."
)
_IS_ERROR: Final = re.compile(rb'"isError"\s*:\s*true')


class Kind(StrEnum):
    """How a target is spoken to."""

    REST = "rest"
    MCP = "mcp"


class Operation(StrEnum):
    """The operations of the upstream, by operationId."""

    FIND_CUSTOMER = "find_customer"
    ECHO = "echo"


@dataclass(frozen=True, slots=True)
class Address:
    """Where requests go; `path` and `key` matter to MCP only."""

    kind: Kind
    host: str
    port: int
    path: str = "/mcp"
    key: str = ""
    tool: str = ""


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request ready to be sent, and how to tell its answer from any other.

    `marker` is in the right answer; `message_id` is the JSON-RPC id, None for REST.
    """

    request: bytes
    marker: bytes
    operation: Operation
    message_id: int | None = None

    def fault(self, status: int, body: bytes) -> str | None:
        """What is plainly wrong with an answer; cheap enough for every one."""
        if status != 200:
            return f"HTTP {status}: {_excerpt(body)}"
        if self.message_id is not None and (
            b'"structuredContent"' not in body or _IS_ERROR.search(body)
        ):
            return f"no tool result: {_excerpt(body)}"
        if self.marker not in body:
            return f"not the answer to {self.marker.decode()}: {_excerpt(body)}"
        return None

    def full_fault(self, body: bytes) -> str | None:
        """The same by a full decode: id echoed, structured content there and the right one."""
        try:
            document = msgspec.json.decode(body)
        except msgspec.DecodeError as error:
            return f"not JSON ({error}): {_excerpt(body)}"
        if self.message_id is not None:
            document = _tool_result(document, self.message_id)
        if _name(document, self.operation) != self.marker.decode():
            return f"not the answer to {self.marker.decode()}: {_excerpt(body)}"
        return None


def exchange(operation: Operation, number: int, address: Address) -> Exchange:
    """The request with this `number` (below VARIANTS) for `address`; also its JSON-RPC id."""
    marker, arguments = _arguments(operation, number)
    if address.kind is Kind.REST:
        return Exchange(_rest_request(operation, arguments, address), marker, operation)
    return Exchange(_mcp_request(arguments, number, address), marker, operation, number)


def _arguments(operation: Operation, number: int) -> tuple[bytes, dict[str, str]]:
    if operation is Operation.FIND_CUSTOMER:
        return b"CUS-%05d" % number, {"mobile": f"98765{number:05d}"}
    return b"REF-%05d" % number, {"reference": f"REF-{number:05d}", "note": _NOTE}


def _rest_request(operation: Operation, arguments: Mapping[str, str], address: Address) -> bytes:
    host = f"host: {address.host}:{address.port}\r\naccept: application/json\r\n"
    if operation is Operation.FIND_CUSTOMER:
        line = f"GET /v1/customers?mobile={arguments['mobile']} HTTP/1.1\r\n"
        return f"{line}{host}\r\n".encode()
    body = msgspec.json.encode(arguments)
    kind = f"content-type: application/json\r\ncontent-length: {len(body)}\r\n"
    return f"POST /v1/echo HTTP/1.1\r\n{host}{kind}\r\n".encode() + body


def _mcp_request(arguments: Mapping[str, str], number: int, address: Address) -> bytes:
    params = {"name": address.tool, "arguments": arguments, "_meta": _META}
    message = {"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": params}
    body = msgspec.json.encode(message)
    head = (
        f"POST {address.path} HTTP/1.1\r\nhost: {address.host}:{address.port}\r\n"
        f"authorization: Bearer {address.key}\r\n"
        "accept: application/json, text/event-stream\r\ncontent-type: application/json\r\n"
        f"mcp-protocol-version: {PROTOCOL_VERSION}\r\nmcp-method: tools/call\r\n"
        f"mcp-name: {address.tool}\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def _tool_result(document: Any, message_id: int) -> object:
    """The structured content of a JSON-RPC answer; None unless it is a success with this id."""
    match document:
        case {"jsonrpc": "2.0", "id": int(echoed), "result": {"structuredContent": content}}:
            failed = cast("dict[str, Any]", document)["result"].get("isError", False)
            return cast("object", content) if echoed == message_id and not failed else None
        case _:
            return None


def _name(document: object, operation: Operation) -> object:
    match document:
        case {"id": str(name)} if operation is Operation.FIND_CUSTOMER:
            return name
        case {"received": {"reference": str(name)}} if operation is Operation.ECHO:
            return name
        case _:
            return None


def _excerpt(body: bytes) -> str:
    return body[:300].decode("utf-8", "replace")
