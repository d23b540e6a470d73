"""`bascule groups`: what membership of a group brings."""

from typing import Annotated

import typer

from bascule.cli.connection import Target, path_of
from bascule.cli.context import DEFAULT_DATA, DataOption, KeyOption, UrlOption, with_api
from bascule.cli.output import Format, OutputOption, print_rows, print_value

app = typer.Typer(no_args_is_help=True, help="Roles by group, as issuers name groups.")

_COLUMNS = ("name", "roles", "updated_at", "updated_by")

NameArgument = Annotated[str, typer.Argument(help="The group, exactly as issuers claim it.")]


@app.command("list")
def list_groups(
    output: OutputOption = Format.TABLE,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """List the groups whose members have roles on their account."""
    found = with_api(Target(data, url, key), lambda api: api.get(path_of("groups")))
    print_rows(found["groups"], _COLUMNS, output, found)


@app.command()
def show(
    name: NameArgument,
    output: OutputOption = Format.TABLE,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Show a group."""
    path = path_of("groups", name)
    print_value(with_api(Target(data, url, key), lambda api: api.get(path)), output)


@app.command("set")
def set_group(
    name: NameArgument,
    roles: Annotated[list[str], typer.Argument(help="All roles that members shall have.")],
    output: OutputOption = Format.TABLE,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Give the members of a group these roles, and no others on its account."""
    path, body = path_of("groups", name), {"roles": roles}
    print_value(with_api(Target(data, url, key), lambda api: api.put(path, json=body)), output)


@app.command()
def remove(
    name: NameArgument,
    output: OutputOption = Format.TABLE,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Let membership of a group bring nothing any more."""
    path = path_of("groups", name)
    print_value(with_api(Target(data, url, key), lambda api: api.delete(path)), output)
