"""JSON-RPC messages as a client sends them: one typed decode, and a reason when it fails.

Source: specification 2026-07-28, basic/index and schema.ts.
"""

from typing import Any, Final

import msgspec
from msgspec import UNSET, UnsetType, field

VERSION_KEY: Final = "io.modelcontextprotocol/protocolVersion"
CAPABILITIES_KEY: Final = "io.modelcontextprotocol/clientCapabilities"
LOG_LEVEL_KEY: Final = "io.modelcontextprotocol/logLevel"
SUBSCRIPTION_KEY: Final = "io.modelcontextprotocol/subscriptionId"
CLIENT_INFO_KEY: Final = "io.modelcontextprotocol/clientInfo"
SERVER_INFO_KEY: Final = "io.modelcontextprotocol/serverInfo"

MessageId = int | float | str | None
"""The id of a request; None where there is none, or none that could be read."""


class ClientInfo(msgspec.Struct):
    """Self-reported and unverified: for display and records only."""

    name: str = ""
    version: str = ""


class Meta(msgspec.Struct):
    """The members of `params._meta` the gateway reads; all others are left alone."""

    protocol_version: str | UnsetType = field(default=UNSET, name=VERSION_KEY)
    client_capabilities: msgspec.Raw | UnsetType = field(default=UNSET, name=CAPABILITIES_KEY)
    client_info: ClientInfo | UnsetType = field(default=UNSET, name=CLIENT_INFO_KEY)
    traceparent: str | UnsetType = UNSET
    progress_token: int | str | UnsetType = field(default=UNSET, name="progressToken")
    log_level: str | UnsetType = field(default=UNSET, name=LOG_LEVEL_KEY)


class Params(msgspec.Struct):
    """The union of the parameters of every method served here."""

    name: str | UnsetType = UNSET
    arguments: msgspec.Raw | UnsetType = UNSET
    cursor: str | UnsetType | None = UNSET
    protocol_version: str | UnsetType = field(default=UNSET, name="protocolVersion")
    client_info: ClientInfo | UnsetType = field(default=UNSET, name="clientInfo")
    capabilities: msgspec.Raw | UnsetType = UNSET
    uri: str | UnsetType = UNSET
    ref: msgspec.Raw | UnsetType = UNSET
    argument: msgspec.Raw | UnsetType = UNSET
    context: msgspec.Raw | UnsetType = UNSET
    notifications: msgspec.Raw | UnsetType = UNSET
    input_responses: msgspec.Raw | UnsetType = field(default=UNSET, name="inputResponses")
    request_state: str | UnsetType | None = field(default=UNSET, name="requestState")
    task_id: str | UnsetType = field(default=UNSET, name="taskId")
    level: str | UnsetType = UNSET
    request_id: int | float | str | UnsetType = field(default=UNSET, name="requestId")
    meta: Meta | UnsetType = field(default=UNSET, name="_meta")


class Failure(msgspec.Struct):
    """The `error` member of a response a client sends."""

    code: int
    message: str = ""
    data: msgspec.Raw | UnsetType = UNSET


class Message(msgspec.Struct):
    """A request (id and method), a notification (method only) or a response (no method).

    The id of a request is never null (basic/index "Requests").
    """

    jsonrpc: str
    method: str | UnsetType = UNSET
    id: int | float | str | UnsetType = UNSET
    params: Params | UnsetType = UNSET
    result: msgspec.Raw | UnsetType = UNSET
    error: Failure | UnsetType = UNSET


class MalformedMessage(Exception):
    """The bytes are not one well-formed JSON-RPC message.

    `rpc_code` says which rule broke; `message_id` is the id where one could still be read.
    """

    def __init__(self, reason: str, rpc_code: int, message_id: MessageId = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.rpc_code = rpc_code
        self.message_id = message_id


_decoder = msgspec.json.Decoder(Message)
_arguments_decoder = msgspec.json.Decoder(dict[str, Any])
_any_decoder = msgspec.json.Decoder()


def decode(body: bytes) -> Message:
    """Decode one message.

    Raises:
        MalformedMessage: not JSON, a batch, or members of the wrong type.
    """
    try:
        message = _decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _explain(body, error) from None
    if message.jsonrpc != "2.0":
        raise MalformedMessage('"jsonrpc" must be "2.0"', -32600, _safe_id(message.id))
    return message


def decode_arguments(raw: bytes) -> dict[str, Any]:
    """Decode the arguments of a call; `null` counts as none.

    Raises:
        ValueError: not a JSON object; says what it is.
    """
    try:
        return _arguments_decoder.decode(raw)
    except (msgspec.DecodeError, RecursionError) as error:
        if bytes(raw).strip() == b"null":
            return {}
        raise ValueError(f"params.arguments must be a JSON object: {error}") from None


def _safe_id(value: MessageId | UnsetType) -> MessageId:
    return None if value is UNSET else value


def _explain(body: bytes, error: Exception) -> MalformedMessage:
    try:
        document = _any_decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as reason:
        return MalformedMessage(f"the body is not valid JSON: {reason}", -32700)
    if isinstance(document, list):
        reason = "batches were removed from MCP in 2025-06-18; send one message per request"
        return MalformedMessage(reason, -32600)
    if not isinstance(document, dict):
        return MalformedMessage("a JSON-RPC message is a JSON object", -32600)
    candidate: object = document.get("id")  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    if isinstance(candidate, bool) or not isinstance(candidate, int | float | str):
        candidate = None
    code = -32602 if "$.params" in str(error) else -32600
    return MalformedMessage(f"the message does not fit JSON-RPC or MCP: {error}", code, candidate)
