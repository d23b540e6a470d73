"""What can go wrong with an MCP upstream; the private half names it."""

from collections.abc import Mapping

from bascule.gateway.errors import (
    ErrorCode,
    GatewayError,
    UpstreamFailed,
    UpstreamTimeout,
    UpstreamUnreachable,
)
from bascule.protocol import codes

_LONGEST_MESSAGE = 2000


class UpstreamRpcError(GatewayError):
    """The upstream answered a request with a JSON-RPC error, which is passed on as it came.

    `details` holds `rpc_code` and, where the upstream sent an object, `rpc_data`.
    """

    error = ErrorCode.UPSTREAM_FAILED

    def __init__(self, code: int, message: str, data: object = None) -> None:
        details: dict[str, object] = {"rpc_code": code}
        if data is not None:
            details["rpc_data"] = data
        text = message[:_LONGEST_MESSAGE] or "The service behind this tool gave no reason."
        super().__init__(text, private=f"JSON-RPC error {code}: {text}", details=details)
        self.rpc_code = code
        self.rpc_message = message
        self.rpc_data = data


class UpstreamRefusedParams(UpstreamRpcError):
    """The upstream found the parameters wrong (-32602): the caller's to change."""

    error = ErrorCode.INVALID_VALUE


class EraMismatch(Exception):
    """The upstream does not speak the era it was thought to speak; internal to this package.

    It refused the message as a whole, so nothing was executed. `reason` is for the log.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class NotStreamable(EraMismatch):
    """The upstream has no endpoint of this transport, but may have one of the first revision."""


def rpc_error(code: int, message: str, data: object = None) -> UpstreamRpcError:
    """The failure for a JSON-RPC error of the upstream."""
    kind = UpstreamRefusedParams if code == codes.INVALID_PARAMS else UpstreamRpcError
    return kind(code, message, data)


def unreachable(upstream: str, reason: str) -> UpstreamUnreachable:
    """Nothing was sent."""
    return UpstreamUnreachable(
        "The service behind this tool cannot be reached. Nothing was sent to it; try again later.",
        private=f"{upstream}: {reason}",
    )


def timed_out(upstream: str, doing: str, *, sent: bool = True) -> UpstreamTimeout:
    """The deadline passed while `doing`; `sent` tells whether the request had left by then."""
    consequence = (
        "It may have acted on the request; check before repeating it."
        if sent
        else "Nothing was sent to it; try again later."
    )
    return UpstreamTimeout(
        f"The service behind this tool did not answer in time. {consequence}",
        private=f"{upstream}: the deadline passed while {doing}",
    )


def failed(
    upstream: str, reason: str, *, private: str = "", details: Mapping[str, object] | None = None
) -> UpstreamFailed:
    """The upstream was reached, but gave nothing usable; `reason` completes "… because"."""
    return UpstreamFailed(
        f"The service behind this tool gave no usable answer: {reason}. "
        "It may have acted on the request; check before repeating it.",
        private=f"{upstream}: {private or reason}",
        details=details,
    )
