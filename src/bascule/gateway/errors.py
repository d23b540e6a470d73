"""Everything that can be wrong with a call, by the code its caller reads.

The codes are API: listed in docs/reference/errors.md, and a test compares the two.
"""

from collections.abc import Mapping
from enum import Enum
from typing import ClassVar

from bascule.protocol import codes


class ErrorCode(Enum):
    """(E-code, slug, HTTP status for REST callers, JSON-RPC code for MCP callers)."""

    AUTH_REQUIRED = ("E1001", "auth.required", 401, codes.INVALID_REQUEST)
    INVALID_TOKEN = ("E1002", "auth.invalid_token", 401, codes.INVALID_REQUEST)
    TOKEN_EXPIRED = ("E1003", "auth.token_expired", 401, codes.INVALID_REQUEST)
    FORBIDDEN = ("E1004", "auth.insufficient_permissions", 403, codes.INVALID_REQUEST)
    ORIGIN_REFUSED = ("E1005", "auth.origin_refused", 403, codes.INVALID_REQUEST)

    SESSION_UNKNOWN = ("E1006", "auth.session_unknown", 404, codes.INVALID_REQUEST)
    CONSENT_REQUIRED = ("E1007", "auth.consent_required", 403, codes.INVALID_REQUEST)
    TOKEN_REQUIRED = ("E1008", "auth.token_required", 403, codes.INVALID_REQUEST)
    INSUFFICIENT_SCOPE = ("E1009", "auth.insufficient_scope", 403, codes.INVALID_REQUEST)
    TOO_MANY_ATTEMPTS = ("E1010", "auth.too_many_attempts", 429, codes.INVALID_REQUEST)
    FORGED = ("E1011", "auth.request_forged", 403, codes.INVALID_REQUEST)
    ELEVATION_REQUIRED = ("E1012", "auth.elevation_required", 403, codes.INVALID_REQUEST)

    INVALID_REQUEST = ("E2001", "request.invalid", 400, codes.INVALID_REQUEST)
    SCHEMA_VIOLATION = ("E2002", "request.schema_violation", 422, codes.INVALID_PARAMS)
    MISSING_FIELD = ("E2003", "request.missing_field", 400, codes.INVALID_PARAMS)
    INVALID_VALUE = ("E2004", "request.invalid_value", 400, codes.INVALID_PARAMS)
    MALFORMED_JSON = ("E2005", "request.malformed_json", 400, codes.PARSE_ERROR)
    TOO_LARGE = ("E2006", "request.too_large", 413, codes.INVALID_REQUEST)
    UNSUPPORTED_MEDIA = ("E2007", "request.unsupported_media_type", 415, codes.INVALID_REQUEST)
    HEADER_MISMATCH = ("E2008", "request.header_mismatch", 400, codes.HEADER_MISMATCH)
    UNSUPPORTED_VERSION = ("E2009", "request.unsupported_version", 400, codes.UNSUPPORTED_VERSION)
    UNKNOWN_METHOD = ("E2010", "request.unknown_method", 404, codes.METHOD_NOT_FOUND)
    NOT_FOUND = ("E2011", "request.not_found", 404, codes.INVALID_PARAMS)
    CONFLICT = ("E2012", "request.conflict", 409, codes.INVALID_PARAMS)

    SESSION_REQUIRED = ("E2013", "request.session_required", 400, codes.INVALID_REQUEST)
    MISSING_CAPABILITY = (
        "E2014", "request.missing_capability", 400, codes.MISSING_CLIENT_CAPABILITY
    )  # fmt: skip
    STALE_HANDLE = ("E2015", "request.stale_handle", 400, codes.INVALID_PARAMS)
    RATE_LIMITED = ("E2016", "request.rate_limited", 429, codes.INVALID_REQUEST)

    TOOL_NOT_FOUND = ("E3001", "tool.not_found", 404, codes.INVALID_PARAMS)
    TOOL_DISABLED = ("E3002", "tool.disabled", 409, codes.INVALID_PARAMS)
    TOOL_FAILED = ("E3003", "tool.failed", 502, codes.INTERNAL_ERROR)
    TOOL_TIMEOUT = ("E3004", "tool.timeout", 504, codes.INTERNAL_ERROR)

    RESOURCE_NOT_FOUND = ("E3005", "resource.not_found", 404, codes.INVALID_PARAMS)
    PROMPT_NOT_FOUND = ("E3006", "prompt.not_found", 404, codes.INVALID_PARAMS)

    UPSTREAM_UNREACHABLE = ("E4001", "upstream.unreachable", 502, codes.INTERNAL_ERROR)
    UPSTREAM_TIMEOUT = ("E4002", "upstream.timeout", 504, codes.INTERNAL_ERROR)
    UPSTREAM_RATE_LIMITED = ("E4003", "upstream.rate_limited", 503, codes.INTERNAL_ERROR)
    UPSTREAM_FAILED = ("E4004", "upstream.failed", 502, codes.INTERNAL_ERROR)
    ASKED_IN_VAIN = ("E4005", "upstream.asked_in_vain", 502, codes.INTERNAL_ERROR)

    INTERNAL = ("E5001", "internal", 500, codes.INTERNAL_ERROR)
    DATABASE = ("E5002", "database", 503, codes.INTERNAL_ERROR)
    CACHE = ("E5003", "cache", 503, codes.INTERNAL_ERROR)
    UNAVAILABLE = ("E5004", "unavailable", 503, codes.INTERNAL_ERROR)

    def __init__(self, code: str, slug: str, http_status: int, rpc_code: int) -> None:
        self.code = code
        self.slug = slug
        self.http_status = http_status
        self.rpc_code = rpc_code


