"""Every failure of the REST API in one shape (docs/reference/errors.md).

`{"error": {"code", "message", "details", "correlation_id", "request_id", "timestamp"}}`
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, cast

import structlog
from fastapi import FastAPI, Request
from fastapi.encoders import jsonable_encoder
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from bascule.api.challenging import challenge_headers
from bascule.api.correlation import correlation_id_of
from bascule.gateway.errors import ErrorCode, GatewayError
from bascule.gateway.verdict import Refuse

_log = structlog.get_logger(__name__)

_BY_STATUS: Final = {
    404: ErrorCode.NOT_FOUND,
    413: ErrorCode.TOO_LARGE,
}
_MOST_FINDINGS: Final = 20


class ErrorDetail(BaseModel):
    """What went wrong, what to do, and the id to quote to an operator."""

    code: str
    message: str
    details: dict[str, Any]
    correlation_id: str
    request_id: str
    timestamp: datetime


class ErrorBody(BaseModel):
    """The body of every answer that is not a success."""

    error: ErrorDetail


class Refused(GatewayError):
    """A refusal that identity or a permission gave, on its way to the caller.

    `code` is the refusal's own; `error` only says that there was one.
    """

    error = ErrorCode.FORBIDDEN

    def __init__(self, refusal: Refuse) -> None:
        super().__init__(refusal.public, private=refusal.private, details=refusal.details)
        self.code = refusal.error


def install_error_handlers(app: FastAPI) -> None:
    """Give every named kind of failure the one shape; `edge` has the rest."""
    app.add_exception_handler(GatewayError, _on_gateway_error)
    app.add_exception_handler(RequestValidationError, _on_invalid_request)
    app.add_exception_handler(HTTPException, _on_http_error)


def error_response(
    request: Request, error: ErrorCode, message: str, details: Mapping[str, object] | None = None
) -> JSONResponse:
    """The one shape, with the status that belongs to `error`."""
    correlation_id = correlation_id_of(request)
    body = {
        "error": {
            "code": error.code,
            "message": message,
            "details": jsonable_encoder(dict(details or {})),
            "correlation_id": correlation_id,
            "request_id": correlation_id,
            "timestamp": datetime.now(UTC).isoformat(),
        }
    }
    refusal = Refuse(error, message, "", details)
    return JSONResponse(body, error.http_status, challenge_headers(request, refusal))


async def _on_gateway_error(request: Request, failure: Exception) -> JSONResponse:
    known = cast(GatewayError, failure)
    error = known.code if isinstance(known, Refused) else known.error
    if error.http_status >= 500:
        _log.error("api.failed", code=error.code, reason=known.private)
    response = error_response(request, error, known.public, known.details)
    seconds = known.details.get("retry_after_seconds")
    if seconds is not None and error.http_status == 429:
        response.headers["retry-after"] = str(seconds)
    return response


async def _on_invalid_request(request: Request, failure: Exception) -> JSONResponse:
    known = cast(RequestValidationError, failure)
    errors: Sequence[Mapping[str, Any]] = known.errors()
    if errors[0]["type"] == "json_invalid":
        return _malformed(request, f"{errors[0]['ctx']['error']}, character {errors[0]['loc'][1]}")
    if isinstance(known.body, bytes):
        # FastAPI hands a body over undecoded where its content type is not JSON.
        message = "Send the body as JSON, with the header Content-Type: application/json."
        return error_response(request, ErrorCode.UNSUPPORTED_MEDIA, message)
    found = [
        {"location": ".".join(str(part) for part in one["loc"]), "message": one["msg"]}
        for one in errors[:_MOST_FINDINGS]
    ]
    missing = any(one["type"] == "missing" for one in errors)
    sentence = "; ".join(f"{one['location']}: {one['message']}" for one in found)
    error = ErrorCode.MISSING_FIELD if missing else ErrorCode.INVALID_VALUE
    end = "" if sentence.endswith((".", "?", "!")) else "."
    message = f"The request is not right: {sentence}{end}"
    return error_response(request, error, message, {"errors": found})


async def _on_http_error(request: Request, failure: Exception) -> JSONResponse:
    known = cast(HTTPException, failure)
    if known.status_code == 400 and "json" in request.headers.get("content-type", ""):
        return _malformed(request, "not UTF-8, or nested too deeply")
    error = _BY_STATUS.get(known.status_code, ErrorCode.INVALID_REQUEST)
    response = error_response(request, error, _sentence(request, known))
    response.status_code = known.status_code
    response.headers.update(known.headers or {})
    return response


def _sentence(request: Request, failure: HTTPException) -> str:
    if failure.status_code == 404:
        return f"There is nothing at {request.url.path}. GET /api/openapi.json lists every path."
    if failure.status_code == 405:
        return f"{request.method} is not understood at {request.url.path}; see the header Allow."
    return str(failure.detail)


def _malformed(request: Request, reason: str) -> JSONResponse:
    message = f"The body cannot be read as JSON: {reason}."
    return error_response(request, ErrorCode.MALFORMED_JSON, message)
