"""`bascule keys`: API keys."""

from typing import Annotated

import typer

from bascule.cli.connection import Target, path_of
from bascule.cli.context import DEFAULT_DATA, DataOption, KeyOption, UrlOption, with_api
from bascule.cli.output import Format, OutputOption, print_rows, print_value

app = typer.Typer(no_args_is_help=True, help="API keys: made, listed, revoked.")

_COLUMNS = ("key_id", "name", "prefix", "roles", "created_at", "expires_at", "revoked_at")


@app.command()
def create(
    name: Annotated[str, typer.Option(help="Whose key it is, or what for.")],
    role: Annotated[list[str], typer.Option(help="A role; may be repeated.")],
    expires_in_days: Annotated[
        int | None, typer.Option(min=1, max=3650, help="Days until it expires; default never.")
    ] = None,
    output: OutputOption = Format.TABLE,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Make a key. It is shown now and never again."""
    body = {"name": name, "roles": role, "expires_in_days": expires_in_days}
    made = with_api(Target(data, url, key), lambda api: api.post(path_of("keys"), json=body))
    print_value(made, output)


@app.command("list")
def list_keys(
    output: OutputOption = Format.TABLE,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """List keys; their secrets are not known here."""
    found = with_api(Target(data, url, key), lambda api: api.get(path_of("keys")))
    print_rows(found["keys"], _COLUMNS, output, found)


@app.command()
def revoke(
    key_id: Annotated[str, typer.Argument(help="The key_id, as `keys list` shows it.")],
    output: OutputOption = Format.TABLE,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Revoke a key; it is refused from the next call on."""
    path = path_of("keys", key_id)
    print_value(with_api(Target(data, url, key), lambda api: api.delete(path)), output)
