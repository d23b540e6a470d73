"""JSON-RPC as spoken to an upstream: requests of either era out, answers of either era in.

Source: specification 2026-07-28 basic/index; 2025-11-25 basic/index, basic/lifecycle.
"""

import re
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from msgspec import UNSET, UnsetType

from bascule import __version__
from bascule.protocol.codes import METHOD_NOT_FOUND
from bascule.protocol.messages import CAPABILITIES_KEY, CLIENT_INFO_KEY, VERSION_KEY
from bascule.protocol.versions import LATEST_LEGACY_VERSION, MODERN_VERSION, Era

_encode = msgspec.json.Encoder().encode
_CLIENT: Final = {"name": "bascule", "title": "Bascule", "version": __version__}
# This gateway answers no elicitation, sampling or roots request on behalf of a caller.
_MODERN_META: Final = _encode(
    {VERSION_KEY: MODERN_VERSION, CLIENT_INFO_KEY: _CLIENT, CAPABILITIES_KEY: {}}
)[1:-1]
_TRACEPARENT: Final = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")

INITIALIZED: Final = b'{"jsonrpc":"2.0","method":"notifications/initialized"}'


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A request to an upstream, whatever its era.

    `members` are the members of `params` but `_meta`, as JSON without the braces. `name` is what
    Mcp-Name mirrors. `headers` go along over HTTP, `mirrored` ones only in the modern era.
    `caller` tells apart whose legacy session carries it.
    """

    method: str
    members: bytes = b""
    name: str | None = None
    traceparent: str | None = None
    headers: tuple[tuple[str, str], ...] = ()
    mirrored: tuple[tuple[str, str], ...] = ()
    caller: str = ""


class RpcError(msgspec.Struct, frozen=True):
    """The `error` member of a response."""

    code: int
    message: str = ""
    data: Any = None


class Incoming(msgspec.Struct, frozen=True):
    """Anything an upstream sends: a response, or (with `method`) a notification or request."""

    id: int | float | str | UnsetType | None = UNSET
    method: str | UnsetType = UNSET
    params: msgspec.Raw | UnsetType = UNSET
    result: msgspec.Raw | UnsetType = UNSET
    error: RpcError | UnsetType | None = UNSET

    @property
    def is_request(self) -> bool:
        """It asks for an answer."""
        return self.method is not UNSET and self.id is not UNSET

    @property
    def is_response(self) -> bool:
        """It answers something."""
        return self.method is UNSET and (
            self.result is not UNSET or isinstance(self.error, RpcError)
        )

    @property
    def result_bytes(self) -> msgspec.Raw | bytes:
        """The `result` member as it came, b"" where there is none."""
        return b"" if self.result is UNSET else self.result


_decode_incoming = msgspec.json.Decoder(Incoming).decode
_decode_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def decode(message: bytes) -> Incoming | None:
    """Read one message; None where it is not one."""
    try:
        return _decode_incoming(message)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def decode_members(value: msgspec.Raw | bytes) -> dict[str, msgspec.Raw] | None:
    """The members of a JSON object, each left as it came; None where it is not an object."""
    try:
        return _decode_members(value)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def encode(request_id: str, request: Outgoing, era: Era) -> bytes:
    """Encode `request` with the `_meta` that `era` asks for."""
    meta = _MODERN_META if era is Era.MODERN else b""
    trace = valid_traceparent(request.traceparent)
    if trace is not None:
        meta += b'%b"traceparent":"%b"' % (b"," if meta else b"", trace.encode())
    params = request.members
    if meta:
        params += b'%b"_meta":{%b}' % (b"," if params else b"", meta)
    return b'{"jsonrpc":"2.0","id":%b,"method":"%b"%b}' % (
        _encode(request_id),
        request.method.encode(),
        b',"params":{%b}' % params if params else b"",
    )


def encode_initialize(request_id: str) -> bytes:
    """The first message of a legacy conversation."""
    params = {
        "protocolVersion": LATEST_LEGACY_VERSION,
        "capabilities": {},
        "clientInfo": _CLIENT,
    }
    return _encode({"jsonrpc": "2.0", "id": request_id, "method": "initialize", "params": params})


def encode_cancelled(request_id: str, reason: str) -> bytes:
    """Tell a server that nobody waits for `request_id` any more."""
    params = {"requestId": request_id, "reason": reason}
    return _encode({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": params})


def encode_reply(request: Incoming) -> bytes:
    """Answer a request of a legacy server, so that it does not wait: a ping, or nothing we do."""
    reply: dict[str, object] = {"jsonrpc": "2.0", "id": request.id}
    if request.method == "ping":
        reply["result"] = {}
    else:
        text = "This client declared no capabilities: it answers no requests but ping."
        reply["error"] = {"code": METHOD_NOT_FOUND, "message": text}
    return _encode(reply)


def member(name: str, value: object) -> bytes:
    """One member for `Outgoing.members`; `value` may be `msgspec.Raw`."""
    return b'"%b":%b' % (name.encode(), _encode(value))


def valid_traceparent(value: str | None) -> str | None:
    """`value` where it is a W3C traceparent; callers may send anything under that name."""
    return value if value is not None and _TRACEPARENT.fullmatch(value) else None
