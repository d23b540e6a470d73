"""`bascule audit`: what happened, and whether the record of it is whole."""

import os
from pathlib import Path
from typing import Annotated, Any

import typer

from bascule.app.places import journal_directory as place_of_journal
from bascule.audit.export import ExportVerification, export_tenant, verify_export
from bascule.audit.segments import lines_forwards
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


@app.command("export")
def export_records(
    target: Annotated[Path, typer.Argument(metavar="FILE", help="A file that is not there yet.")],
    tenant: Annotated[str, typer.Option(help="Whose records; '' for those of no tenant.")],
    journal: Annotated[
        Path | None, typer.Option(help="A journal directory; default: the instance's.")
    ] = None,
    output: OutputOption = Format.TABLE,
    data: DataOption = DEFAULT_DATA,
) -> None:
    """Write the records of one tenant to a file whose lines prove themselves, and check it.

    Needs only the files of the journal. `bascule audit verify FILE` checks it again, anywhere.
    """
    lines = export_tenant(_place(journal, data), tenant)
    try:
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with open(descriptor, "wb") as file:  # noqa: PTH123 - a descriptor, for its mode
                file.writelines(lines)
        except BaseException:
            target.unlink(missing_ok=True)  # a part of an export would pass for a shorter one
            raise
    except OSError as failure:
        raise CommandFailed(f"{target} was not written: {failure.strerror}.", Exit.USAGE) from None
    _verify_export(target, tenant, output)


@app.command("verify")
def verify_journal(
    place: Annotated[
        Path | None,
        typer.Argument(help="A journal directory, or an export; default: the instance's journal."),
    ] = None,
    tenant: Annotated[
        str | None, typer.Option(help="Check the chain of this tenant alone.")
    ] = None,
    output: OutputOption = Format.TABLE,
    data: DataOption = DEFAULT_DATA,
) -> None:
    """Check every record's hash and every link; exits with 7 and names the first bad one.

    Needs only the files: it runs beside a live instance, or on a copy elsewhere.
    """
    if place is not None and place.exists() and not place.is_dir():
        _verify_export(place, tenant, output)
        return
    journal = _place(place, data)
    if tenant is not None:
        _report_chain(verify_export(export_tenant(journal, tenant), tenant), journal, output)
    else:
        _report_journal(journal, output)


def _place(directory: Path | None, data: Path) -> Path:
    place = directory or journal_directory(data)
    if not place.is_dir():
        raise CommandFailed(f"There is no journal at {place}.", Exit.USAGE)
    return place


def _verify_export(file: Path, tenant: str | None, output: Format) -> None:
    with file.open("rb") as lines:
        _report_chain(verify_export(lines_forwards(lines), tenant), file, output)


def _report_journal(place: Path, output: Format) -> None:
    result = verify(place)
    if output is not Format.TABLE:
        print_structured(_members(result, place), output)
    elif result.first_bad is None:
        typer.echo(f"ok: {result.records} records in {result.segments} segments, chain intact")
        _print_notes(result.warnings)
    if result.first_bad is not None:
        raise CommandFailed(
            _sentence(result.first_bad),
            Exit.VERIFICATION,
            details=_members(result, place)["first_bad"],
        )


def _report_chain(result: ExportVerification, place: Path, output: Format) -> None:
    members = _chain_members(result, place)
    if output is not Format.TABLE:
        print_structured(members, output)
    elif result.first_bad is None:
        whose = f"tenant {result.tenant}" if result.tenant else "no tenant"
        chains = "its chain" if result.chains < 2 else f"all {result.chains} chains"
        typer.echo(f"ok: {result.records} records of {whose}, {chains} intact")
        _print_notes(result.warnings)
    if bad := members["first_bad"]:
        raise CommandFailed(
            f"{_name(bad['tenant_seq'], bad['event_id'])}, line {bad['line']}: {bad['detail']}. "
            "Records before it are intact; from it on nothing is proven.",
            Exit.VERIFICATION,
            details=bad,
        )


def _print_notes(warnings: tuple[str, ...]) -> None:
    for warning in warnings:
        typer.echo(f"note: {warning}", err=True)


def _chain_members(result: ExportVerification, place: Path) -> dict[str, Any]:
    bad = result.first_bad
    return {
        "place": str(place),
        "ok": bad is None,
        "tenant": result.tenant,
        "records": result.records,
        "chains": result.chains,
        "first_bad": None
        if bad is None
        else {
            "line": result.line,
            "tenant_seq": bad.seq,
            "event_id": bad.event_id,
            "problem": str(bad.problem),
            "detail": bad.detail,
        },
        "warnings": list(result.warnings),
    }


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
    return (
        f"{_name(bad.seq, bad.event_id)}, line {bad.line} of {bad.file.name}: {bad.detail}. "
        "Records before it are intact; from it on nothing is proven."
    )


def _name(number: int | None, event_id: str | None) -> str:
    name = f"record {number}" if number is not None else "a record"
    return f"{name} (event {event_id})" if event_id else name


def journal_directory(data: Path) -> Path:
    """Where the instance on `data` keeps its journal."""
    return place_of_journal(load_settings(data).settings, data)
