"""From the bytes of a request to a call: era, headers against body, method and parameters."""

import re
from collections.abc import Mapping, Sequence
from typing import Final

from msgspec import UNSET

from bascule.gateway.call import Call, Method
from bascule.gateway.errors import ErrorCode
from bascule.gateway.verdict import Refuse
from bascule.protocol import headers as wire_headers
from bascule.protocol.headers import HeaderMismatch, check_standard
from bascule.protocol.messages import (
    CAPABILITIES_KEY,
    VERSION_KEY,
    MalformedMessage,
    Message,
    Meta,
    Params,
    decode,
    decode_arguments,
)
from bascule.protocol.versions import (
    ASSUMED_LEGACY_VERSION,
    LEGACY_VERSIONS,
    MODERN_VERSIONS,
    SUPPORTED_VERSIONS,
    Era,
    negotiate_legacy,
)

# W3C Trace Context, "traceparent Header Field Values"; it is sent on in a header.
_TRACEPARENT: Final = re.compile(
    r"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}"
)
_NO_PARAMS: Final = Params()
_NO_META: Final = Meta()
_MODERN_METHODS: Final = {
    method.value: method for method in (Method.TOOLS_CALL, Method.TOOLS_LIST, Method.DISCOVER)
}
_LEGACY_METHODS: Final = {
    method.value: method
    for method in (Method.TOOLS_CALL, Method.TOOLS_LIST, Method.INITIALIZE, Method.PING)
}
_FAULTS: Final = {
    -32700: ErrorCode.MALFORMED_JSON,
    -32600: ErrorCode.INVALID_REQUEST,
    -32602: ErrorCode.INVALID_VALUE,
}


class _Fault(Exception):
    """Something is wrong with the message; carries the refusal."""

    def __init__(
        self, error: ErrorCode, public: str, details: Mapping[str, object] | None = None
    ) -> None:
        super().__init__(public)
        self.refusal = Refuse(error, public, public, details)


def read_call(
    call: Call,
    body: bytes,
    headers: Mapping[bytes, bytes],
    all_headers: Sequence[tuple[bytes, bytes]],
) -> None:
    """Fill `call` from `body`; what is wrong becomes `call.fault`, told after authentication."""
    try:
        message = decode(body)
    except MalformedMessage as error:
        call.message_id = error.message_id
        call.era = _era_by_header(headers)
        code = _FAULTS[error.rpc_code]
        call.fault = Refuse(code, _sentence(error.reason), f"malformed message: {code.slug}")
        return
    method = message.method
    if method is UNSET:
        call.fault = _NOT_A_REQUEST
        return
    if message.id is UNSET:
        call.method = Method.NOTIFICATION
        call.era = _era_by_header(headers)
        return
    try:
        _fill(call, message, method, headers)
        if len(headers) != len(all_headers):
            _refuse_repeated(all_headers)
    except _Fault as fault:
        call.method = Method.MALFORMED
        call.fault = fault.refusal


def _fill(call: Call, message: Message, method: str, headers: Mapping[bytes, bytes]) -> None:
    call.message_id = None if message.id is UNSET else message.id
    params = _NO_PARAMS if message.params is UNSET else message.params
    meta = _NO_META if params.meta is UNSET else params.meta
    if meta.protocol_version is UNSET and _era_by_header(headers) is Era.LEGACY:
        _fill_legacy(call, method, params, headers)
    else:
        _fill_modern(call, method, params, meta, headers)
    if meta.traceparent is not UNSET and _TRACEPARENT.fullmatch(meta.traceparent):
        call.traceparent = meta.traceparent
    if call.method is Method.TOOLS_CALL:
        _fill_tool_call(call, params)
    elif call.method is Method.TOOLS_LIST and params.cursor is not UNSET:
        call.cursor = params.cursor


def _fill_modern(
    call: Call, method: str, params: Params, meta: Meta, headers: Mapping[bytes, bytes]
) -> None:
    call.era = Era.MODERN
    version = meta.protocol_version
    named = method == "tools/call" and params.name is not UNSET
    try:
        check_standard(
            headers,
            version=version if version is not UNSET else _header_version(headers),
            method=method,
            name=params.name if named and params.name is not UNSET else None,
        )
    except HeaderMismatch as mismatch:
        raise _Fault(ErrorCode.HEADER_MISMATCH, _sentence(f"header mismatch: {mismatch}")) from None
    if version is UNSET:
        raise _missing_meta(VERSION_KEY)
    if version not in MODERN_VERSIONS:
        raise _unsupported(version)
    if meta.client_capabilities is UNSET:
        raise _missing_meta(CAPABILITIES_KEY)
    call.version = version
    if meta.client_info is not UNSET:
        call.agent = meta.client_info.name[:100]
    known = _MODERN_METHODS.get(method)
    if known is None:
        raise _unknown_method(method)
    call.method = known


def _fill_legacy(call: Call, method: str, params: Params, headers: Mapping[bytes, bytes]) -> None:
    call.era = Era.LEGACY
    call.version = _header_version(headers) or ASSUMED_LEGACY_VERSION
    known = _LEGACY_METHODS.get(method)
    if known is None:
        raise _unknown_method(method)
    if known is Method.INITIALIZE:
        if params.protocol_version is UNSET:
            raise _Fault(ErrorCode.MISSING_FIELD, "initialize needs params.protocolVersion.")
        call.version = negotiate_legacy(params.protocol_version)
        if params.client_info is not UNSET:
            call.agent = params.client_info.name[:100]
    call.method = known


def _fill_tool_call(call: Call, params: Params) -> None:
    if params.name is UNSET:
        raise _Fault(ErrorCode.MISSING_FIELD, "tools/call needs params.name.", {"field": "name"})
    call.tool_name = params.name
    if params.arguments is UNSET:
        return
    call.raw_arguments = bytes(params.arguments)
    try:
        call.arguments = decode_arguments(call.raw_arguments)
    except ValueError as error:
        raise _Fault(ErrorCode.INVALID_VALUE, _sentence(str(error))) from None


def _era_by_header(headers: Mapping[bytes, bytes]) -> Era:
    version = _header_version(headers)
    return Era.LEGACY if not version or version in LEGACY_VERSIONS else Era.MODERN


def _header_version(headers: Mapping[bytes, bytes]) -> str:
    return headers.get(wire_headers.PROTOCOL_VERSION, b"").decode("latin-1").strip(" \t")


def _refuse_repeated(all_headers: Sequence[tuple[bytes, bytes]]) -> None:
    seen: set[bytes] = set()
    for name, _ in all_headers:
        if name in seen and name.startswith((b"mcp-", b"authorization", b"host", b"content-")):
            title = name.decode("latin-1")
            raise _Fault(ErrorCode.HEADER_MISMATCH, f"The header {title} came more than once.")
        seen.add(name)


def _missing_meta(key: str) -> _Fault:
    return _Fault(ErrorCode.MISSING_FIELD, f'params._meta["{key}"] is required.', {"field": key})


def _unsupported(version: str) -> _Fault:
    return _Fault(
        ErrorCode.UNSUPPORTED_VERSION,
        "Unsupported protocol version",
        {"supported": list(SUPPORTED_VERSIONS), "requested": version},
    )


def _unknown_method(method: str) -> _Fault:
    return _Fault(ErrorCode.UNKNOWN_METHOD, f"Method not found: {method[:128]}")


def _sentence(reason: str) -> str:
    return reason[:1].upper() + reason[1:500]


_NOT_A_REQUEST: Final = Refuse(
    ErrorCode.INVALID_REQUEST,
    "Send a request or a notification; this endpoint awaits no responses.",
    "message without method",
)
