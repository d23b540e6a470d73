"""`bascule tools`: what the registry holds, and what is said of it."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, NamedTuple, cast

import typer

from bascule.cli.arguments import parse_value
from bascule.cli.connection import Api, Target, path_of
from bascule.cli.context import DEFAULT_DATA, DataOption, KeyOption, UrlOption, with_api
from bascule.cli.failures import CommandFailed, Exit
from bascule.cli.output import Format, OutputOption, print_rows, print_structured, print_value
from bascule.cli.terminal import harmless
from bascule.gateway.tool import RiskLevel, ToolStatus
from bascule.gateway.versions import choose

app = typer.Typer(no_args_is_help=True, help="The tools of an instance.")

_COLUMNS: Final = ("name", "bundle", "risk_level", "version", "status", "title")
_PAGE: Final = 100

NameArgument = Annotated[str, typer.Argument(help="Name of the tool.")]
VersionOption = Annotated[
    str | None, typer.Option("--version", help="A version; else the one that callers get.")
]


@app.command("list")
def list_tools(
    bundle: Annotated[str | None, typer.Option(help="Only this bundle.")] = None,
    status: Annotated[ToolStatus | None, typer.Option(help="Only this status.")] = None,
    risk: Annotated[RiskLevel | None, typer.Option(help="Only this risk level.")] = None,
    tag: Annotated[str | None, typer.Option(help="Only with this tag.")] = None,
    domain: Annotated[str | None, typer.Option(help="Only of this domain.")] = None,
    owner: Annotated[str | None, typer.Option(help="Only of this owner.")] = None,
    search: Annotated[str | None, typer.Option(help="Text in name or description.")] = None,
    output: OutputOption = Format.TABLE,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """List tools, drafts included."""
    filters = {
        "bundle_id": bundle,
        "status": status,
        "risk": risk,
        "tag": tag,
        "domain": domain,
        "owner": owner,
        "search": search,
        "limit": _PAGE,
    }

    async def work(api: Api) -> dict[str, Any]:
        found: list[dict[str, Any]] = []
        while True:
            page = await api.get(path_of("tools"), {**filters, "page": len(found) // _PAGE + 1})
            found += page["tools"]
            if len(found) >= page["total"] or not page["tools"]:
                return {"tools": found, "total": len(found)}

    found = with_api(Target(data, url, key), work)
    print_rows(found["tools"], _COLUMNS, output, found)


@app.command()
def show(
    name: Annotated[str, typer.Argument(help="Name of the tool; NAME@1.2: that version.")],
    version: VersionOption = None,
    output: OutputOption = Format.YAML,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Show one tool with its schemas."""
    tool, _, pin = name.partition("@")
    if pin and version:
        raise CommandFailed(f"Say which once: {name}, or --version {version}.", Exit.USAGE)

    async def work(api: Api) -> Any:
        wanted = await _pinned(api, tool, pin) if pin else version
        return await api.get(path_of("tools", tool), {"version": wanted})

    found = with_api(Target(data, url, key), work)
    print_structured(found, Format.YAML if output is Format.TABLE else output)


