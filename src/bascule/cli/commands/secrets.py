"""`bascule secrets`: what services are shown, kept encrypted."""

import sys
from typing import Annotated

import typer

from bascule.cli.connection import Target, path_of
from bascule.cli.context import DEFAULT_DATA, DataOption, KeyOption, UrlOption, with_api
from bascule.cli.failures import CommandFailed, Exit
from bascule.cli.output import Format, OutputOption, print_rows, print_value

app = typer.Typer(no_args_is_help=True, help="Secrets for services: set, listed, never shown.")

_COLUMNS = ("name", "version", "updated_at", "updated_by", "used_by")
_MOST_BYTES = 65_536

NameArgument = Annotated[str, typer.Argument(help="Name, as in ${secret:NAME}.")]


@app.command("set")
def set_secret(
    name: NameArgument,
    output: OutputOption = Format.TABLE,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Set a secret: it is asked for, or read from standard input where that is no terminal.

    It is in force with the next call. One line break at its end is no part of it.
    """
    body = {"value": _value(name)}
    path = path_of("secrets", name)
    stored = with_api(Target(data, url, key), lambda api: api.put(path, json=body))
    print_value(stored, output)


@app.command("list")
def list_secrets(
    output: OutputOption = Format.TABLE,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """List secrets, and which services use them."""
    found = with_api(Target(data, url, key), lambda api: api.get(path_of("secrets")))
    print_rows(found["secrets"], _COLUMNS, output, found)


@app.command()
def remove(
    name: NameArgument,
    force: Annotated[bool, typer.Option(help="Also where a service uses it.")] = False,
    output: OutputOption = Format.TABLE,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Remove a secret for good."""
    path, params = path_of("secrets", name), {"force": force or None}
    print_value(with_api(Target(data, url, key), lambda api: api.delete(path, params)), output)


@app.command()
def reseal(
    output: OutputOption = Format.TABLE,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """Encrypt every secret under the first of security.secret_keys, so that older ones can go."""
    path = path_of("secrets", "reseal")
    print_value(with_api(Target(data, url, key), lambda api: api.post(path)), output)


def _is_asked() -> bool:
    return sys.stdin.isatty()


def _value(name: str) -> str:
    """The secret, from a place that no list of processes and no history shows."""
    if _is_asked():
        return typer.prompt(name, hide_input=True, confirmation_prompt=True, err=True)
    content = sys.stdin.buffer.read(_MOST_BYTES + 2)
    try:
        value = content.decode().removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        raise CommandFailed("The secret is not UTF-8 text.", Exit.USAGE) from None
    if not value or len(content) > _MOST_BYTES:
        raise CommandFailed(
            f"Give the secret on standard input: 1 to {_MOST_BYTES:,} bytes.", Exit.USAGE
        )
    return value
