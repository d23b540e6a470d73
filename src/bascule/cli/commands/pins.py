"""`bascule pins`: definitions of MCP tools, and whether they may be served."""

import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import typer

from bascule.cli.connection import Api, Target, path_of
from bascule.cli.context import DEFAULT_DATA, DataOption, KeyOption, UrlOption, with_api
from bascule.cli.failures import CommandFailed, Exit
from bascule.cli.output import Format, OutputOption, print_rows, print_value
from bascule.cli.terminal import harmless
from bascule.gateway.errors import ErrorCode

app = typer.Typer(
    no_args_is_help=True, help="Tools of MCP servers that changed, held back until approved."
)

_COLUMNS = ("server", "tool", "status", "approved_by", "seen_at")
_SEVERITIES = ("breaking", "risky", "safe")
_CHANGES = ("severity", "place", "message")

ServerArgument = Annotated[str, typer.Argument(help="Name of the server.")]
ToolsArgument = Annotated[
    list[str] | None, typer.Argument(help="Names the server gives its tools.")
]
AllOption = Annotated[
    bool, typer.Option("--all", help="All that wait; without it and without a name, you are asked.")
]


@app.command("list")
def list_pins(
    server: Annotated[str | None, typer.Option(help="Only this server's.")] = None,
    waiting: Annotated[bool, typer.Option("--waiting", help="Only what is held back.")] = False,
    output: OutputOption = Format.TABLE,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """List the tools that servers define, and how each stands."""
    found = with_api(Target(data, url, key), lambda api: _pins(api, server, waiting=waiting))
    print_rows(found["pins"], _COLUMNS, output, found)


@app.command()
def show(
    server: ServerArgument,
    tool: Annotated[str, typer.Argument(help="The name the server gives the tool.")],
    output: OutputOption = Format.TABLE,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Show what waits, and what the difference means."""
    path = path_of("pins", server, tool)
    found = with_api(Target(data, url, key), lambda api: api.get(path))
    if output is not Format.TABLE:
        print_value(found, output)
        return
    print_value({name: found[name] for name in (*_COLUMNS, "digest")}, output)
    if found["changes"]:
        print()
        print_rows(found["changes"], _CHANGES, output)


@app.command()
def approve(
    server: ServerArgument,
    tools: ToolsArgument = None,
    every: AllOption = False,
    output: OutputOption = Format.TABLE,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Serve what waits. Look at it first: `bascule pins show`."""
    wanted = _Wanted("approve", server, tools or (), every=every)
    _decide(Target(data, url, key), wanted, output)


@app.command()
def reject(
    server: ServerArgument,
    tools: ToolsArgument = None,
    every: AllOption = False,
    output: OutputOption = Format.TABLE,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Go on holding back what waits, and do not ask about it again."""
    wanted = _Wanted("reject", server, tools or (), every=every)
    _decide(Target(data, url, key), wanted, output)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What a decision is about: these tools, or with none all of the server that wait."""

    verb: str
    server: str
    tools: Sequence[str]
    every: bool


def _decide(target: Target, wanted: _Wanted, output: Format) -> None:
    if wanted.every and wanted.tools:
        raise CommandFailed("Say which: names of tools, or --all.", Exit.USAGE)
    chosen = with_api(target, lambda api: _waiting(api, wanted))
    is_asked = not wanted.tools and not wanted.every
    if is_asked and not _is_answered():
        names = ", ".join(one["tool"] for one in chosen)
        raise CommandFailed(f"Name the tools, or say --all. These wait: {names}.", Exit.USAGE)
    if is_asked or output is Format.TABLE:
        _print_chosen(wanted, chosen)
    if is_asked and not typer.confirm(f"{wanted.verb} all of them?".capitalize(), err=True):
        typer.echo("Nothing was decided.", err=True)
        raise typer.Exit(Exit.UNEXPECTED)
    body = {"pins": [_decision(one) for one in chosen]}
    decided = with_api(target, lambda api: api.post(path_of("pins", wanted.verb), json=body))
    print_rows(decided["pins"], _COLUMNS, output, decided)


def _is_answered() -> bool:
    return sys.stdin.isatty()


async def _waiting(api: Api, wanted: _Wanted) -> list[dict[str, Any]]:
    """What is meant, each as it was looked at: with its digest, and its changes."""
    pins = (await _pins(api, wanted.server, waiting=False))["pins"]
    return [
        await api.get(path_of("pins", wanted.server, one["tool"]))
        for one in _chosen(pins, wanted.server, wanted.tools)
    ]


def _print_chosen(wanted: _Wanted, chosen: Sequence[Mapping[str, Any]]) -> None:
    typer.echo(f"To {wanted.verb}, of {wanted.server}:", err=True)
    for pin in chosen:
        typer.echo(harmless(f"  {pin['tool']}: {_differences(pin)}"), err=True)


def _differences(pin: Mapping[str, Any]) -> str:
    """How many changes wait, the worst first."""
    if pin["approved"] is None:
        return "new"
    counted = Counter(one["severity"] for one in pin["changes"])
    told = [f"{counted[one]} {one}" for one in _SEVERITIES if counted[one]]
    noun = "change" if counted.total() == 1 else "changes"
    return f"{', '.join(told)} {noun}" if told else "changed"


async def _pins(api: Api, server: str | None, *, waiting: bool) -> dict[str, Any]:
    query = {"server": server, "waiting": "true" if waiting else None}
    given = {name: value for name, value in query.items() if value is not None}
    return await api.get(path_of("pins"), params=given)


def _chosen(
    pins: Sequence[Mapping[str, Any]], server: str, tools: Sequence[str]
) -> list[Mapping[str, Any]]:
    """What is meant: these tools, rejected before or not; or all that nobody decided about."""
    held = [one for one in pins if one["digest"] is not None]
    if not tools:
        chosen = [one for one in held if one["status"] != "rejected"]
        if not chosen:
            raise CommandFailed(
                f"Nothing of {server} waits for a decision.",
                Exit.USAGE,
                code=ErrorCode.INVALID_VALUE.code,
            )
        return chosen
    missing = sorted(set(tools) - {one["tool"] for one in held})
    if missing:
        raise CommandFailed(
            f"{', '.join(missing)} of {server}: nothing waits for a decision. "
            "See `bascule pins list`.",
            Exit.USAGE,
            code=ErrorCode.INVALID_VALUE.code,
        )
    return [one for one in held if one["tool"] in tools]


def _decision(pin: Mapping[str, Any]) -> dict[str, Any]:
    return {name: pin[name] for name in ("server", "tool", "digest")}
