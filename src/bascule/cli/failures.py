"""How a command ends: exit codes that scripts rely on, and one JSON error on stderr.

0 ok, 1 unexpected, 2 usage, 3 not authenticated, 4 unreachable, 5 tool error, 6 not permitted,
7 verification failed.
"""

import json
import sys
from collections.abc import Mapping
from enum import IntEnum
from typing import NoReturn

from rich.console import Console

from bascule.gateway.errors import ErrorCode, GatewayError


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


_BY_CODE = {
    ErrorCode.AUTH_REQUIRED.code: Exit.AUTHENTICATION,
    ErrorCode.INVALID_TOKEN.code: Exit.AUTHENTICATION,
    ErrorCode.TOKEN_EXPIRED.code: Exit.AUTHENTICATION,
    ErrorCode.FORBIDDEN.code: Exit.NOT_PERMITTED,
    ErrorCode.UNAVAILABLE.code: Exit.UNREACHABLE,
    ErrorCode.DATABASE.code: Exit.UNREACHABLE,
}


class CommandFailed(Exception):
    """A command that cannot succeed: the sentence, its code, and how to exit."""

    def __init__(
        self,
        message: str,
        exit_code: Exit,
        *,
        code: str = "",
        details: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.exit_code = exit_code
        self.code = code
        self.details = dict(details or {})


def exit_code_for(code: str) -> Exit:
    """The exit code that belongs to an E-code."""
    if code.startswith("E2"):
        return _BY_CODE.get(code, Exit.USAGE)
    if code.startswith(("E3", "E4")):
        return _BY_CODE.get(code, Exit.TOOL_ERROR)
    return _BY_CODE.get(code, Exit.UNEXPECTED)


def from_gateway_error(failure: GatewayError) -> CommandFailed:
    """The same failure, in the terms of a command."""
    error = failure.error
    return CommandFailed(
        failure.public, exit_code_for(error.code), code=error.code, details=failure.details
    )


def report(failure: CommandFailed) -> NoReturn:
    """Print `failure` on stderr, for people on a terminal and as JSON elsewhere, and exit."""
    if sys.stderr.isatty():
        console = Console(stderr=True, soft_wrap=True, highlight=False)
        label = f"{failure.code} " if failure.code else ""
        console.print(f"[bold red]{label}error:[/] ", end="")
        console.print(failure.message, markup=False)
    else:
        error = {"code": failure.code, "message": failure.message, "details": failure.details}
        print(json.dumps({"error": error}, default=str), file=sys.stderr)
    sys.exit(failure.exit_code)