@app.command()
def publish(
    name: NameArgument,
    version: VersionOption = None,
    output: OutputOption = Format.TABLE,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Publish a draft, so that agents can see it."""
    path = path_of("tools", name, "publish")
    options = {"params": {"version": version}} if version else {}
    done = with_api(Target(data, url, key), lambda api: api.post(path, **options))
    print_rows([done], _COLUMNS, output)


@app.command()
def create(
    file: Annotated[Path, typer.Argument(help="JSON or YAML: what POST /api/admin/tools takes.")],
    output: OutputOption = Format.TABLE,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Make a tool by hand, as a draft: one operation of a service that is known already."""
    body = _document(file)
    made = with_api(Target(data, url, key), lambda api: api.post(path_of("tools"), json=body))
    print_rows([made], _COLUMNS, output)
    for warning in made["warnings"]:
        print(harmless(f"warning: {warning}"), file=sys.stderr)


@app.command()
def edit(
    name: NameArgument,
    version: VersionOption = None,
    title: Annotated[str | None, typer.Option(help="Title for people.")] = None,
    description: Annotated[str | None, typer.Option(help="What it does, for models.")] = None,
    tag: Annotated[
        list[str] | None, typer.Option(help="Its tags, in place of those it has; repeatable.")
    ] = None,
    domain: Annotated[str | None, typer.Option(help="Business domain; '' for none.")] = None,
    owner: Annotated[str | None, typer.Option(help="Who answers for it; '' for none.")] = None,
    risk: Annotated[RiskLevel | None, typer.Option(help="Risk level.")] = None,
    reason: Annotated[str | None, typer.Option(help="Why the risk is lowered.")] = None,
    example: Annotated[
        list[str] | None, typer.Option(help="Arguments it takes, as JSON; repeatable.")
    ] = None,
    timeout: Annotated[float | None, typer.Option(help="Seconds that a call may take.")] = None,
    cache: Annotated[float | None, typer.Option(help="Seconds that an answer holds.")] = None,
    idempotent: Annotated[
        bool | None, typer.Option(help="Whether repeating a call changes nothing more.")
    ] = None,
    output: OutputOption = Format.TABLE,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Change what is said of a tool; imports keep that from now on."""
    given: dict[str, Any] = {
        "title": title,
        "description": description,
        "tags": tag or None,
        "domain": domain,
        "owner": owner,
        "risk_level": risk,
        "reason": reason,
        "examples": [_object(one) for one in example] if example else None,
        "timeout_seconds": timeout,
        "cache_seconds": cache,
        "idempotent": idempotent,
    }
    body = {field: value for field, value in given.items() if value is not None}
    body |= {field: None for field in ("title", "domain", "owner") if given[field] == ""}
    if not body:
        raise CommandFailed("Say what to change, as in --owner crm.", Exit.USAGE)
    path = path_of("tools", name)
    changed = with_api(
        Target(data, url, key), lambda api: api.patch(path, {"version": version}, json=body)
    )
    print_rows([changed], _COLUMNS, output)


@app.command()
def status(
    name: NameArgument,
    new: Annotated[str, typer.Argument(help="active, inactive or deprecated.", metavar="STATUS")],
    version: VersionOption = None,
    output: OutputOption = Format.TABLE,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Switch a tool on or off, or deprecate it: then it is callable still."""
    path, body = path_of("tools", name, "status"), {"status": new, "version": version}
    done = with_api(Target(data, url, key), lambda api: api.post(path, json=body))
    print_rows([done], _COLUMNS, output)


@app.command()
def delete(
    name: NameArgument,
    version: Annotated[str | None, typer.Option("--version", help="Only this one.")] = None,
    every: Annotated[bool, typer.Option("--all", help="All versions.")] = False,
    output: OutputOption = Format.TABLE,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Delete a version of a tool, or all."""
    if every is (version is not None):
        raise CommandFailed("Say which: --version 1.0.0, or --all.", Exit.USAGE)
    path = path_of("tools", name)
    print_value(
        with_api(Target(data, url, key), lambda api: api.delete(path, {"version": version})), output
    )


class _Version(NamedTuple):
    version: str


async def _pinned(api: Api, tool: str, pin: str) -> str:
    """The version that `pin` means, as for a caller; itself where it means none."""
    found = await api.get(path_of("tools", tool, "versions"))
    chosen = choose([_Version(one["version"]) for one in found["versions"]], pin)
    return pin if chosen is None else chosen.version


def _object(text: str) -> Any:
    value = parse_value("--example", text)
    if not isinstance(value, dict):
        raise CommandFailed(f"--example {text} is no JSON object.", Exit.USAGE)
    return cast("dict[str, Any]", value)


def _document(file: Path) -> Mapping[str, Any]:
    import yaml

    try:
        value = yaml.safe_load(file.read_text())
        json.dumps(value)
    except OSError as error:
        reason = f"{file} cannot be read: {error.strerror or error}."
        raise CommandFailed(reason, Exit.USAGE) from None
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
        reason = " ".join(str(error).split())
        raise CommandFailed(f"{file} is neither JSON nor YAML: {reason}.", Exit.USAGE) from None
    if not isinstance(value, dict):
        raise CommandFailed(f"{file} holds no object.", Exit.USAGE)
    return cast("Mapping[str, Any]", value)
