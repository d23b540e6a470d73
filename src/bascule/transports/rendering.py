"""Outcomes as MCP answers: JSON-RPC results and errors, and the HTTP status around them."""

from collections.abc import Callable, Mapping
from typing import Final

from bascule.gateway.call import Call, Method, Outcome, Result
from bascule.gateway.errors import ErrorCode
from bascule.gateway.tool import McpSource
from bascule.gateway.verdict import Challenge, Refuse
from bascule.protocol import codes
from bascule.protocol.messages import SUBSCRIPTION_KEY
from bascule.protocol.results import Identity, encode_error, encode_result, tool_error
from bascule.protocol.versions import Era
from bascule.transports.challenges import ask_to_visit

ERROR_META: Final = "io.bascule/error"

# A model can act on these, so they are tool results; the rest are protocol errors
# (specification 2026-07-28, server/tools "Error Handling").
_TOOL_ERRORS: Final = frozenset(
    {
        ErrorCode.SCHEMA_VIOLATION,
        ErrorCode.TOOL_FAILED,
        ErrorCode.TOOL_TIMEOUT,
        ErrorCode.TOOL_DISABLED,
        ErrorCode.CONSENT_REQUIRED,
        ErrorCode.ELEVATION_REQUIRED,
        ErrorCode.TOKEN_REQUIRED,
        ErrorCode.UPSTREAM_UNREACHABLE,
        ErrorCode.UPSTREAM_TIMEOUT,
        ErrorCode.UPSTREAM_RATE_LIMITED,
        ErrorCode.UPSTREAM_FAILED,
    }
)
# Legacy revisions leave the status open; their clients read JSON-RPC errors from a 200.
_STATUS_IN_BOTH_ERAS: Final = frozenset(
    {
        ErrorCode.AUTH_REQUIRED,
        ErrorCode.INVALID_TOKEN,
        ErrorCode.TOKEN_EXPIRED,
        ErrorCode.ORIGIN_REFUSED,
        ErrorCode.INSUFFICIENT_SCOPE,
        ErrorCode.INVALID_REQUEST,
        ErrorCode.MALFORMED_JSON,
        ErrorCode.TOO_LARGE,
        ErrorCode.UNSUPPORTED_MEDIA,
        ErrorCode.UNSUPPORTED_VERSION,
        ErrorCode.SESSION_REQUIRED,
        ErrorCode.SESSION_UNKNOWN,
        ErrorCode.UNAVAILABLE,
        ErrorCode.INTERNAL,
    }
)
_STATUS_IN_MODERN: Final = _STATUS_IN_BOTH_ERAS | {
    ErrorCode.HEADER_MISMATCH,
    ErrorCode.MISSING_FIELD,
    ErrorCode.UNKNOWN_METHOD,
    ErrorCode.MISSING_CAPABILITY,
    ErrorCode.FORBIDDEN,
    ErrorCode.RATE_LIMITED,
}
# The specification names members of their data: details go there, not into one of their own.
_WITH_OPEN_DATA: Final = frozenset(
    {ErrorCode.UNSUPPORTED_VERSION, ErrorCode.MISSING_CAPABILITY, ErrorCode.RESOURCE_NOT_FOUND}
)


def renderer(identity: Identity) -> Callable[[Call, Outcome], bytes]:
    """Make the function that puts outcomes into JSON-RPC under `identity`."""

    def render(call: Call, outcome: Outcome) -> bytes:
        if isinstance(outcome, Result):
            body = _with_code(call, outcome) if outcome.is_error else outcome.body
            if outcome.feed is not None and call.method is Method.LISTEN:
                # What ends the subscription (basic/patterns/subscriptions "Graceful Closure").
                body = {**body, "_meta": {SUBSCRIPTION_KEY: call.message_id}}
            return encode_result(call.message_id, body, call.era, identity, outcome.kind)
        challenged = isinstance(outcome, Challenge)
        if isinstance(outcome, Challenge):
            asked = ask_to_visit(call, outcome, identity)
            if asked is not None:
                return asked
            outcome = outcome.as_refusal()
        if call.method is Method.TOOLS_CALL and (challenged or _is_for_the_model(outcome)):
            text = f"{outcome.error.code}: {outcome.public}"
            body = tool_error(text, {ERROR_META: _data(call, outcome)})
            return encode_result(call.message_id, body, call.era, identity)
        code, data = _rpc_error(outcome)
        data = data or _data(call, outcome)
        if call.era is Era.LEGACY:
            code = _legacy_code(call, code, data)
        return encode_error(call.message_id, code, outcome.public, data)

    return render


def http_status(call: Call, outcome: Outcome) -> int:
    """The HTTP status that goes with `outcome` in the caller's era."""
    if isinstance(outcome, Result):
        return 200
    if isinstance(outcome, Challenge):
        # A 403 would have clients look for another token, and drop the words they are sent.
        return 200 if call.message_id is not None else outcome.need.error.http_status
    if call.message_id is None:
        # No request to answer: only the status can say it ("Sending Messages", rule 5).
        return outcome.error.http_status
    if call.era is Era.LEGACY:
        return outcome.error.http_status if outcome.error in _STATUS_IN_BOTH_ERAS else 200
    if (outcome.details or {}).get("rpc_code") == codes.MISSING_CLIENT_CAPABILITY:
        return ErrorCode.MISSING_CAPABILITY.http_status
    return outcome.error.http_status if outcome.error in _STATUS_IN_MODERN else 200


def _with_code(call: Call, result: Result) -> Mapping[str, object]:
    """A REST service's refusal with the code that goes with it; a relayed result is verbatim."""
    if call.tool is None or isinstance(call.tool.source, McpSource):
        return result.body
    error = {"code": ErrorCode.TOOL_FAILED.code, "correlation_id": call.correlation_id}
    return {**result.body, "_meta": {ERROR_META: error}}


def _is_for_the_model(refusal: Refuse) -> bool:
    """Whether a model can act on it; an upstream's own protocol error is passed on as one."""
    is_ours = "rpc_code" not in (refusal.details or {})
    return is_ours and (refusal.is_about_arguments or refusal.error in _TOOL_ERRORS)


def _rpc_error(refusal: Refuse) -> tuple[int, dict[str, object] | None]:
    """The code, and the data where the specification (or a relayed error) fixes it."""
    details = dict(refusal.details or {})
    if refusal.error in _WITH_OPEN_DATA:
        return refusal.error.rpc_code, {**details, "code": refusal.error.code}
    relayed = details.get("rpc_code")
    if type(relayed) is int and codes.relayable(relayed):  # a bool is no code
        data = details.get("rpc_data")
        return relayed, data if isinstance(data, dict) else {"code": refusal.error.code}  # pyright: ignore[reportUnknownVariableType]
    return refusal.error.rpc_code, None


def _legacy_code(call: Call, code: int, data: Mapping[str, object]) -> int:
    """The code by which the older revisions call the same."""
    if code == codes.MISSING_CLIENT_CAPABILITY:
        return codes.INVALID_PARAMS
    missing = code == codes.INVALID_PARAMS and "uri" in data
    if missing and call.method is Method.RESOURCES_READ:
        return codes.LEGACY_RESOURCE_NOT_FOUND
    return code


def _data(call: Call, refusal: Refuse) -> dict[str, object]:
    data: dict[str, object] = {
        "code": refusal.error.code,
        "correlation_id": call.correlation_id,
    }
    if refusal.details:
        data["details"] = refusal.details
    return data
