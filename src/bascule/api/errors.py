"""Every failure of the REST API in one shape (requirements: errors).

`{"error": {"code", "message", "details", "correlation_id", "request_id", "timestamp"}}`
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, cast

import structlog
from fastapi import FastAPI, Request
from fastapi.encoders import jsonable_encoder
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from bascule.api.correlation import correlation_id_of
from bascule.gateway.errors import ErrorCode, GatewayError
from bascule.gateway.verdict import Refuse

_log = structlog.get_logger(__name__)

_BY_STATUS = {
    401: ErrorCode.AUTH_REQUIRED,
    403: ErrorCode.FORBIDDEN,
    404: ErrorCode.NOT_FOUND,
    405: ErrorCode.INVALID_REQUEST,
    413: ErrorCode.TOO_LARGE,
    415: ErrorCode.UNSUPPORTED_MEDIA,
}


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
    """A refusal that identity or a permission gave, on its way to the caller."""

    def __init__(self, refusal: Refuse) -> None:
        super().__init__(refusal.public, private=refusal.private, details=refusal.details)
        self.code = refusal.error


def install_error_handlers(app: FastAPI) -> None:
    """Give every kind of failure the one shape."""
    app.add_exception_handler(GatewayError, _on_gateway_error)
    app.add_exception_handler(RequestValidationError, _on_invalid_request)
    app.add_exception_handler(HTTPException, _on_http_error)
    app.add_exception_handler(Exception, _on_bug)


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
    headers = {"www-authenticate": 'Bearer realm="bascule"'} if error.http_status == 401 else None
    return JSONResponse(body, error.http_status, headers)


async def _on_gateway_error(request: Request, failure: Exception) -> JSONResponse:
    known = cast(GatewayError, failure)
    error = known.code if isinstance(known, Refused) else known.error
    if error.http_status >= 500:
        _log.error("api.failed", code=error.code, reason=known.private)
    return error_response(request, error, known.public, known.details)


async def _on_invalid_request(request: Request, failure: Exception) -> JSONResponse:
    errors = cast(RequestValidationError, failure).errors()
    found = [
        {"location": ".".join(str(part) for part in one["loc"]), "message": one["msg"]}
        for one in errors[:20]
    ]
    missing = any(one["type"] == "missing" for one in errors)
    sentence = "; ".join(f"{one['location']}: {one['message']}" for one in found)
    error = ErrorCode.MISSING_FIELD if missing else ErrorCode.INVALID_VALUE
    return error_response(
        request, error, f"The request is not right: {sentence}", {"errors": found}
    )


async def _on_http_error(request: Request, failure: Exception) -> JSONResponse:
    known = cast(HTTPException, failure)
    error = _BY_STATUS.get(known.status_code, ErrorCode.INVALID_REQUEST)
    message = str(known.detail)
    if known.status_code == 404:
        message = f"There is nothing at {request.url.path}. GET /api/openapi.json lists every path."
    response = error_response(request, error, message)
    response.status_code = known.status_code
    return response


async def _on_bug(request: Request, bug: Exception) -> JSONResponse:
    _log.error("api.crashed", path=request.url.path, exc_info=bug)
    message = "The server failed on this request. Quote the correlation id to its operator."
    return error_response(request, ErrorCode.INTERNAL, message)
