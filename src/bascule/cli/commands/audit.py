"""`bascule audit`: what happened, and whether the record of it is whole."""

from pathlib import Path
from typing import Annotated, Any

import typer

from bascule.app.places import journal_directory as place_of_journal
from bascule.audit.verify import BadRecord, Verification, verify
from bascule.cli.connection import Target, path_of
from bascule.cli.context import (
    DEFAULT_DATA,
    DataOption,
    KeyOption,
    UrlOption,
    load_settings,
    with_api,
)
from bascule.cli.failures import CommandFailed, Exit
from bascule.cli.output import Format, OutputOption, print_rows, print_structured
from bascule.gateway.record import Status

app = typer.Typer(no_args_is_help=True, help="The audit journal.")

_COLUMNS = ("time", "user", "action", "target", "status", "latency_ms", "error_code")


@app.command()
def tail(
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=1000, help="How many.")] = 20,
    tool: Annotated[str | None, typer.Option(help="Only this tool.")] = None,
    user: Annotated[str | None, typer.Option(help="Only this user.")] = None,
    status: Annotated[Status | None, typer.Option(help="Only what ended so.")] = None,
    correlation_id: Annotated[str | None, typer.Option(help="Only this correlation id.")] = None,
    all_tenants: Annotated[
        bool, typer.Option("--all-tenants", help="Of every tenant; for system administrators.")
    ] = False,
    output: OutputOption = Format.TABLE,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Show the latest records, newest last."""
    filters = {
        "limit": limit,
        "tool_name": tool,
        "user_id": user,
        "status": status,
        "correlation_id": correlation_id,
        "all_tenants": all_tenants or None,
    }
    target = Target(data, url, key)
    found = with_api(target, lambda api: api.get(path_of("audit-logs"), filters))
    logs = list(reversed(found["logs"]))
    print_rows([_row(log) for log in logs], _COLUMNS, output, logs)


def _row(log: dict[str, Any]) -> dict[str, Any]:
    """A record in brief: the second of its time, and the tool or thing it was about."""
    return {
        **log,
        "time": f"{log['timestamp'][:19]}Z",
        "target": log.get("tool_name") or log.get("metadata", {}).get("target"),
    }


@app.command("verify")
def verify_journal(
    directory: Annotated[
        Path | None, typer.Argument(help="A journal directory; default: the instance's.")
    ] = None,
    output: OutputOption = Format.TABLE,
    data: DataOption = DEFAULT_DATA,
) -> None:
    """Check every record's hash and every link; exits with 7 and names the first bad one.

    Needs only the files: it runs beside a live instance, or on a copy elsewhere.
    """
    place = directory or journal_directory(data)
    if not place.is_dir():
        raise CommandFailed(f"There is no journal at {place}.", Exit.USAGE)
    result = verify(place)
    if output is not Format.TABLE:
        print_structured(_members(result, place), output)
    elif result.first_bad is None:
        typer.echo(f"ok: {result.records} records in {result.segments} segments, chain intact")
        for warning in result.warnings:
            typer.echo(f"note: {warning}", err=True)
    if result.first_bad is not None:
        raise CommandFailed(
            _sentence(result.first_bad),
            Exit.VERIFICATION,
            details=_members(result, place)["first_bad"],
        )


def _members(result: Verification, place: Path) -> dict[str, Any]:
    bad = result.first_bad
    return {
        "directory": str(place),
        "ok": bad is None,
        "records": result.records,
        "segments": result.segments,
        "first_bad": None
        if bad is None
        else {
            "file": bad.file.name,
            "line": bad.line,
            "seq": bad.seq,
            "event_id": bad.event_id,
            "problem": str(bad.problem),
            "detail": bad.detail,
        },
        "warnings": list(result.warnings),
    }


def _sentence(bad: BadRecord) -> str:
    name = f"record {bad.seq}" if bad.seq is not None else "a record"
    event = f" (event {bad.event_id})" if bad.event_id else ""
    return (
        f"{name}{event}, line {bad.line} of {bad.file.name}: {bad.detail}. "
        "Records before it are intact; from it on nothing is proven."
    )


def journal_directory(data: Path) -> Path:
    """Where the instance on `data` keeps its journal."""
    return place_of_journal(load_settings(data).settings, data)
