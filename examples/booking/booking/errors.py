"""Every error the service answers, in one shape: code, message, details."""

import logging
import sqlite3
from collections.abc import Callable, Coroutine
from typing import Any, cast

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

Responses = dict[int | str, dict[str, Any]]
"""What FastAPI's `responses=` takes."""

LOG = logging.getLogger("booking")


class Problem(BaseModel):
    """What went wrong and what to do about it."""

    code: str = Field(description="Stable identifier of the error, safe to branch on.")
    message: str = Field(description="What is wrong and what to do next, for a person.")
    details: dict[str, Any] = Field(description="Facts that help to recover; may be empty.")


class ErrorBody(BaseModel):
    """The body of every answer that is not a success."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "error": {
                    "code": "dealer_unknown",
                    "message": "There is no dealer XYZ99. Take a dealer_id from GET /v1/dealers.",
                    "details": {},
                }
            }
        }
    )

    error: Problem


class ApiError(Exception):
    """A failure the caller is told about by name. Anything else is a bug and answers 500."""

    def __init__(self, status: int, code: str, message: str, **details: Any) -> None:
        super().__init__(message)
        self.status = status
        self.problem = Problem(code=code, message=message, details=details)


def describe_errors(descriptions: dict[int, str]) -> Responses:
    """Document the named error statuses of an operation."""
    return {
        status: {"model": ErrorBody, "description": text} for status, text in descriptions.items()
    }


def answer(status: int, problem: Problem, headers: dict[str, str] | None = None) -> JSONResponse:
    return JSONResponse(ErrorBody(error=problem).model_dump(), status, headers)


async def answer_api_error(_: Request, error: ApiError) -> JSONResponse:
    return answer(error.status, error.problem)


async def answer_invalid_request(_: Request, error: RequestValidationError) -> JSONResponse:
    faults = [_explain_fault(fault) for fault in cast("list[dict[str, Any]]", error.errors())]
    summary = "; ".join(f"{fault['field']}: {fault['problem']}" for fault in faults[:3])
    message = f"{summary}. Correct the request and send it again."
    return answer(
        422, Problem(code="request_invalid", message=message, details={"fields": faults[:20]})
    )


async def answer_http_error(_: Request, error: HTTPException) -> JSONResponse:
    known = {
        404: ("path_unknown", "There is no such path. GET /openapi.json lists every operation."),
        405: ("method_not_allowed", "This path takes another method; the Allow header names it."),
    }
    code, message = known.get(error.status_code, ("request_refused", f"{error.detail}."))
    problem = Problem(code=code, message=message, details={})
    return answer(error.status_code, problem, dict(error.headers or {}))


async def answer_database_error(_: Request, error: sqlite3.Error) -> JSONResponse:
    LOG.error("database error: %s", error)
    message = "The booking database cannot be used just now. Send the same request again soon."
    problem = Problem(code="database_unavailable", message=message, details={})
    return answer(503, problem, {"Retry-After": "5"})


async def answer_bug(_: Request, __: Exception) -> JSONResponse:
    message = "The booking service failed. Look the booking up before you repeat the request."
    return answer(500, Problem(code="internal_error", message=message, details={}))


Handler = Callable[[Request, Any], Coroutine[Any, Any, Response]]

HANDLERS: dict[int | type[Exception], Handler] = {
    ApiError: answer_api_error,
    RequestValidationError: answer_invalid_request,
    HTTPException: answer_http_error,
    sqlite3.Error: answer_database_error,
    Exception: answer_bug,
}


def _explain_fault(fault: dict[str, Any]) -> dict[str, str]:
    where, *path = [str(step) for step in fault["loc"]]
    problem = fault["msg"].removeprefix("Value error, ").removesuffix(".")
    return {"field": ".".join(path) or where, "in": where, "problem": problem}
