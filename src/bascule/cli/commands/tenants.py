"""`bascule tenants`: for system administrators."""

from typing import Annotated

import typer

from bascule.cli.connection import Target, path_of
from bascule.cli.context import DEFAULT_DATA, DataOption, KeyOption, UrlOption, with_api
from bascule.cli.failures import CommandFailed, Exit
from bascule.cli.output import Format, OutputOption, print_rows, print_value

app = typer.Typer(
    no_args_is_help=True,
    help="Tenants, for system administrators. `bascule --tenant NAME …` acts in one.",
)

_COLUMNS = ("name", "is_active", "hosts", "description", "created_at")

NameArgument = Annotated[str, typer.Argument(help="Name of the tenant.")]
DescriptionOption = Annotated[str | None, typer.Option(help="Whose it is.")]
HostOption = Annotated[
    list[str] | None,
    typer.Option(help="A host under which only its callers come in; may be repeated."),
]


@app.command("list")
def list_tenants(
    output: OutputOption = Format.TABLE,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """List tenants."""
    found = with_api(Target(data, url, key), lambda api: api.get(path_of("tenants")))
    print_rows(found["tenants"], _COLUMNS, output, found)


@app.command()
def add(
    name: NameArgument,
    description: DescriptionOption = None,
    host: HostOption = None,
    output: OutputOption = Format.TABLE,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Add a tenant, with the built-in roles and nothing else."""
    body = {"name": name, "description": description or "", "hosts": host or []}
    made = with_api(Target(data, url, key), lambda api: api.post(path_of("tenants"), json=body))
    print_value(made, output)


@app.command()
def show(
    name: NameArgument,
    output: OutputOption = Format.TABLE,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Show a tenant, and how many things of each kind it has."""
    path = path_of("tenants", name)
    print_value(with_api(Target(data, url, key), lambda api: api.get(path)), output)


@app.command("set")
def set_tenant(
    name: NameArgument,
    description: DescriptionOption = None,
    host: HostOption = None,
    no_hosts: Annotated[
        bool, typer.Option("--no-hosts", help="It has no host of its own.")
    ] = False,
    output: OutputOption = Format.TABLE,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Change a tenant: the hosts that are named are all it has then."""
    if host and no_hosts:
        raise CommandFailed("Say which: --host, or --no-hosts.", Exit.USAGE)
    body: dict[str, object] = {}
    if description is not None:
        body["description"] = description
    if host or no_hosts:
        body["hosts"] = host or []
    if not body:
        raise CommandFailed("Say what to change: --description, --host.", Exit.USAGE)
    _change(Target(data, url, key), name, body, output)


@app.command()
def deactivate(
    name: NameArgument,
    output: OutputOption = Format.TABLE,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Let nobody of a tenant in any more; everything stays."""
    _change(Target(data, url, key), name, {"is_active": False}, output)


@app.command()
def activate(
    name: NameArgument,
    output: OutputOption = Format.TABLE,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Let a tenant's callers in again."""
    _change(Target(data, url, key), name, {"is_active": True}, output)


@app.command()
def remove(
    name: NameArgument,
    output: OutputOption = Format.TABLE,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Remove a tenant that has nothing any more."""
    path = path_of("tenants", name)
    print_value(with_api(Target(data, url, key), lambda api: api.delete(path)), output)


def _change(target: Target, name: str, body: dict[str, object], output: Format) -> None:
    path = path_of("tenants", name)
    print_value(with_api(target, lambda api: api.patch(path, json=body)), output)
