"""`bascule servers`: MCP servers behind the gateway."""

import shlex
import sys
from collections.abc import Mapping
from typing import Annotated, Any

import typer

from bascule.cli.connection import Api, Target, path_of
from bascule.cli.connectors import (
    OauthClientIdOption,
    OauthClientSecretOption,
    OauthIssuerOption,
    OauthScopeOption,
    UserOauthOption,
    user_grants_of,
)
from bascule.cli.context import DEFAULT_DATA, DataOption, KeyOption, UrlOption, with_api
from bascule.cli.destination import read_destination, show_command
from bascule.cli.failures import CommandFailed, Exit
from bascule.cli.output import Format, OutputOption, print_rows, print_value
from bascule.cli.terminal import harmless
from bascule.gateway.connector import Pinning
from bascule.gateway.errors import ErrorCode

app = typer.Typer(no_args_is_help=True, help="MCP servers that are passed on, all behind one door.")

_COLUMNS = ("name", "kind", "target", "status", "header_names", "created_at")
_SERVER = "URL | -- CMD"
_KINDS = {"mcp_http": "http", "mcp_stdio": "command"}

NameArgument = Annotated[str, typer.Argument(help="Name of the server.")]


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
        typer.Argument(help="URL of an MCP server, or a command after --.", metavar=_SERVER),
    ],
    header: Annotated[
        list[str] | None, typer.Option(help="Sent with each request, as 'Name: value'; repeatable.")
    ] = None,
    pinning: Annotated[
        Pinning, typer.Option(help="What of it must be approved before it is served.")
    ] = Pinning.FIRST_SEEN,
    user_oauth: UserOauthOption = False,
    oauth_client_id: OauthClientIdOption = None,
    oauth_client_secret: OauthClientSecretOption = None,
    oauth_issuer: OauthIssuerOption = None,
    oauth_scope: OauthScopeOption = None,
    output: OutputOption = Format.TABLE,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Pass a server on: what it offers is listed live, for whom a rule allows it.

    It is asked once what it offers. One that cannot be reached now is added all the same.
    """
    destination = read_destination(server, is_here=url is None)
    body: dict[str, Any] = {
        "name": name,
        "url": destination.url,
        "command": destination.command,
        "headers": dict(_header(one) for one in header or ()),
        "pinning": pinning.value,
    }
    grants = user_grants_of(oauth_client_id, oauth_client_secret, oauth_issuer, oauth_scope)
    if user_oauth or grants:
        body["user_grants"] = grants

    async def work(api: Api) -> dict[str, Any]:
        show_command(destination, is_here=url is None)
        added = await api.post(path_of("servers"), json=body)
        return {**added, "status": await _checked(api, name)}

    _print(with_api(Target(data, url, key), work), "added", output)


@app.command("set")
def set_server(
    name: NameArgument,
    server: Annotated[
        list[str] | None,
        typer.Argument(help="Where it is now: a URL, or a command after --.", metavar=_SERVER),
    ] = None,
    header: Annotated[
        list[str] | None,
        typer.Option(help="Sent with each request, as 'Name: value'; repeatable, replaces all."),
    ] = None,
    no_headers: Annotated[bool, typer.Option("--no-headers", help="Send none any more.")] = False,
    pinning: Annotated[
        Pinning | None, typer.Option(help="What of it must be approved before it is served.")
    ] = None,
    user_oauth: UserOauthOption = False,
    output: OutputOption = Format.TABLE,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Change a server; what is not given stays, and so does what was approved of it.

    Values of headers are never shown, so who changes a server that has some gives them anew.
    """
    if not (server or header or no_headers or pinning or user_oauth):
        raise CommandFailed("Say what to change, as in --pinning manual.", Exit.USAGE)
    if header and no_headers:
        raise CommandFailed("Say which: --header, or --no-headers.", Exit.USAGE)
    destination = read_destination(server, is_here=url is None) if server else None
    headers = dict(_header(one) for one in header or ())

    async def work(api: Api) -> dict[str, Any]:
        before = await _known(api, name)
        if not (header or no_headers):
            _refuse_loss(before)
        body = {
            "name": name,
            "url": before["url"] if destination is None else destination.url,
            "command": before["command"] if destination is None else destination.command,
            "headers": headers,
            "timeout_seconds": before["timeout_seconds"],
            "pinning": before["pinning"] if pinning is None else pinning.value,
            **({"user_grants": {}} if user_oauth else {}),
        }
        if destination is not None:
            show_command(destination, is_here=url is None)
        changed = await api.put(path_of("servers", name), json=body)
        return {**changed, "status": await _checked(api, name)}

    _print(with_api(Target(data, url, key), work), "changed", output)


@app.command()
def remove(
    name: NameArgument,
    output: OutputOption = Format.TABLE,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Pass a server on no more."""
    path = path_of("servers", name)
    print_value(with_api(Target(data, url, key), lambda api: api.delete(path)), output)


async def _known(api: Api, name: str) -> dict[str, Any]:
    """The server as it is."""
    found = await api.get(path_of("servers"))
    for one in found["servers"]:
        if one["name"] == name:
            return one
    raise CommandFailed(
        f"There is no MCP server {name}; see `bascule servers list`. "
        f"To add it: `bascule servers add {name} URL`.",
        Exit.USAGE,
        code=ErrorCode.NOT_FOUND.code,
    )


def _refuse_loss(server: Mapping[str, Any]) -> None:
    names = server["header_names"]
    if names:
        raise CommandFailed(
            f"{server['name']} is sent headers whose values cannot be read back, and would be lost "
            f"({', '.join(names)}). Give each again with --header, or say --no-headers.",
            Exit.USAGE,
            code=ErrorCode.MISSING_FIELD.code,
        )


def _print(server: Mapping[str, Any], done: str, output: Format) -> None:
    """Print a server that was just asked; beside that, why it was not reached."""
    shown = server
    if output is Format.TABLE:
        shown = {
            **_row(server),
            "pinning": server["pinning"],
            "timeout_seconds": server["timeout_seconds"],
        }
    print_value(shown, output)
    name, status = server["name"], server["status"]
    if status["reached"] is False:
        print(
            harmless(f"warning: {name} is {done}, but cannot be reached: {status['reason']}"),
            file=sys.stderr,
        )


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
