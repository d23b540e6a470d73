"""How a command ends: exit codes that scripts rely on, and one JSON error on stderr.

0 ok, 1 unexpected, 2 usage, 3 not authenticated, 4 unreachable, 5 tool error, 6 not permitted,
7 verification failed.
"""

import errno
import json
import sys
import traceback
from collections.abc import Mapping
from dataclasses import asdict
from enum import IntEnum
from typing import Any, Final, cast

import typer

from bascule.cli.terminal import console_on, harmless
from bascule.gateway.errors import ErrorCode, GatewayError
from bascule.settings.problem import SettingsInvalid

_MOST_REMARKS: Final = 20
_OUTPUT_LOST: Final = {errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EFBIG}


class Exit(IntEnum):
    """Exit codes of every command."""

    OK = 0
    UNEXPECTED = 1
    USAGE = 2
    AUTHENTICATION = 3
    UNREACHABLE = 4
    TOOL_ERROR = 5
    NOT_PERMITTED = 6
    VERIFICATION = 7


_BY_CODE: Final = {
    ErrorCode.AUTH_REQUIRED.code: Exit.AUTHENTICATION,
    ErrorCode.INVALID_TOKEN.code: Exit.AUTHENTICATION,
    ErrorCode.TOKEN_EXPIRED.code: Exit.AUTHENTICATION,
    ErrorCode.FORBIDDEN.code: Exit.NOT_PERMITTED,
    ErrorCode.ORIGIN_REFUSED.code: Exit.NOT_PERMITTED,
    ErrorCode.SESSION_UNKNOWN.code: Exit.AUTHENTICATION,
    ErrorCode.CONSENT_REQUIRED.code: Exit.NOT_PERMITTED,
    ErrorCode.TOKEN_REQUIRED.code: Exit.AUTHENTICATION,
    ErrorCode.INSUFFICIENT_SCOPE.code: Exit.NOT_PERMITTED,
    ErrorCode.TOO_MANY_ATTEMPTS.code: Exit.AUTHENTICATION,
    ErrorCode.FORGED.code: Exit.NOT_PERMITTED,
    ErrorCode.ELEVATION_REQUIRED.code: Exit.NOT_PERMITTED,
    ErrorCode.UNAVAILABLE.code: Exit.UNREACHABLE,
    ErrorCode.DATABASE.code: Exit.UNREACHABLE,
}
_USUAL_CODE: Final = {
    Exit.UNEXPECTED: ErrorCode.INTERNAL.code,
    Exit.USAGE: ErrorCode.INVALID_REQUEST.code,
    Exit.AUTHENTICATION: ErrorCode.AUTH_REQUIRED.code,
    Exit.UNREACHABLE: ErrorCode.UNAVAILABLE.code,
    Exit.TOOL_ERROR: ErrorCode.TOOL_FAILED.code,
    Exit.NOT_PERMITTED: ErrorCode.FORBIDDEN.code,
}


class CommandFailed(Exception):
    """A command that cannot succeed: the sentence, its code, and how to exit.

    Without a `code` it is the usual one of its exit code. `correlation_id` finds the records of
    what an instance refused.
    """

    def __init__(
        self,
        message: str,
        exit_code: Exit,
        *,
        code: str = "",
        details: Mapping[str, object] | None = None,
        correlation_id: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.exit_code = exit_code
        self.code = code or _USUAL_CODE.get(exit_code, "")
        self.details = dict(details or {})
        self.correlation_id = correlation_id


def exit_code_for(code: str) -> Exit:
    """The exit code that belongs to an E-code."""
    if code.startswith("E2"):
        return _BY_CODE.get(code, Exit.USAGE)
    if code.startswith(("E3", "E4")):
        return _BY_CODE.get(code, Exit.TOOL_ERROR)
    return _BY_CODE.get(code, Exit.UNEXPECTED)


def explain(failure: Exception) -> CommandFailed:
    """The same failure, in the terms of a command; one that has no name is a bug."""
    if isinstance(failure, CommandFailed):
        return failure
    if isinstance(failure, GatewayError):
        code = failure.error.code
        return CommandFailed(
            failure.public, exit_code_for(code), code=code, details=failure.details
        )
    if isinstance(failure, SettingsInvalid):
        problems = [asdict(problem) for problem in failure.problems]
        code = ErrorCode.INVALID_VALUE.code
        return CommandFailed(str(failure), Exit.USAGE, code=code, details={"problems": problems})
    if isinstance(failure, typer.TyperException):
        return _usage(failure)
    if isinstance(failure, OSError) and failure.errno in _OUTPUT_LOST:
        message = f"The output cannot be written: {failure.strerror}."
        return CommandFailed(message, Exit.UNEXPECTED)
    name = type(failure).__name__
    return CommandFailed(
        f"This should not have happened ({name}: {failure}). Please report it.",
        Exit.UNEXPECTED,
        details={"traceback": traceback.format_exception(failure)},
    )


def _usage(failure: typer.TyperException) -> CommandFailed:
    context = cast("typer.Context | None", getattr(failure, "ctx", None))
    hint = f" See `{context.command_path} --help`." if context else ""
    message = failure.format_message().replace("Value error, ", "")
    end = "" if message.endswith((".", "?")) else "."
    return CommandFailed(f"{message}{end}{hint}", Exit.USAGE)


def report(failure: CommandFailed) -> Exit:
    """Print `failure` on stderr, for people on a terminal and as JSON elsewhere."""
    if sys.stderr.isatty():
        _print_for_people(failure)
    else:
        error: dict[str, Any] = {"message": failure.message, "details": failure.details}
        if failure.code:
            error = {"code": failure.code, **error}
        if failure.correlation_id:
            error["correlation_id"] = failure.correlation_id
        print(json.dumps({"error": error}, default=str), file=sys.stderr)
    return failure.exit_code


def _print_for_people(failure: CommandFailed) -> None:
    label = f"{failure.code} error: " if failure.code else "error: "
    console = console_on(sys.stderr)
    console.print(label, style="bold red", end="", markup=False)
    console.print(harmless(failure.message), markup=False)
    for line in _remarks(failure.details):
        console.print(f"  {harmless(line)}", markup=False)
    if failure.correlation_id:
        console.print(f"  correlation id {failure.correlation_id}", markup=False)


def _remarks(details: Mapping[str, object]) -> list[str]:
    """Lists of remarks on places of a document, or of arguments; and the traceback of a bug."""
    trace = details.get("traceback")
    if isinstance(trace, list):
        return "".join(cast("list[str]", trace)).splitlines()
    remarks = cast("list[dict[str, object]]", details.get("findings") or [])
    return [
        f"line {remark.get('line') or '?'}, {remark.get('location')}: {remark.get('message')}"
        for remark in remarks[:_MOST_REMARKS]
    ]
