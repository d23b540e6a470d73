"""From the bytes of a request to a call: era, headers against body, method and parameters."""

import re
from collections.abc import Mapping, Sequence
from typing import Final

from msgspec import UNSET

from bascule.gateway.call import Call, Method
from bascule.gateway.capabilities import read_capabilities
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
)
from bascule.protocol.versions import (
    ASSUMED_LEGACY_VERSION,
    LEGACY_VERSIONS,
    MODERN_VERSIONS,
    SUPPORTED_VERSIONS,
    Era,
    negotiate_legacy,
)
from bascule.transports.parameters import Fault, fill_parameters, name_in_header, sentence

# W3C Trace Context, "traceparent Header Field Values"; it is sent on in a header.
_TRACEPARENT: Final = re.compile(
    r"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}"
)
_NO_PARAMS: Final = Params()
_NO_META: Final = Meta()
_IN_BOTH_ERAS: Final = (
    Method.TOOLS_CALL,
    Method.TOOLS_LIST,
    Method.PROMPTS_LIST,
    Method.PROMPTS_GET,
    Method.RESOURCES_LIST,
    Method.TEMPLATES_LIST,
    Method.RESOURCES_READ,
    Method.COMPLETE,
)
_MODERN_METHODS: Final = {
    method.value: method
    for method in (
        *_IN_BOTH_ERAS,
        Method.DISCOVER,
        Method.LISTEN,
        Method.TASKS_GET,
        Method.TASKS_UPDATE,
        Method.TASKS_CANCEL,
    )
}
_LEGACY_METHODS: Final = {
    method.value: method
    for method in (
        *_IN_BOTH_ERAS,
        Method.INITIALIZE,
        Method.PING,
        Method.SUBSCRIBE,
        Method.UNSUBSCRIBE,
        Method.SET_LEVEL,
    )
}
_FAULTS: Final = {
    -32700: ErrorCode.MALFORMED_JSON,
    -32600: ErrorCode.INVALID_REQUEST,
    -32602: ErrorCode.INVALID_VALUE,
}


def read_call(
    call: Call,
    body: bytes,
    headers: Mapping[bytes, bytes],
    all_headers: Sequence[tuple[bytes, bytes]],
) -> Message | None:
    """Fill `call` from `body`, and give the message, None for one that is none.

    What is wrong becomes `call.fault`, told after authentication. A client's answer to a question
    is a call of its own, without an id: the message's is the gateway's.
    """
    try:
        message = decode(body)
    except MalformedMessage as error:
        call.message_id = error.message_id
        call.era = era_by_header(headers)
        code = _FAULTS[error.rpc_code]
        call.fault = Refuse(code, sentence(error.reason), f"malformed message: {code.slug}")
        return None
    method = message.method
    if method is UNSET or message.id is UNSET:
        _fill_without_answer(call, message, headers)
        return message
    call.message_id = message.id
    try:
        _fill(call, message, method, headers)
        if len(headers) != len(all_headers):
            _refuse_repeated(all_headers)
    except Fault as fault:
        call.method = Method.MALFORMED
        call.fault = fault.refusal
    return message


def _fill_without_answer(call: Call, message: Message, headers: Mapping[bytes, bytes]) -> None:
    """A notification, or a response; only a legacy client is ever asked something."""
    call.era = era_by_header(headers)
    call.version = header_version(headers) or call.version
    if message.method is not UNSET:
        call.method = Method.NOTIFICATION
    elif message.id is UNSET or (message.result is UNSET and message.error is UNSET):
        call.fault = _NOTHING_AT_ALL
    elif call.era is Era.MODERN:
        call.fault = _NOT_A_REQUEST
    else:
        call.method = Method.RESPONSE


def _fill(call: Call, message: Message, method: str, headers: Mapping[bytes, bytes]) -> None:
    params = _NO_PARAMS if message.params is UNSET else message.params
    meta = _NO_META if params.meta is UNSET else params.meta
    if meta.protocol_version is UNSET and era_by_header(headers) is Era.LEGACY:
        _fill_legacy(call, method, params, headers)
    else:
        _fill_modern(call, method, params, meta, headers)
    if meta.traceparent is not UNSET and _TRACEPARENT.fullmatch(meta.traceparent):
        call.traceparent = meta.traceparent
    fill_parameters(call, params, meta)