class GatewayError(Exception):
    """A failure we name to the caller. Anything else is a bug: E5001, and it pages.

    `public` is the caller's sentence and says what to do; `private` is for the audit record
    and the log, and may name what the caller must not learn.
    """

    error: ClassVar[ErrorCode] = ErrorCode.INTERNAL

    def __init__(
        self, public: str, *, private: str = "", details: Mapping[str, object] | None = None
    ) -> None:
        super().__init__(public)
        self.public = public
        self.private = private or public
        self.details = dict(details or {})


class UpstreamUnreachable(GatewayError):
    """Nothing was sent: safe to retry."""

    error = ErrorCode.UPSTREAM_UNREACHABLE


class UpstreamTimeout(GatewayError):
    """The deadline passed: the upstream may have acted; never retried blindly."""

    error = ErrorCode.UPSTREAM_TIMEOUT


class UpstreamFailed(GatewayError):
    """The upstream answered, but not with something usable; it may have acted."""

    error = ErrorCode.UPSTREAM_FAILED


class UpstreamCut(UpstreamFailed):
    """The connection ended before there was a whole answer; the upstream may have acted."""


class UpstreamRateLimited(GatewayError):
    """The upstream answered 429; `details` holds `retry_after_seconds` where it said so."""

    error = ErrorCode.UPSTREAM_RATE_LIMITED


class RecordingFailed(GatewayError):
    """The audit record could not be made durable, so the answer must not leave."""

    error = ErrorCode.UNAVAILABLE


class InvalidRequest(GatewayError):
    """The caller must change the request."""

    error = ErrorCode.INVALID_REQUEST


class InvalidValue(GatewayError):
    """One field is wrong; `details` names it."""

    error = ErrorCode.INVALID_VALUE


class InvalidArgument(InvalidValue):
    """A tool's argument fits the schema, and cannot be sent for all that; nothing was.

    Whoever chose it can choose another one, so a tool call gets it as the tool's result.
    """


class MissingField(GatewayError):
    """A field is not there that has to be; `details` names it."""

    error = ErrorCode.MISSING_FIELD


class UnknownMethod(GatewayError):
    """Nothing here serves this method."""

    error = ErrorCode.UNKNOWN_METHOD


class NotFound(GatewayError):
    """No such thing for this caller."""

    error = ErrorCode.NOT_FOUND


class Conflict(GatewayError):
    """The thing exists or changed meanwhile."""

    error = ErrorCode.CONFLICT


class Forbidden(GatewayError):
    """Known, but not permitted."""

    error = ErrorCode.FORBIDDEN


class AuthRequired(GatewayError):
    """No credential came with the request."""

    error = ErrorCode.AUTH_REQUIRED


class InvalidToken(GatewayError):
    """A credential came that this gateway does not accept."""

    error = ErrorCode.INVALID_TOKEN


class ConsentRequired(GatewayError):
    """A person must visit `url` first; the call can be made again afterwards.

    `public` says why, without the address. Nothing was done. Becomes a `Challenge`.
    """

    error = ErrorCode.CONSENT_REQUIRED

    def __init__(self, public: str, *, url: str, private: str = "") -> None:
        super().__init__(public, private=private, details={"consent_url": url})
        self.url = url


class TokenRequired(GatewayError):
    """The service is called in the caller's own name, and the caller brought no token."""

    error = ErrorCode.TOKEN_REQUIRED


class AskedInVain(GatewayError):
    """The upstream asked the caller something that could not be put, or was not answered."""

    error = ErrorCode.ASKED_IN_VAIN


class MissingCapability(GatewayError):
    """The call needs a client capability its caller did not declare.

    `details` holds `requiredCapabilities`, an object (specification 2026-07-28, basic/index).
    """

    error = ErrorCode.MISSING_CAPABILITY


class StaleHandle(GatewayError):
    """A sealed handle (requestState, cursor, task id) is not valid for this request."""

    error = ErrorCode.STALE_HANDLE


class ResourceNotFound(GatewayError):
    """No such resource for this caller; `details` holds `uri`."""

    error = ErrorCode.RESOURCE_NOT_FOUND


class PromptNotFound(GatewayError):
    """No such prompt for this caller."""

    error = ErrorCode.PROMPT_NOT_FOUND
