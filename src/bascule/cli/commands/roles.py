"""`bascule roles`: what people and keys may do."""

from typing import Annotated

import typer

from bascule.cli.connection import Target, path_of
from bascule.cli.context import DEFAULT_DATA, DataOption, KeyOption, UrlOption, with_api
from bascule.cli.failures import CommandFailed, Exit
from bascule.cli.output import Format, OutputOption, print_rows, print_value

app = typer.Typer(no_args_is_help=True, help="Roles: built-in ones, and those of your own.")

_COLUMNS = ("name", "permissions", "is_builtin", "description")

NameArgument = Annotated[str, typer.Argument(help="Name of the role.")]
PermissionOption = Annotated[
    list[str] | None,
    typer.Option("--permission", help="A permission; repeatable. `roles permissions` lists them."),
]
DescriptionOption = Annotated[str | None, typer.Option(help="What it is for.")]


@app.command("list")
def list_roles(
    output: OutputOption = Format.TABLE,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """List roles."""
    found = with_api(Target(data, url, key), lambda api: api.get(path_of("roles")))
    print_rows(found["roles"], _COLUMNS, output, found)


@app.command()
def permissions(
    output: OutputOption = Format.TABLE,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """List every permission that a role can have."""
    found = with_api(Target(data, url, key), lambda api: api.get(path_of("permissions")))
    columns = ("name", "description", "built_in_roles")
    print_rows(found["permissions"], columns, output, found)


@app.command()
def show(
    name: NameArgument,
    output: OutputOption = Format.TABLE,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Show a role, and what names it."""
    path = path_of("roles", name)
    print_value(with_api(Target(data, url, key), lambda api: api.get(path)), output)


@app.command()
def add(
    name: NameArgument,
    permission: PermissionOption = None,
    description: DescriptionOption = None,
    output: OutputOption = Format.TABLE,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Make a role; one without permissions can still be named by access rules."""
    body = {"name": name, "permissions": permission or [], "description": description or ""}
    made = with_api(Target(data, url, key), lambda api: api.post(path_of("roles"), json=body))
    print_value(made, output)


@app.command("set")
def set_role(
    name: NameArgument,
    permission: PermissionOption = None,
    no_permissions: Annotated[
        bool, typer.Option("--no-permissions", help="Take every permission out.")
    ] = False,
    description: DescriptionOption = None,
    output: OutputOption = Format.TABLE,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Change a role: the permissions that are named are all it has then."""
    if permission and no_permissions:
        raise CommandFailed("Say which: --permission, or --no-permissions.", Exit.USAGE)
    body: dict[str, object] = {}
    if permission or no_permissions:
        body["permissions"] = permission or []
    if description is not None:
        body["description"] = description
    if not body:
        raise CommandFailed("Say what to change: --permission, --description.", Exit.USAGE)
    path = path_of("roles", name)
    print_value(with_api(Target(data, url, key), lambda api: api.patch(path, json=body)), output)


@app.command()
def remove(
    name: NameArgument,
    output: OutputOption = Format.TABLE,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Remove a role of your own that nothing names any more."""
    path = path_of("roles", name)
    print_value(with_api(Target(data, url, key), lambda api: api.delete(path)), output)