def _fill_modern(
    call: Call, method: str, params: Params, meta: Meta, headers: Mapping[bytes, bytes]
) -> None:
    call.era = Era.MODERN
    version = meta.protocol_version
    try:
        check_standard(
            headers,
            version=version if version is not UNSET else header_version(headers),
            method=method,
            name=name_in_header(method, params),
        )
    except HeaderMismatch as mismatch:
        raise Fault(ErrorCode.HEADER_MISMATCH, sentence(f"header mismatch: {mismatch}")) from None
    if version is UNSET:
        raise _missing_meta(VERSION_KEY)
    if version not in MODERN_VERSIONS:
        raise _unsupported(version)
    if meta.client_capabilities is UNSET:
        raise _missing_meta(CAPABILITIES_KEY)
    call.version = version
    call.headers = headers
    capabilities = bytes(meta.client_capabilities)
    if capabilities != b"{}":
        _fill_capabilities(call, capabilities)
    if meta.client_info is not UNSET:
        call.agent = meta.client_info.name[:100]
    known = _MODERN_METHODS.get(method)
    if known is None:
        raise _unknown_method(method)
    call.method = known


def _fill_legacy(call: Call, method: str, params: Params, headers: Mapping[bytes, bytes]) -> None:
    call.era = Era.LEGACY
    call.version = header_version(headers) or ASSUMED_LEGACY_VERSION
    known = _LEGACY_METHODS.get(method)
    if known is None:
        raise _unknown_method(method)
    if known is Method.INITIALIZE:
        if params.protocol_version is UNSET:
            raise Fault(ErrorCode.MISSING_FIELD, "initialize needs params.protocolVersion.")
        call.version = negotiate_legacy(params.protocol_version)
        if params.capabilities is not UNSET:
            _fill_capabilities(call, bytes(params.capabilities))
        if params.client_info is not UNSET:
            call.agent = params.client_info.name[:100]
    call.method = known


def _fill_capabilities(call: Call, declared: bytes) -> None:
    try:
        call.capabilities = read_capabilities(declared)
    except ValueError as error:
        raise Fault(ErrorCode.INVALID_VALUE, sentence(str(error))) from None


def era_by_header(headers: Mapping[bytes, bytes]) -> Era:
    """The era that the version header names; without one it is the older."""
    version = header_version(headers)
    return Era.LEGACY if not version or version in LEGACY_VERSIONS else Era.MODERN


def header_version(headers: Mapping[bytes, bytes]) -> str:
    """What the version header says, empty where it is missing."""
    return headers.get(wire_headers.PROTOCOL_VERSION, b"").decode("latin-1").strip(" \t")


def _refuse_repeated(all_headers: Sequence[tuple[bytes, bytes]]) -> None:
    seen: set[bytes] = set()
    for name, _ in all_headers:
        if name in seen and name.startswith((b"mcp-", b"authorization", b"host", b"content-")):
            title = name.decode("latin-1")
            raise Fault(ErrorCode.HEADER_MISMATCH, f"The header {title} came more than once.")
        seen.add(name)


def _missing_meta(key: str) -> Fault:
    return Fault(ErrorCode.MISSING_FIELD, f'params._meta["{key}"] is required.', {"field": key})


def _unsupported(version: str) -> Fault:
    return Fault(
        ErrorCode.UNSUPPORTED_VERSION,
        "Unsupported protocol version",
        {"supported": list(SUPPORTED_VERSIONS), "requested": version},
    )


def _unknown_method(method: str) -> Fault:
    return Fault(ErrorCode.UNKNOWN_METHOD, f"Method not found: {method[:128]}")


_NOT_A_REQUEST: Final = Refuse(
    ErrorCode.INVALID_REQUEST,
    "Send a request or a notification; this endpoint awaits no responses.",
    "message without method",
)
_NOTHING_AT_ALL: Final = Refuse(
    ErrorCode.INVALID_REQUEST,
    "A message has a method, or it answers a question with its id and a result or an error.",
    "message without method",
)
