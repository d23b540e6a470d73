"""What commands that change policies have in common: the reason, and what came of it."""

import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Annotated, Any, Final, cast

import typer

from bascule.cli.connection import Api, Target
from bascule.cli.context import with_api
from bascule.cli.failures import CommandFailed, Exit
from bascule.cli.output import Format, print_rows, print_structured
from bascule.cli.terminal import console_on, harmless
from bascule.protocol.headers import encode_value

HEADER: Final = "x-bascule-reason"
_STYLES: Final = {"+": "green", "-": "red", "~": "yellow"}
_FAILED: Final = "failed"

ReasonOption = Annotated[
    str | None, typer.Option("--reason", help="Why; kept with the version that this makes.")
]


def because(reason: str | None) -> dict[str, str]:
    """The header that says why; none where nothing is said."""
    return {} if reason is None else {HEADER: encode_value(reason)}


def change(target: Target, work: Callable[[Api], Awaitable[Any]]) -> Any:
    """As `with_api`; what tests of policies refuse ends with the code of a failed verification."""
    try:
        return with_api(target, work)
    except CommandFailed as failure:
        if _FAILED not in failure.details:
            raise
        raise CommandFailed(
            failure.message,
            Exit.VERIFICATION,
            code=failure.code,
            details=failure.details,
            correlation_id=failure.correlation_id,
        ) from None


def print_made(made: Mapping[str, Any], output: Format) -> None:
    """Print what a change came to: each policy it touched, and the version."""
    if output is not Format.TABLE:
        print_structured(made, output)
        return
    if made["changes"]:
        print_rows(made["changes"], ("change", "policy"), output)
        print(f"version {made['version']}", file=sys.stderr)
    else:
        print(f"nothing changed; version {made['version']}", file=sys.stderr)


def print_diffs(found: Mapping[str, Any], output: Format) -> None:
    """Print what changes about each policy, line by line, in colour on a terminal."""
    if output is not Format.TABLE:
        print_structured(found, output)
        return
    diffs = cast("Sequence[Mapping[str, Any]]", found["diff"])
    console = console_on(sys.stdout)
    for one in diffs:
        console.print(f"{harmless(one['policy'])} ({one['change']})", style="bold", markup=False)
        for line in one["lines"]:
            style = _STYLES.get(line[:1])
            console.print(f"  {harmless(line)}", style=style, markup=False)
    if not diffs:
        print("no difference", file=sys.stderr)


def report_tests(report: Mapping[str, Any], output: Format) -> None:
    """Print what came of tests.

    Raises:
        CommandFailed: one failed; the exit code is that of a failed verification.
    """
    columns = ("name", "passed", "expected", "actual", "rule", "message")
    print_rows(report["tests"], columns, output, report)
    if report["failed"]:
        total = report["passed"] + report["failed"]
        message = f"{report['failed']} of {total} tests failed."
        raise CommandFailed(message, Exit.VERIFICATION)
