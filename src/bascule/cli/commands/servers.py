"""`bascule servers`: MCP servers behind the gateway."""

import shlex
import sys
from collections.abc import Mapping
from typing import Annotated, Any

import typer

from bascule.cli.connection import Api, Target, path_of
from bascule.cli.context import DEFAULT_DATA, DataOption, KeyOption, UrlOption, with_api
from bascule.cli.destination import read_destination
from bascule.cli.failures import CommandFailed, Exit
from bascule.cli.output import Format, OutputOption, print_rows, print_value
from bascule.cli.terminal import harmless

app = typer.Typer(no_args_is_help=True, help="MCP servers that are passed on, all behind one door.")

_COLUMNS = ("name", "kind", "target", "status", "header_names", "created_at")
_KINDS = {"mcp_http": "http", "mcp_stdio": "command"}


@app.command("list")
def list_servers(
    output: OutputOption = Format.TABLE,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """List them, and how they stand; headers are shown by name only."""
    found = with_api(Target(data, url, key), lambda api: api.get(path_of("servers")))
    print_rows([_row(one) for one in found["servers"]], _COLUMNS, output, found)


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="Its name, also of its bundle and its endpoint.")],
    server: Annotated[
        list[str],
        typer.Argument(help="URL of an MCP server, or a command after --.", metavar="URL | -- CMD"),
    ],
    header: Annotated[
        list[str] | None, typer.Option(help="Sent with each request, as 'Name: value'; repeatable.")
    ] = None,
    output: OutputOption = Format.TABLE,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Pass a server on: what it offers is listed live, for whom a rule allows it.

    It is asked once what it offers. One that cannot be reached now is added all the same.
    """
    destination = read_destination(server, is_here=url is None)
    body = {
        "name": name,
        "url": destination.url,
        "command": destination.command,
        "headers": dict(_header(one) for one in header or ()),
    }

    async def work(api: Api) -> dict[str, Any]:
        added = await api.post(path_of("servers"), json=body)
        return {**added, "status": await _checked(api, name)}

    added = with_api(Target(data, url, key), work)
    status = added["status"]
    if output is Format.TABLE:
        added = {**_row(added), "timeout_seconds": added["timeout_seconds"]}
    print_value(added, output)
    if status["reached"] is False:
        print(
            harmless(f"warning: {name} is added, but cannot be reached: {status['reason']}"),
            file=sys.stderr,
        )


@app.command()
def remove(
    name: Annotated[str, typer.Argument(help="Name of the server.")],
    output: OutputOption = Format.TABLE,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Pass a server on no more."""
    path = path_of("servers", name)
    print_value(with_api(Target(data, url, key), lambda api: api.delete(path)), output)


async def _checked(api: Api, name: str) -> dict[str, Any]:
    """What the server says now; nothing where the instance cannot ask: the server is added."""
    try:
        found = await api.post(path_of("servers", name, "check"))
    except CommandFailed as failure:
        return {"reached": None, "era": None, "tools": None, "reason": failure.message}
    return {member: found[member] for member in ("reached", "era", "tools", "reason")}


def _row(server: Mapping[str, Any]) -> dict[str, Any]:
    """A server as people read it."""
    return {
        "name": server["name"],
        "kind": _KINDS.get(server["kind"], server["kind"]),
        "target": server["url"] or shlex.join(server["command"]),
        "status": _words(server.get("status") or {}),
        "header_names": server["header_names"],
        "created_at": server["created_at"],
    }


def _words(status: Mapping[str, Any]) -> str:
    if status.get("reached") is None:
        return "not asked yet"
    if not status["reached"]:
        return "not reached"
    tools = status["tools"]
    return f"reached, {status['era']}, {tools} tool{'' if tools == 1 else 's'}"


def _header(given: str) -> tuple[str, str]:
    name, colon, value = given.partition(":")
    if not colon:
        raise CommandFailed(f"{given} is no header; write it as 'Name: value'.", Exit.USAGE)
    return name.strip(), value.strip()
