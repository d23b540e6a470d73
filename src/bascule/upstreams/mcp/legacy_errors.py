"""Errors of legacy upstreams that are something else in the modern era.

Source: specification 2025-11-25, client/elicitation "URL Elicitation Required Error"; 2026-07-28,
basic/index "Error Codes".
"""

from typing import Final

import msgspec

from bascule.protocol import codes
from bascule.upstreams.mcp.failures import UpstreamRpcError, rpc_error
from bascule.upstreams.mcp.questions import ELICITATION, InputRequest, read_request

URL_ELICITATION_REQUIRED: Final = -32042
_MOST: Final = 16


class _Pages(msgspec.Struct):
    elicitations: list[dict[str, object]]


class _Required(msgspec.Struct):
    required: dict[str, object] = msgspec.field(name="requiredCapabilities")


def elicitations_of(error: UpstreamRpcError) -> dict[str, InputRequest]:
    """The pages a user must visit before the call is made anew; none where it is another error.

    Modern callers get them as questions, and call again with nothing to remember.
    """
    if error.rpc_code != URL_ELICITATION_REQUIRED:
        return {}
    try:
        elicitations = msgspec.convert(error.rpc_data, _Pages).elicitations[:_MOST]
        requests = [
            read_request(ELICITATION, msgspec.json.encode(params)) for params in elicitations
        ]
    except (msgspec.ValidationError, ValueError):
        return {}
    if any(request.mode != "url" for request in requests):
        return {}
    return {f"q{number}": request for number, request in enumerate(requests, 1)}


def in_modern_terms(error: UpstreamRpcError) -> UpstreamRpcError:
    """The error that a modern upstream would have given.

    The legacy era has no code for a capability that is missing, but servers of both eras name it.
    """
    if error.rpc_code != codes.INVALID_PARAMS:
        return error
    try:
        msgspec.convert(error.rpc_data, _Required)
    except msgspec.ValidationError:
        return error
    return rpc_error(codes.MISSING_CLIENT_CAPABILITY, error.rpc_message, error.rpc_data)
