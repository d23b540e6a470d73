"""JSON-RPC as spoken to an upstream: requests of either era out, answers of either era in.

Source: specification 2026-07-28 basic/index; 2025-11-25 basic/index, basic/lifecycle.
"""

import re
from typing import Any, Final, NamedTuple

import msgspec
from msgspec import UNSET, UnsetType

from bascule import __version__
from bascule.protocol.codes import METHOD_NOT_FOUND
from bascule.protocol.messages import (
    CAPABILITIES_KEY,
    CLIENT_INFO_KEY,
    LOG_LEVEL_KEY,
    VERSION_KEY,
)
from bascule.protocol.versions import LATEST_LEGACY_VERSION, MODERN_VERSION, Era

_encode = msgspec.json.Encoder().encode
_CLIENT: Final = {"name": "bascule", "title": "Bascule", "version": __version__}
_MODERN_META: Final = _encode(
    {VERSION_KEY: MODERN_VERSION, CLIENT_INFO_KEY: _CLIENT, CAPABILITIES_KEY: {}}
)[1:-1]
# The last member of it, which is the one that changes with the caller.
_META_BEFORE_CAPABILITIES: Final = _MODERN_META.removesuffix(b"{}")
_NOTHING_DECLARED: Final = b"{}"
_QUESTIONS: Final = (b'"elicitation"', b'"roots"', b'"sampling"')
_TRACEPARENT: Final = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")

INITIALIZED: Final = b'{"jsonrpc":"2.0","method":"notifications/initialized"}'


class SessionKey(NamedTuple):
    """Whose legacy session carries a request: callers share none, nor do different abilities.

    `capabilities` is a `ClientCapabilities` object as JSON, in a fixed order.
    """

    tenant: str = ""
    subject: str = ""
    capabilities: bytes = b"{}"

    @property
    def can_ask(self) -> bool:
        """Whether a server may put questions in this session."""
        return any(member in self.capabilities for member in _QUESTIONS)


NOBODY: Final = SessionKey()


class Outgoing(msgspec.Struct, frozen=True):
    """A request to an upstream, whatever its era.

    `members` are the members of `params` but `_meta`, as JSON without the braces. `name` is what
    Mcp-Name mirrors. `headers` go along over HTTP, as do the `prepared` ones, which are lines
    made by `prepare_headers`; `mirrored` ones only in the modern era. `session` tells apart whose
    legacy session carries it. `capabilities` are declared in the modern era. `progress_token` is
    unique among all requests of this process.
    """

    method: str
    members: bytes = b""
    name: str | None = None
    traceparent: str | None = None
    headers: tuple[tuple[str, str], ...] = ()
    mirrored: tuple[tuple[str, str], ...] = ()
    prepared: bytes = b""
    session: SessionKey = NOBODY
    capabilities: bytes = _NOTHING_DECLARED
    progress_token: str | None = None
    log_level: str | None = None


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
        # What is passed on as it came was not looked into: it must be text (RFC 8259, 8.1).
        if not message.isascii():
            str(message, "utf-8")
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
    meta = _modern_meta(request) if era is Era.MODERN else b""
    trace = valid_traceparent(request.traceparent)
    if trace is not None:
        meta += b'%b"traceparent":"%b"' % (b"," if meta else b"", trace.encode())
    if request.progress_token is not None:
        token = _encode(request.progress_token)
        meta += b'%b"progressToken":%b' % (b"," if meta else b"", token)
    params = request.members
    if meta:
        params += b'%b"_meta":{%b}' % (b"," if params else b"", meta)
    return b'{"jsonrpc":"2.0","id":%b,"method":"%b"%b}' % (
        _encode(request_id),
        request.method.encode(),
        b',"params":{%b}' % params if params else b"",
    )


def _modern_meta(request: Outgoing) -> bytes:
    meta = _MODERN_META
    if request.capabilities != _NOTHING_DECLARED:
        meta = _META_BEFORE_CAPABILITIES + request.capabilities
    if request.log_level is not None:
        meta += b',"%b":%b' % (LOG_LEVEL_KEY.encode(), _encode(request.log_level))
    return meta


def encode_initialize(request_id: str, capabilities: bytes = _NOTHING_DECLARED) -> bytes:
    """The first message of a legacy conversation; `capabilities` are the caller's, as JSON."""
    request = Outgoing("initialize", initialize_members(capabilities))
    return encode(request_id, request, Era.LEGACY)


def initialize_members(capabilities: bytes = _NOTHING_DECLARED) -> bytes:
    """The members of the parameters of `initialize`."""
    params = {
        "protocolVersion": LATEST_LEGACY_VERSION,
        "capabilities": msgspec.Raw(capabilities),
        "clientInfo": _CLIENT,
    }
    return _encode(params)[1:-1]


def encode_cancelled(request_id: str, reason: str) -> bytes:
    """Tell a server that nobody waits for `request_id` any more."""
    params = {"requestId": request_id, "reason": reason}
    return _encode({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": params})


def encode_answer(request: Incoming, result: msgspec.Raw | bytes) -> bytes:
    """Answer a request of a legacy server; `result` is JSON."""
    return _encode({"jsonrpc": "2.0", "id": request.id, "result": msgspec.Raw(result)})


def encode_refusal(request: Incoming, code: int, message: str, data: bytes = b"") -> bytes:
    """Refuse a request of a legacy server; `data` is JSON, b"" for none."""
    error: dict[str, object] = {"code": code, "message": message}
    if data:
        error["data"] = msgspec.Raw(data)
    return _encode({"jsonrpc": "2.0", "id": request.id, "error": error})


def encode_reply(request: Incoming) -> bytes:
    """Answer a request nobody here can answer, so that its server does not wait for ever."""
    if request.method == "ping":
        return encode_answer(request, b"{}")
    text = "This client answers no such request here."
    return encode_refusal(request, METHOD_NOT_FOUND, text)


def member(name: str, value: object) -> bytes:
    """One member for `Outgoing.members`; `value` may be `msgspec.Raw`."""
    return b'"%b":%b' % (name.encode(), _encode(value))


def valid_traceparent(value: str | None) -> str | None:
    """`value` where it is a W3C traceparent; callers may send anything under that name."""
    return value if value is not None and _TRACEPARENT.fullmatch(value) else None
